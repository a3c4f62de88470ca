//! The contract: wire in, command or read, wire out.

use std::{pin::Pin, time::Duration};

use futures::{Stream, StreamExt};
use proto::operations::v1::{
    AssignExceptionRequest, DismissExceptionRequest, Exception, FollowTimelineRequest, FollowTimelineResponse,
    GetExceptionRequest, ListExceptionsRequest, ListExceptionsResponse, ListFollowedRequest, ListFollowedResponse,
    ListTimelineRequest, ListTimelineResponse, ResolveExceptionRequest, SummarizeExceptionsRequest,
    SummarizeExceptionsResponse, VerifyLogsRequest, VerifyLogsResponse, operations_service_server::OperationsService,
};
use store::{Call, Db};
use tonic::{Request, Response, Status};
use types::Fault;

use crate::{follow, logs::Logs, store as reads, wire};

/// Answers the calls of the service.
pub(crate) struct OperationsApi {
    db: Db,
    logs: Logs,
    poll: Duration,
}

impl OperationsApi {
    pub(crate) fn new(db: Db, logs: Logs, poll: Duration) -> Self {
        Self { db, logs, poll }
    }
}

/// Who calls, for a command.
fn call<T: prost::Message>(request: &Request<T>, request_id: &str) -> Result<Call, Fault> {
    wire::request_id(request_id)?;
    let call = mesh::call(request);
    Ok(Call::new(call.principal.actor()).request(request_id, request.get_ref()).trace(Some(call.trace_parent)))
}

fn answer<T>(outcome: Result<T, Fault>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(mesh::status)
}

impl OperationsApi {
    async fn timeline(&self, request: Request<ListTimelineRequest>) -> Result<ListTimelineResponse, Fault> {
        let order_id = wire::order_id(&request.get_ref().order_id)?;
        let caller = mesh::caller(&request);
        reads::see_order(&self.db, &order_id, caller.own_accounts()).await?;
        let ListTimelineRequest { page_size, page_token, .. } = request.get_ref();
        let (entries, next_page_token) =
            reads::list_entries(&self.db, &order_id, caller, *page_size, page_token).await?;
        let entries = entries.iter().map(|entry| wire::entry(entry, caller)).collect::<Result<_, _>>()?;
        Ok(ListTimelineResponse { entries, next_page_token })
    }

    async fn following(
        &self,
        request: Request<FollowTimelineRequest>,
    ) -> Result<<Self as OperationsService>::FollowTimelineStream, Fault> {
        let order_id = wire::order_id(&request.get_ref().order_id)?;
        let after = follow::resume(&request.get_ref().resume_token)?;
        let caller = mesh::call(&request).principal;
        reads::see_order(&self.db, &order_id, caller.own_accounts()).await?;
        let answers = follow::follow(self.db.clone(), order_id, after, caller, self.poll);
        Ok(Box::pin(answers.map(|answer| answer.map_err(mesh::status))))
    }

    async fn exceptions(&self, request: ListExceptionsRequest) -> Result<ListExceptionsResponse, Fault> {
        let (cases, next_page_token) = reads::list_cases(&self.db, wire::cases(request)?).await?;
        Ok(ListExceptionsResponse { exceptions: cases.iter().map(wire::case).collect(), next_page_token })
    }

    async fn exception(&self, request: &GetExceptionRequest) -> Result<Exception, Fault> {
        let exception_id = wire::exception_id(&request.exception_id)?;
        Ok(wire::case(&reads::get_case(&self.db, &exception_id).await?))
    }

    async fn assign(&self, request: Request<AssignExceptionRequest>) -> Result<Exception, Fault> {
        let AssignExceptionRequest { request_id, exception_id, assignee, etag } = request.get_ref();
        let command = wire::assign(exception_id, assignee, etag)?;
        self.db.run(call(&request, request_id)?, command).await
    }

    async fn resolve(&self, request: Request<ResolveExceptionRequest>) -> Result<Exception, Fault> {
        let ResolveExceptionRequest { request_id, exception_id, resolution, etag } = request.get_ref();
        let command = wire::resolve(exception_id, resolution, etag)?;
        self.db.run(call(&request, request_id)?, command).await
    }

    async fn dismiss(&self, request: Request<DismissExceptionRequest>) -> Result<Exception, Fault> {
        let DismissExceptionRequest { request_id, exception_id, resolution, etag } = request.get_ref();
        let command = wire::dismiss(exception_id, resolution, etag)?;
        self.db.run(call(&request, request_id)?, command).await
    }
}

#[tonic::async_trait]
impl OperationsService for OperationsApi {
    type FollowTimelineStream = Pin<Box<dyn Stream<Item = Result<FollowTimelineResponse, Status>> + Send>>;

    async fn list_timeline(
        &self,
        request: Request<ListTimelineRequest>,
    ) -> Result<Response<ListTimelineResponse>, Status> {
        answer(self.timeline(request).await)
    }

    async fn follow_timeline(
        &self,
        request: Request<FollowTimelineRequest>,
    ) -> Result<Response<Self::FollowTimelineStream>, Status> {
        answer(self.following(request).await)
    }

    async fn list_exceptions(
        &self,
        request: Request<ListExceptionsRequest>,
    ) -> Result<Response<ListExceptionsResponse>, Status> {
        answer(self.exceptions(request.into_inner()).await)
    }

    async fn get_exception(&self, request: Request<GetExceptionRequest>) -> Result<Response<Exception>, Status> {
        answer(self.exception(request.get_ref()).await)
    }

    async fn assign_exception(&self, request: Request<AssignExceptionRequest>) -> Result<Response<Exception>, Status> {
        answer(self.assign(request).await)
    }

    async fn resolve_exception(
        &self,
        request: Request<ResolveExceptionRequest>,
    ) -> Result<Response<Exception>, Status> {
        answer(self.resolve(request).await)
    }

    async fn dismiss_exception(
        &self,
        request: Request<DismissExceptionRequest>,
    ) -> Result<Response<Exception>, Status> {
        answer(self.dismiss(request).await)
    }

    async fn summarize_exceptions(
        &self,
        _: Request<SummarizeExceptionsRequest>,
    ) -> Result<Response<SummarizeExceptionsResponse>, Status> {
        let counts = reads::count_cases(&self.db).await;
        answer(
            counts.map(|counts| SummarizeExceptionsResponse { counts: counts.into_iter().map(wire::count).collect() }),
        )
    }

    async fn verify_logs(&self, request: Request<VerifyLogsRequest>) -> Result<Response<VerifyLogsResponse>, Status> {
        let logs = self.logs.verify(mesh::call(&request).deadline).await;
        Ok(Response::new(VerifyLogsResponse { logs }))
    }

    async fn list_followed(&self, _: Request<ListFollowedRequest>) -> Result<Response<ListFollowedResponse>, Status> {
        answer(self.logs.followed().await.map(|logs| ListFollowedResponse { logs }))
    }
}
