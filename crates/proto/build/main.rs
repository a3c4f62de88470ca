//! Compiles `proto/` without protoc, and keeps the raw descriptor set: its options (routes, access rules) are read at run time.

mod events;
mod redact;
mod services;
mod texts;

use std::{env, error::Error, fs, path::PathBuf};

use prost_reflect::DescriptorPool;

#[expect(clippy::disallowed_methods, reason = "cargo passes build scripts their folder in the environment")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());

    let mut files = Vec::new();
    let mut folders = vec![root.join("waybill")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                files.push(path);
            }
        }
    }
    files.sort();

    let mut compiler = protox::Compiler::new([root.clone(), root.join("third_party")])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptors = compiler.encode_file_descriptor_set();
    let pool = DescriptorPool::decode(descriptors.as_slice())?;
    fs::write(out.join("descriptors.bin"), descriptors)?;
    fs::write(out.join("events.rs"), events::generate(&pool)?)?;
    fs::write(out.join("requests.rs"), requests(&pool))?;
    fs::write(out.join("redact.rs"), redact::generate(&pool)?)?;
    fs::write(out.join("texts.rs"), texts::generate(&pool)?)?;

    fs::write(out.join("message_bytes.rs"), message_bytes(&pool))?;

    prost_build::Config::new()
        .enable_type_names()
        .include_file("packages.rs")
        .bytes(["."])
        // A request is compared with its repeat by its bytes, so the entries of a map need an order.
        .btree_map([".waybill.order"])
        // Indented examples in them would be run as tests.
        .disable_comments([".google"])
        .service_generator(Box::new(services::Generator))
        .compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Implements `MessageBytes` for every message.
fn message_bytes(pool: &DescriptorPool) -> String {
    let own =
        pool.all_messages().filter(|message| message.full_name().starts_with("waybill.") && !message.is_map_entry());
    own.map(|message| format!("message_bytes!({});\n", events::rust_path(&message))).collect()
}

/// Implements `Repeatable` for every request with a `request_id`.
fn requests(pool: &DescriptorPool) -> String {
    let repeatable = pool.all_messages().filter(|message| {
        message.full_name().starts_with("waybill.") && message.get_field_by_name("request_id").is_some()
    });
    repeatable
        .map(|message| {
            let path = events::rust_path(&message);
            format!("impl crate::Repeatable for {path} {{ fn request_id(&self) -> &str {{ &self.request_id }} }}\n")
        })
        .collect()
}
