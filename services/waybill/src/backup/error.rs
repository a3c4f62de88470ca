//! Why there is no backup, or it is not put back.

use std::path::{Path, PathBuf};

/// Why there is no backup, or it is not put back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something has the name of what is to be made.
    #[error("{} exists already", path.display())]
    Exists {
        /// Its path.
        path: PathBuf,
    },
    /// The path is not one that something can be made at.
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
    /// Another process is making the same.
    #[error("{} is being written by another waybill process", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// The backup is not what was made once.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A newer program has made the backup.
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
