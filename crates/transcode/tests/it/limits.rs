//! Limits of the path, the query and the headers of a request.

use std::io::{self, ErrorKind};

use bytes::Bytes;
use futures::stream;
use http::Method;
use http_body::Frame;
use http_body_util::StreamBody;

use crate::depot::{Depot, Reply, answer, request};

#[tokio::test]
async fn an_address_a_query_and_headers_have_their_limits_and_say_them() {
    let depot = Depot::answering(|_| answer(&[], &[], &[("grpc-status", "0")]));
    let long = |length: usize| format!("/v1/crates?{}", "a=1&".repeat(length / 4));
    let reply = depot.get(&long(16_500)).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (414, Some("application/problem+json")));
    assert_eq!(reply.json()["detail"], "path and query are longer than 16384 bytes");

    let reply = depot.get(&format!("/v1/crates?{}", "labels=a&".repeat(1_001))).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["detail"]),
        (400, &"the query has more than 1000 parameters".into())
    );

    let value = "x".repeat(9_000);
    let headers = [("x-one", value.as_str()), ("x-two", value.as_str())];
    let reply = depot.call(request(Method::GET, "/v1/crates", &headers, "")).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["detail"]),
        (431, &"the headers have more than 16384 bytes".into())
    );
    let reply = depot.call(request(Method::GET, "/v1/nowhere", &headers, "")).await;
    assert_eq!(reply.status.as_u16(), 431, "whatever is asked for");
}

#[tokio::test]
async fn a_body_that_ends_early_or_does_not_come_in_time_is_told_apart() {
    let depot = Depot::silent();
    for (kind, status) in [(ErrorKind::TimedOut, 408), (ErrorKind::ConnectionReset, 400)] {
        let frames = [Ok(Frame::data(Bytes::from_static(b"{"))), Err(io::Error::from(kind))];
        let request = request(Method::POST, "/v1/crates", &[("content-type", "application/json")], "");
        let request = request.map(|_| StreamBody::new(stream::iter(frames)));
        let reply = Reply::of(depot.transcoder.call(request).await).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (status, Some("application/problem+json")));
    }
    assert!(depot.was_not_called());
}
