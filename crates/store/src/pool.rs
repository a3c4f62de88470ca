//! Connections that read, and the one that writes.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    connection::{Connection, Purpose},
    failure::Failure,
    open::Target,
    row::Row,
    value::Value,
};

/// How long a read waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections that only read, opened when they are needed. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: Target,
    size: u32,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// At most `size` connections.
    pub(crate) fn new(target: Target, size: u32) -> Self {
        let size = size.max(1);
        let permits = Semaphore::new(usize::try_from(size).unwrap_or(1));
        Self { shared: Arc::new(Shared { target, size, permits, idle: Mutex::default() }) }
    }

    /// Runs a statement that reads a few rows. On SQLite it is a call on this thread: it takes less than to hand it over.
    pub(crate) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        let _permit = self.permit().await?;
        let connection = self.shared.take().await?;
        let outcome = connection.fetch(sql, args).await;
        self.shared.give_back(connection);
        outcome
    }

    /// Runs a statement that may read many rows.
    pub(crate) async fn fetch_many(&self, sql: String, args: Vec<Value>) -> Result<Vec<Row>, Failure> {
        let _permit = self.permit().await?;
        let connection = self.shared.take().await?;
        let (connection, outcome) = match connection {
            Connection::Sqlite(sqlite) => {
                // It may take its time: not on a thread that carries calls.
                let reading = tokio::task::spawn_blocking(move || {
                    let outcome = sqlite.fetch(&sql, &args);
                    (sqlite, outcome)
                });
                let (sqlite, outcome) = reading.await.map_err(Failure::lost)?;
                (Connection::Sqlite(sqlite), outcome)
            }
            Connection::Postgres(_) => {
                let outcome = connection.fetch(&sql, &args).await;
                (connection, outcome)
            }
        };
        self.shared.give_back(connection);
        outcome
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, Failure> {
        match tokio::time::timeout(PATIENCE, self.shared.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Failure::lost("no connection was free in time")),
        }
    }

    /// Takes no more reads, waits for those that run, and closes the connections.
    pub(crate) async fn close(&self) {
        // Fails only when it was closed before.
        drop(self.shared.permits.acquire_many(self.shared.size).await);
        self.shared.permits.close();
        self.shared.idle().clear();
    }

    /// How many connections there are, and how many of them do nothing.
    pub(crate) fn count(&self) -> (usize, usize) {
        let idle = self.shared.idle().len();
        let most = usize::try_from(self.shared.size).unwrap_or(usize::MAX);
        (most.saturating_sub(self.shared.permits.available_permits()) + idle, idle)
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self) -> Result<Connection, Failure> {
        loop {
            let idle = self.idle().pop();
            match idle {
                Some(connection) if connection.is_open() => return Ok(connection),
                Some(lost) => drop(lost),
                None => return Connection::open(&self.target, Purpose::Read).await,
            }
        }
    }

    fn give_back(&self, connection: Connection) {
        self.idle().push(connection);
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

    /// The connection, made anew when it was lost or dropped.
    pub(crate) async fn connection(&mut self) -> Result<&Connection, Failure> {
        let open = self.connection.take().filter(Connection::is_open);
        let connection = match open {
            Some(connection) => connection,
            None => Connection::open(&self.target, Purpose::Write).await?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Drops the connection, and with it a transaction that could not be ended.
    pub(crate) fn reset(&mut self) {
        self.connection = None;
    }
}
