//! The layers of a call through a server, outermost first. The same for calls over the network and in the process.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context as Waker, Poll},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::time::Instant;
use tonic::{body::Body, service::Routes};
use tower::Service;
use tracing::Instrument;
use types::{Fault, Reason};

use super::overload::{Overload, Priority};
use crate::{
    access::{Access, Rule, Shape},
    body::Answer,
    credentials::{self, Authenticator},
    deadline::{self, End},
    deprecation::Deprecations,
    fault::status,
    lifecycle::{Stop, panic_text},
    metrics::Meters,
    observe::{Answering, Observed},
    peer::Peer,
    principal::Principal,
    quota::Quotas,
    request::{self, CallInfo, Context, Repeats},
    telemetry::{
        request_log,
        trace::{self, TraceParent},
    },
    usage::Usage,
};

/// What the calls of one server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) member: Arc<str>,
    pub(crate) access: Access,
    pub(crate) deprecations: Deprecations,
    pub(crate) meters: Meters,
    pub(crate) overload: Overload,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) usage: Usage,
    pub(crate) timeout: Duration,
    pub(crate) log_sample: f64,
    pub(crate) draining: Stop,
    pub(crate) unsigned: Arc<Principal>,
    pub(crate) authenticator: Option<Arc<Authenticator>>,
}

/// A server's handlers behind everything a call passes.
#[derive(Clone)]
pub(crate) struct Stack {
    shared: Arc<Shared>,
    routes: Routes,
}

impl Stack {
    pub(crate) fn new(shared: Shared, routes: Routes) -> Self {
        Self { shared: Arc::new(shared), routes: routes.prepare() }
    }
}

impl Service<Request<Body>> for Stack {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Waker<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (shared, routes) = (self.shared.clone(), self.routes.clone());
        Box::pin(async move { Ok(answer(&shared, routes, request).await) })
    }
}

/// Request id and trace, metrics, deadline, principal, overload, panics, access, end of the method, quota, handler.
async fn answer(shared: &Shared, routes: Routes, mut request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let rule = shared.access.rule(&path).copied();
    let request_id = request::id(request.headers());
    let span = trace::server_span(&shared.member, &path, &request_id);
    let trace_state = trace::state(request.headers());
    let trace = TraceParent::begin(TraceParent::from_headers(request.headers()), &span, trace_state.as_ref());
    let measured = shared.meters.start(&path);

    let (deadline, mut end) = end(shared, rule, &request);
    let (headers, peer) = (request.headers(), request.extensions().get::<Peer>());
    let identified = async {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(deadline::exceeded());
        }
        let principal = identify(shared, headers, peer, &path, rule.as_ref()).await?;
        let permit = shared.overload.admit(&path, Priority::of(&principal, headers))?;
        Ok((permit, principal))
    };
    let identified = tokio::select! {
        biased;
        identified = identified.instrument(span.clone()) => identified,
        fault = end.reached() => Err(fault),
    };
    credentials::strip(request.headers_mut());
    let principal = match &identified {
        Ok((_, principal)) => principal.clone(),
        Err(_) => Arc::new(Principal::anonymous()),
    };
    let call = Arc::new(CallInfo {
        principal: principal.clone(),
        request_id: request_id.clone(),
        trace_parent: trace.to_string(),
        deadline,
    });
    let (repeats, priority) = (Repeats::from_headers(request.headers()), Priority::of(&principal, request.headers()));
    let context = Context { call: Some(call.clone()), trace_parent: None, trace_state, repeats, priority };
    request.extensions_mut().insert(call.clone());

    let handled = async {
        let (_permit, principal) = identified?;
        let rule = rule.ok_or_else(|| Fault::new(Reason::Unimplemented, "the server does not have this method"))?;
        rule.admit(&principal)?;
        shared.deprecations.refuse_ended(&path)?;
        let admitted = match shared.quotas.admit(&principal, &rule) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(*refused),
        };
        let mut routes = routes;
        let Ok(response) = routes.call(request).await;
        Ok(admitted.announce(response))
    };
    let guarded = AssertUnwindSafe(handled).catch_unwind().map(|outcome| {
        outcome
            .unwrap_or_else(|panic| Err(Fault::internal(format!("handler panicked: {}", panic_text(panic.as_ref())))))
    });
    let bounded = async {
        tokio::select! {
            biased;
            outcome = guarded => outcome,
            fault = end.reached() => Err(fault),
        }
        .unwrap_or_else(|fault| status(fault).into_http())
    };
    let mut response = context.clone().scope(bounded).instrument(span.clone()).await;
    if rule.is_some_and(|rule| rule.is_counted()) {
        shared.usage.count(&call.principal, &path, response.headers());
    }
    shared.deprecations.announce(&path, response.headers_mut());
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(request::REQUEST_ID, id);
    }
    let answering = Answering {
        member: shared.member.clone(),
        method: path,
        trace,
        call,
        sampled: request_log::is_sampled(shared.log_sample, trace),
        streams: rule.is_some_and(|rule| rule.shape == Shape::Stream),
    };
    Answer::wrap(response, end, context, Observed::answered(measured, span, answering))
}

/// Who calls: as a member states, or as a credential proves. Without an authenticator every caller may state it.
async fn identify(
    shared: &Shared,
    headers: &HeaderMap,
    peer: Option<&Peer>,
    path: &str,
    rule: Option<&Rule>,
) -> Result<Arc<Principal>, Fault> {
    let Some(authenticator) = &shared.authenticator else {
        let claimed = Principal::from_headers(headers)?;
        return Ok(claimed.map_or_else(|| shared.unsigned.clone(), Arc::new));
    };
    if authenticator.trusts(peer, headers)
        && let Some(claimed) = Principal::from_headers(headers)?
    {
        return Ok(Arc::new(claimed));
    }
    authenticator.authenticate(headers, path, rule).await.map(Arc::new)
}

/// The call's deadline and what ends it: the caller's time, else ours; a stream may go on until the server drains.
fn end(shared: &Shared, rule: Option<Rule>, request: &Request<Body>) -> (Option<Instant>, End) {
    let streams = rule.is_some_and(|rule| rule.shape == Shape::Stream);
    match deadline::timeout(request.headers()) {
        None if streams => (None, End::on(shared.draining.token())),
        given => {
            let deadline = Instant::now().checked_add(given.unwrap_or(shared.timeout));
            (deadline, End::at(deadline))
        }
    }
}
