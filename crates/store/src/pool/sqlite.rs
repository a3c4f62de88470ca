//! Connections that read a SQLite file.
//!
//! No pool crate fits: a read of a few rows is a function call on the thread that asks, and the pools for rusqlite hand
//! every call to a thread of their own.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::WAIT;
use crate::{
    connection::sqlite::{Connection, READER},
    failure::Failure,
    row::Row,
    value::Value,
};

/// Connections that only read, opened when they are needed. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    size: u32,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// At most `size` connections.
    pub(super) fn new(file: PathBuf, size: u32) -> Self {
        let permits = Semaphore::new(usize::try_from(size).unwrap_or(1));
        Self { shared: Arc::new(Shared { file, size, permits, idle: Mutex::default() }) }
    }

    /// Runs a statement on this thread: it takes less time than to hand it over.
    pub(super) async fn fetch(&self, sql: &str, args: &[Value]) -> Result<Vec<Row>, Failure> {
        let _permit = self.permit().await?;
        let connection = self.shared.take()?;
        let outcome = connection.fetch(sql, args);
        self.shared.put_back(connection);
        outcome
    }

    /// Runs a statement that may take its time: not on a thread that carries calls.
    pub(super) async fn fetch_many(&self, sql: String, args: Vec<Value>) -> Result<Vec<Row>, Failure> {
        let _permit = self.permit().await?;
        let connection = self.shared.take()?;
        let reading = tokio::task::spawn_blocking(move || {
            let outcome = connection.fetch(&sql, &args);
            (connection, outcome)
        });
        let (connection, outcome) = reading.await.map_err(Failure::lost)?;
        self.shared.put_back(connection);
        outcome
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, Failure> {
        match tokio::time::timeout(WAIT, self.shared.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Failure::lost("no connection was free in time")),
        }
    }

    pub(super) async fn close(&self) {
        // Fails only when it was closed before.
        drop(self.shared.permits.acquire_many(self.shared.size).await);
        self.shared.permits.close();
        self.shared.idle().clear();
    }

    pub(super) fn count(&self) -> (usize, usize) {
        let idle = self.shared.idle().len();
        let most = usize::try_from(self.shared.size).unwrap_or(usize::MAX);
        (most.saturating_sub(self.shared.permits.available_permits()) + idle, idle)
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Connection, Failure> {
        let idle = self.idle().pop();
        idle.map_or_else(|| Connection::open(&self.file, READER), Ok)
    }

    fn put_back(&self, connection: Connection) {
        self.idle().push(connection);
    }
}
