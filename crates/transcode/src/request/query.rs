//! Reads a query: fields by their dotted path, lists by repetition.

use std::borrow::Cow;

use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use super::{assign, scalar};
use crate::{
    problem::{Problem, Violation},
    rule::{Body, FieldPath, Rule, is_text},
    template::decode_segment,
};

/// Sets the fields that a query names. Wrong fields are added to `violations`.
pub(super) fn apply(
    rule: &Rule,
    query: &str,
    message: &mut DynamicMessage,
    violations: &mut Vec<Violation>,
) -> Result<(), Problem> {
    let mut seen: Vec<FieldPath> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(text)) = (decode(name), decode(text)) else {
            return Err(Problem::malformed("the query is not percent-encoded UTF-8"));
        };
        let mut refuse = |description: &str| {
            violations.push(Violation::new(&name, description));
        };
        let path = FieldPath::resolve(&message.descriptor(), &name);
        let Some(path) = path.filter(|path| !path.leaf().is_map() && is_text(&path.leaf().kind())) else {
            refuse("unknown query parameter");
            continue;
        };
        let bound = rule.variables.contains(&path);
        let in_body = match &rule.body {
            Body::None => false,
            Body::Whole => true,
            Body::Field(field) => field == path.first(),
        };
        if in_body && !bound {
            refuse("must be in the body");
            continue;
        }
        if !path.leaf().is_list() && seen.contains(&path) {
            refuse("is given more than once");
            continue;
        }
        let value = match scalar::from_text(&path.leaf().kind(), &text) {
            Ok(value) => value,
            Err(description) => {
                refuse(&description);
                continue;
            }
        };
        if path.leaf().is_list() {
            push(&path, message, value);
        } else {
            assign(&path, message, value, if bound { "path" } else { "request" }, violations);
            seen.push(path);
        }
    }
    Ok(())
}

fn push(path: &FieldPath, message: &mut DynamicMessage, value: Value) {
    if let Some(parent) = path.parent(message)
        && let Some(list) = parent.get_field_mut(path.leaf()).as_list_mut()
    {
        list.push(value);
    }
}

/// A form-encoded name or value.
fn decode(text: &str) -> Option<String> {
    let text = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    decode_segment(&text)
}
