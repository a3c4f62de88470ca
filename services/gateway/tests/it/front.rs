//! The outermost layer, for any answer.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::body::{Body, Bytes};
use gateway::Front;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use mesh::{
    Channel,
    credentials::{Authenticator, Config, KeyStatus},
};
use serde_json::Value;
use tower::ServiceExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::clerk::{compile, gateway};

const ANSWER: &str = "/v2/letters/let_1:answer";

/// The status, the id on the answer and the problem that a request comes to.
async fn answer(front: &Front, request: Request<Body>) -> (u16, String, Value) {
    let (head, body) = front.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let id = head.headers["x-request-id"].to_str().unwrap().to_owned();
    (head.status.as_u16(), id, serde_json::from_slice(&body).unwrap_or_default())
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path).header("host", "localhost");
    headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(body.into()).unwrap()
}

/// A gateway that takes credentials, whose service cannot be reached.
fn unreachable() -> Front {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    std::fs::write(&file, "t".repeat(32)).unwrap();
    let config = Config { admin_token_file: Some(file), ..Config::default() };
    let keys = Authenticator::new(&config, Arc::new(|_| Box::pin(async { Ok(KeyStatus::Unknown) }))).unwrap();
    let upstreams = [("clerk.v1.ClerkService", Channel::connect("http://127.0.0.1:1").unwrap())];
    let config = gateway::Config { max_body: 10 };
    Front::new(gateway::router(&compile("clerk.proto"), &upstreams, Some(Arc::new(keys)), &config).unwrap(), 0.0)
}

#[tokio::test]
async fn every_refusal_of_the_gateway_has_the_id_of_its_request() {
    let front = unreachable();
    let token = ("authorization", &*format!("Bearer {}", "t".repeat(32)));
    let json = ("content-type", "application/json");
    let late: io::Result<Frame<Bytes>> = Err(io::ErrorKind::TimedOut.into());
    let stalled = Body::new(StreamBody::new(futures::stream::iter([late])));
    for (expected, method, path, headers, body) in [
        (400, Method::POST, ANSWER, &[json, token][..], "{".into()),
        (401, Method::POST, ANSWER, &[json], "{".into()),
        (401, Method::POST, ANSWER, &[json], "           {}".into()),
        (401, Method::GET, "/v1/letters/let_1", &[("authorization", "Bearer nonsense")], Body::empty()),
        (404, Method::GET, "/v1/nothing", &[], Body::empty()),
        (405, Method::DELETE, "/v1/letters/let_1", &[], Body::empty()),
        (405, Method::POST, "/v1/apis", &[], Body::empty()),
        (406, Method::GET, "/v1/letters/let_1", &[("accept", "text/html"), token], Body::empty()),
        (408, Method::POST, ANSWER, &[json, token], stalled),
        (413, Method::POST, ANSWER, &[json, token], "           {}".into()),
        (415, Method::POST, ANSWER, &[token], "{}".into()),
    ] {
        let (status, id, problem) = answer(&front, request(method, path, headers, body)).await;
        assert_eq!(status, expected, "{problem}");
        assert_eq!((id.len(), &problem["requestId"]), (32, &id.into()), "{expected}");
    }
}

#[tokio::test]
async fn a_callers_plain_id_is_kept_and_any_other_replaced() {
    let front = Front::new(gateway(0), 0.0);
    for (path, status) in [("/v1/letters/let_1", 200), ("/v1/apis", 200), ("/docs", 200), ("/v1/nothing", 404)] {
        let own = request(Method::GET, path, &[("x-request-id", "portal-7")], Body::empty());
        let (answered, id, _) = answer(&front, own).await;
        assert_eq!((answered, id.as_str()), (status, "portal-7"));
        let odd = request(Method::GET, path, &[("x-request-id", "a b")], Body::empty());
        assert_eq!(answer(&front, odd).await.1.len(), 32);
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_named() {
    let token = format!("Bearer {}", "t".repeat(32));
    let call = request(Method::GET, "/v1/letters/let_1", &[("authorization", token.as_str())], Body::empty());
    let (status, id, problem) = answer(&unreachable(), call).await;
    assert_eq!((status, &problem["requestId"]), (503, &id.into()));
    assert_eq!(problem["detail"], "the service clerk.v1.ClerkService cannot be reached");
    assert_eq!(problem["metadata"]["service"], "clerk.v1.ClerkService");
}

/// The lines that this thread logs.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_request_has_one_line_with_its_route_and_client() {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let front = Front::new(gateway(0), 1.0);
    // A trace among the first hundredth, which the service logs by default.
    let headers = [("x-request-id", "r1"), ("traceparent", "00-0af7651916cd43dd0048eb211c80319c-b7ad6b7169203331-01")];
    answer(&front, request(Method::GET, "/v1/letters/let_1", &headers, Body::empty())).await;
    let written = String::from_utf8(std::mem::take(&mut *lines.0.lock().unwrap())).unwrap();
    let of = |member: &str| {
        let lines = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut found = lines.filter(|line| line["target"] == "waybill_request" && line["member"] == *member);
        (found.next().unwrap(), found.next())
    };
    let (line, None) = of("gateway") else { panic!("{written}") };
    assert_eq!((&line["method"], &line["route"]), (&"GET".into(), &"/v1/letters/{letter_id}".into()));
    assert_eq!((&line["status"], &line["client"]), (&"200".into(), &"person:local-administrator".into()));
    let (of_service, None) = of("clerk") else { panic!("{written}") };
    for ids in [&line, &of_service] {
        assert_eq!((&ids["request_id"], &ids["trace_id"]), (&"r1".into(), &"0af7651916cd43dd0048eb211c80319c".into()));
    }
}

/// A body that must not be read.
fn unread() -> Body {
    let frame = || -> io::Result<Frame<Bytes>> { Err(io::Error::other("the body was read")) };
    Body::new(StreamBody::new(futures::stream::repeat_with(frame)))
}

#[tokio::test]
async fn nothing_of_a_body_is_read_before_it_is_known_who_calls() {
    let (front, json) = (unreachable(), ("content-type", "application/json"));
    for credential in [None, Some("Bearer nonsense"), Some("Bearer wbk_a_b"), Some("Basic x")] {
        let credential = credential.map(|credential| ("authorization", credential));
        let headers: Vec<_> = [Some(json), credential].into_iter().flatten().collect();
        let (status, _, problem) = answer(&front, request(Method::POST, ANSWER, &headers, unread())).await;
        assert_eq!((status, &problem["reason"]), (401, &"UNAUTHENTICATED".into()), "{problem}");
    }
    let (status, ..) = answer(&front, request(Method::POST, "/v1/nothing", &[json], unread())).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn without_credentials_no_page_of_another_site_is_answered() {
    let front = Front::new(gateway(0), 0.0);
    let json = ("content-type", "application/json");
    for (path, method, headers) in [
        ("/v1/letters/let_1", Method::GET, &[("host", "evil.example")][..]),
        ("/v1/letters/let_1", Method::GET, &[("origin", "http://evil.example")]),
        ("/v1/letters/let_1", Method::GET, &[("origin", "null")]),
        (ANSWER, Method::POST, &[json, ("origin", "http://localhost:3000")]),
        ("/docs", Method::GET, &[("host", "evil.example")]),
        ("/openapi.json", Method::GET, &[("host", "evil.example")]),
        ("/v1/apis", Method::GET, &[("origin", "https://localhost")]),
        ("/v1/nothing", Method::GET, &[("host", "evil.example")]),
    ] {
        let (status, _, problem) = answer(&front, request(method, path, headers, unread())).await;
        assert_eq!((status, &problem["reason"]), (403, &"PERMISSION_DENIED".into()), "{path} {headers:?}");
    }
    for kind in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("multipart/form-data")] {
        let headers: Vec<_> = kind.map(|kind| ("content-type", kind)).into_iter().collect();
        assert_eq!(answer(&front, request(Method::POST, ANSWER, &headers, Body::empty())).await.0, 415, "{kind:?}");
        assert_eq!(answer(&front, request(Method::POST, ANSWER, &headers, unread())).await.0, 415, "{kind:?}");
    }
    let own = [json, ("origin", "http://localhost")];
    assert_eq!(answer(&front, request(Method::POST, ANSWER, &own, "{}")).await.0, 200, "but its own pages are");
}
