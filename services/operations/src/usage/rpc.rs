//! The contract of usage.

use proto::operations::v1::{
    ListUsageRequest, ListUsageResponse, RecordUsageRequest, RecordUsageResponse, usage_service_server::UsageService,
};
use store::{Call, Db};
use tonic::{Request, Response, Status};
use types::Fault;

use super::{RecordUsage, days::Day, deprecated::deprecated, read, wire};

/// Answers the calls about usage.
pub(crate) struct UsageApi {
    db: Db,
    retention: i64,
}

impl UsageApi {
    pub(crate) fn new(db: Db, retention: i64) -> Self {
        Self { db, retention }
    }

    async fn record(&self, request: Request<RecordUsageRequest>) -> Result<RecordUsageResponse, Fault> {
        let call = mesh::call(&request);
        let request = request.get_ref();
        let counts = wire::counts(request)?;
        let call = Call::new(call.principal.actor()).request(&request.request_id, request);
        self.db.run(call, RecordUsage { counts, retention: self.retention }).await
    }

    async fn list(&self, request: ListUsageRequest) -> Result<ListUsageResponse, Fault> {
        let wanted = wire::wanted(request)?;
        let today = Day::of(self.db.clock().now());
        // A day past its retention is gone, also when it was not dropped yet.
        let kept = today.before(self.retention);
        let first = wanted.from.map_or(kept, |from| from.max(kept));
        let last = wanted.to.unwrap_or(today);
        let (usage, next_page_token) = read::list(&self.db, &wanted, (first, last), deprecated()).await?;
        let usage = usage.iter().map(|row| wire::usage(row, first, last)).collect();
        Ok(ListUsageResponse { usage, next_page_token })
    }
}

#[tonic::async_trait]
impl UsageService for UsageApi {
    async fn record_usage(
        &self,
        request: Request<RecordUsageRequest>,
    ) -> Result<Response<RecordUsageResponse>, Status> {
        self.record(request).await.map(Response::new).map_err(mesh::status)
    }

    async fn list_usage(&self, request: Request<ListUsageRequest>) -> Result<Response<ListUsageResponse>, Status> {
        self.list(request.into_inner()).await.map(Response::new).map_err(mesh::status)
    }
}
