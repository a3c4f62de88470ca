//! Successful answers, and the headers that are passed on.

use bytes::Bytes;
use http::Method;
use serde_json::json;

use crate::depot::{Depot, answer, encoded, ok, request};

#[tokio::test]
async fn an_answer_has_every_field_and_its_version_as_etag() {
    let crate_ = json!({"crateId": "c1", "weight": "5", "etag": "v7", "lines": [{"sku": "a"}]});
    let depot = Depot::answering(move |_| ok(encoded("Crate", crate_.clone())));
    let reply = depot.get("/v1/crates/c1").await;
    assert_eq!(
        reply.json(),
        json!({
            "crateId": "c1",
            "material": "MATERIAL_UNSPECIFIED",
            "weight": "5",
            "lines": [{"sku": "a", "quantity": "0"}],
            "etag": "v7",
        })
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("etag"), Some("\"v7\""));
}

#[tokio::test]
async fn a_response_body_is_that_field_alone() {
    let depot = Depot::answering(|_| ok(encoded("Labels", json!({"labels": ["a", "b"]}))));
    assert_eq!(depot.get("/v1/labels").await.json(), json!(["a", "b"]));
    assert_eq!(Depot::silent().get("/v1/labels").await.json(), json!([]));
}

#[tokio::test]
async fn a_service_chooses_the_good_status_and_some_headers() {
    let headers = [
        ("x-http-code", "201"),
        ("location", "/v1/crates/c1"),
        ("x-request-id", "r1"),
        ("ratelimit-remaining", "5"),
        ("sunset", "Sat, 31 Dec 2027 23:59:59 GMT"),
        ("set-cookie", "a=b"),
        ("secret-bin", "AAAA"),
    ];
    let depot = Depot::answering(move |_| answer(&headers, &[Bytes::new()], &[("grpc-status", "0")]));
    let reply = depot.post("/v1/crates", "{}").await;
    assert_eq!(reply.status, 201);
    for (name, value) in &headers[1..5] {
        assert_eq!(reply.header(name), Some(*value));
    }
    for name in ["x-http-code", "set-cookie", "secret-bin", "grpc-status"] {
        assert_eq!(reply.header(name), None, "{name}");
    }
    let bad = Depot::answering(|_| answer(&[("x-http-code", "500")], &[Bytes::new()], &[("grpc-status", "0")]));
    assert_eq!(bad.get("/v1/crates").await.status, 200);
}

#[tokio::test]
async fn only_listed_headers_reach_the_service() {
    let depot = Depot::silent();
    let headers = [
        ("authorization", "Bearer t"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-request-id", "r1"),
        ("accept-language", "de"),
        ("request-timeout", "2"),
        ("cookie", "a=b"),
        ("waybill-principal", "admin"),
        ("grpc-encoding", "gzip"),
        ("x-evil-bin", "AAAA"),
    ];
    let reply = depot.call(request(Method::GET, "/v1/crates", &headers, "")).await;
    assert_eq!(reply.header("x-request-id"), Some("r1"));
    let call = depot.only_call();
    for (name, value) in &headers[..4] {
        assert_eq!(call.header(name), Some(*value));
    }
    assert_eq!(call.header("grpc-timeout"), Some("2000m"));
    for (name, _) in &headers[4..] {
        assert_eq!(call.header(name), None, "{name}");
    }
    let bad = depot.call(request(Method::GET, "/v1/crates", &[("request-timeout", "soon")], "")).await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn an_idempotency_key_fills_the_request_id() {
    let json = ("content-type", "application/json");
    let key = ("idempotency-key", "k1");
    for (body, expected) in
        [(r#"{"crate": {}}"#, 200), (r#"{"requestId": "k1"}"#, 200), (r#"{"requestId": "k2"}"#, 400)]
    {
        let depot = Depot::silent();
        let reply = depot.call(request(Method::POST, "/v1/crates", &[json, key], body)).await;
        assert_eq!(reply.status, expected, "{body}");
        match expected {
            200 => assert_eq!(depot.only_call().json("CreateCrateRequest")["requestId"], "k1"),
            _ => assert_eq!(reply.wrong_field(), "request_id"),
        }
    }
}

#[tokio::test]
async fn if_match_fills_the_etag() {
    for (tag, expected) in [("\"v1\"", json!("v1")), ("W/\"v1\"", json!("v1")), ("v1", json!("v1")), ("*", json!(null))]
    {
        let depot = Depot::silent();
        let reply = depot.call(request(Method::POST, "/v1/crates/c1:seal", &[("if-match", tag)], "")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(depot.only_call().json("SealCrateRequest")["etag"], expected, "{tag}");
    }
    let headers = [("if-match", "\"v1\""), ("content-type", "application/json")];
    let reply = Depot::silent().call(request(Method::POST, "/v1/crates/c1:seal", &headers, r#"{"etag": "v2"}"#)).await;
    assert_eq!(reply.wrong_field(), "etag");
}

#[tokio::test]
async fn bytes_that_are_no_message_are_a_problem_and_not_a_panic() {
    for bytes in [&b"\x08"[..], b"\x0a\x05a", b"\x0a\x01\xff", b"\x08\x01", b"\x1a\x01a", b"\x32\x02\x08\x80", b"\x00"]
    {
        let depot = Depot::answering(move |_| ok(Bytes::from_static(bytes)));
        let reply = depot.get("/v1/crates/c1").await;
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (500, &json!("INTERNAL")), "{bytes:?}");
    }
}
