//! Notifying the other processes of a database of commits, and receiving theirs.
//!
//! A notification is sent after the commit and not with it: PostgreSQL sends those of all databases of a server in the
//! order of the commits, and for that holds a lock while the commit is made durable. If one is lost, followers look at
//! the log themselves after a while.

use std::{pin::pin, time::Duration};

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::{failure::Failure, pool::Readers, value::Value, writer::Listeners};

const CHANNEL: &str = "waybill_log";

/// The shortest time between two notifications.
const PAUSE: Duration = Duration::from_millis(10);

/// How soon a connection that was lost is made again.
const RETRY: Duration = Duration::from_secs(1);

/// Works until `stop`.
pub(crate) async fn run(options: PgConnectOptions, readers: Readers, listeners: Listeners, stop: CancellationToken) {
    let notifying = pin!(notify(&readers, &listeners));
    let receiving = pin!(receive_all(options, &listeners));
    tokio::select! {
        () = stop.cancelled() => {}
        () = notifying => {}
        () = receiving => {}
    }
}

/// Sends the last position of this process's own commits.
async fn notify(readers: &Readers, listeners: &Listeners) {
    loop {
        listeners.committed.notified().await;
        let position = listeners.head.borrow().to_string();
        let args = [Value::Text(CHANNEL.to_owned()), Value::Text(position)];
        if let Err(failure) = readers.fetch("SELECT 1 FROM pg_notify($1, $2)", &args).await {
            tracing::debug!(error = %failure.into_fault(), "the other processes were not notified of a commit");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn receive_all(options: PgConnectOptions, listeners: &Listeners) {
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None).connect_lazy_with(options);
    loop {
        if let Err(error) = receive(&pool, listeners).await {
            tracing::debug!(error = %Failure::from(error).into_fault(), "commits of other processes are not received");
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn receive(pool: &sqlx::PgPool, listeners: &Listeners) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let notification = listener.recv().await?;
        if let Ok(position) = notification.payload().parse() {
            listeners.written_elsewhere(position);
        }
    }
}
