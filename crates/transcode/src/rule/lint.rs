//! Checks that the fields that a rule leaves to the query can be query parameters.

use prost_reflect::{FieldDescriptor, MessageDescriptor, MethodDescriptor};

use super::{Body, Rule, is_text};

/// The fields that a rule leaves to the query although they cannot be query parameters.
pub(super) fn check_query<'r>(method: &MethodDescriptor, rule: &'r Rule) -> impl Iterator<Item = String> + use<'r> {
    let mut problems = Vec::new();
    if rule.body != Body::Whole {
        let taken = |field: &FieldDescriptor| match &rule.body {
            Body::Field(body) => body == field,
            Body::None | Body::Whole => false,
        };
        let mut way = vec![method.input().full_name().to_owned()];
        for field in method.input().fields().filter(|field| !taken(field)) {
            check_field(&field, field.name(), &mut way, &mut problems);
        }
    }
    problems.into_iter()
}

fn check_field(field: &FieldDescriptor, path: &str, way: &mut Vec<String>, problems: &mut Vec<String>) {
    let kind = field.kind();
    if field.is_map() {
        problems.push(format!("the map `{path}` cannot be a query parameter"));
    } else if is_text(&kind) {
        // A list of these is a repeated parameter.
    } else if field.is_list() {
        problems.push(format!("the repeated message `{path}` cannot be a query parameter"));
    } else if let Some(message) = kind.as_message() {
        check_message(message, path, way, problems);
    }
}

fn check_message(message: &MessageDescriptor, path: &str, way: &mut Vec<String>, problems: &mut Vec<String>) {
    let name = message.full_name();
    if matches!(name, "google.protobuf.Any" | "google.protobuf.Struct" | "google.protobuf.Value")
        || name == "google.protobuf.ListValue"
        || way.iter().any(|outer| outer == name)
    {
        problems.push(format!("`{path}` ({name}) cannot be a query parameter"));
        return;
    }
    way.push(name.to_owned());
    for field in message.fields() {
        check_field(&field, &format!("{path}.{}", field.name()), way, problems);
    }
    way.pop();
}
