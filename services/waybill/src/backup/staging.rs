//! Directories that appear complete or not at all.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{Error, entries, manifest};

/// A directory that one process writes under a temporary name beside its destination.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
    destination: PathBuf,
    /// The open directory with a lock, which the system releases however the process ends.
    directory: File,
}

impl Staging {
    /// Creates the directory under the destination's name and a suffix, and removes what an earlier attempt left.
    pub(super) fn begin(destination: &Path, suffix: &str) -> anyhow::Result<Self> {
        let no_name = || Error::Name { path: destination.to_owned() };
        let mut name = destination.file_name().ok_or_else(no_name)?.to_owned();
        name.push(suffix);
        require_vacant(destination)?;
        let path = destination.with_file_name(name);
        fs::create_dir_all(&path).with_context(|| format!("directory {} cannot be created", path.display()))?;
        let directory = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        match directory.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path }.into()),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
            }
        }
        // Another process may have finished it between the first check and the lock.
        require_vacant(destination)?;
        let staging = Self { path, destination: destination.to_owned(), directory };
        staging.clear()?;
        Ok(staging)
    }

    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the files of an attempt. Fails when there are others.
    fn clear(&self) -> anyhow::Result<()> {
        for entry in entries(&self.path)? {
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name != manifest::FILE && !name.contains(".db") || entry.is_dir() {
                return Err(Error::Exists { path: entry }.into());
            }
            fs::remove_file(&entry).with_context(|| format!("removing {}", entry.display()))?;
        }
        Ok(())
    }

    /// Renames it to the destination, durably. Its files were synced before.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let making = || format!("{} cannot be created", self.destination.display());
        self.directory.sync_all().with_context(making)?;
        fs::rename(&self.path, &self.destination).with_context(making)?;
        let parent =
            self.destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent).and_then(|parent| parent.sync_all()).with_context(making)
    }

    /// Removes it, as far as possible.
    pub(super) fn discard(self) {
        let removed = self.clear().and_then(|()| Ok(fs::remove_dir(&self.path)?));
        if let Err(error) = removed {
            tracing::warn!(path = %self.path.display(), error = format!("{error:#}"), "an unfinished directory is left");
        }
    }
}

/// Fails when the path exists, unless it is an empty directory.
fn require_vacant(destination: &Path) -> anyhow::Result<()> {
    let taken = match fs::symlink_metadata(destination) {
        Err(_) => false,
        Ok(about) => !about.is_dir() || !entries(destination)?.is_empty(),
    };
    if taken { Err(Error::Exists { path: destination.to_owned() }.into()) } else { Ok(()) }
}
