//! Directories that are there whole or not at all.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{Error, entries, manifest};

/// A directory that is being made beside the place it is wanted. One process makes it.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
    wanted: PathBuf,
    /// The directory itself, locked; the system takes the lock back however the process ends.
    directory: File,
}

impl Staging {
    /// Begins to make what is wanted under its name and a suffix. What an earlier attempt has left is removed.
    pub(super) fn begin(wanted: &Path, suffix: &str) -> anyhow::Result<Self> {
        let named = || Error::Name { path: wanted.to_owned() };
        let mut name = wanted.file_name().ok_or_else(named)?.to_owned();
        name.push(suffix);
        vacant(wanted)?;
        let path = wanted.with_file_name(name);
        fs::create_dir_all(&path).with_context(|| format!("directory {} can not be created", path.display()))?;
        let directory = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        match directory.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path }.into()),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} can not be locked", path.display()));
            }
        }
        // Another process may have finished it between the first look and the lock.
        vacant(wanted)?;
        let staging = Self { path, wanted: wanted.to_owned(), directory };
        staging.clear()?;
        Ok(staging)
    }

    /// Where to make it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what an attempt leaves, and nothing else.
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

    /// Gives it its name, for good: what is in it was made durable before.
    pub(super) fn finish(self) -> anyhow::Result<()> {
        let making = || format!("{} can not be created", self.wanted.display());
        self.directory.sync_all().with_context(making)?;
        fs::rename(&self.path, &self.wanted).with_context(making)?;
        let above = self.wanted.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above).and_then(|above| above.sync_all()).with_context(making)
    }

    /// Leaves nothing of it, as far as possible.
    pub(super) fn discard(self) {
        let removed = self.clear().and_then(|()| Ok(fs::remove_dir(&self.path)?));
        if let Err(error) = removed {
            tracing::warn!(path = %self.path.display(), error = format!("{error:#}"), "what was begun is left");
        }
    }
}

/// Refuses a place where something is. An empty directory is nothing.
fn vacant(wanted: &Path) -> anyhow::Result<()> {
    let taken = match fs::symlink_metadata(wanted) {
        Err(_) => false,
        Ok(about) => !about.is_dir() || !entries(wanted)?.is_empty(),
    };
    if taken { Err(Error::Exists { path: wanted.to_owned() }.into()) } else { Ok(()) }
}
