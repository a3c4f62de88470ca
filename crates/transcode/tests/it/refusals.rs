//! Failures of the service as problems.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_STANDARD_NO_PAD};
use http::{Method, Response, StatusCode};
use prost::Message;
use serde_json::json;
use tonic::body::Body;
use tonic_types::pb;

use crate::depot::{Depot, answer, encoded, failed, request};

fn any(name: &str, value: Vec<u8>) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value }
}

fn status(code: i32, details: Vec<prost_types::Any>) -> Vec<u8> {
    pb::Status { code, message: "refused".to_owned(), details }.encode_to_vec()
}

fn stale() -> Vec<u8> {
    let info = pb::ErrorInfo {
        reason: "ETAG_MISMATCH".to_owned(),
        domain: "waybill".to_owned(),
        metadata: [("etag".to_owned(), "v2".to_owned())].into(),
    };
    status(10, vec![any("google.rpc.ErrorInfo", info.encode_to_vec())])
}

#[tokio::test]
async fn a_method_that_has_ended_is_410_and_says_when_and_what_comes_instead() {
    let info = pb::ErrorInfo {
        reason: "METHOD_ENDED".to_owned(),
        domain: "waybill".to_owned(),
        metadata: [("successor".to_owned(), "depot.v1.DepotService.ListLabels".to_owned())].into(),
    };
    let details = BASE64_STANDARD_NO_PAD.encode(status(12, vec![any("google.rpc.ErrorInfo", info.encode_to_vec())]));
    let depot = Depot::answering(move |_| {
        failed(&[
            ("grpc-status", "12"),
            ("grpc-message", "the method ended"),
            ("grpc-status-details-bin", &details),
            ("deprecation", "@1767225600"),
            ("sunset", "Sun, 31 Jan 2027 12:00:00 GMT"),
            ("link", "<https://example.com>; rel=\"deprecation\""),
            ("link", "</depot.v1.DepotService/ListLabels>; rel=\"successor-version\""),
        ])
    });
    let reply = depot.get("/v1/old-labels").await;
    assert_eq!((reply.status.as_u16(), &reply.json()["reason"]), (410, &json!("METHOD_ENDED")));
    assert_eq!(reply.json()["metadata"]["successor"], "depot.v1.DepotService.ListLabels");
    assert_eq!(reply.header("deprecation"), Some("@1767225600"));
    assert_eq!(reply.header("sunset"), Some("Sun, 31 Jan 2027 12:00:00 GMT"));
    assert_eq!(reply.headers.get_all("link").iter().count(), 2);
}

#[tokio::test]
async fn a_caller_that_accepts_nothing_of_an_answer_is_told_what_it_would_be() {
    let depot = Depot::silent();
    for (path, accept, expected) in [
        ("/v1/crates/c1", "text/html", 406),
        ("/v1/crates/c1", "text/event-stream", 406),
        ("/v1/crates/c1", "text/html, */*;q=0.1", 200),
        ("/v1/crates:watch", "text/html", 406),
        ("/v1/crates:watch", "application/x-ndjson", 200),
        ("/v1/crates:watch", "application/json", 200),
    ] {
        let reply = depot.call(request(Method::GET, path, &[("accept", accept)], "")).await;
        assert_eq!(reply.status, expected, "{path} {accept}");
        if expected == 406 {
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        }
    }
}

#[tokio::test]
async fn every_code_has_its_status() {
    for (code, status, name) in [
        ("1", 499, "CANCELLED"),
        ("2", 500, "UNKNOWN"),
        ("3", 400, "INVALID_ARGUMENT"),
        ("4", 504, "DEADLINE_EXCEEDED"),
        ("5", 404, "NOT_FOUND"),
        ("6", 409, "ALREADY_EXISTS"),
        ("7", 403, "PERMISSION_DENIED"),
        ("8", 429, "RESOURCE_EXHAUSTED"),
        ("9", 400, "FAILED_PRECONDITION"),
        ("10", 409, "ABORTED"),
        ("11", 400, "OUT_OF_RANGE"),
        ("12", 501, "UNIMPLEMENTED"),
        ("13", 500, "INTERNAL"),
        ("14", 503, "UNAVAILABLE"),
        ("15", 500, "DATA_LOSS"),
        ("16", 401, "UNAUTHENTICATED"),
        ("99", 500, "UNKNOWN"),
    ] {
        let in_headers = Depot::answering(move |_| failed(&[("grpc-status", code), ("grpc-message", "so%20it%20is")]));
        let in_trailers =
            Depot::answering(move |_| answer(&[], &[], &[("grpc-status", code), ("grpc-message", "so%20it%20is")]));
        for depot in [in_headers, in_trailers] {
            let reply = depot.get("/v1/crates").await;
            assert_eq!(reply.status, status, "{code}");
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
            assert_eq!((&reply.json()["code"], &reply.json()["detail"]), (&json!(name), &json!("so it is")));
            assert_eq!(reply.header("www-authenticate"), (status == 401).then_some("Bearer"));
        }
    }
}

#[tokio::test]
async fn the_details_of_a_failure_are_all_told() {
    let violation = pb::bad_request::FieldViolation {
        field: "lines[0].sku".to_owned(),
        description: "is not known".to_owned(),
        reason: "ITEM_UNKNOWN".to_owned(),
        ..Default::default()
    };
    let retry = pb::RetryInfo { retry_delay: Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }) };
    let details = status(
        3,
        vec![
            any("google.rpc.ErrorInfo", pb::ErrorInfo::default().encode_to_vec()),
            any("google.rpc.BadRequest", pb::BadRequest { field_violations: vec![violation] }.encode_to_vec()),
            any("google.rpc.RetryInfo", retry.encode_to_vec()),
            any("depot.v1.Line", encoded("Line", json!({"sku": "a"})).to_vec()),
            any("nobody.v1.Knows", vec![1, 2, 3]),
            any("depot.v1.Line", vec![255]),
        ],
    );
    let details = BASE64_STANDARD_NO_PAD.encode(details);
    let depot = Depot::answering(move |_| {
        failed(&[("grpc-status", "14"), ("grpc-message", "refused"), ("grpc-status-details-bin", &details)])
    });
    let headers = [("x-request-id", "r1")];
    let reply = depot.call(request(Method::GET, "/v1/crates", &headers, "")).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, Some("2")));
    let problem = reply.json();
    assert_eq!(problem["requestId"], "r1");
    assert_eq!(
        problem["errors"],
        json!([{"field": "lines[0].sku", "description": "is not known", "reason": "ITEM_UNKNOWN"}])
    );
    let type_of = |name: &str| format!("type.googleapis.com/{name}");
    assert_eq!(problem["details"][2], json!({"@type": type_of("google.rpc.RetryInfo"), "retryDelay": "1.500s"}));
    assert_eq!(problem["details"][3], json!({"@type": type_of("depot.v1.Line"), "sku": "a", "quantity": "0"}));
    assert_eq!(problem["details"][4], json!({"@type": type_of("nobody.v1.Knows"), "value": "AQID"}));
    assert_eq!(problem["details"][5], json!({"@type": type_of("depot.v1.Line"), "value": "/w=="}));
}

#[tokio::test]
async fn a_stale_version_is_412_only_when_one_was_named() {
    let details = BASE64_STANDARD.encode(stale());
    let depot = Depot::answering(move |_| failed(&[("grpc-status", "10"), ("grpc-status-details-bin", &details)]));
    let with = depot.call(request(Method::POST, "/v1/crates/c1:seal", &[("if-match", "\"v1\"")], "")).await;
    let without = depot.call(request(Method::POST, "/v1/crates/c1:seal", &[], "")).await;
    assert_eq!((with.status.as_u16(), without.status.as_u16()), (412, 409));
    let problem = with.json();
    assert_eq!(problem["type"], "urn:waybill:error:ETAG_MISMATCH");
    assert_eq!(problem["title"], "Etag mismatch");
    assert_eq!(problem["reason"], "ETAG_MISMATCH");
    assert_eq!(problem["metadata"], json!({"etag": "v2"}));
    assert_eq!(problem["status"], 412);
}

#[tokio::test]
async fn details_that_can_not_be_read_do_not_hide_the_failure() {
    for details in ["***", "AQ==", ""] {
        let depot = Depot::answering(move |_| failed(&[("grpc-status", "5"), ("grpc-status-details-bin", details)]));
        assert_eq!(depot.get("/v1/crates").await.status, 404, "{details}");
    }
}

#[tokio::test]
async fn an_upstream_that_is_no_grpc_server_is_a_problem() {
    for (status, expected) in [(404, 501), (503, 503), (502, 503), (429, 503), (401, 401), (418, 500)] {
        let depot = Depot::answering(move |_| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        });
        assert_eq!(depot.get("/v1/crates").await.status, expected, "{status}");
    }
    let nothing = Depot::answering(|_| Response::new(Body::empty()));
    assert_eq!(nothing.get("/v1/crates").await.status, 503);
    let twice = Depot::answering(|_| answer(&[], &["".into(), "".into()], &[("grpc-status", "0")]));
    assert_eq!(twice.get("/v1/crates").await.status, 500);
    let without_message = Depot::answering(|_| failed(&[("grpc-status", "0")]));
    assert_eq!(without_message.get("/v1/crates").await.status, 500);
}
