//! The catalogue, and what the OpenAPI document takes from it.

use http::Method;
use serde_json::json;

use crate::clerk::{call, gateway};

#[tokio::test]
async fn the_catalogue_says_who_may_call_what_and_until_when() {
    let (response, catalogue) = call(gateway(0), Method::GET, "/v1/apis").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(catalogue["digest"].as_str().unwrap().starts_with("sha256:"), "{catalogue}");
    assert_eq!(
        catalogue["services"],
        json!([{
            "name": "clerk.v1.ClerkService",
            "version": "v1",
            "description": "Answers letters",
            "methods": [
                {
                    "name": "AnswerLetter",
                    "description": "Answers a letter",
                    "grpc": "/clerk.v1.ClerkService/AnswerLetter",
                    "http": [{"method": "POST", "path": "/v2/letters/{letter_id}:answer"}],
                    "kind": "unary",
                    "roles": ["customer", "customer_service"],
                    "scope": "account",
                    "deprecated": false,
                },
                {
                    "name": "ReadLetter",
                    "description": "Reads a letter",
                    "grpc": "/clerk.v1.ClerkService/ReadLetter",
                    "http": [
                        {"method": "GET", "path": "/v1/letters/{letter_id}"},
                        {"method": "GET", "path": "/v1/mail/{letter_id}"},
                    ],
                    "kind": "unary",
                    "roles": ["public"],
                    "scope": "none",
                    "deprecated": true,
                    "deprecateTime": "2026-01-01T00:00:00Z",
                    "sunsetTime": "2027-01-31T12:00:00Z",
                    "successor": "clerk.v1.ClerkService.AnswerLetter",
                    "link": "https://example.com/letters",
                },
                {
                    "name": "Wait",
                    "description": "Waits for letters",
                    "grpc": "/clerk.v1.ClerkService/Wait",
                    "http": [],
                    "kind": "server_stream",
                    "roles": ["service"],
                    "scope": "partner",
                    "deprecated": false,
                },
            ],
        }])
    );
    let (response, problem) = call(gateway(0), Method::POST, "/v1/apis").await;
    assert_eq!((response.status().as_u16(), &problem["status"]), (405, &json!(405)));
    assert_eq!(response.headers()["allow"], "GET, HEAD");
}

#[tokio::test]
async fn the_description_marks_what_ends_and_describes_the_catalogue() {
    let (_, document) = call(gateway(0), Method::GET, "/openapi.json").await;
    let read = &document["paths"]["/v1/mail/{letterId}"]["get"];
    assert_eq!((&read["deprecated"], &read["x-sunset"]), (&json!(true), &json!("2027-01-31T12:00:00Z")));
    assert_eq!(read["x-deprecated-since"], "2026-01-01T00:00:00Z");
    assert_eq!(read["x-successor"], "clerk.v1.ClerkService.AnswerLetter");
    let answer = &document["paths"]["/v2/letters/{letterId}:answer"]["post"];
    assert_eq!((answer.get("deprecated"), answer.get("x-sunset")), (None, None));
    assert_eq!((&answer["x-roles"], &answer["x-scope"]), (&json!(["customer", "customer_service"]), &json!("account")));
    assert!(document["paths"]["/v1/apis"]["get"]["responses"]["200"].is_object());
}
