//! Plain HTTP for operators: `/metrics`, `/healthz`, `/readyz`.

use std::io;

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use futures::future::BoxFuture;
use tokio::net::TcpListener;

use crate::{lifecycle::Stop, metrics, server::Readiness};

/// Serves until the end. `/readyz` answers 503 while the check says no, and from when the process leaves on; `/healthz`
/// answers as long as the process does.
///
/// Nothing of it is waited for, so the end given here is that of the process: it can be watched while it drains.
pub fn serve<F, R>(listener: TcpListener, process: &Stop, end: Stop, ready: F) -> BoxFuture<'static, io::Result<()>>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = bool> + Send + 'static,
{
    answer(listener, Readiness::new(process.clone(), ready), end)
}

fn answer(listener: TcpListener, readiness: Readiness, end: Stop) -> BoxFuture<'static, io::Result<()>> {
    let ready = move || {
        let readiness = readiness.clone();
        async move { if readiness.is_ready().await { (StatusCode::OK, "ready\n") } else { NOT_READY } }
    };
    let router = Router::new()
        .route("/metrics", get(|| async { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics::render()) }))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready));
    Box::pin(async move {
        tokio::select! {
            served = axum::serve(listener, router) => served,
            () = end.requested() => Ok(()),
        }
    })
}

const NOT_READY: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "not ready\n");
