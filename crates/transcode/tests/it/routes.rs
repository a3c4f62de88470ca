//! The method that a path calls, and its message.

use http::Method;
use serde_json::json;

use crate::depot::{Depot, encoded, ok, request};

#[tokio::test]
async fn a_path_calls_its_method_with_its_fields() {
    for (method, path, grpc, message, expected) in [
        ("GET", "/v1/crates/c1", "GetCrate", "GetCrateRequest", json!({"crateId": "c1"})),
        ("GET", "/v1/crates/c%2F1%20x:y", "GetCrate", "GetCrateRequest", json!({"crateId": "c/1 x:y"})),
        ("GET", "/v1/crates/.", "GetCrate", "GetCrateRequest", json!({"crateId": "."})),
        ("GET", "/v1/crates/..", "GetCrate", "GetCrateRequest", json!({"crateId": ".."})),
        ("GET", "/v1/crates/%2E%2e", "GetCrate", "GetCrateRequest", json!({"crateId": ".."})),
        ("GET", "/v1/crates/a+b%2Bc", "GetCrate", "GetCrateRequest", json!({"crateId": "a+b+c"})),
        ("GET", "/v1/crates/a%26b%3Fc%23d%25", "GetCrate", "GetCrateRequest", json!({"crateId": "a&b?c#d%"})),
        ("GET", "/v1/crates/gr%C3%BCn%3Aseal", "GetCrate", "GetCrateRequest", json!({"crateId": "grün:seal"})),
        ("GET", "/v1/crates/%20x%20", "GetCrate", "GetCrateRequest", json!({"crateId": " x "})),
        ("POST", "/v1/crates/a%2F%2E.%3Ab:seal", "SealCrate", "SealCrateRequest", json!({"crateId": "a/..:b"})),
        ("HEAD", "/v1/crates/c1", "GetCrate", "GetCrateRequest", json!({"crateId": "c1"})),
        ("LOCK", "/v1/crates/c1", "LockCrate", "GetCrateRequest", json!({"crateId": "c1"})),
        ("POST", "/v1/crates/c1:seal", "SealCrate", "SealCrateRequest", json!({"crateId": "c1"})),
        ("GET", "/v1/shelves/s1/crates", "ListCrates", "ListCratesRequest", json!({"filter": {"shelf": "s1"}})),
        ("GET", "/v1/files/a%2Fb/c%20d", "ReadFile", "ReadFileRequest", json!({"name": "files/a%2Fb/c d"})),
        ("GET", "/v1/drawers/d%2F1:peek", "ReadFile", "ReadFileRequest", json!({"name": "drawers/d%2F1"})),
        ("PATCH", "/v1/crates/c1", "UpdateCrate", "UpdateCrateRequest", json!({"crate": {"crateId": "c1"}})),
    ] {
        let depot = Depot::silent();
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let reply = depot.call(request(method, path, &[], "")).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        let call = depot.only_call();
        assert_eq!(call.path, format!("/depot.v1.DepotService/{grpc}"));
        assert_eq!(call.json(message), expected, "{path}");
        assert_eq!(call.header("content-type"), Some("application/grpc"));
        assert_eq!(call.header("te"), Some("trailers"));
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_404_as_a_problem() {
    let depot = Depot::silent();
    for path in ["/", "/v1", "/v1/crates/", "/v2/crates", "/v1/crates/a/b", "/depot.v1.DepotService/None"] {
        let reply = depot.get(path).await;
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        assert_eq!(reply.json()["code"], "NOT_FOUND");
        assert_eq!(reply.json()["type"], "about:blank");
    }
    assert!(depot.was_not_called());
}

#[tokio::test]
async fn another_method_is_405_and_names_the_possible_ones() {
    let depot = Depot::silent();
    let reply = depot.call(request(Method::DELETE, "/v1/crates/c1", &[], "")).await;
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, Some("GET, HEAD, LOCK, PATCH")));
    let reply = depot.get("/v1/crates/c1:seal").await;
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, Some("POST")));
    assert!(depot.was_not_called());
}

#[tokio::test]
async fn a_path_that_is_not_utf8_is_400() {
    let depot = Depot::silent();
    assert_eq!(depot.get("/v1/crates/%ff").await.status, 400);
    assert_eq!(depot.get("/v1/crates/%zz").await.status, 400);
    assert!(depot.was_not_called());
}

#[tokio::test]
async fn head_answers_as_get_without_the_body() {
    let depot = Depot::answering(|_| ok(encoded("Crate", json!({"crateId": "c1", "etag": "v1"}))));
    let get = depot.get("/v1/crates/c1").await;
    let head = depot.call(request(Method::HEAD, "/v1/crates/c1", &[], "")).await;
    assert_eq!((head.status, head.body.len()), (get.status, 0));
    assert_eq!(head.header("etag"), Some("\"v1\""));
    assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()));
}

#[tokio::test]
async fn every_unary_method_can_be_called_by_its_name() {
    let depot = Depot::answering(|_| ok(encoded("Crate", json!({"crateId": "c1"}))));
    let reply = depot.post("/depot.v1.DepotService/Hide", r#"{"crateId": "c1"}"#).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["crateId"]), (200, &json!("c1")));
    let call = depot.only_call();
    assert_eq!(call.path, "/depot.v1.DepotService/Hide");
    assert_eq!(call.json("GetCrateRequest"), json!({"crateId": "c1"}));

    let reply = depot.get("/depot.v1.DepotService/Hide").await;
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, Some("POST")));
    assert_eq!(depot.post("/depot.v1.DepotService/WatchCrates", "{}").await.status, 404);
}

#[tokio::test]
async fn the_answer_knows_which_method_was_called() {
    let depot = Depot::silent();
    fn sendable<T: Send>(future: T) -> T {
        future
    }
    let response = sendable(depot.transcoder.call(request(Method::GET, "/v1/crates/c1", &[], ""))).await;
    let called = response.extensions().get::<waybill_transcode::CalledMethod>().unwrap();
    assert_eq!(called.as_str(), "/depot.v1.DepotService/GetCrate");
    assert_eq!(called.route(), "/v1/crates/{crate_id}");
}
