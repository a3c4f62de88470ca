//! Checks the credentials of callers from outside before anything of their requests is read, and makes their calls on
//! behalf of their principal.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{HeaderMap, Request, Response};
use futures::future::BoxFuture;
use mesh::{
    Access, Channel, Deprecations, Principal, Rule,
    credentials::{self, Authenticator, Caller},
};
use tonic::body::Body;
use tower::Service;
use types::Fault;

use crate::front::Client;

/// The check of credentials, and the rules of the methods that are called.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) access: Arc<Access>,
    pub(crate) deprecations: Arc<Deprecations>,
}

impl Guard {
    /// Who calls the method at this path, if it may.
    pub(crate) async fn admit(&self, headers: &HeaderMap, path: &str, client: &Client) -> Result<Arc<Caller>, Fault> {
        let rule = self.access.rule(path);
        let caller = self.authenticator.authenticate(headers, path, rule).await?;
        client.set(caller.principal.to_string().into());
        rule.map_or(Ok(()), |rule| rule.admit(&caller.principal))?;
        Ok(Arc::new(caller))
    }

    /// The refusal of a call to the method at this path, as its service would answer it.
    pub(crate) fn refusal(&self, path: &str, fault: Fault) -> Response<Body> {
        let mut response = mesh::status(fault).into_http();
        self.deprecations.announce(path, response.headers_mut());
        response
    }
}

/// A service, called on behalf of the caller that the credentials prove.
#[derive(Clone)]
pub(crate) struct Entry {
    channel: Channel,
    guard: Option<Guard>,
    unguarded: Option<Arc<str>>,
}

impl Entry {
    /// Without a guard calls are made on behalf of the channel's principal.
    pub(crate) fn new(channel: Channel, guard: Option<Guard>) -> Self {
        let unguarded = channel.principal().filter(|_| guard.is_none()).map(|principal| principal.to_string().into());
        Self { channel, guard, unguarded }
    }
}

impl Service<Request<Body>> for Entry {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Self { mut channel, guard, unguarded } = self.clone();
        if let (Some(name), Some(client)) = (unguarded, request.extensions().get::<Client>()) {
            client.set(name);
        }
        let mut ended = None;
        if let Some(Guard { authenticator, access, .. }) = guard {
            let anonymous = Principal::anonymous();
            let caller = request.extensions().get::<Arc<Caller>>();
            channel = channel.for_principal(caller.map_or(&anonymous, |caller| &caller.principal));
            let path = request.uri().path();
            let rule = access.rule(path);
            if rule.is_some_and(Rule::streams) {
                ended = caller.and_then(|caller| authenticator.ended(caller, path, rule));
            }
        }
        credentials::strip(request.headers_mut());
        Box::pin(async move {
            let response = channel.call(request).await;
            match ended {
                Some(ended) => response.map(|response| mesh::ending_with(response, ended)),
                None => response,
            }
        })
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("guarded", &self.guard.is_some()).finish_non_exhaustive()
    }
}
