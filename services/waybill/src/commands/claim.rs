//! One process for each embedded database: a second one is refused before it opens anything.
//!
//! SQLite itself allows several writers. But two meshes on one directory are an operator's mistake: both would run the same
//! workers and wait for each other at every write, and neither would report why it is slow.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
};

use anyhow::Context as _;

/// Another process uses the database.
#[derive(Debug, thiserror::Error)]
#[error("database {path} is used by another waybill process")]
pub(super) struct Claimed {
    path: String,
}

/// The exclusive use of a database for as long as this value lives. The system releases it however the process ends.
#[derive(Debug)]
pub(super) struct Claim {
    /// Only an embedded database needs one.
    _lock: Option<File>,
}

impl Claim {
    /// Claims the database. One on a server needs no claim.
    pub(super) fn of(options: &store::Options) -> anyhow::Result<Self> {
        let Some(path) = options.url.strip_prefix("sqlite://").or_else(|| options.url.strip_prefix("sqlite:")) else {
            return Ok(Self { _lock: None });
        };
        let path = Path::new(path);
        // Without a directory for the lock there is none for the database, and opening that reports the problem better.
        let Some(directory) = path.parent().filter(|_| !path.is_dir()) else { return Ok(Self { _lock: None }) };
        if !directory.as_os_str().is_empty() {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("directory {} cannot be created", directory.display()))?;
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .with_context(|| format!("{} cannot be created", Path::new(&name).display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => Err(Claimed { path: path.display().to_string() }.into()),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", Path::new(&name).display()))
            }
        }
    }
}
