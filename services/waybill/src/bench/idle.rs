//! What the whole mesh takes when nothing is asked of it: the time to come up on an empty directory, and its memory.

use std::{fs, path::Path, time::Duration};

use super::{
    process::Counted,
    record::{Engine, Record},
    server::Whole,
};

pub(super) const READY: &str = "time to ready on an empty directory";
pub(super) const RESIDENT: &str = "resident memory of an idle mesh";
/// The letter of what is no scenario.
pub(super) const LETTER: char = 'i';

/// How long it is left alone before one looks.
const REST: Duration = Duration::from_secs(1);

/// One round. On SQLite: a directory of PostgreSQL's is never empty.
pub(super) async fn round(root: &Path, record: &mut Record) -> anyhow::Result<()> {
    let directory = root.join("idle");
    fs::create_dir_all(&directory)?;
    let data = directory.join("data").display().to_string();
    let mesh = Whole::start(&directory, vec!["--data".to_owned(), data]).await?;
    record.note(LETTER, Engine::Sqlite, READY, "ms", mesh.took.as_secs_f64() * 1_000.0);
    tokio::time::sleep(REST).await;
    if let Some(resident) = Counted::of([mesh.process.id]).resident_mib() {
        record.note(LETTER, Engine::Sqlite, RESIDENT, "MiB", resident);
    }
    mesh.process.end().await?;
    Ok(fs::remove_dir_all(directory)?)
}
