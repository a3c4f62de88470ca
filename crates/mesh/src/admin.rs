//! Plain HTTP for operators: `/metrics`, `/healthz`, `/readyz`. On loopback no web page reads it.

use std::{io, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header::CONTENT_TYPE},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures::future::BoxFuture;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::{
    intake::{Intake, IntakeSettings},
    lifecycle::Stop,
    local, metrics,
    server::{Limits, Readiness, accept},
};

/// How many connections operators and their programs have open at once, and how long a request takes to be asked.
const CONNECTIONS: usize = 64;
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection is used.
const AGE: Duration = Duration::from_hours(1);
/// The longest head.
const LONGEST: usize = 16 * 1_024;

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
        let router = match listener.local_addr()?.ip().is_loopback() {
            true => router.layer(middleware::from_fn(refuse_other_sites)),
            false => router,
        };
        let settings = IntakeSettings {
            max_connections: CONNECTIONS,
            max_address_connections: CONNECTIONS,
            ..IntakeSettings::default()
        };
        let limits = Limits { drain: Duration::ZERO, age: AGE, grace: Duration::ZERO, first_word: 1 };
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LONGEST);
        accept(listener, None, limits, &Intake::of(&settings), &end, move |wire, _| {
            let service = router.clone().map_request(|request: Request<Incoming>| request.map(axum::body::Body::new));
            builder.serve_connection(TokioIo::new(wire), TowerToHyperService::new(service))
        })
        .await;
        Ok(())
    })
}

async fn refuse_other_sites(request: Request, next: Next) -> Response {
    match local::refuse_other_sites(&request) {
        Ok(()) => next.run(request).await,
        Err(fault) => (StatusCode::FORBIDDEN, format!("{}\n", fault.message)).into_response(),
    }
}

const NOT_READY: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "not ready\n");
