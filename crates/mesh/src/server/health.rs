//! `grpc.health.v1.Health`. The check runs with each request; the state of tonic-health's reporter may be stale.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use futures::{Stream, future::BoxFuture, stream};
use tonic::{Request, Response, Status};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server::Health,
};
use types::Fault;

use crate::{fault::status, lifecycle::Stop};

/// A check that takes longer than this has failed.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How often a watched check is repeated.
const INTERVAL: Duration = Duration::from_secs(1);

/// Whether a member is ready: its own check, and that it does not leave.
#[derive(Clone)]
pub(crate) struct Readiness {
    check: Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>,
    process: Stop,
}

impl Readiness {
    /// Ready until the process leaves.
    pub(crate) fn always(process: Stop) -> Self {
        Self::new(process, || async { true })
    }

    /// Ready when the check succeeds, until the process leaves.
    pub(crate) fn new<F, R>(process: Stop, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        Self { check: Arc::new(move || Box::pin(check())), process }
    }

    /// Asks now.
    pub(crate) async fn is_ready(&self) -> bool {
        !self.process.is_leaving() && tokio::time::timeout(TIMEOUT, (self.check)()).await.unwrap_or(false)
    }

    async fn status(&self) -> ServingStatus {
        if self.is_ready().await { ServingStatus::Serving } else { ServingStatus::NotServing }
    }

    /// Waits until it is worth asking again.
    async fn pause(&self) {
        if self.process.is_leaving() {
            return tokio::time::sleep(INTERVAL).await;
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => (),
            () = self.process.left() => (),
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").finish_non_exhaustive()
    }
}

/// The health of a server and of each of its services, which is the same.
#[derive(Debug)]
pub(crate) struct Healths {
    pub(crate) services: BTreeSet<String>,
    pub(crate) readiness: Readiness,
}

impl Healths {
    fn known(&self, service: &str) -> Result<(), Status> {
        let known = service.is_empty() || self.services.contains(service);
        if known { Ok(()) } else { Err(status(Fault::not_found("service", service))) }
    }
}

#[async_trait::async_trait]
impl Health for Healths {
    type WatchStream = std::pin::Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        self.known(&request.get_ref().service)?;
        Ok(Response::new(HealthCheckResponse { status: self.readiness.status().await.into() }))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.known(&request.get_ref().service)?;
        let changes = stream::unfold((self.readiness.clone(), None), |(readiness, sent)| async move {
            loop {
                let status = readiness.status().await;
                if sent != Some(status) {
                    let response = HealthCheckResponse { status: status.into() };
                    return Some((Ok(response), (readiness, Some(status))));
                }
                readiness.pause().await;
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }
}
