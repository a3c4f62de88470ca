//! The logs of all services: verification of their hash chains, and how far they were followed.

use std::{future::Future, sync::Arc, time::Duration};

use ::store::Db;
use futures::future::join_all;
use mesh::Channel;
use proto::{
    event::v1::{ListEventsRequest, VerifyLogRequest, VerifyLogResponse, event_service_client::EventServiceClient},
    events::EventSource,
    operations::v1::{FollowedLog, LogVerification},
};
use tokio::time::Instant;
use tonic::{Response, Status};
use types::Fault;

use crate::store as reads;

/// How long a service may take to return the head of its log. The position that was followed to is known without it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);

/// Time that is reserved before a call's deadline for the answer.
const MARGIN: Duration = Duration::from_millis(500);

/// The name of the subscription to a log. Never change one: the position is kept under it.
pub(crate) const fn subscription(source: EventSource) -> &'static str {
    match source {
        EventSource::Order => "operations.order",
        EventSource::Inventory => "operations.inventory",
        EventSource::Fulfillment => "operations.fulfillment",
        EventSource::Returns => "operations.returns",
        EventSource::Partner => "operations.partner",
        EventSource::Operations => "operations.operations",
    }
}

/// Clients of all other logs, and the service's own log.
#[derive(Clone)]
pub(crate) struct Logs {
    db: Db,
    others: Arc<[(EventSource, EventServiceClient<Channel>)]>,
}

impl Logs {
    pub(crate) fn new(db: Db, logs: Vec<(EventSource, Channel)>) -> Self {
        let others = logs.into_iter().map(|(source, channel)| (source, EventServiceClient::new(channel))).collect();
        Self { db, others }
    }

    /// Has every service verify its log, all at once. A service that does not answer by `deadline` has a problem instead
    /// of a result.
    pub(crate) async fn verify(&self, deadline: Option<Instant>) -> Vec<LogVerification> {
        let until = deadline.map(before);
        let others = self.others.iter().map(|(source, client)| async move {
            let mut client = client.clone();
            let outcome = within(until, client.verify_log(VerifyLogRequest {})).await;
            verification(*source, outcome)
        });
        let (mut found, own) = tokio::join!(join_all(others), ::store::log::verify(&self.db));
        found.push(verification(
            EventSource::Operations,
            own.map(|own| {
                let (first_bad_position, problem) = own.first_bad.unwrap_or_default();
                VerifyLogResponse {
                    checked_count: own.checked,
                    head_position: own.head_position,
                    first_bad_position,
                    problem,
                    head_hash: own.head_hash,
                }
            }),
        ));
        found
    }

    /// How far each log was followed. If a service does not answer, the head of its log is the position followed to.
    pub(crate) async fn followed(&self) -> Result<Vec<FollowedLog>, Fault> {
        let positions = reads::positions(&self.db).await?;
        let position = |source| positions.get(subscription(source)).copied().unwrap_or(0);
        let others = self.others.iter().map(|(source, client)| async move {
            let mut client = client.clone();
            // No event is after the last possible position: only the head is returned.
            let request = ListEventsRequest { after_position: i64::MAX, page_size: 1, ..ListEventsRequest::default() };
            let answer = within(Some(Instant::now() + HEAD_TIMEOUT), client.list_events(request)).await;
            let head = answer.map_or_else(
                |fault| {
                    tracing::info!(%fault, source = source.as_str(), "the head of a log is not known");
                    0
                },
                |answer| answer.head_position,
            );
            (*source, head)
        });
        let mut heads = join_all(others).await;
        heads.push((EventSource::Operations, self.db.head().await?));
        let log = |(source, head): (EventSource, i64)| FollowedLog {
            source: source.as_str().to_owned(),
            position: position(source),
            head_position: head.max(position(source)),
        };
        Ok(heads.into_iter().map(log).collect())
    }
}

fn verification(source: EventSource, outcome: Result<VerifyLogResponse, Fault>) -> LogVerification {
    let source = source.as_str().to_owned();
    match outcome {
        Ok(found) => LogVerification { source, verification: Some(found), problem: String::new() },
        Err(fault) => LogVerification { source, verification: None, problem: fault.message },
    }
}

/// A call's answer; a fault when there is none in time.
async fn within<T>(
    until: Option<Instant>,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Fault> {
    let answer = match until {
        Some(until) => {
            let late = |_| Fault::unavailable("the service did not answer in time");
            tokio::time::timeout_at(until, call).await.map_err(late)?
        }
        None => call.await,
    };
    answer.map(Response::into_inner).map_err(|status| mesh::fault(&status))
}

/// A little before a call's deadline.
fn before(deadline: Instant) -> Instant {
    let now = Instant::now();
    let left = deadline.saturating_duration_since(now);
    now + left.saturating_sub(MARGIN.min(left / 4))
}
