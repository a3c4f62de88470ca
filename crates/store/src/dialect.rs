//! SQL differences between SQLite and PostgreSQL. Their connections are in `connection`, their statements in
//! `statement`.

use std::time::Duration;

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
