//! One address of a destination: its connection, and its health.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{Request, Uri, uri::PathAndQuery};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::Instant,
};
use tonic::body::Body;

use super::{health::Health, target::Target};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a silent connection is asked whether it lives, and how long it has to answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// A connection that ends sooner than this is not made again at once.
const BRIEF: Duration = Duration::from_secs(1);
/// The pause before an unreachable address is tried again while others can be reached: doubled each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) type Sender = SendRequest<Body>;

/// One address of a member.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) target: Arc<Target>,
    pub(super) address: SocketAddr,
    line: Mutex<Line>,
    health: Mutex<Health>,
    /// Notified when the line changes.
    changed: watch::Sender<()>,
}

#[derive(Debug)]
enum Line {
    Down(Down),
    Connecting(Down),
    Up(Sender),
}

/// The outcome of the last attempts to connect.
#[derive(Debug, Clone, Default)]
struct Down {
    failed: Option<Instant>,
    failures: u32,
    error: Arc<str>,
}

impl Endpoint {
    pub(super) fn new(target: Arc<Target>, address: SocketAddr, changed: watch::Sender<()>) -> Self {
        let (line, health) = (Line::Down(Down::default()), Health::new(Instant::now()));
        Self { target, address, line: Mutex::new(line), health: Mutex::new(health), changed }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, if it stands.
    pub(super) fn sender(&self) -> Option<Sender> {
        match &*self.line() {
            Line::Up(sender) => Some(sender).filter(|sender| !sender.is_closed()).cloned(),
            Line::Down(_) | Line::Connecting(_) => None,
        }
    }

    /// Why it could not be connected to, if that was tried since then.
    pub(super) fn failed_since(&self, since: Instant) -> Option<Arc<str>> {
        match &*self.line() {
            Line::Down(down) => down.failed.filter(|failed| *failed >= since).map(|_| down.error.clone()),
            Line::Connecting(_) | Line::Up(_) => None,
        }
    }

    /// Begins to connect, unless it is connected or about to be.
    pub(super) fn connect(self: &Arc<Self>) {
        let mut line = self.line();
        let last = match &*line {
            Line::Connecting(_) => return,
            Line::Up(sender) if !sender.is_closed() => return,
            Line::Up(_) => Down::default(),
            Line::Down(down) => down.clone(),
        };
        *line = Line::Connecting(last);
        let endpoint = Arc::downgrade(self);
        let (target, address) = (self.target.clone(), self.address);
        // Shutdown waits for the calls, and a connection ends with the last of them.
        tokio::spawn(async move {
            loop {
                let opened = tokio::time::timeout(CONNECT, open(&target, address)).await;
                let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                let Some(alive) = endpoint.upgrade() else { return };
                let (began, connection) = (Instant::now(), alive.opened(opened));
                drop(alive);
                let Some(connection) = connection else { return };
                connection.await;
                // Another connection may have taken its place while the last calls of this one went on.
                if !endpoint.upgrade().is_some_and(|endpoint| endpoint.ended(began)) {
                    return;
                }
            }
        });
    }

    /// Notes the outcome of connecting. Returns the connection to be driven.
    fn opened(&self, opened: io::Result<(Sender, Driven)>) -> Option<Driven> {
        let mut line = self.line();
        let (next, driven) = match opened {
            Ok((sender, driven)) => (Line::Up(sender), Some(driven)),
            Err(error) => {
                tracing::debug!(address = %self.address, %error, "no connection");
                let failures = match &*line {
                    Line::Connecting(last) => last.failures.saturating_add(1),
                    Line::Down(_) | Line::Up(_) => 1,
                };
                let error = Arc::from(error.to_string());
                (Line::Down(Down { failed: Some(Instant::now()), failures, error }), None)
            }
        };
        *line = next;
        drop(line);
        self.changed.send_replace(());
        driven
    }

    /// Notes that a connection ended. Returns whether to connect again.
    fn ended(&self, began: Instant) -> bool {
        let mut line = self.line();
        if !matches!(&*line, Line::Up(sender) if sender.is_closed()) {
            return false;
        }
        let lasted = began.elapsed() >= BRIEF;
        let down = Down { failed: None, failures: 0, error: Arc::from("the connection ended") };
        *line = if lasted { Line::Connecting(down) } else { Line::Down(down) };
        drop(line);
        self.changed.send_replace(());
        lasted
    }

    /// Whether it is down and was left alone long enough.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        match &*self.line() {
            Line::Down(Down { failed: None, .. }) => true,
            Line::Down(Down { failed: Some(failed), failures, .. }) => {
                let pause = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(5)).min(LONGEST_PAUSE);
                now.saturating_duration_since(*failed) >= pause
            }
            Line::Up(sender) => sender.is_closed(),
            Line::Connecting(_) => false,
        }
    }

    /// Gives a request the scheme and authority of this address.
    pub(super) fn stamp(&self, request: &mut Request<Body>) -> Result<(), http::Error> {
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let (scheme, authority) = (self.target.scheme.clone(), self.target.authority.clone());
        *request.uri_mut() = Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build()?;
        Ok(())
    }
}

type Driven = futures::future::BoxFuture<'static, ()>;

async fn open(target: &Target, address: SocketAddr) -> io::Result<(Sender, Driven)> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    match &target.tls {
        None => speak(stream).await,
        Some(tls) => speak(tls.connect(&target.host, stream).await?).await,
    }
}

/// The HTTP/2 connection over a stream. It ends when every sender is dropped and the last answer has ended.
async fn speak<T: AsyncRead + AsyncWrite + Send + Unpin + 'static>(stream: T) -> io::Result<(Sender, Driven)> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE.0)
        .keep_alive_timeout(KEEP_ALIVE.1)
        .keep_alive_while_idle(true);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let driven = async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection ended");
        }
    };
    Ok((sender, Box::pin(driven)))
}
