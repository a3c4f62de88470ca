//! A member's reports of what it counted.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use mesh::{Channel, Stop, Usage};
use proto::operations::v1::{RecordUsageRequest, usage_service_client::UsageServiceClient};
use tokio::sync::Mutex;
use tonic::Request;
use types::Fault;

use super::wire::{MOST_COUNTS, counted};

/// How long one report may take.
const WITHIN: Duration = Duration::from_secs(5);

/// Reports what a member counts to the operations service. Clones report together.
///
/// A report is the same until it was taken, under the same id: nothing is counted twice. What could not be reported
/// before the process ends is lost.
#[derive(Clone)]
pub struct UsageReporter {
    member: &'static str,
    usage: Usage,
    client: UsageServiceClient<Channel>,
    outbox: Arc<Mutex<Outbox>>,
}

#[derive(Default)]
struct Outbox {
    sent: u64,
    waiting: VecDeque<RecordUsageRequest>,
}

impl fmt::Debug for UsageReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageReporter").field("member", &self.member).finish_non_exhaustive()
    }
}

impl UsageReporter {
    /// Reports what this member counts, by this way to the operations service.
    pub fn new(member: &'static str, usage: Usage, operations: &Channel) -> Self {
        let client = UsageServiceClient::new(operations.for_service(member));
        Self { member, usage, client, outbox: Arc::default() }
    }

    /// Reports every so often, until the stop.
    pub async fn run(&self, every: Duration, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(every) => (),
            }
            self.flush().await;
        }
    }

    /// Reports what was counted until now. What is not taken is reported the next time.
    pub async fn flush(&self) {
        let mut outbox = self.outbox.lock().await;
        // What waits is bounded: no more is fetched, and what goes on being counted is bounded too.
        if outbox.waiting.is_empty() {
            for counts in self.usage.take().chunks(MOST_COUNTS) {
                outbox.sent += 1;
                let request_id = format!("{}:{}", self.usage.run(), outbox.sent);
                let counts = counts.iter().map(counted).collect();
                outbox.waiting.push_back(RecordUsageRequest { request_id, member: self.member.to_owned(), counts });
            }
        }
        while let Some(report) = outbox.waiting.front() {
            match self.send(report.clone()).await {
                Ok(()) => (),
                Err(fault) if fault.is_transient() => {
                    tracing::info!(%fault, member = self.member, "usage is reported later");
                    return;
                }
                Err(fault) => tracing::warn!(%fault, member = self.member, "a report of usage was refused"),
            }
            outbox.waiting.pop_front();
        }
    }

    async fn send(&self, report: RecordUsageRequest) -> Result<(), Fault> {
        let mut request = Request::new(report);
        request.set_timeout(WITHIN);
        self.client.clone().record_usage(request).await.map(|_| ()).map_err(|status| mesh::fault(&status))
    }
}
