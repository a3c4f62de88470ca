//! A service that answers every call with an empty message, and the gateway in front of it.

use std::{convert::Infallible, future::Ready, sync::Arc, task::Poll};

use axum::{Router, body::Bytes};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use mesh::{Principal, Server};
use prost_reflect::DescriptorPool;
use serde_json::Value;
use tonic::{body::Body, server::NamedService};
use tower::{Service, ServiceExt as _};
use types::{ManualClock, Timestamp};

#[derive(Clone)]
struct Clerk;

impl NamedService for Clerk {
    const NAME: &'static str = "clerk.v1.ClerkService";
}

impl Service<Request<Body>> for Clerk {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let frames = [Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)];
        let body = StreamBody::new(futures::stream::iter(frames.map(Ok::<_, Infallible>)));
        let mut response = Response::new(Body::new(body));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
        std::future::ready(Ok(response))
    }
}

/// The descriptors of one of the tests' contracts.
pub(crate) fn compile(file: &str) -> DescriptorPool {
    let here = env!("CARGO_MANIFEST_DIR");
    let folders = ["tests/protos", "../../proto", "../../proto/third_party"].map(|folder| format!("{here}/{folder}"));
    let mut compiler = protox::Compiler::new(folders).unwrap();
    compiler.include_imports(true).include_source_info(true).open_file(file).unwrap();
    compiler.descriptor_pool()
}

/// The gateway in front of the clerk, at this many microseconds since 1970.
pub(crate) fn gateway(now: i64) -> Router {
    let descriptors = compile("clerk.proto");
    let channel = Server::new("clerk", &mesh::Config::default(), &descriptors)
        .with_clock(Arc::new(ManualClock::at(Timestamp::from_micros(now))))
        .add_service(Clerk)
        .into_channel()
        .unwrap()
        .for_principal(&Principal::local_administrator());
    gateway::router(&descriptors, &[("clerk.v1.ClerkService", channel)], None, &gateway::Config::default()).unwrap()
}

/// An answer, read to its end.
pub(crate) async fn call(router: Router, method: Method, path: &str) -> (Response<()>, Value) {
    let builder = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = builder.header("content-type", "application/json").body(axum::body::Body::empty()).unwrap();
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(head, ()), serde_json::from_slice(&body).unwrap_or_default())
}
