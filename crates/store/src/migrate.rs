//! Migrations: one portable set for both databases, applied in one transaction.
//!
//! sqlx's own migrations are not used: the feature `migrate` requires another SQLite than rusqlite links, even where
//! sqlx's SQLite driver is off.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::{command::hex, connection::Connection, error::Error, failure::Failure, options::Migrate, value::Value};

/// A step of the schema, in SQL both databases understand: TEXT, BIGINT and BYTEA columns; never edited once landed.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1 upwards.
    pub version: i64,
    /// What it is about.
    pub name: &'static str,
    /// Statements, each closed by a semicolon.
    pub sql: &'static str,
}

/// The store's own tables.
const OWN: &[Migration] = &[Migration { version: 1, name: "store", sql: include_str!("../migrations/0001_store.sql") }];

/// A service's migrations are numbered after these.
pub(crate) const OWN_NUMBERS: i64 = 1_000;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations \
    (version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";

/// Lets one process at a time migrate a server's database; held to the end of the transaction.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7089336938131513954)";

/// Brings the schema to the state this program knows, or fails with the reason.
pub(crate) async fn migrate(conn: &Connection, migrations: &[Migration], mode: Migrate) -> Result<(), Error> {
    let service = migrations.iter().map(|own| Migration { version: own.version + OWN_NUMBERS, ..*own });
    let mut wanted: Vec<Migration> = OWN.iter().copied().chain(service).collect();
    wanted.sort_by_key(|migration| migration.version);

    conn.begin().await.map_err(failed)?;
    let brought = bring(conn, &wanted, mode).await;
    if brought.is_err() {
        // Nothing of it remains; on a lost connection the server sees to that.
        drop(conn.rollback().await);
        return brought;
    }
    conn.commit().await.map_err(failed)
}

async fn bring(conn: &Connection, wanted: &[Migration], mode: Migrate) -> Result<(), Error> {
    let mut applied = applied(conn).await.map_err(failed)?;
    for migration in wanted {
        let name = migration.name.to_owned();
        let checksum = hex(&Sha256::digest(migration.sql));
        match applied.remove(&migration.version) {
            Some((_, known)) if known == checksum => {}
            Some(_) => return Err(Error::MigrationChanged { version: migration.version, name }),
            None if a_later_one_of(&applied, migration.version) => {
                return Err(Error::MigrationMissing { version: migration.version, name });
            }
            None if mode == Migrate::Require => return Err(Error::SchemaOlder { version: migration.version, name }),
            None => {
                let failed = |failure: Failure| Error::Migration {
                    version: migration.version,
                    name,
                    source: failure.into_source(),
                };
                apply(conn, migration, checksum).await.map_err(failed)?;
                tracing::info!(version = migration.version, name = migration.name, "migration applied");
            }
        }
    }
    if let Some((version, (name, _))) = applied.pop_last() {
        return Err(Error::SchemaNewer { version, name });
    }
    Ok(())
}

fn failed(failure: Failure) -> Error {
    Error::Migration { version: 0, name: "schema_migrations".to_owned(), source: failure.into_source() }
}

/// Whether the same owner's later migrations are among these: a step was left out, or its record was lost.
fn a_later_one_of(applied: &BTreeMap<i64, (String, String)>, version: i64) -> bool {
    applied.keys().any(|later| *later > version && (*later > OWN_NUMBERS) == (version > OWN_NUMBERS))
}

async fn applied(conn: &Connection) -> Result<BTreeMap<i64, (String, String)>, Failure> {
    if !conn.dialect().is_embedded() {
        conn.script(LOCK).await?;
    }
    conn.script(TABLE).await?;
    let rows = conn.fetch("SELECT version, name, checksum FROM schema_migrations", &[]).await?;
    rows.iter().map(|row| Ok((row.at(0)?, (row.at(1)?, row.at(2)?)))).collect()
}

async fn apply(conn: &Connection, migration: &Migration, checksum: String) -> Result<(), Failure> {
    conn.script(migration.sql).await?;
    let args = [Value::Integer(migration.version), Value::Text(migration.name.to_owned()), Value::Text(checksum)];
    conn.execute("INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)", &args).await?;
    Ok(())
}
