//! What differs between the two databases in words and settings. How they are spoken to is in `connection` and `statement`.

use std::time::Duration;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Whether it is a file of this process alone: whoever worked on it before is gone.
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

    /// Lets one process at a time migrate; held to the end of the transaction.
    pub(crate) const fn migration_lock(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(7089336938131513954)"),
        }
    }

    /// Settings of the connection that writes. A writer that stalls must not hold the log's head against the others.
    ///
    /// PostgreSQL plans a prepared statement once, perhaps while the table is empty, and keeps the plan until somebody has
    /// gathered statistics. The writer only looks things up by key: it is never to read a table through, whatever its size.
    pub(crate) const fn writer_setup(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000; \
                 PRAGMA wal_autocheckpoint = 10000; PRAGMA foreign_keys = ON"
            }
            Self::Postgres => {
                "SET idle_in_transaction_session_timeout = '15s'; SET lock_timeout = '10s'; SET jit = off; \
                 SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off"
            }
        }
    }

    /// Settings of a connection that only reads. Of plans see `writer_setup`.
    pub(crate) const fn reader_setup(self) -> &'static str {
        match self {
            Self::Sqlite => "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON",
            Self::Postgres => {
                "SET default_transaction_read_only = on; SET statement_timeout = '30s'; SET jit = off; \
                 SET enable_seqscan = off"
            }
        }
    }

    /// How soon a follower looks whether another process has written.
    pub(crate) const fn poll(self) -> Duration {
        Duration::from_secs(1)
    }
}
