//! SQL differences between SQLite and PostgreSQL. Their connections are in `connection`, their statements in
//! `statement`.

use std::time::Duration;

use crate::connection::{Lock, Scope};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Whether it is a file that only this process uses, so that tasks and locks of earlier processes are abandoned.
    pub(crate) const fn is_embedded(self) -> bool {
        matches!(self, Self::Sqlite)
    }

    /// How an attempt to apply a batch is guarded against other writers, of which SQLite has none.
    ///
    /// On PostgreSQL the first attempt relies on versions alone and writes in one statement. The second is a transaction that
    /// locks the log's head before it writes, so that only a changed row fails it. Later ones lock all that they load, so that
    /// the same rows cannot be lost to the same rival again.
    pub(crate) const fn guard(self, attempt: u32) -> (Scope, Lock) {
        match (self, attempt) {
            (Self::Postgres, 0) => (Scope::Statement, Lock::Nothing),
            (Self::Postgres, 1) => (Scope::Transaction, Lock::Nothing),
            _ => (Scope::Transaction, Lock::Rows),
        }
    }

    /// Opens a transaction that writes. SQLite takes its one write lock at once: taking it later fails instead of waiting.
    pub(crate) const fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }

    /// Locks the rows a SELECT reads until the commit. SQLite has one writer anyway.
    pub(crate) const fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// As `for_update`, passing over rows another transaction holds.
    pub(crate) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// How often a task runner looks for due tasks that another process has scheduled.
    pub(crate) const fn poll(self) -> Duration {
        Duration::from_secs(1)
    }
}
