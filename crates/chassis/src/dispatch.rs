//! Dispatches a request to a command: parses it, runs it repeatably, and answers.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt as _};
use mesh::{CallInfo, Principal, Role, wire::Checks};
use proto::{
    MessageBytes, Repeatable,
    redact::{Redact, Viewer},
    texts::Texts,
};
use store::{Call, Command, Db};
use tonic::{Request, Response, Status};
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

/// A request with every text in its one form ([`types::text`]), so that whatever reads it stores and compares that one. A fault when
/// a filter, an etag or a page token is blank, since it would be none in that form.
pub fn normal<M: Texts>(mut request: Request<M>) -> Result<Request<M>, Fault> {
    if let Some(field) = request.get_ref().blank(types::text::is_blank_text) {
        return Err(Fault::invalid(field, "is blank"));
    }
    request.get_mut().each_text(types::text::normalize);
    Ok(request)
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

/// An answer as its caller is shown it: without the fields that the contract hides from it.
pub fn shown<T: Redact>(mut reply: T, caller: &Principal) -> T {
    if !caller.is_staff() {
        let is = |role| caller.roles.contains(role);
        reply.redact(Viewer { customer: is(Role::Customer), partner: is(Role::Partner) });
    }
    reply
}

/// The same for each answer of a stream.
pub fn shown_each<T: Redact + Send + 'static>(
    stream: impl Stream<Item = Result<T, Status>> + Send + 'static,
    caller: Arc<Principal>,
) -> Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>> {
    Box::pin(stream.map(move |reply| reply.map(|reply| shown(reply, &caller))))
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
