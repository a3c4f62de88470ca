//! The error of a database that cannot be opened.

use crate::connection::postgres::problem::ConnectProblem;

/// Why a database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL names no database this crate knows.
    #[error("database url {url}: expected sqlite:PATH or postgres://...")]
    Url {
        /// The URL without its password.
        url: String,
    },
    /// The file's directory is missing and cannot be made.
    #[error("directory {path} cannot be created")]
    Directory {
        /// The directory.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file or its directory cannot be written.
    #[error("database {path} cannot be written: file or directory is read-only")]
    ReadOnly {
        /// The file.
        path: String,
    },
    /// The file is something else, or damaged.
    #[error("database {path} is not one of SQLite, or it is damaged")]
    Corrupt {
        /// The file.
        path: String,
    },
    /// The file is a database whose content contradicts itself.
    #[error("database {path} is damaged: {problem}")]
    Damaged {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// The file is not there.
    #[error("database {path} is missing")]
    Missing {
        /// The file.
        path: String,
    },
    /// Others write it without a pause.
    #[error("database {path} was not free to be copied in time")]
    Busy {
        /// The file.
        path: String,
    },
    /// The system cannot start the writer's thread.
    #[error("no thread for the writer")]
    Thread {
        /// Why.
        source: std::io::Error,
    },
    /// The path of the file is something else.
    #[error("database {path} is a directory")]
    NotAFile {
        /// The path.
        path: String,
    },
    /// No connection.
    #[error("database {url} cannot be reached")]
    Connect {
        /// The URL without its password.
        url: String,
        /// Why, if it is a server's.
        problem: ConnectProblem,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer program has migrated this database.
    #[error("the schema is newer than this program: it does not know migration {version} {name:?}")]
    SchemaNewer {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// Migrations have to be applied first.
    #[error("the schema is older than this program: migration {version} {name:?} is not applied")]
    SchemaOlder {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A migration was edited after it was applied.
    #[error("migration {version} {name:?} was changed after it was applied")]
    MigrationChanged {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A migration was never applied although a later one was.
    #[error("migration {version} {name:?} is missing although a later one is applied")]
    MigrationMissing {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
    },
    /// A migration does not run.
    #[error("migration {version} {name:?} failed")]
    Migration {
        /// Its number.
        version: i64,
        /// Its name.
        name: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
