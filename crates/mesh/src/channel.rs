//! Calls to another service, in one process or over the network.

mod destination;
mod endpoint;
mod health;
mod methods;
mod retry;
mod target;

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context as Waker, Poll},
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::time::Instant;
use tonic::{Status, body::Body};
use tower::Service;

use crate::{
    body::Answer,
    credentials::MESH_TOKEN,
    deadline::{self, End},
    fault::status,
    metrics::Meters,
    observe::Observed,
    peer::Peer,
    principal::{self, Principal},
    request::{Context, REQUEST_ID, Repeats},
    secret::Secret,
    server::{PRIORITY, Priority, Stack},
    telemetry::trace,
    tls,
};
use destination::{Destination, Unanswered};
use retry::Caller;

/// The address of a member is not one.
#[derive(Debug, thiserror::Error)]
#[error("not the address of a member: {uri}: {why}")]
pub struct ConnectError {
    /// What was given.
    pub uri: String,
    why: target::Malformed,
}

/// What generated clients call through. Carries on the deadline, trace, request id and principal of the call it is
/// used in. Cheap to clone.
#[derive(Clone)]
pub struct Channel {
    transport: Transport,
    identity: Identity,
    mesh_token: Option<HeaderValue>,
    meters: Arc<Meters>,
}

/// Where calls go.
#[derive(Clone)]
enum Transport {
    InProcess(Stack),
    Network(Caller),
}

/// On whose behalf calls are made.
#[derive(Clone)]
enum Identity {
    /// The caller's of the call being answered; outside of one, this header's, if any.
    Current(Option<HeaderValue>),
    /// Always this header's.
    Fixed(Option<HeaderValue>),
}

impl Channel {
    /// The member at `http://host:port`, or at several such URLs with commas between; a host name may have many
    /// addresses. They are looked up and connected to at the first call. Needs a runtime.
    pub fn connect(urls: &str) -> Result<Self, ConnectError> {
        Self::connect_over(urls, None)
    }

    /// The same; URLs of members that show a certificate begin with `https://`.
    pub fn connect_over(urls: &str, tls: Option<&tls::Client>) -> Result<Self, ConnectError> {
        let destination = Destination::parse(urls, tls).map_err(|why| ConnectError { uri: urls.to_owned(), why })?;
        Ok(Self::over(Transport::Network(Caller::new(destination))))
    }

    pub(crate) fn in_process(stack: Stack) -> Self {
        Self::over(Transport::InProcess(stack))
    }

    fn over(transport: Transport) -> Self {
        Self { transport, identity: Identity::Current(None), mesh_token: None, meters: Arc::new(Meters::of_calls()) }
    }

    /// The same channel, with every call on behalf of this principal.
    #[must_use]
    pub fn for_principal(&self, principal: &Principal) -> Self {
        Self { identity: Identity::Fixed(principal.to_header()), ..self.clone() }
    }

    /// The principal of all its calls, where that is always the same one.
    pub fn principal(&self) -> Option<Principal> {
        let Identity::Fixed(Some(header)) = &self.identity else { return None };
        Principal::from_header(header).ok()
    }

    /// The same channel, with calls made outside of any call on behalf of this service.
    #[must_use]
    pub fn for_service(&self, name: &str) -> Self {
        Self { identity: Identity::Current(Principal::service(name).to_header()), ..self.clone() }
    }

    /// The same channel, with the token that shows that the caller is a member, where certificates do not.
    #[must_use]
    pub fn with_mesh_token(&self, token: Option<&Secret>) -> Self {
        let mut value = token.and_then(|token| HeaderValue::from_str(token.reveal()).ok());
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        Self { mesh_token: value, ..self.clone() }
    }

    /// Writes the headers of every call. Returns its deadline, and who repeats it.
    fn prepare(&self, headers: &mut HeaderMap, observed: &Observed) -> (Option<Instant>, Repeats) {
        let context = Context::current();
        trace::inject(headers, observed.span(), &context);
        let Context { call, repeats, priority, .. } = context;
        let principal = match (&self.identity, &call) {
            (Identity::Fixed(header), _) | (Identity::Current(header), None) => header.clone(),
            (Identity::Current(_), Some(call)) => call.principal.to_header(),
        };
        match principal {
            Some(principal) => drop(headers.insert(principal::HEADER, principal)),
            None => drop(headers.remove(principal::HEADER)),
        }
        match &self.mesh_token {
            Some(token) => drop(headers.insert(MESH_TOKEN, token.clone())),
            None => drop(headers.remove(MESH_TOKEN)),
        }
        if let Some(call) = &call
            && !headers.contains_key(REQUEST_ID)
            && let Ok(id) = HeaderValue::from_str(&call.request_id)
        {
            headers.insert(REQUEST_ID, id);
        }
        if priority == Priority::Batch {
            headers.insert(PRIORITY, HeaderValue::from_static("batch"));
        }
        (deadline::shrink(headers, call.and_then(|call| call.deadline)), repeats)
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Waker<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        let span = trace::client_span(path, self.transport.address());
        let observed = Observed::called(self.meters.start(path), span);
        let (deadline, repeats) = self.prepare(request.headers_mut(), &observed);
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Box::pin(async move { Ok(refuse(&status(deadline::exceeded()), observed)) });
        }
        match self.transport.clone() {
            Transport::InProcess(mut stack) => {
                // Extensions of the caller must not reach a handler, as they would not over the network.
                request.extensions_mut().clear();
                request.extensions_mut().insert(Peer::Process);
                repeats.write_to(request.headers_mut());
                Box::pin(async move {
                    let Ok(response) = stack.call(request).await;
                    Ok(Answer::wrap(response, End::at(None), Context::default(), observed))
                })
            }
            Transport::Network(caller) => Box::pin(async move {
                let call = caller.call(request, deadline, repeats);
                Ok(bounded(call, deadline, observed).await)
            }),
        }
    }
}

/// A call over the network. The deadline is watched here too: the peer may be the one that hangs.
async fn bounded(
    call: impl Future<Output = Result<Response<Body>, Unanswered>>,
    deadline: Option<Instant>,
    observed: Observed,
) -> Response<Body> {
    let mut end = End::at(deadline);
    let outcome = tokio::select! {
        biased;
        fault = end.reached() => Err(status(fault)),
        outcome = call => outcome.map_err(|unanswered| unanswered.status(observed.service())),
    };
    match outcome {
        Ok(response) => Answer::wrap(response, end, Context::default(), observed),
        Err(status) => refuse(&status, observed),
    }
}

/// The response to a call that did not reach the member.
fn refuse(status: &Status, mut observed: Observed) -> Response<Body> {
    observed.ended(status);
    status.clone().into_http()
}

impl Transport {
    /// `server.address` of its calls.
    fn address(&self) -> &str {
        match self {
            Self::InProcess(_) => "localhost",
            Self::Network(caller) => caller.address(),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match &self.transport {
            Transport::InProcess(_) => "in process",
            Transport::Network(_) => "network",
        };
        f.debug_struct("Channel").field("transport", &transport).finish_non_exhaustive()
    }
}
