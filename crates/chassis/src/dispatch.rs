//! Dispatches a request to a command: parses it, runs it repeatably, and answers.

use std::sync::Arc;

use mesh::{CallInfo, Principal, wire::Checks};
use proto::{MessageBytes, Repeatable};
use store::{Call, Command, Db};
use tonic::{Response, Status};
use types::{Fault, limits::MAX_VIOLATIONS};

/// What answers a service's calls.
pub trait Answers {
    /// The service's database.
    fn db(&self) -> &Db;

    /// Changes the call of a command, for example to let it be batched with others.
    fn adjust(call: Call) -> Call {
        call
    }
}

/// The call of a request that has no request id.
pub fn call(info: &CallInfo) -> Call {
    let trace_parent = Some(info.trace_parent.clone()).filter(|trace_parent| !trace_parent.is_empty());
    Call::new(info.principal.actor()).trace(trace_parent)
}

/// The call of a request, repeatable under its request id; a fault when the id cannot be kept.
pub fn repeatable_call<M: MessageBytes + Repeatable>(info: &CallInfo, request: &M) -> Result<Call, Fault> {
    let mut checks = Checks::new();
    checks.request_id(request.request_id());
    checks.done()?;
    Ok(call(info).request(request.request_id(), request))
}

/// Runs the command that a request asks for. A repeat under the same request id is answered as the first was.
pub async fn command<A, M, C>(
    answers: &A,
    info: &CallInfo,
    request: &M,
    parse: impl FnOnce(&M, &Arc<Principal>) -> Result<C, Fault>,
) -> Result<C::Reply, Fault>
where
    A: Answers,
    M: MessageBytes + Repeatable,
    C: Command,
{
    let call = A::adjust(repeatable_call(info, request)?);
    answers.db().run(call, parse(request, &info.principal)?).await
}

/// The answer to a call.
pub fn answer<T>(outcome: Result<T, Fault>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|mut fault| {
        let violations = fault.violations.len();
        if violations > MAX_VIOLATIONS {
            fault.violations.truncate(MAX_VIOLATIONS);
            fault = fault.fact("violations", violations);
        }
        mesh::status(fault)
    })
}
