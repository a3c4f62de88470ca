//! Backups of a mesh on embedded databases: taken while it runs, and put back whole or not at all.
//!
//! A backup is a directory: a copy of each database, all as they were at one moment, and a manifest that says what they
//! are. What is made is made beside the place it is wanted and takes its name last, so that whatever has the name is whole.

mod error;
mod manifest;
mod restore;
mod staging;
mod take;

use std::{
    fs::{self, File},
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

pub use error::Error;
pub use manifest::Manifest;
pub use restore::restore;
pub use take::{Taken, take};

/// What tells the bytes of a file from others.
#[derive(Debug, PartialEq, Eq)]
struct Seal {
    bytes: u64,
    sha256: String,
}

/// Reads a file to its end, and hands on what was read.
fn read_into(file: &Path, to: &mut impl Write) -> io::Result<Seal> {
    let (mut from, mut hash, mut bytes) = (File::open(file)?, Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { break };
        hash.update(chunk);
        to.write_all(chunk)?;
        bytes += u64::try_from(count).unwrap_or(0);
    }
    Ok(Seal { bytes, sha256: format!("{:x}", hash.finalize()) })
}

/// What is in a directory.
fn entries(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    listed.with_context(|| format!("reading directory {}", directory.display()))
}
