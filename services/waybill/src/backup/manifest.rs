//! The manifest of a backup.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use store::backup::Contents;
use types::Timestamp;

use super::{Checksum, Error};
use crate::compose::service_names;

/// File name of the manifest.
pub(super) const FILE: &str = "manifest.json";

/// The format this program writes and reads.
const FORMAT: u64 = 1;

/// The contents of a backup, stored beside the copies.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    format: u64,
    /// Version of the program that made it.
    waybill_version: String,
    /// The moment that all copies show, RFC 3339.
    pub cut_time: String,
    /// The copies, one for each service.
    pub databases: Vec<Database>,
}

/// The copy of one service's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// The service.
    pub service: String,
    /// File name in the backup.
    pub file: String,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// The last position of its log.
    pub log_position: i64,
    /// Hash of the log's last event, hexadecimal.
    pub log_hash: String,
    /// The service's last migration.
    pub schema_version: i64,
    /// The position of each of its subscriptions.
    pub subscriptions: BTreeMap<String, i64>,
}

impl Database {
    pub(super) fn new(service: &str, checksum: Checksum, contents: Contents) -> Self {
        Self {
            service: service.to_owned(),
            file: file_name(service),
            bytes: checksum.bytes,
            sha256: checksum.sha256,
            log_position: contents.position,
            log_hash: contents.hash,
            schema_version: contents.schema,
            subscriptions: contents.followed,
        }
    }
}

/// The name of a service's copy.
pub(super) fn file_name(service: &str) -> String {
    format!("{service}.db")
}

impl Manifest {
    pub(super) fn new(cut: Timestamp, databases: Vec<Database>) -> Self {
        let (seconds, nanos) = cut.to_parts();
        Self {
            format: FORMAT,
            waybill_version: env!("CARGO_PKG_VERSION").to_owned(),
            cut_time: prost_types::Timestamp { seconds, nanos }.to_string(),
            databases,
        }
    }

    /// Writes it into a directory, durably.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let mut file = File::create(directory.join(FILE))?;
        file.write_all(&text)?;
        file.sync_all()
    }

    /// Reads the manifest of a backup. Fails unless it names one copy for each service and no other file.
    pub(super) fn read(backup: &Path) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            format: u64,
        }
        let path = backup.join(FILE);
        let damaged = |problem: String| Error::damaged(&path, problem);
        let text = fs::read(&path).map_err(|error| damaged(format!("this is no finished backup: {error}")))?;
        let unreadable = |error: serde_json::Error| damaged(format!("it cannot be read: {error}"));
        let Version { format } = serde_json::from_slice(&text).map_err(unreadable)?;
        if format != FORMAT {
            return Err(Error::Format { path, format });
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(unreadable)?;
        let named = manifest.databases.iter().map(|database| (database.service.clone(), database.file.clone()));
        let expected = service_names().into_iter().map(|service| (service.to_owned(), file_name(service)));
        if !named.eq(expected) {
            return Err(damaged(format!("it does not name the databases of {}", service_names().join(", "))));
        }
        Ok(manifest)
    }
}
