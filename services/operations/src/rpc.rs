//! Declares the gRPC methods: commands, and reads.

use std::{pin::Pin, time::Duration};

use futures::Stream;
use mesh::{CallInfo, Principal, wire::one_id};
use proto::operations::v1::{
    AssignExceptionRequest, DismissExceptionRequest, Exception, FollowTimelineRequest, FollowTimelineResponse,
    GetExceptionRequest, ListExceptionsRequest, ListExceptionsResponse, ListFollowedRequest, ListFollowedResponse,
    ListTimelineRequest, ListTimelineResponse, ResolveExceptionRequest, RetryExceptionRequest, RetryExceptionsRequest,
    RetryExceptionsResponse, SummarizeExceptionsRequest, SummarizeExceptionsResponse, VerifyLogsRequest,
    VerifyLogsResponse, operations_service_server::OperationsService,
};
use store::Db;
use tonic::Status;
use types::Fault;

use crate::{
    exception::{AssignException, DismissException, ResolveException, RetryException, retry_many},
    follow::{self, Following},
    logs::Logs,
    store as reads, wire,
};

/// Answers the calls of the service.
pub(crate) struct Rpc {
    db: Db,
    logs: Logs,
    poll: Duration,
}

chassis::rpc! {
    OperationsService for Rpc {
        commands {
            assign_exception(AssignExceptionRequest) -> Exception = AssignException::parse,
                seen by check_exception of exception_id;
            resolve_exception(ResolveExceptionRequest) -> Exception = ResolveException::parse,
                seen by check_exception of exception_id;
            dismiss_exception(DismissExceptionRequest) -> Exception = DismissException::parse,
                seen by check_exception of exception_id;
            retry_exception(RetryExceptionRequest) -> Exception = RetryException::parse,
                seen by check_exception of exception_id;
        }
        calls {
            retry_exceptions(RetryExceptionsRequest) -> RetryExceptionsResponse;
            list_timeline(ListTimelineRequest) -> ListTimelineResponse;
            list_exceptions(ListExceptionsRequest) -> ListExceptionsResponse;
            get_exception(GetExceptionRequest) -> Exception;
            summarize_exceptions(SummarizeExceptionsRequest) -> SummarizeExceptionsResponse;
            verify_logs(VerifyLogsRequest) -> VerifyLogsResponse;
            list_followed(ListFollowedRequest) -> ListFollowedResponse;
        }
        streams {
            follow_timeline(FollowTimelineRequest) -> FollowTimelineStream of FollowTimelineResponse;
        }
    }
}

impl chassis::Answers for Rpc {
    fn db(&self) -> &Db {
        &self.db
    }
}

impl Rpc {
    /// `poll` is how often a followed timeline is read again.
    pub(crate) fn new(db: Db, logs: Logs, poll: Duration) -> Self {
        Self { db, logs, poll }
    }

    async fn check_exception(&self, id: &str, caller: &Principal) -> Result<(), Fault> {
        reads::get_exception(&self.db, &one_id("exception_id", id)?, caller).await.map(|_| ())
    }

    async fn list_timeline(
        &self,
        info: &CallInfo,
        request: ListTimelineRequest,
    ) -> Result<ListTimelineResponse, Fault> {
        let ListTimelineRequest { order_id, page_size, page_token } = request;
        let (order_id, caller) = (one_id("order_id", &order_id)?, &*info.principal);
        reads::check_visible(&self.db, &order_id, caller).await?;
        let (entries, next_page_token) =
            reads::list_entries(&self.db, &order_id, caller, page_size, &page_token).await?;
        let entries = entries.iter().map(|entry| wire::entry(entry, caller)).collect::<Result<_, _>>()?;
        Ok(ListTimelineResponse { entries, next_page_token })
    }

    async fn follow_timeline(
        &self,
        info: &CallInfo,
        request: FollowTimelineRequest,
    ) -> Result<Pin<Box<dyn Stream<Item = Result<FollowTimelineResponse, Status>> + Send>>, Fault> {
        let order_id = one_id("order_id", &request.order_id)?;
        let place = follow::resume(&request.resume_token, &info.principal)?;
        reads::check_visible(&self.db, &order_id, &info.principal).await?;
        let following = Following::after(self.db.clone(), order_id, place, info.principal.clone(), self.poll).await?;
        Ok(Box::pin(following.stream()))
    }

    async fn list_exceptions(
        &self,
        info: &CallInfo,
        request: ListExceptionsRequest,
    ) -> Result<ListExceptionsResponse, Fault> {
        let (exceptions, next_page_token) = reads::list_exceptions(&self.db, &request, &info.principal).await?;
        Ok(ListExceptionsResponse { exceptions: exceptions.iter().map(wire::exception).collect(), next_page_token })
    }

    async fn get_exception(&self, info: &CallInfo, request: GetExceptionRequest) -> Result<Exception, Fault> {
        let exception_id = one_id("exception_id", &request.exception_id)?;
        Ok(wire::exception(&reads::get_exception(&self.db, &exception_id, &info.principal).await?))
    }

    async fn retry_exceptions(
        &self,
        info: &CallInfo,
        request: RetryExceptionsRequest,
    ) -> Result<RetryExceptionsResponse, Fault> {
        retry_many(&self.db, info, &request).await
    }

    async fn summarize_exceptions(
        &self,
        info: &CallInfo,
        _: SummarizeExceptionsRequest,
    ) -> Result<SummarizeExceptionsResponse, Fault> {
        let counts = reads::count_exceptions(&self.db, &info.principal).await?;
        Ok(SummarizeExceptionsResponse { counts: counts.into_iter().map(wire::count).collect() })
    }

    async fn verify_logs(&self, info: &CallInfo, _: VerifyLogsRequest) -> Result<VerifyLogsResponse, Fault> {
        Ok(VerifyLogsResponse { logs: self.logs.verify(info.deadline).await })
    }

    async fn list_followed(&self, _: &CallInfo, _: ListFollowedRequest) -> Result<ListFollowedResponse, Fault> {
        Ok(ListFollowedResponse { logs: self.logs.followed().await? })
    }
}
