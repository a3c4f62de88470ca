//! Plain HTTP for those who run a member: `/metrics`, `/healthz`, `/readyz`.

use std::io;

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use tokio::net::TcpListener;

use crate::{lifecycle::Stop, metrics, server::Readiness};

/// Serves until the stop. `/readyz` answers 503 while the check says no; `/healthz` answers as long as the process does.
///
/// Nothing of it is waited for, so the stop given here may be a later one than that of the services, whose draining it
/// can then tell.
pub async fn serve<F, R>(listener: TcpListener, stop: Stop, ready: F) -> io::Result<()>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = bool> + Send + 'static,
{
    metrics::install();
    let readiness = Readiness::new(stop.clone(), ready);
    let ready = move || {
        let readiness = readiness.clone();
        async move { if readiness.is_ready().await { (StatusCode::OK, "ready\n") } else { NOT_READY } }
    };
    let router = Router::new()
        .route("/metrics", get(|| async { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics::render()) }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready));
    tokio::select! {
        served = axum::serve(listener, router) => served,
        () = stop.requested() => Ok(()),
    }
}

const NOT_READY: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "not ready\n");
