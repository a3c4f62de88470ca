//! Backups of a mesh on embedded databases: taken while it runs, and restored completely or not at all.
//!
//! A backup is a directory: a copy of each database, all as they were at one moment, and a manifest that describes them.
//! A directory is written under a temporary name beside its destination and renamed last, so that whatever has the final
//! name is complete.

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

/// Length and hash of a file.
#[derive(Debug, PartialEq, Eq)]
struct Checksum {
    bytes: u64,
    sha256: String,
}

/// Copies a file to a writer and returns its length and hash.
fn read_into(file: &Path, to: &mut impl Write) -> io::Result<Checksum> {
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
    Ok(Checksum { bytes, sha256: format!("{:x}", hash.finalize()) })
}

/// The entries of a directory.
fn entries(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    listed.with_context(|| format!("reading directory {}", directory.display()))
}
