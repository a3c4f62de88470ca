//! Failures of the database, by what to do about each.

use types::{Fault, Reason};

/// The driver's error.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// A statement or transaction that did not work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Another writer was faster. Everything was rolled back; the whole batch may run again.
    Conflict,
    /// A new row's key exists already, and was not asked for. As a conflict, but may never go away.
    Exists(&'static str),
    /// A unique index refused a row.
    Unique(Source),
    /// The database cannot be reached or is full. Whether a commit took place is unknown.
    Lost(Source),
    /// Any other refusal: a CHECK, a wrong statement.
    Other(Source),
    /// A decision of ours.
    Fault(Fault),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        const UNIQUE: [i32; 3] = [1555, 2067, 2579];
        let Some(code) = error.sqlite_error().map(|error| error.extended_code) else {
            return Self::Other(error.into());
        };
        match code & 0xff {
            _ if UNIQUE.contains(&code) => Self::Unique(error.into()),
            5 | 6 => Self::Conflict,
            10 | 13 | 14 => Self::Lost(error.into()),
            _ => Self::Other(error.into()),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let Some(code) = error.as_database_error().map(|error| error.code().unwrap_or_default().into_owned()) else {
            let lost = matches!(
                error,
                sqlx::Error::Io(_)
                    | sqlx::Error::Tls(_)
                    | sqlx::Error::Protocol(_)
                    | sqlx::Error::PoolTimedOut
                    | sqlx::Error::PoolClosed
            );
            return if lost { Self::Lost(error.into()) } else { Self::Other(error.into()) };
        };
        match class(&code) {
            Class::Unique => Self::Unique(error.into()),
            Class::Conflict => Self::Conflict,
            Class::Lost => Self::Lost(error.into()),
            Class::Other => Self::Other(error.into()),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

enum Class {
    Unique,
    Conflict,
    Lost,
    Other,
}

/// What to do about an SQLSTATE.
fn class(state: &str) -> Class {
    match state {
        "23505" => Class::Unique,
        // The last is a division by zero: a write in one statement divides when a change falls short, and nothing else does.
        "40001" | "40P01" | "55P03" | "22012" => Class::Conflict,
        // A statement or a transaction that took too long, or a server that only reads after a failover.
        "57014" | "25P03" | "25006" => Class::Lost,
        _ if state.starts_with("08") || state.starts_with("53") || state.starts_with("57P") => Class::Lost,
        _ => Class::Other,
    }
}

impl Failure {
    /// The database cannot be reached.
    pub(crate) fn lost(why: impl Into<Source>) -> Self {
        Self::Lost(why.into())
    }

    /// The primary result code of SQLite.
    pub(crate) fn sqlite_code(&self) -> Option<i32> {
        let (Self::Lost(source) | Self::Other(source)) = self else { return None };
        let error = source.downcast_ref::<rusqlite::Error>()?.sqlite_error()?;
        Some(error.extended_code & 0xff)
    }

    /// The driver's error, or the fault that the caller would receive.
    pub(crate) fn into_source(self) -> Source {
        match self {
            Self::Unique(source) | Self::Lost(source) | Self::Other(source) => source,
            other @ (Self::Conflict | Self::Exists(_) | Self::Fault(_)) => Box::new(other.into_fault()),
        }
    }

    /// The fault for the caller.
    pub(crate) fn into_fault(self) -> Fault {
        match self {
            Self::Conflict => Fault::unavailable("the same rows are being changed by others"),
            Self::Exists(table) => exists(table),
            Self::Unique(error) => {
                tracing::warn!(error = error.as_ref() as &dyn std::error::Error, "a unique index refused a command");
                Fault::new(Reason::AlreadyExists, "a resource with this id or number exists already")
            }
            Self::Lost(error) => {
                tracing::warn!(error = error.as_ref() as &dyn std::error::Error, "the database cannot be reached");
                Fault::unavailable("the database cannot be reached")
            }
            Self::Other(error) => Fault::internal(format!("database: {error}")),
            Self::Fault(fault) => fault,
        }
    }
}

/// A new row's key is taken.
pub(crate) fn exists(table: &str) -> Fault {
    Fault::new(Reason::AlreadyExists, format!("a row of {table} exists already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: i32) -> Failure {
        rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into()
    }

    #[test]
    fn busy_and_serialization_failures_are_conflicts() {
        for code in [5, 6, 261, 517] {
            assert!(matches!(sqlite(code), Failure::Conflict), "{code}");
        }
        for state in ["40001", "40P01", "22012"] {
            assert!(matches!(class(state), Class::Conflict), "{state}");
        }
    }

    #[test]
    fn a_full_disk_and_a_server_that_is_gone_may_come_back() {
        for code in [10, 13, 14, 266] {
            assert!(matches!(sqlite(code), Failure::Lost(_)), "{code}");
        }
        for state in ["08006", "57P01", "53100", "57014"] {
            assert!(matches!(class(state), Class::Lost), "{state}");
        }
    }

    #[test]
    fn a_broken_law_is_neither_and_a_taken_number_is_told_apart() {
        for code in [1, 275] {
            assert!(matches!(sqlite(code), Failure::Other(_)), "{code}");
        }
        for state in ["23514", "42P01"] {
            assert!(matches!(class(state), Class::Other), "{state}");
        }
        assert!(matches!(sqlite(2067), Failure::Unique(_)));
        assert!(matches!(class("23505"), Class::Unique));
    }
}
