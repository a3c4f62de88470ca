//! Takes a backup.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use store::backup::{self, Pinned};
use types::Clock;

use super::{
    Error, Manifest,
    manifest::{Database, file_name},
    read_into,
    staging::Staging,
};
use crate::compose::{self, SERVICES};

/// Suffix of the name of an unfinished backup.
pub(super) const PARTIAL: &str = ".partial";

/// A backup that was taken.
#[derive(Debug)]
pub struct Taken {
    /// What is in it.
    pub manifest: Manifest,
    /// How long writers had to wait, at most.
    pub held: Duration,
}

/// Copies the databases in a directory, which a mesh may be using, into a new one. Blocks for as long as that takes: not for
/// a thread of the async runtime.
pub fn take(data: &Path, to: &Path, clock: &dyn Clock) -> anyhow::Result<Taken> {
    let files: Vec<PathBuf> = SERVICES.iter().map(|service| compose::database_file(data, service.name)).collect();
    if !files.iter().any(|file| file.exists()) {
        return Err(Error::NoData { path: data.to_owned() }.into());
    }
    if fs::symlink_metadata(to).is_ok() {
        return Err(Error::Exists { path: to.to_owned() }.into());
    }
    let staging = Staging::begin(to, PARTIAL)?;
    match fill(staging.path(), &files, clock) {
        Ok(taken) => staging.finish().map(|()| taken),
        Err(error) => {
            staging.discard();
            Err(error)
        }
    }
}

fn fill(directory: &Path, files: &[PathBuf], clock: &dyn Clock) -> anyhow::Result<Taken> {
    // Everything acknowledged before this moment is in the copies.
    let (cut, begun) = (clock.now(), Instant::now());
    let pinned = backup::cut(files)?;
    let held = begun.elapsed();
    // Each is released as soon as it is copied: until then its write-ahead log cannot be truncated.
    let databases = SERVICES.iter().zip(pinned).map(|(service, pinned)| copy(service.name, &pinned, directory));
    let manifest = Manifest::new(cut, databases.collect::<anyhow::Result<_>>()?);
    manifest.write(directory).context("writing the manifest")?;
    Ok(Taken { manifest, held })
}

/// Copies one database and verifies the copy, so that one that cannot be restored fails the backup.
fn copy(service: &str, pinned: &Pinned, directory: &Path) -> anyhow::Result<Database> {
    let copy = directory.join(file_name(service));
    let copying = || format!("copying {}", pinned.file().display());
    pinned.copy_to(&copy).with_context(copying)?;
    let contents = backup::inspect(&copy).with_context(copying)?;
    let checksum = read_into(&copy, &mut io::sink()).with_context(copying)?;
    Ok(Database::new(service, checksum, contents))
}
