//! Tries the failed work of an exception again.
//!
//! 1. [`RetryException`] emits `exception.retried` and schedules the task.
//! 2. [`RetryTask`] asks the service that opened the exception to try its work at once (`WorkService.RetryWork`).
//! 3. When the work is done, that service emits `exception.resolved`, and the exception closes as any other.

use std::{collections::HashMap, sync::Arc};

use futures::future::try_join_all;
use mesh::{CallInfo, Channel, Principal, wire::one_id};
use proto::{
    event::v1::{ExceptionType, RetryWorkRequest, work_service_client::WorkServiceClient},
    events::{EventSource, OperationsEvent},
    operations::v1::{RetryExceptionRequest, RetryExceptionsRequest, RetryExceptionsResponse},
};
use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task, TaskHandler, WorkApi};
use types::{ExceptionId, Fault, Id as _};

use super::{Exception, emit, find};
use crate::{NAME, store as reads};

/// The kind of the task that asks for a retry. Its key is the id of the exception.
const RETRY: &str = "operations.retry";

/// Whether the failed work of exceptions of this type can be tried again.
pub(super) fn is_retryable(exception_type: &str) -> bool {
    let known = ExceptionType::from_text(exception_type);
    matches!(known, Some(ExceptionType::TaskFailed | ExceptionType::ReactionFailed))
}

/// Asks for the failed work of an exception to be tried again.
pub(crate) struct RetryException {
    exception_id: ExceptionId,
    etag: String,
}

impl RetryException {
    pub(crate) fn parse(request: &RetryExceptionRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        Ok(Self { exception_id: one_id("exception_id", &request.exception_id)?, etag: request.etag.clone() })
    }
}

impl Command for RetryException {
    type Reply = proto::operations::v1::Exception;
    const NAME: &'static str = "RetryException";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Exception>(&self.exception_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Self::Reply, Fault> {
        let exception = find(rows, &self.exception_id)?;
        exception.permit("retry", &self.etag)?;
        let exception = exception.save(rows, cx)?;
        let task = Task::new(RETRY, &self.exception_id, cx.now());
        cx.schedule(task.order(&exception.order_id, exception.account_id.as_ref()));
        Ok(emit(cx, OperationsEvent::ExceptionRetried, &exception))
    }
}

/// Asks for the failed work of many exceptions that the caller sees to be tried again.
pub(crate) async fn retry_many(
    db: &Db,
    info: &CallInfo,
    request: &RetryExceptionsRequest,
) -> Result<RetryExceptionsResponse, Fault> {
    if !is_retryable(&request.r#type) {
        return Err(Fault::invalid("type", "must be TASK_FAILED or REACTION_FAILED"));
    }
    let (exceptions, more) = reads::failed_work(db, request, &info.principal).await?;
    let retried = exceptions.into_iter().map(|exception_id| async move {
        let command = RetryException { exception_id: exception_id.clone(), etag: String::new() };
        match db.run(chassis::call(info), command).await {
            Ok(_) => Ok(Some(exception_id.as_str().to_owned())),
            // It was closed meanwhile.
            Err(fault) if !fault.is_transient() => Ok(None),
            Err(fault) => Err(fault),
        }
    });
    let exception_ids = try_join_all(retried).await?.into_iter().flatten().collect();
    Ok(RetryExceptionsResponse { exception_ids, more })
}

/// Asks services to try their failed work again.
pub(crate) struct RetryTask {
    db: Db,
    services: HashMap<&'static str, WorkServiceClient<Channel>>,
}

impl RetryTask {
    /// `services` are channels to the other services, by the source of their log.
    pub(crate) fn new(db: Db, services: &[(EventSource, Channel)]) -> Self {
        let client = |(source, channel): &(EventSource, Channel)| {
            (source.as_str(), WorkServiceClient::new(channel.for_service(NAME)))
        };
        Self { db, services: services.iter().map(client).collect() }
    }
}

#[async_trait::async_trait]
impl TaskHandler for RetryTask {
    fn kind(&self) -> &'static str {
        RETRY
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let exception_id = one_id("exception_id", &task.key)?;
        let exception = self.db.load::<Exception>(&exception_id).await?;
        let Some(exception) = exception.filter(|exception| exception.supports("retry")) else { return Ok(Vec::new()) };
        let Exception { exception_type, subject, source, .. } = exception;
        if source == NAME {
            WorkApi::new(self.db.clone()).retry(&exception_type, &[subject]).await?;
            return Ok(Vec::new());
        }
        let mut client =
            self.services.get(source.as_str()).cloned().ok_or_else(|| Fault::not_found("service", &source))?;
        let request = RetryWorkRequest { r#type: exception_type, subjects: vec![subject] };
        client.retry_work(request).await.map_err(|status| mesh::fault(&status))?;
        Ok(Vec::new())
    }
}
