//! A service's reports of the calls it counted.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use mesh::{Channel, Stop, Usage};
use proto::operations::v1::{RecordUsageRequest, usage_service_client::UsageServiceClient};
use tokio::sync::Mutex;
use tonic::Request;
use types::Fault;

use super::wire::{MAX_COUNTS, counted};

/// How long one report may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Reports the calls that a member counts to the operations service. Clones share one outbox.
///
/// A report keeps its content and its request id until it is recorded: no call is counted twice. Counts that are not
/// reported before the process ends are lost.
#[derive(Clone)]
pub struct UsageReporter {
    member: &'static str,
    usage: Usage,
    client: UsageServiceClient<Channel>,
    outbox: Arc<Mutex<Outbox>>,
}

#[derive(Default)]
struct Outbox {
    reports: u64,
    pending: VecDeque<RecordUsageRequest>,
}

impl fmt::Debug for UsageReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UsageReporter").field("member", &self.member).finish_non_exhaustive()
    }
}

impl UsageReporter {
    /// Reports the counts of `usage` over the channel to the operations service.
    pub fn new(member: &'static str, usage: Usage, operations: &Channel) -> Self {
        let client = UsageServiceClient::new(operations.for_service(member));
        Self { member, usage, client, outbox: Arc::default() }
    }

    /// Reports at an interval, until the stop.
    pub async fn run(&self, interval: Duration, stop: Stop) {
        loop {
            tokio::select! {
                () = stop.requested() => return,
                () = tokio::time::sleep(interval) => (),
            }
            self.flush().await;
        }
    }

    /// Reports what was counted until now. Reports that cannot be recorded now are sent again the next time.
    pub async fn flush(&self) {
        let mut outbox = self.outbox.lock().await;
        // The outbox is bounded: no counts are taken while reports are pending, and the counts themselves are bounded.
        if outbox.pending.is_empty() {
            for counts in self.usage.take().chunks(MAX_COUNTS) {
                outbox.reports += 1;
                let request_id = format!("{}:{}", self.usage.run(), outbox.reports);
                let counts = counts.iter().map(counted).collect();
                outbox.pending.push_back(RecordUsageRequest { request_id, member: self.member.to_owned(), counts });
            }
        }
        while let Some(report) = outbox.pending.front() {
            match self.send(report.clone()).await {
                Ok(()) => (),
                Err(fault) if fault.is_transient() => {
                    tracing::info!(%fault, member = self.member, "usage will be reported later");
                    return;
                }
                Err(fault) => tracing::warn!(%fault, member = self.member, "a report of usage was refused"),
            }
            outbox.pending.pop_front();
        }
    }

    async fn send(&self, report: RecordUsageRequest) -> Result<(), Fault> {
        let mut request = Request::new(report);
        request.set_timeout(TIMEOUT);
        self.client.clone().record_usage(request).await.map(|_| ()).map_err(|status| mesh::fault(&status))
    }
}
