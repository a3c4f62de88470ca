//! Answers the calls of the usage contract.

use mesh::CallInfo;
use proto::operations::v1::{
    ListUsageRequest, ListUsageResponse, RecordUsageRequest, RecordUsageResponse, usage_service_server::UsageService,
};
use store::Db;
use types::Fault;

use super::{
    RecordUsage,
    days::Day,
    deprecated::deprecated,
    list::{UsageFilter, list},
    wire,
};

/// Answers the calls about usage.
pub(crate) struct Rpc {
    db: Db,
    retention: i64,
}

chassis::rpc! {
    UsageService for Rpc {
        commands {}
        calls {
            record_usage(RecordUsageRequest) -> RecordUsageResponse;
            list_usage(ListUsageRequest) -> ListUsageResponse;
        }
    }
}

impl chassis::Answers for Rpc {
    fn db(&self) -> &Db {
        &self.db
    }
}

impl Rpc {
    /// `retention` is how many days are kept.
    pub(crate) fn new(db: Db, retention: i64) -> Self {
        Self { db, retention }
    }

    async fn record_usage(&self, info: &CallInfo, request: RecordUsageRequest) -> Result<RecordUsageResponse, Fault> {
        let parse = |request: &_, _: &_| Ok(RecordUsage { counts: wire::counts(request)?, retention: self.retention });
        chassis::command(self, info, &request, parse).await
    }

    async fn list_usage(&self, _: &CallInfo, request: ListUsageRequest) -> Result<ListUsageResponse, Fault> {
        let filter = UsageFilter::parse(request)?;
        let today = Day::of(self.db.clock().now());
        // A day past its retention is not listed, also when it is not dropped yet.
        let oldest = today.before(self.retention);
        let first = filter.from.map_or(oldest, |from| from.max(oldest));
        let last = filter.to.unwrap_or(today);
        let (usage, next_page_token) = list(&self.db, &filter, (first, last), deprecated()).await?;
        let usage = usage.iter().map(|row| wire::usage(row, first, last)).collect();
        Ok(ListUsageResponse { usage, next_page_token })
    }
}
