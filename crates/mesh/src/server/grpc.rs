//! Serves HTTP/2 over a server's connections; each call carries the peer of its connection.

use std::time::Duration;

use http::Request;
use hyper::{body::Incoming, server::conn::http2};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tonic::body::Body;
use tower::ServiceExt;

use super::{
    accept::{Limits, accept},
    stack::Stack,
};
use crate::{config::Config, intake::Intake, lifecycle::Stop, tls};

/// How often a silent connection is pinged, and how long it has to answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// A principal with many accounts makes a long header.
const HEADERS: u32 = 64 * 1_024;

/// How many bytes of one call, and of all calls of a connection, a caller may send before they are read.
const WINDOWS: (u32, u32) = (64 * 1_024, 256 * 1_024);
/// How many bytes of an answer wait for its caller.
const ANSWER: usize = 256 * 1_024;

/// Serves until the stop, and then until the last call has ended or the drain time is over.
pub(super) async fn serve(
    listener: TcpListener,
    stack: Stack,
    config: &Config,
    tls: Option<tls::Server>,
    intake: &Intake,
    stop: &Stop,
) {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE.0)
        .keep_alive_timeout(KEEP_ALIVE.1)
        // More than the concurrency limit, so that a caller is refused instead of waiting.
        .max_concurrent_streams(u32::try_from(config.max_concurrency.saturating_mul(2)).unwrap_or(u32::MAX).max(200))
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .max_send_buf_size(ANSWER)
        .max_header_list_size(HEADERS);
    accept(listener, tls, Limits::http2(config), intake, stop, move |wire, connection| {
        let service = stack.clone().map_request(move |request: Request<Incoming>| {
            // The body is counted once it is known who calls.
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(connection.peer().clone());
            request.extensions_mut().insert(connection.clone());
            request
        });
        builder.serve_connection(TokioIo::new(wire), TowerToHyperService::new(service))
    })
    .await;
}
