//! Taking a backup.

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

/// What an unfinished backup has behind its name.
pub(super) const PARTIAL: &str = ".partial";

/// A backup that was taken.
#[derive(Debug)]
pub struct Taken {
    /// What is in it.
    pub manifest: Manifest,
    /// How long those who write had to wait, at most.
    pub held: Duration,
}

/// Copies the databases in a directory, which others may use, into one that is not there yet. Takes its time: not for a
/// thread that carries calls.
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
    // All that was answered by now is in the copies.
    let (cut, begun) = (clock.now(), Instant::now());
    let pinned = backup::cut(files)?;
    let held = begun.elapsed();
    // Each is let go as soon as it is copied: until then its write-ahead log can not be cut back.
    let databases = SERVICES.iter().zip(pinned).map(|(service, pinned)| copy(service.name, &pinned, directory));
    let manifest = Manifest::new(cut, databases.collect::<anyhow::Result<_>>()?);
    manifest.write(directory).context("writing the manifest")?;
    Ok(Taken { manifest, held })
}

/// A copy is looked through before it counts: one that can not be put back is none.
fn copy(service: &str, pinned: &Pinned, directory: &Path) -> anyhow::Result<Database> {
    let copy = directory.join(file_name(service));
    let of = || format!("copying {}", pinned.file().display());
    pinned.copy_to(&copy).with_context(of)?;
    let contents = backup::inspect(&copy).with_context(of)?;
    let seal = read_into(&copy, &mut io::sink()).with_context(of)?;
    Ok(Database::new(service, seal, contents))
}
