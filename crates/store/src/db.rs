//! An open database.
//!
//! What waits here is boxed in this crate: an `async fn` is compiled again in every crate that awaits it, and the drivers
//! with it.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use proto::{MessageBytes as _, event::v1::Event};
use tokio::{
    runtime::Handle,
    sync::{Mutex, Notify, broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Span;
use types::{Clock, Fault};

use crate::{
    batch::Applier,
    command::{AnyCommand, Call, Command},
    connection::postgres::listen,
    dialect::Dialect,
    error::Error,
    failure::Failure,
    log,
    meters::Meters,
    migrate::{Migration, migrate},
    observe::{Observer, Statement},
    open::{self, Target},
    options::Options,
    pool::{Readers, Writer},
    record::{Fields, Key, Record},
    row::Row,
    span, task,
    value::Value,
    write_request::{Job, WriteRequest},
    writer::{self, Listeners, Queues},
};

/// How many commands may wait for the writer.
const QUEUE: usize = 1_024;

/// How often a follower polls the log without notifications of other processes' commits, and with them (one may be
/// lost).
const POLL: Duration = Duration::from_secs(1);
const POLL_LISTENING: Duration = Duration::from_secs(5);

/// How many kept answers are dropped in one transaction.
const PORTION: usize = 1_000;

/// How long closing waits for reads.
const CLOSE: Duration = Duration::from_secs(10);

/// One service's database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
}

struct Shared {
    readers: Readers,
    interactive: mpsc::Sender<Job>,
    background: mpsc::Sender<Job>,
    listeners: Listeners,
    dialect: Dialect,
    source: &'static str,
    clock: Arc<dyn Clock>,
    request_retention: Duration,
    stop: CancellationToken,
    /// Ends with the writer.
    working: Mutex<Option<oneshot::Receiver<()>>>,
    others: Option<Others>,
    observer: Observer,
}

/// Listens for commits of other processes, as long as this lives.
struct Others {
    stop: DropGuard,
    listening: Mutex<JoinHandle<()>>,
}

impl Others {
    /// `None` where there are no other processes, or they cannot be listened for.
    fn listen_for(target: &Target, readers: &Readers, listeners: &Listeners) -> Option<Self> {
        let Target::Postgres(server) = target else { return None };
        let stop = CancellationToken::new();
        let listening = listen::run(server.listener()?, readers.clone(), listeners.clone(), stop.clone());
        Some(Self { stop: stop.drop_guard(), listening: Mutex::new(tokio::spawn(listening)) })
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("source", &self.shared.source).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens a database for the service `source`, migrates it, and starts its writer.
    pub fn open<'a>(
        options: &'a Options,
        source: &'static str,
        migrations: &'static [Migration],
        clock: Arc<dyn Clock>,
    ) -> BoxFuture<'a, Result<Self, Error>> {
        Box::pin(Self::open_with(options, source, migrations, clock))
    }

    async fn open_with(
        options: &Options,
        source: &'static str,
        migrations: &'static [Migration],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let target = open::prepare(options)?;
        let dialect = target.dialect();
        let connection = open::connect(options, &target).await?;
        migrate(&connection, migrations, options.migrate).await?;
        if dialect.is_embedded() {
            let taken = task::take_over(&connection, clock.now()).await;
            taken.map_err(|failure| open::explain(options, &target, failure))?;
        }
        let readers = Readers::new(&target, options.readers);

        let (interactive, interactive_queue) = mpsc::channel(QUEUE);
        let (background, background_queue) = mpsc::channel(QUEUE);
        let listeners = Listeners {
            events: broadcast::Sender::new(256),
            recent: log::Recent::default(),
            head: watch::Sender::new(0),
            committed: Arc::new(Notify::new()),
            tasks: Arc::new(Notify::new()),
        };
        let stop = CancellationToken::new();
        let others = Others::listen_for(&target, &readers, &listeners);
        let writer = Writer::new(target, connection);
        let applier =
            Applier { writer, meters: Meters::new(source), source, clock: clock.clone(), contended: 0, level: 0 };
        let queues = Queues { interactive: interactive_queue, background: background_queue };
        let working = begin(source, writer::run(applier, listeners.clone(), queues, stop.clone()))?;
        let shared = Shared {
            readers,
            interactive,
            background,
            listeners,
            dialect,
            source,
            clock,
            request_retention: options.request_retention,
            stop,
            working: Mutex::new(Some(working)),
            others,
            observer: Observer::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs a command: loads what it needs, lets it decide, saves, and returns the reply once that is durable.
    pub async fn run<C: Command>(&self, call: Call, command: C) -> Result<C::Reply, Fault> {
        let reply = self.run_any(call, Box::new(command)).await?;
        C::Reply::from_bytes(reply).map_err(|_| Fault::internal("the kept reply is of another type"))
    }

    pub(crate) fn run_any(&self, call: Call, command: Box<dyn AnyCommand>) -> BoxFuture<'_, Result<Bytes, Fault>> {
        Box::pin(async move {
            let queue = if call.batchable { &self.shared.background } else { &self.shared.interactive };
            let caller = Span::current();
            let span = self.span(&caller, command.name());
            let request = WriteRequest::interactive(call, command, (caller, span.clone()));
            let reply = self.submit(queue, request).await;
            span::note_failure(&span, &reply);
            reply
        })
    }

    /// Reads a few rows. `sql` is of the portable subset, with `$1`, `$2`, ... for `args`.
    pub async fn rows(&self, sql: &'static str, args: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.read(sql.into(), args, Size::Few).await
    }

    /// As `rows`, for many rows, with a text that is put together from fixed parts. Never put a caller's text into it.
    pub async fn query(&self, sql: impl Into<String>, args: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.read(sql.into(), args, Size::Many).await
    }

    /// The record with this key.
    pub async fn load<R: Record>(&self, key: &R::Key) -> Result<Option<R>, Fault> {
        self.find(key.to_values()).await
    }

    /// The record with these values of its key.
    pub(crate) async fn find<R: Record>(&self, key: Vec<Value>) -> Result<Option<R>, Fault> {
        let condition: Vec<String> =
            R::KEY.iter().enumerate().map(|(at, column)| format!("{column} = ${}", at + 1)).collect();
        let found = self.list(&format!("WHERE {}", condition.join(" AND ")), key).await?;
        Ok(found.into_iter().next())
    }

    /// Records of one table, a page at most. `tail` is everything after FROM, put together from fixed parts: `WHERE account_id = $1
    /// ORDER BY order_id LIMIT $2`. Never put a caller's text into it.
    pub async fn list<R: Record>(&self, tail: &str, args: Vec<Value>) -> Result<Vec<R>, Fault> {
        let sql = format!("SELECT {}, version FROM {} {tail}", R::COLUMNS.join(", "), R::TABLE);
        let rows = self.read(sql, args, Size::Few).await?;
        rows.into_iter().map(|row| R::read(Fields::new(R::TABLE, row.into_values()))).collect()
    }

    /// Events of this process, after their commit. Other replicas' events are not among them: a caller that waits for
    /// one reads the state again from time to time.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Event]>> {
        self.shared.listeners.events.subscribe()
    }

    /// Whether the database can be read and the writer runs.
    pub async fn ready(&self) -> bool {
        !self.shared.interactive.is_closed() && self.rows("SELECT id FROM log_head", Vec::new()).await.is_ok()
    }

    /// The clock of the database.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// The service that owns the database.
    pub fn source(&self) -> &'static str {
        self.shared.source
    }

    /// The log's last position.
    pub async fn head(&self) -> Result<i64, Fault> {
        log::head(self).await
    }

    /// The statements that are run from now on, other than those of commands. For tests of how they are planned.
    pub fn observe(&self) -> mpsc::UnboundedReceiver<Statement> {
        self.shared.observer.observe()
    }

    /// Drops kept answers that are older than the retention; returns how many. Other writes come in between two portions.
    pub async fn purge_requests(&self) -> Result<usize, Fault> {
        let age = i64::try_from(self.shared.request_retention.as_micros()).unwrap_or(i64::MAX);
        let oldest = self.clock().now().as_micros().saturating_sub(age);
        let sql = format!(
            "DELETE FROM requests WHERE (scope, request_id) IN \
             (SELECT scope, request_id FROM requests WHERE create_time < $1 ORDER BY create_time LIMIT {PORTION}{}) \
             RETURNING request_id",
            self.dialect().skip_locked(),
        );
        let mut purged = 0;
        loop {
            let portion = self.write(sql.clone(), vec![Value::Integer(oldest)]).await?.len();
            purged += portion;
            if portion < PORTION {
                return Ok(purged);
            }
        }
    }

    /// Ends the writer after what is queued, and closes all connections.
    pub fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.end())
    }

    async fn end(&self) {
        self.shared.stop.cancel();
        let working = self.shared.working.lock().await.take();
        if let Some(working) = working
            && let Err(error) = working.await
        {
            tracing::error!(error = &error as &dyn std::error::Error, "the writer failed");
        }
        if let Some(Others { stop, listening }) = &self.shared.others {
            stop.token().cancel();
            if let Err(error) = (&mut *listening.lock().await).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "listening did not end by itself");
            }
        }
        if tokio::time::timeout(CLOSE, self.shared.readers.close()).await.is_err() {
            tracing::warn!("a connection was not given back in time");
        }
    }

    /// Waits for a read, in its span.
    fn read(&self, sql: String, args: Vec<Value>, size: Size) -> BoxFuture<'_, Result<Vec<Row>, Fault>> {
        Box::pin(async move {
            let span = self.span(&Span::current(), "SELECT");
            self.shared.observer.note(&sql, &args);
            let read = match size {
                Size::Few => self.shared.readers.fetch(&sql, &args).await,
                Size::Many => self.shared.readers.fetch_many(sql, args).await,
            };
            let read = read.map_err(Failure::into_fault);
            span::note_failure(&span, &read);
            read
        })
    }

    /// The span of an operation at this database.
    pub(crate) fn span(&self, parent: &Span, operation: &str) -> Span {
        span::database(parent, self.shared.dialect, self.shared.source, operation)
    }

    /// Runs one statement in a transaction of its own.
    pub(crate) fn write(&self, sql: impl Into<String>, args: Vec<Value>) -> BoxFuture<'_, Result<Vec<Row>, Fault>> {
        let (reply, answer) = oneshot::channel();
        let sql = sql.into();
        self.shared.observer.note(&sql, &args);
        let job = Job::Statement { sql, args, reply };
        Box::pin(async move {
            self.shared.background.send(job).await.map_err(|_| closing())?;
            answer.await.map_err(|_| closing())?
        })
    }

    /// Hands a write request of a subscription or task to the writer.
    pub(crate) async fn apply(&self, request: WriteRequest) -> Result<(), Fault> {
        self.submit(&self.shared.background, request).await.map(|_| ())
    }

    async fn submit(&self, queue: &mpsc::Sender<Job>, request: WriteRequest) -> Result<Bytes, Fault> {
        let (reply, answer) = oneshot::channel();
        queue.send(Job::Write { request, reply }).await.map_err(|_| closing())?;
        answer.await.map_err(|_| closing())?
    }

    /// How often a follower polls for what other processes have written.
    pub(crate) fn poll(&self) -> Duration {
        if self.shared.others.is_some() { POLL_LISTENING } else { POLL }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.shared.dialect
    }

    pub(crate) fn listeners(&self) -> &Listeners {
        &self.shared.listeners
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.shared.stop
    }

    /// Sets the gauges of the pools.
    pub(crate) fn measure(&self) {
        let (open, idle) = self.shared.readers.count();
        metrics::gauge!("store_connections", "source" => self.shared.source).set(open as f64);
        metrics::gauge!("store_connections_idle", "source" => self.shared.source).set(idle as f64);
    }
}

/// How many rows a read may return.
enum Size {
    Few,
    Many,
}

fn closing() -> Fault {
    Fault::unavailable("the database is closing")
}

/// Runs the writer on a thread of its own: on SQLite its statements are calls that write to the disk and wait for it.
fn begin(
    source: &'static str,
    writer: impl Future<Output = ()> + Send + 'static,
) -> Result<oneshot::Receiver<()>, Error> {
    let (ended, working) = oneshot::channel();
    let runtime = Handle::current();
    let work = move || {
        runtime.block_on(writer);
        if ended.send(()).is_err() {
            tracing::debug!(source, "the writer ended, and the database was not closed");
        }
    };
    let thread = std::thread::Builder::new().name(format!("{source}-writer"));
    thread.spawn(work).map_err(|cause| Error::Thread { source: cause })?;
    Ok(working)
}
