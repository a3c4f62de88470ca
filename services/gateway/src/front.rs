//! The outermost layer: request id, trace, log line.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderValue, StatusCode},
    response::Response,
};
use futures::future::BoxFuture;
use http_body::{Frame, SizeHint};
use mesh::{
    Peer,
    telemetry::{self, Answered, Arrival, SPANS},
};
use tower::Service;
use tracing::{Instrument as _, Span, field::Empty};
use transcode::{CalledMethod, RefusalReason};

/// The status in the log of a request whose caller did not wait for the answer. It is never sent.
const CALLER_LEFT: u16 = 499;

/// Who called, once that is known; in the extensions of the request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Client(Arc<OnceLock<Arc<str>>>);

impl Client {
    /// Notes who called. The first name stays.
    pub(crate) fn set(&self, name: Arc<str>) {
        self.0.get_or_init(|| name);
    }

    /// Its name, once it is known.
    pub(crate) fn name(&self) -> Option<&str> {
        self.0.get().map(|name| &**name)
    }
}

/// The router behind the outermost layer.
#[derive(Debug, Clone)]
pub struct Front {
    router: Router,
    log_sample: f64,
}

impl Front {
    /// `log_sample` is the share of requests that end well and have a line in the log.
    pub fn new(router: Router, log_sample: f64) -> Self {
        Self { router, log_sample }
    }
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let mut arrival = Arrival::new(request.headers_mut());
        let span = span(&request, arrival.request_id());
        let client = Client::default();
        request.extensions_mut().insert(client.clone());
        let (method, path) = (request.method().as_str().to_owned(), request.uri().path().to_owned());
        let answering = arrival.scope(&span, self.router.call(request)).instrument(span.clone());
        let (log_sample, status) = (self.log_sample, CALLER_LEFT);
        let mut ending = Ending { arrival, log_sample, span, client, method, path, route: None, status, reason: None };
        Box::pin(async move {
            let Ok(mut response) = answering.await;
            if let Ok(id) = HeaderValue::from_str(ending.arrival.request_id()) {
                response.headers_mut().insert("x-request-id", id);
            }
            ending.answered(&response);
            Ok(response.map(|body| match body.size_hint().exact() {
                Some(_) => body,
                None => Body::new(Watched { body, _ending: ending }),
            }))
        })
    }
}

/// The server span of a request, by OpenTelemetry's conventions for HTTP.
fn span(request: &Request, request_id: &str) -> Span {
    let address = request.extensions().get::<Peer>().and_then(Peer::address);
    tracing::info_span!(
        target: SPANS,
        parent: None,
        "request",
        otel.name = request.method().as_str(),
        otel.kind = "server",
        otel.status_description = Empty,
        http.request.method = request.method().as_str(),
        http.route = Empty,
        http.response.status_code = Empty,
        url.path = request.uri().path(),
        url.scheme = request.uri().scheme_str().unwrap_or("http"),
        client.address = address.map(tracing::field::display),
        error.type = Empty,
        waybill.request_id = request_id,
        waybill.order_id = Empty,
    )
}

/// What is recorded of a request when its answer ends.
struct Ending {
    arrival: Arrival,
    log_sample: f64,
    span: Span,
    client: Client,
    method: String,
    path: String,
    route: Option<String>,
    status: u16,
    reason: Option<String>,
}

impl Ending {
    fn answered(&mut self, response: &Response) {
        self.status = response.status().as_u16();
        self.reason = response.extensions().get::<RefusalReason>().map(|reason| reason.0.clone());
        self.route = match response.extensions().get::<CalledMethod>() {
            Some(called) => Some(called.route().to_owned()),
            // What is not transcoded has fixed paths.
            None => (response.status() != StatusCode::NOT_FOUND).then(|| self.path.clone()),
        };
    }

    fn trace(&self) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("http.response.status_code", self.status);
        if let Some(route) = &self.route {
            self.span.record("http.route", route);
            telemetry::rename(&self.span, format!("{} {route}", self.method));
            if let Some(order_id) = order_id(route, &self.path) {
                self.span.record("waybill.order_id", order_id);
            }
        }
        if self.status >= 500 {
            self.span.record("error.type", self.status.to_string());
            self.span.record("otel.status_description", self.reason.as_deref().unwrap_or("failed"));
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.trace();
        let answered = Answered {
            method: &self.method,
            route: self.route.as_deref(),
            status: self.status,
            reason: self.reason.as_deref(),
            client: self.client.name(),
        };
        self.arrival.log(&answered, self.log_sample);
    }
}

/// The order that a path names where its route has `{order_id}`.
fn order_id<'p>(route: &str, path: &'p str) -> Option<&'p str> {
    let mut segments = route.split('/').zip(path.split('/'));
    let (_, segment) = segments.find(|(variable, _)| variable.starts_with("{order_id}"))?;
    segment.split(':').next()
}

/// A body that ends later than its head: a stream.
struct Watched {
    body: Body,
    _ending: Ending,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_path_is_found_by_its_route() {
        assert_eq!(order_id("/v1/orders/{order_id}", "/v1/orders/ord_1"), Some("ord_1"));
        assert_eq!(order_id("/v1/orders/{order_id}:cancel", "/v1/orders/ord_1:cancel"), Some("ord_1"));
        assert_eq!(order_id("/v1/orders/{order_id}/shipments", "/v1/orders/ord_1/shipments"), Some("ord_1"));
        assert_eq!(order_id("/v1/orders", "/v1/orders"), None);
    }
}
