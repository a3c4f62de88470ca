//! Reads the request message of a call from its path, query, headers and body.

mod body;
mod json;
mod query;
mod read;
mod scalar;

use http::{HeaderMap, header, request::Parts};
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};

pub(crate) use self::read::{read, read_nothing};
use crate::{
    headers::text,
    problem::{Problem, Violation},
    rule::{AssignError, Body, Endpoint, FieldPath, Rule},
};

/// Reads the request message. `path` is the raw segments without the verb.
pub(crate) fn assemble(
    rule: &Rule,
    endpoint: &Endpoint,
    parts: &Parts,
    path: &[&str],
    body: &[u8],
) -> Result<DynamicMessage, Problem> {
    let mut message = DynamicMessage::new(endpoint.input.clone());
    let mut violations = Vec::new();
    match &rule.body {
        Body::None => {}
        Body::Whole | Body::Field(_) if body.is_empty() => {}
        Body::Whole => {
            let tree = json::parse(body).map_err(|error| Problem::malformed(error.to_string()))?;
            if !tree.is_object() {
                return Err(Problem::malformed("the body has to be a JSON object"));
            }
            message = body::message(&endpoint.input, tree, "", &mut violations);
        }
        Body::Field(field) => {
            let tree = json::parse(body).map_err(|error| Problem::malformed(error.to_string()))?;
            if let Some(inner) = field.kind().as_message() {
                let inner = body::message(inner, tree, field.name(), &mut violations);
                message.set_field(field, Value::Message(inner));
            }
        }
    }
    let captured = rule.template.capture(path).ok_or_else(|| Problem::malformed("the path is not UTF-8"))?;
    for (variable, text) in rule.variables.iter().zip(captured) {
        match scalar::from_text(&variable.leaf().kind(), &text) {
            Ok(value) => assign(variable, &mut message, value, "path", &mut violations),
            Err(description) => violations.push(Violation::new(variable.to_string(), description)),
        }
    }
    if let Some(query) = parts.uri.query() {
        query::apply(rule, query, &mut message, &mut violations)?;
    }
    from_headers(endpoint, &parts.headers, &mut message, &mut violations);
    if violations.is_empty() { Ok(message) } else { Err(Problem::invalid(violations)) }
}

fn assign(path: &FieldPath, message: &mut DynamicMessage, value: Value, place: &str, violations: &mut Vec<Violation>) {
    let description = match path.assign(message, value) {
        Ok(()) => return,
        Err(AssignError::Differs) => format!("has another value in the {place}"),
        Err(AssignError::Oneof(other)) => format!("excludes `{}`, which is set too", other.name()),
    };
    violations.push(Violation::new(path.to_string(), description));
}

fn from_headers(
    endpoint: &Endpoint,
    headers: &HeaderMap,
    message: &mut DynamicMessage,
    violations: &mut Vec<Violation>,
) {
    let mut fill = |field: &FieldDescriptor, value: String, name: &str| {
        if value.is_empty() {
            // The caller relies on a header that would do nothing.
            violations.push(Violation::new(field.name(), format!("the {name} header is empty")));
        } else if message.has_field(field) && message.get_field(field).as_str() != Some(&value) {
            let description = format!("differs from the {name} header");
            violations.push(Violation::new(field.name(), description));
        } else {
            message.set_field(field, Value::String(value));
        }
    };
    if let (Some(field), Some(key)) = (&endpoint.request_id, text(headers, "idempotency-key")) {
        fill(field, unquoted(key).to_owned(), "Idempotency-Key");
    }
    if let (Some(field), Some(tag)) = (&endpoint.etag, text(headers, header::IF_MATCH.as_str())) {
        // `*` is any version.
        if tag.trim() != "*" {
            fill(field, entity_tag(tag).to_owned(), "If-Match");
        }
    }
    // A browser reconnects with the URL of the first connection, whose token is outdated.
    if let (Some(field), Some(token)) = (&endpoint.resume_token, text(headers, "last-event-id"))
        && !token.is_empty()
    {
        message.set_field(field, Value::String(token.to_owned()));
    }
}

fn entity_tag(tag: &str) -> &str {
    let tag = tag.trim();
    unquoted(tag.strip_prefix("W/").unwrap_or(tag))
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}
