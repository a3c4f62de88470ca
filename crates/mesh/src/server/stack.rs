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
use http_body_util::BodyExt;
use tokio::time::Instant;
use tonic::{Status, body::Body, service::Routes};
use tower::Service;
use tracing::Instrument;
use types::{Fault, Reason};

use super::overload::{Overload, Priority};
use crate::{
    access::{Access, Rule},
    body::Answer,
    credentials::{self, Authenticator},
    deadline::{self, End},
    deprecation::Deprecations,
    fault::status,
    intake::{Arriving, Connection, Load},
    lifecycle::{Stop, panic_text},
    local,
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

/// What the paths of reflection begin with, in every version.
const REFLECTION: &str = "/grpc.reflection.";

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

impl Shared {
    /// Whether every caller is the local administrator.
    fn is_local(&self) -> bool {
        self.authenticator.is_none() && !self.unsigned.is_anonymous()
    }
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
    let connection = request.extensions().get::<Connection>().cloned();
    let from_elsewhere = match peer {
        Some(Peer::Address(_)) if shared.is_local() => local::refuse_web_pages(&request),
        _ => Ok(()),
    };
    let identified = async {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(deadline::exceeded());
        }
        from_elsewhere?;
        let caller = identify(shared, headers, peer, &path, rule.as_ref()).await?;
        let stranger = connection.as_ref().filter(|_| caller.principal.is_anonymous());
        let stranger = stranger.map(Connection::stranger).transpose()?;
        let permit = shared.overload.admit(&path, Priority::of(&caller.principal, headers))?;
        Ok((permit, caller, stranger))
    };
    let identified = tokio::select! {
        biased;
        identified = identified.instrument(span.clone()) => identified,
        fault = end.reached() => Err(fault),
    };
    credentials::strip(request.headers_mut());
    let principal = match &identified {
        Ok((_, caller, _)) => caller.principal.clone(),
        Err(_) => Arc::new(Principal::anonymous()),
    };
    let (identified, stranger) = match identified {
        Ok((permit, caller, stranger)) => {
            end.with_credential(caller.ended);
            (Ok((permit, caller.member)), stranger)
        }
        Err(fault) => (Err(fault), None),
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
        let (_permit, member) = identified?;
        let rule = rule.ok_or_else(|| Fault::new(Reason::Unimplemented, "the server does not have this method"))?;
        rule.admit(&principal)?;
        shared.deprecations.refuse_ended(&path)?;
        let admitted = match shared.quotas.admit(&principal, &rule) {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(*refused),
        };
        // Until here nothing of the body was read. Its bytes count until the answer begins.
        let load = connection.map(|connection| match member {
            true => connection.load_of_member(),
            false => connection.load(Some(principal.to_string()).filter(|_| !principal.is_anonymous()).as_deref()),
        });
        let request = match &load {
            Some(load) => request.map(|body| counted(body, load)),
            None => request,
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
        streams: rule.as_ref().is_some_and(Rule::streams),
    };
    let answer = Answer::wrap(response, end, context, Observed::answered(measured, span, answering));
    match stranger {
        Some(stranger) => answer.map(|body| {
            Body::new(body.map_frame(move |frame| {
                let _counted = &stranger;
                frame
            }))
        }),
        None => answer,
    }
}

/// The body of a request, whose errors gRPC understands.
fn counted(body: Body, load: &Arc<Load>) -> Body {
    Body::new(Arriving::new(body, load).map_err(|error| match error.downcast::<Fault>() {
        Ok(fault) => status(*fault),
        Err(error) if error.is::<std::io::Error>() => status(deadline::exceeded()),
        Err(error) => Status::from_error(error),
    }))
}

/// Who calls.
struct Identified {
    principal: Arc<Principal>,
    /// A member says so.
    member: bool,
    /// For a stream, waits until the credential has ended.
    ended: Option<BoxFuture<'static, Fault>>,
}

/// Who calls: as a member states, or as a credential proves. Without an authenticator every caller may state it.
async fn identify(
    shared: &Shared,
    headers: &HeaderMap,
    peer: Option<&Peer>,
    path: &str,
    rule: Option<&Rule>,
) -> Result<Identified, Fault> {
    let stated = |principal, member| Identified { principal, member, ended: None };
    let Some(authenticator) = &shared.authenticator else {
        return Ok(match Principal::from_headers(headers)? {
            Some(claimed) => stated(Arc::new(claimed), true),
            None => stated(shared.unsigned.clone(), false),
        });
    };
    if authenticator.trusts(peer, headers)
        && let Some(claimed) = Principal::from_headers(headers)?
    {
        return Ok(stated(Arc::new(claimed), true));
    }
    let caller = authenticator.authenticate(headers, path, rule).await?;
    let streams = rule.is_some_and(Rule::streams);
    let ended = if streams { authenticator.ended(&caller, path, rule) } else { None };
    Ok(Identified { principal: Arc::new(caller.principal), member: false, ended })
}

/// The call's deadline and what ends it: the caller's time, else ours; a stream may go on until the server drains.
fn end(shared: &Shared, rule: Option<Rule>, request: &Request<Body>) -> (Option<Instant>, End) {
    let streams = rule.as_ref().is_some_and(Rule::streams);
    match deadline::timeout(request.headers()) {
        // Nobody needs reflection for long, and anybody may ask.
        given if request.uri().path().starts_with(REFLECTION) => {
            let deadline = Instant::now().checked_add(given.map_or(shared.timeout, |given| given.min(shared.timeout)));
            (deadline, End::at(deadline))
        }
        None if streams => (None, End::on(shared.draining.token())),
        given => {
            let deadline = Instant::now().checked_add(given.unwrap_or(shared.timeout));
            (deadline, End::at(deadline))
        }
    }
}
