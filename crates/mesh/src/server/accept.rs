//! The connections of a listener, from the handshake to their end.
//!
//! Written here because the servers of hyper-util and tonic do not end silent connections, renew old ones, or stop in
//! time.

use std::{fmt::Display, io, net::SocketAddr, time::Duration};

use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::connection::{Io, PREFACE, Wire};
use crate::{
    config::Config,
    intake::{Accepted, Connection, Intake},
    lifecycle::Stop,
    peer::Peer,
    tls,
};

/// How long a new connection may take until its first bytes, including the handshake.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// How long to wait when the system has no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How the connections of a listener begin and end.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long calls may go on after the stop.
    pub drain: Duration,
    /// The age, give or take a tenth, at which a connection takes no more calls, so that callers spread over replicas.
    pub age: Duration,
    /// How long its calls may go on after that.
    pub grace: Duration,
    /// How many bytes a peer has to send before the connection is served.
    pub first_word: usize,
}

impl Limits {
    /// Those of a member's settings, for a server that speaks HTTP/2 alone.
    pub fn http2(config: &Config) -> Self {
        let Config { drain_timeout: drain, max_connection_age: age, connection_grace: grace, .. } = *config;
        Self { drain, age, grace, first_word: PREFACE }
    }

    /// Those of a member's settings, for a server that speaks every HTTP.
    pub fn http(config: &Config) -> Self {
        Self { first_word: 1, ..Self::http2(config) }
    }
}

/// Accepts connections until the stop, then gives their calls time to end, then ends them. `open` begins to serve one.
/// More connections than the intake takes are closed.
pub async fn accept<F, C, E>(
    listener: TcpListener,
    tls: Option<tls::Server>,
    limits: Limits,
    intake: &Intake,
    stop: &Stop,
    open: F,
) where
    F: Fn(Wire, Connection) -> C + Clone + Send + 'static,
    C: GracefulConnection<Error = E> + Send + 'static,
    E: Display + Send + 'static,
{
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.requested() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let accepted = match intake.accept(address.ip()) {
                    Ok(accepted) => accepted,
                    Err(bound) => {
                        tracing::debug!(%address, bound, "a connection was closed because there are too many");
                        continue;
                    }
                };
                let incoming = Incoming { stream, address, accepted };
                let served = serve(incoming, tls.clone(), limits.clone(), stop.clone(), open.clone());
                connections.spawn(cut.clone().run_until_cancelled_owned(served));
            }
            Err(error) if is_one_connections(&error) => tracing::debug!(%error, "a connection was gone at once"),
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(limits.drain, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut off");
        cut.cancel();
        connections.wait().await;
    }
}

/// A new connection.
struct Incoming {
    stream: TcpStream,
    address: SocketAddr,
    accepted: Accepted,
}

/// Serves one connection until it ends, or its calls have ended after the stop or past its age.
async fn serve<C, E>(
    incoming: Incoming,
    tls: Option<tls::Server>,
    limits: Limits,
    stop: Stop,
    open: impl Fn(Wire, Connection) -> C,
) where
    C: GracefulConnection<Error = E>,
    E: Display,
{
    let Incoming { stream, address, accepted } = incoming;
    let secure = tls.is_some();
    let begun = tokio::select! {
        begun = tokio::time::timeout(FIRST_WORD, begin(stream, address, tls, limits.first_word)) => begun,
        // A connection without a byte has no calls to drain.
        () = stop.requested() => return,
    };
    let (wire, peer) = match begun {
        Ok(Ok(begun)) => begun,
        Ok(Err(error)) => return tracing::debug!(%address, %error, "a connection did not begin"),
        Err(_) => return tracing::debug!(%address, "a connection took too long to begin"),
    };
    let Some(opened) = accepted.begin(peer, secure) else { return };
    let mut connection = Box::pin(open(wire, opened));
    let age = limits.age.mul_f64(rand::random_range(0.9..1.1));
    let old = tokio::select! {
        ended = &mut connection => return note(address, ended),
        () = stop.requested() => false,
        () = tokio::time::sleep(age) => true,
    };
    connection.as_mut().graceful_shutdown();
    if !old {
        return note(address, connection.await);
    }
    match tokio::time::timeout(limits.grace, connection).await {
        Ok(ended) => note(address, ended),
        Err(_) => tracing::info!(%address, "an old connection was cut off"),
    }
}

fn note<E: Display>(address: SocketAddr, ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "connection ended");
    }
}

async fn begin(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<tls::Server>,
    first_word: usize,
) -> io::Result<(Wire, Peer)> {
    stream.set_nodelay(true)?;
    let (io, peer) = match tls {
        None => (Io::Plain(stream), Peer::Address(address)),
        Some(tls) => {
            let (stream, peer) = tls.accept(stream, address).await?;
            (Io::Secure(Box::new(stream)), peer)
        }
    };
    Ok((Wire::begin(io, first_word).await?, peer))
}

fn is_one_connections(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}
