//! One connection to either database, and the four things that are done with it.
//!
//! A statement over many rows is one prepared text whatever their number: SQLite, which is in this process, runs it once
//! for each row; PostgreSQL, which is a round trip away, is handed a list for each column.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::{dialect::Dialect, failure::Failure, open::Target, row::Row, value::Value};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Write,
    Read,
}

/// A connection. Statements on one SQLite connection run one after the other on the calling thread.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(sqlite::Connection),
    Postgres(postgres::Connection),
}

impl Connection {
    /// Connects and sets the connection up for its purpose.
    pub(crate) async fn open(target: &Target, purpose: Purpose) -> Result<Self, Failure> {
        let connection = match target {
            Target::Sqlite(file) => Self::Sqlite(sqlite::Connection::open(file)?),
            Target::Postgres(config) => Self::Postgres(postgres::Connection::open(config).await?),
        };
        let dialect = connection.dialect();
        let setup = match purpose {
            Purpose::Write => dialect.writer_setup(),
            Purpose::Read => dialect.reader_setup(),
        };
        connection.script(setup).await?;
        Ok(connection)
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement with `$1`, `$2`, ... and answers its rows.
    pub(crate) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.fetch(sql, args),
            Self::Postgres(postgres) => postgres.fetch(sql, args).await,
        }
    }

    /// Runs a statement with `$1`, `$2`, ... and answers how many rows it changed.
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

    /// Runs a statement for many rows of arguments; answers the rows of all.
    pub(crate) async fn fetch_many(&self, sql: &str, rows: &[Vec<Value>]) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.fetch_each(sql, rows),
            Self::Postgres(postgres) => postgres.fetch_columns(sql, rows).await,
        }
    }

    /// Runs a statement for many rows of arguments; answers how many rows it changed.
    pub(crate) async fn execute_many(&self, sql: &str, rows: &[Vec<Value>]) -> Result<u64, Failure> {
        match self {
            Self::Sqlite(sqlite) => sqlite.execute_each(sql, rows),
            Self::Postgres(postgres) => postgres.execute_columns(sql, rows).await,
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

    /// Whether it can still be used.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::Postgres(postgres) => postgres.is_open(),
        }
    }
}
