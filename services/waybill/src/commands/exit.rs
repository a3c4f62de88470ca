//! The end of a failed command: an exit code for programs, the cause and the remedy for people.

use std::{io, process::ExitCode};

use super::claim::Claimed;
use crate::backup;

/// What the exit codes mean, for `--help`. The numbers are those of BSD's sysexits.
pub(super) const CODES: &str = "\
Exit codes:
   0  done, or stopped as requested
   1  failed otherwise
  64  wrong arguments or settings
  65  a database or a backup is damaged, or is not one
  69  the database server cannot be reached, or refuses
  71  an address cannot be listened on
  73  a file or directory cannot be created or written
  74  the disk is full or fails, or a migration cannot be run
  75  another process uses the data
  78  the schema of a database does not fit this program";

/// Why a command failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Other,
    Usage,
    Damaged,
    Server,
    Address,
    Create,
    Disk,
    Busy,
    Schema,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => USAGE,
            Self::Damaged => 65,
            Self::Server => 69,
            Self::Address => 71,
            Self::Create => 73,
            Self::Disk => 74,
            Self::Busy => 75,
            Self::Schema => 78,
        }
    }

    /// What to do about it.
    const fn advice(self) -> Option<&'static str> {
        match self {
            Self::Other => None,
            Self::Usage => Some("see --help"),
            Self::Damaged => Some("restore the file from a backup, or name another one; nothing was changed"),
            // Each connection problem has its own advice.
            Self::Server => None,
            Self::Address => Some("end the program that listens there, or choose another address or port; see --help"),
            Self::Create => Some("name another directory, one that this user may write to"),
            Self::Disk => Some("make room on the disk, see that the user may create tables, and start again"),
            Self::Busy => Some("end the other process, or name another directory"),
            Self::Schema => {
                Some("run the version that knows this schema, `waybill migrate` if it is older; nothing was changed")
            }
        }
    }
}

/// Wrong arguments.
pub(super) const USAGE: u8 = 64;

/// An argument or setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unusable(pub(super) String);

/// The exit code, and what to do about it.
pub(super) fn of(error: &anyhow::Error) -> (ExitCode, Option<&'static str>) {
    let kind = kind(error);
    (ExitCode::from(kind.code()), connecting(error).or(kind.advice()))
}

/// What to do about a database server that cannot be used.
fn connecting(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| match cause.downcast_ref() {
        Some(store::Error::Connect { problem, .. }) if kind(error) == Kind::Server => Some(problem.advice()),
        _ => None,
    })
}

fn kind(error: &anyhow::Error) -> Kind {
    let found = error.chain().find_map(|cause| {
        let io = || cause.downcast_ref::<io::Error>().and_then(of_io);
        cause
            .downcast_ref::<store::Error>()
            .map(of_store)
            .or_else(|| cause.downcast_ref::<backup::Error>().map(of_backup))
            .or_else(|| cause.downcast_ref::<Claimed>().map(|_| Kind::Busy))
            .or_else(|| cause.downcast_ref::<Unusable>().map(|_| Kind::Usage))
            .or_else(|| cause.downcast_ref::<mesh::ConnectError>().map(|_| Kind::Usage))
            .or_else(io)
    });
    found.unwrap_or(Kind::Other)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "of many kinds that may grow, these have a remedy")]
fn of_io(error: &io::Error) -> Option<Kind> {
    match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => Some(Kind::Address),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Some(Kind::Disk),
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::DirectoryNotEmpty
        | io::ErrorKind::ResourceBusy
        | io::ErrorKind::AlreadyExists => Some(Kind::Create),
        _ => None,
    }
}

fn of_store(error: &store::Error) -> Kind {
    match error {
        store::Error::Url { .. } => Kind::Usage,
        store::Error::Directory { source, .. } => of_io(source).unwrap_or(Kind::Create),
        store::Error::ReadOnly { .. } | store::Error::NotAFile { .. } => Kind::Create,
        store::Error::Corrupt { .. } | store::Error::Damaged { .. } | store::Error::Missing { .. } => Kind::Damaged,
        store::Error::Busy { .. } => Kind::Busy,
        // An embedded database needs no server; what fails is the disk.
        store::Error::Connect { url, .. } if url.starts_with("sqlite:") => Kind::Disk,
        store::Error::Connect { .. } => Kind::Server,
        store::Error::SchemaNewer { .. }
        | store::Error::SchemaOlder { .. }
        | store::Error::MigrationMissing { .. }
        | store::Error::MigrationChanged { .. } => Kind::Schema,
        // A tested migration fails only for lack of space or of permission to create tables.
        store::Error::Migration { .. } => Kind::Disk,
        store::Error::Thread { .. } => Kind::Other,
    }
}

fn of_backup(error: &backup::Error) -> Kind {
    match error {
        backup::Error::Exists { .. } => Kind::Create,
        backup::Error::Name { .. } | backup::Error::NoData { .. } => Kind::Usage,
        backup::Error::Busy { .. } => Kind::Busy,
        backup::Error::Damaged { .. } => Kind::Damaged,
        backup::Error::Format { .. } => Kind::Schema,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn every_code_is_in_the_help_and_every_failure_has_one_of_its_own() {
        let kinds = [
            Kind::Other,
            Kind::Usage,
            Kind::Damaged,
            Kind::Server,
            Kind::Address,
            Kind::Create,
            Kind::Disk,
            Kind::Busy,
            Kind::Schema,
        ];
        let codes: std::collections::BTreeSet<u8> = kinds.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), kinds.len());
        for code in codes {
            assert!(CODES.lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))), "{code}");
        }
    }

    #[test]
    fn the_cause_is_found_below_what_was_being_done() {
        let full: anyhow::Result<()> = Err(io::Error::from(io::ErrorKind::StorageFull)).context("writing");
        assert_eq!(kind(&full.context("backing up").unwrap_err()), Kind::Disk);
    }
}
