//! Checks the credentials of callers from outside, and makes their calls on behalf of their principal.

use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{Request, Response};
use futures::future::BoxFuture;
use mesh::{
    Access, Channel,
    credentials::{self, Authenticator},
};
use tonic::body::Body;
use tower::Service;

use crate::front::Client;

/// The check of credentials, and the rules of the methods that are called.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) access: Arc<Access>,
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
        let client = request.extensions().get::<Client>().cloned().unwrap_or_default();
        if let Some(name) = unguarded {
            client.set(name);
        }
        Box::pin(async move {
            if let Some(Guard { authenticator, access }) = guard {
                let path = request.uri().path().to_owned();
                let caller = authenticator.authenticate(request.headers(), &path, access.rule(&path));
                match caller.await {
                    Ok(caller) => {
                        client.set(caller.to_string().into());
                        channel = channel.for_principal(&caller);
                    }
                    Err(fault) => return Ok(mesh::status(fault).into_http()),
                }
            }
            credentials::strip(request.headers_mut());
            channel.call(request).await
        })
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("guarded", &self.guard.is_some()).finish_non_exhaustive()
    }
}
