//! Connections that read, and the one that writes.

mod sqlite;

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool, postgres::PgPoolOptions};

use crate::{
    connection::{
        Connection,
        postgres::{arguments, rows},
    },
    failure::Failure,
    open::Target,
    row::Row,
    value::Value,
};

/// How long a read waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// After how long without use a connection is tested before it is used: the server may have closed it.
const TEST_AFTER: Duration = Duration::from_secs(5);

/// Connections that only read, opened when they are needed. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Readers {
    Sqlite(sqlite::Readers),
    Postgres(PgPool),
}

impl Readers {
    /// At most `size` connections.
    pub(crate) fn new(target: &Target, size: u32) -> Self {
        let size = size.max(1);
        match target {
            Target::Sqlite(file) => Self::Sqlite(sqlite::Readers::new(file.clone(), size)),
            Target::Postgres(server) => {
                let options = PgPoolOptions::new()
                    .max_connections(size)
                    .acquire_timeout(WAIT)
                    .test_before_acquire(false)
                    .before_acquire(|connection, about| {
                        Box::pin(async move {
                            if about.idle_for > TEST_AFTER {
                                sqlx::Connection::ping(connection).await?;
                            }
                            Ok(true)
                        })
                    });
                Self::Postgres(options.connect_lazy_with(server.reader()))
            }
        }
    }

    /// Runs a statement that reads a few rows.
    pub(crate) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Sqlite(readers) => readers.fetch(sql, args).await,
            Self::Postgres(pool) => {
                let query = sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(args)?);
                rows(&query.fetch_all(pool).await?)
            }
        }
    }

    /// Runs a statement that may read many rows.
    pub(crate) async fn fetch_many(&self, sql: String, args: Vec<Value>) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Sqlite(readers) => readers.fetch_many(sql, args).await,
            Self::Postgres(_) => self.fetch(&sql, &args).await,
        }
    }

    /// Takes no more reads, waits for those that run, and closes the connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(readers) => readers.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }

    /// How many connections there are, and how many of them do nothing.
    pub(crate) fn count(&self) -> (usize, usize) {
        match self {
            Self::Sqlite(readers) => readers.count(),
            Self::Postgres(pool) => (usize::try_from(pool.size()).unwrap_or(usize::MAX), pool.num_idle()),
        }
    }
}

/// The connection that writes; another one when it was lost.
#[derive(Debug)]
pub(crate) struct Writer {
    target: Target,
    connection: Option<Connection>,
}

impl Writer {
    pub(crate) fn new(target: Target, connection: Connection) -> Self {
        Self { target, connection: Some(connection) }
    }

    /// The connection, made anew when it was dropped.
    pub(crate) async fn connection(&mut self) -> Result<&Connection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.target).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Whether there is a connection, which may have been lost since it was last used.
    pub(crate) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Drops the connection, and with it a transaction that could not be ended.
    pub(crate) fn reset(&mut self) {
        self.connection = None;
    }
}
