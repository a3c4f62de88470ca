//! One connection to either database, with the operations that the store needs.

pub(crate) mod postgres;
pub(crate) mod sqlite;

pub(crate) use postgres::{Lock, Scope};

use crate::{
    dialect::Dialect,
    failure::Failure,
    open::Target,
    row::Row,
    statement::{Change, Load},
    value::Value,
};

/// A connection. Statements on one SQLite connection run one after the other on the calling thread.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
}

impl Connection {
    /// Opens the connection that writes.
    pub(crate) async fn open(target: &Target) -> Result<Self, Failure> {
        Ok(match target {
            Target::Sqlite(file) => Self::Sqlite(sqlite::Connection::open(file, sqlite::WRITER)?),
            Target::Postgres(server) => Self::Postgres(postgres::Connection::open(&server.writer()).await?),
        })
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement with `$1`, `$2`, ... and returns its rows.
    pub(crate) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.fetch(sql, args),
            Self::Postgres(postgres) => postgres.fetch(sql, args).await,
        }
    }

    /// Runs a statement with `$1`, `$2`, ... and returns how many rows it changed.
    pub(crate) async fn execute(&self, sql: &str, args: &[Value]) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.execute(sql, args),
            Self::Postgres(postgres) => postgres.execute(sql, args).await,
        }
    }

    /// Runs statements without arguments, separated by semicolons.
    pub(crate) async fn script(&self, sql: &str) -> Result<(), Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.script(sql),
            Self::Postgres(postgres) => postgres.script(sql).await,
        }
    }

    /// Returns the rows of each load. SQLite has one writer, which locks the whole file.
    pub(crate) async fn load(&self, loads: &[Load], lock: Lock) -> Result<Vec<Vec<Row>>, Failure> {
        match self {
            Self::Sqlite(sqlite) => loads.iter().map(|load| sqlite.load(load)).collect(),
            Self::Postgres(postgres) => postgres.load(loads, lock).await,
        }
    }

    /// Writes changes, all or none as `scope` says. SQLite knows no scope but the transaction.
    pub(crate) async fn write(&self, changes: &[Change], scope: Scope) -> Result<(), Failure> {
        match self {
            Self::Sqlite(sqlite) => changes.iter().try_for_each(|change| sqlite.write(change)),
            Self::Postgres(postgres) => postgres.write(changes, scope).await,
        }
    }

    /// Opens a transaction that writes. What an earlier one left open is rolled back.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        if let Self::Sqlite(sqlite) = self {
            sqlite.leave_transaction()?;
        }
        self.script(self.dialect().begin()).await
    }

    pub(crate) async fn commit(&self) -> Result<(), Failure> {
        self.script("COMMIT").await
    }

    pub(crate) async fn rollback(&self) -> Result<(), Failure> {
        self.script("ROLLBACK").await
    }
}
