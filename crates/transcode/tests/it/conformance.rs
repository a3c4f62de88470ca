//! The cases of protobuf's conformance suite for JSON (`binary_json_conformance_suite.cc`), by their names there, with
//! messages of this crate; and cases that the suite does not have.

mod known;
mod read;
mod refused;
mod written;

use prost::Message;
use prost_reflect::DynamicMessage;
use serde_json::Value;

use crate::depot::{Answering, Depot, message_type};

/// A request, its message in protobuf's text format, and the answer when the service returns the same message.
struct Case {
    /// The name in the suite, or a similar one.
    name: &'static str,
    json: &'static str,
    text: &'static str,
    /// The fields of the answer; the others are as in an empty message. Empty when they are those of the request.
    answered: &'static str,
}

const fn case(name: &'static str, json: &'static str, text: &'static str) -> Case {
    Case { name, json, text, answered: "" }
}

const fn changed(name: &'static str, json: &'static str, text: &'static str, answered: &'static str) -> Case {
    Case { name, json, text, answered }
}

fn meant(text: &str) -> DynamicMessage {
    DynamicMessage::parse_text_format(message_type("Everything"), text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Whether two messages are the same, although a NaN equals nothing.
fn same(one: &DynamicMessage, other: &DynamicMessage) -> bool {
    one == other || one.to_text_format() == other.to_text_format()
}

/// An answer with these fields; the others are as in an empty message.
fn filled(empty: &Value, fields: &str) -> Value {
    let mut answer = empty.clone();
    let fields: Value = serde_json::from_str(fields).unwrap_or_else(|error| panic!("{fields}: {error}"));
    for (name, value) in fields.as_object().unwrap() {
        answer[name] = value.clone();
    }
    answer
}

#[tokio::test]
async fn what_json_may_say_is_understood_and_answered_in_its_canonical_form() {
    let empty = Depot::silent().post("/v1/everything", "").await.json();
    let depot = Depot::echoing();
    let mut wrong = Vec::new();
    for Case { name, json, text, answered } in read::CASES.iter().flat_map(|cases| cases.iter()) {
        let reply = depot.post("/v1/everything", *json).await;
        if reply.status != 200 {
            wrong.push(format!("{name}: refused with {}", String::from_utf8_lossy(&reply.body)));
            continue;
        }
        let call = depot.last_call();
        let understood = DynamicMessage::decode(message_type("Everything"), call.message.clone()).unwrap();
        if !same(&understood, &meant(text)) {
            wrong.push(format!("{name}: understood as {}", understood.to_text_format()));
        }
        let expected = filled(&empty, if answered.is_empty() { json } else { answered });
        if reply.json() != expected {
            wrong.push(format!("{name}: answered with {}", String::from_utf8_lossy(&reply.body)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_json_may_not_say_is_refused() {
    let depot = Depot::silent();
    let mut wrong = Vec::new();
    for (name, json) in refused::CASES.iter().flat_map(|cases| cases.iter()) {
        let reply = depot.post("/v1/everything", *json).await;
        if reply.status != 400 {
            wrong.push(format!("{name}: answered with {}", reply.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(depot.was_not_called());
}

#[tokio::test]
async fn a_message_is_written_or_has_no_json() {
    let empty = Depot::silent().post("/v1/everything", "").await.json();
    let answering = Answering::new();
    let mut wrong = Vec::new();
    for (name, text, expected) in written::CASES {
        let reply = answering.reply(meant(text).encode_to_vec().into()).await;
        let right = match expected {
            Some(fields) => reply.status == 200 && reply.json() == filled(&empty, fields),
            None => reply.status == 500 && reply.json()["code"] == "INTERNAL",
        };
        if !right {
            wrong.push(format!("{name}: {} {}", reply.status, String::from_utf8_lossy(&reply.body)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
