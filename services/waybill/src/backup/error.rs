//! The error of a backup or a restore that failed.

use std::path::{Path, PathBuf};

/// Why a backup or a restore failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The destination exists already.
    #[error("{} exists already", path.display())]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// The path does not name a directory that could be created.
    #[error("{} is not a name for a directory", path.display())]
    Name {
        /// The path.
        path: PathBuf,
    },
    /// There are no embedded databases.
    #[error("{} has no databases of a mesh", path.display())]
    NoData {
        /// The directory.
        path: PathBuf,
    },
    /// Another process is writing the same directory.
    #[error("{} is being written by another waybill process", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The backup is incomplete or was changed.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The backup was made by a newer program.
    #[error("{} is of format {format}, which this program does not know", path.display())]
    Format {
        /// The manifest.
        path: PathBuf,
        /// Its format.
        format: u64,
    },
}

impl Error {
    pub(super) fn damaged(path: &Path, problem: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), problem: problem.into() }
    }
}
