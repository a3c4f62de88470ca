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
use crate::{config::Config, lifecycle::Stop, tls};

/// How often a silent connection is pinged, and how long it has to answer.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// A principal with many accounts makes a long header.
const HEADERS: u32 = 64 * 1_024;

/// Serves until the stop, and then until the last call has ended or the drain time is over.
pub(super) async fn serve(listener: TcpListener, stack: Stack, config: &Config, tls: Option<tls::Server>, stop: &Stop) {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE.0)
        .keep_alive_timeout(KEEP_ALIVE.1)
        // More than the concurrency limit, so that a caller is refused instead of waiting.
        .max_concurrent_streams(u32::try_from(config.max_concurrency.saturating_mul(2)).unwrap_or(u32::MAX).max(200))
        .max_header_list_size(HEADERS);
    accept(listener, tls, Limits::http2(config), stop, move |wire, peer| {
        let service = stack.clone().map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer.clone());
            request
        });
        builder.serve_connection(TokioIo::new(wire), TowerToHyperService::new(service))
    })
    .await;
}
