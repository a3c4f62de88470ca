//! JSON bodies, good and bad.

use bytes::Bytes;
use http::{Method, Request};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};

use crate::depot::{Depot, Reply, request};

const JSON: (&str, &str) = ("content-type", "application/json");

async fn understood(body: &str) -> Value {
    let depot = Depot::silent();
    let reply = depot.post("/v1/everything", body.to_owned()).await;
    assert_eq!(reply.status, 200, "{body}: {reply:?}");
    depot.only_call().json("Everything")
}

async fn refused(body: &str) -> Reply {
    let depot = Depot::silent();
    let reply = depot.post("/v1/everything", body.to_owned()).await;
    assert_eq!(reply.status, 400, "{body}: {reply:?}");
    assert!(depot.was_not_called());
    reply
}

#[tokio::test]
async fn the_hard_cases_of_protos_json_are_understood() {
    for (body, expected) in [
        (r#"{"anInt32": 1.0}"#, json!({"anInt32": 1})),
        (r#"{"anInt32": 1e3}"#, json!({"anInt32": 1000})),
        (r#"{"anInt64": "1e3"}"#, json!({"anInt64": "1000"})),
        (r#"{"anInt64": 9007199254740993}"#, json!({"anInt64": "9007199254740993"})),
        (r#"{"aUint64": 18446744073709551615}"#, json!({"aUint64": "18446744073709551615"})),
        (r#"{"aDouble": "NaN", "aFloat": "-Infinity"}"#, json!({"aDouble": "NaN", "aFloat": "-Infinity"})),
        (r#"{"an_int32": 5, "aString": null}"#, json!({"anInt32": 5})),
        (r#"{"material": 99}"#, json!({"material": 99})),
        (r#"{"material": -7}"#, json!({"material": "MATERIAL_STEEL"})),
        (r#"{"maybeInt32": 0, "maybeString": ""}"#, json!({"maybeInt32": 0, "maybeString": ""})),
        (r#"{"time": "2026-01-02T03:04:05.5+02:00"}"#, json!({"time": "2026-01-02T01:04:05.500Z"})),
        (r#"{"duration": "-1.5s"}"#, json!({"duration": "-1.500s"})),
        (r#"{"mask": "crateId,filter.madeAfter"}"#, json!({"mask": "crateId,filter.madeAfter"})),
        (r#"{"value": null}"#, json!({"value": null})),
        (r#"{"choiceNull": null}"#, json!({"choiceNull": null})),
        (r#"{"choiceInt32": null, "choiceString": "x"}"#, json!({"choiceString": "x"})),
        (r#"{"object": {"a": [1, null, {"b": true}]}}"#, json!({"object": {"a": [1.0, null, {"b": true}]}})),
        (r#"{"doubleValue": 1, "boolValue": null}"#, json!({"doubleValue": 1.0})),
        (r#"{"int64Value": 5}"#, json!({"int64Value": "5"})),
        (r#"{"someBytes": "-_8"}"#, json!({"someBytes": "+/8="})),
        (r#"{"linesByInt32": {"-5": {"sku": "a"}}}"#, json!({"linesByInt32": {"-5": {"sku": "a"}}})),
        (r#"{"materialsByBool": {"true": 1}}"#, json!({"materialsByBool": {"true": "MATERIAL_WOOD"}})),
        (
            r#"{"any": {"@type": "type.googleapis.com/depot.v1.Line", "sku": "a"}}"#,
            json!({"any": {"@type": "type.googleapis.com/depot.v1.Line", "sku": "a"}}),
        ),
        (r#"{"strings": null, "children": [{"child": {}}]}"#, json!({"children": [{"child": {}}]})),
        ("{}", json!({})),
        ("", json!({})),
    ] {
        assert_eq!(understood(body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn a_wrapped_nan_is_not_lost() {
    let depot = Depot::echoing();
    let reply = depot.post("/v1/everything", r#"{"doubleValue": "NaN"}"#).await;
    assert_eq!(reply.json()["doubleValue"], "NaN");
}

#[tokio::test]
async fn a_field_that_does_not_fit_is_named_by_its_path() {
    for (body, field) in [
        (r#"{"nobody": 1}"#, "nobody"),
        (r#"{"child": {"nobody": 1}}"#, "child.nobody"),
        (r#"{"children": [{}, {"child": {"no_body": 1}}]}"#, "children[1].child.no_body"),
        (r#"{"linesByInt32": {"5": {"quantity": "many"}}}"#, "lines_by_int32[5].quantity"),
        (r#"{"linesByInt32": {"five": {}}}"#, "lines_by_int32[five]"),
        (r#"{"linesByInt32": {"5": null}}"#, "lines_by_int32[5]"),
        (r#"{"anInt32": "x"}"#, "an_int32"),
        (r#"{"anInt32": 2147483648}"#, "an_int32"),
        (r#"{"anInt32": [1]}"#, "an_int32"),
        (r#"{"aUint32": -1}"#, "a_uint32"),
        (r#"{"anInt64": "9223372036854775808"}"#, "an_int64"),
        (r#"{"aFloat": 1e39}"#, "a_float"),
        (r#"{"aBool": "true"}"#, "a_bool"),
        (r#"{"aString": 5}"#, "a_string"),
        (r#"{"someBytes": "*"}"#, "some_bytes"),
        (r#"{"material": "WOOD"}"#, "material"),
        (r#"{"int32s": 5}"#, "int32s"),
        (r#"{"int32s": [1, null]}"#, "int32s[1]"),
        (r#"{"int32s": [1, "x"]}"#, "int32s[1]"),
        (r#"{"child": []}"#, "child"),
        (r#"{"stringsByString": []}"#, "strings_by_string"),
        (r#"{"anInt32": 1, "an_int32": 1}"#, "an_int32"),
        (r#"{"choiceInt32": 1, "choiceString": "x"}"#, "choice_string"),
        (r#"{"time": "2026-01-02t03:04:05Z"}"#, "time"),
        (r#"{"time": "0000-01-01T00:00:00Z"}"#, "time"),
        (r#"{"times": ["2026-01-02T03:04:05Z", "now"]}"#, "times[1]"),
        (r#"{"duration": "1"}"#, "duration"),
        (r#"{"duration": "315576000001s"}"#, "duration"),
        (r#"{"mask": 5}"#, "mask"),
        (r#"{"doubleValue": {}}"#, "double_value"),
        (r#"{"any": {"sku": "a"}}"#, "any"),
        (r#"{"empty": {"a": 1}}"#, "empty"),
    ] {
        assert_eq!(refused(body).await.wrong_field(), field, "{body}");
    }
}

#[tokio::test]
async fn all_wrong_fields_are_named_at_once() {
    let problem = refused(r#"{"anInt32": "x", "children": [{"aBool": 1}], "nobody": 1}"#).await.json();
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["an_int32", "children[0].a_bool", "nobody"]);
    assert_eq!(problem["detail"], "an_int32: expected an integer (and 2 more)");
    assert_eq!(problem["type"], "urn:waybill:error:INVALID_ARGUMENT");
}

#[tokio::test]
async fn what_is_not_json_is_refused_with_line_and_column() {
    for (body, expected) in [
        ("{\n  \"anInt32\": ,\n}", "line 2 column 14"),
        ("{\"anInt32\": 1,\n \"anInt32\": 2}", "duplicate key `anInt32` at line 2"),
        ("{\"object\": {\"a\": 1, \"a\": 2}}", "duplicate key `a`"),
        ("{} {}", "line 1 column 4"),
        ("{", "line 1 column 1"),
    ] {
        let detail = refused(body).await.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(expected), "{body}: {detail}");
    }
    let deep = format!("{}{{}}{}", r#"{"child":"#.repeat(64), "}".repeat(64));
    assert!(refused(&deep).await.json()["detail"].as_str().unwrap().contains("nested deeper than 64"));
    let deep = format!("{}{{}}{}", r#"{"child":"#.repeat(63), "}".repeat(63));
    understood(&deep).await;
    assert_eq!(refused("[]").await.json()["detail"], "the body has to be a JSON object");
}

#[tokio::test]
async fn a_body_that_is_a_field_goes_with_path_and_query() {
    let depot = Depot::silent();
    let body = r#"{"weight": "5", "lines": [{"sku": "a", "quantity": 2}]}"#;
    let path = "/v1/crates/c1?updateMask=weight,lines";
    assert_eq!(depot.call(request(Method::PATCH, path, &[JSON], body)).await.status, 200);
    assert_eq!(
        depot.only_call().json("UpdateCrateRequest"),
        json!({
            "crate": {"crateId": "c1", "weight": "5", "lines": [{"sku": "a", "quantity": "2"}]},
            "updateMask": "weight,lines",
        })
    );
    let bad = depot.call(request(Method::PATCH, path, &[JSON], r#"{"lines": [{"quantity": true}]}"#)).await;
    assert_eq!(bad.wrong_field(), "crate.lines[0].quantity");
    let other = depot.call(request(Method::PATCH, path, &[JSON], r#"{"crateId": "c2"}"#)).await;
    assert_eq!(other.wrong_field(), "crate.crate_id");
    let twice = depot.call(request(Method::PATCH, "/v1/crates/c1?crate.weight=1", &[JSON], "{}")).await;
    assert_eq!(twice.wrong_field(), "crate.weight");
}

#[tokio::test]
async fn another_media_type_is_415_and_a_body_where_none_belongs_is_400() {
    let depot = Depot::silent();
    for headers in
        [&[("content-type", "text/plain")][..], &[], &[JSON, ("content-encoding", "gzip")], &[("content-type", "x")]]
    {
        let reply = depot.call(request(Method::POST, "/v1/everything", headers, "{}")).await;
        assert_eq!(reply.status, 415, "{headers:?}");
    }
    assert_eq!(depot.call(request(Method::GET, "/v1/crates", &[JSON], "{}")).await.status, 400);
    assert!(depot.was_not_called());
    assert_eq!(depot.call(request(Method::POST, "/v1/everything", &[], "")).await.status, 200);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_announced_or_not() {
    let mut depot = Depot::silent();
    depot.transcoder = depot.transcoder.with_body_limit(100);
    let body = |length: usize| format!(r#"{{"aString": "{}"}}"#, "x".repeat(length - 15));
    assert_eq!(depot.post("/v1/everything", body(101)).await.status, 413);

    let chunked = |length: usize| {
        let chunks: Vec<_> = body(length).into_bytes().chunks(10).map(Bytes::copy_from_slice).collect();
        let frames = chunks.into_iter().map(|chunk| Ok::<_, std::convert::Infallible>(Frame::data(chunk)));
        let body = StreamBody::new(futures::stream::iter(frames));
        Request::post("/v1/everything").header(JSON.0, JSON.1).body(body).unwrap()
    };
    let reply = Reply::of(depot.transcoder.call(chunked(101)).await).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (413, &json!("RESOURCE_EXHAUSTED")));
    assert!(depot.was_not_called());
    assert_eq!(depot.transcoder.call(chunked(100)).await.status(), 200);
}
