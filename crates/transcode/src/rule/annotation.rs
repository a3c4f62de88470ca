//! Reads the `google.api.http` option of a method, which generated descriptor types drop.

use http::Method;
use prost_reflect::{DynamicMessage, MethodDescriptor, Value};

/// One binding of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    /// `None` is any method.
    pub(crate) method: Option<Method>,
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) response_body: String,
    pub(crate) problems: Vec<String>,
}

/// The bindings of a method: the rule and its additional ones.
pub(crate) fn annotations(method: &MethodDescriptor) -> Vec<Annotation> {
    let Some(extension) = method.parent_pool().get_extension_by_name("google.api.http") else { return Vec::new() };
    let options = method.options();
    if !options.has_extension(&extension) {
        return Vec::new();
    }
    let value = options.get_extension(&extension);
    let Some(rule) = value.as_message() else { return Vec::new() };
    let mut annotations = vec![annotation(rule)];
    if let Some(Value::List(more)) = rule.get_field_by_name("additional_bindings").as_deref() {
        annotations.extend(more.iter().filter_map(Value::as_message).map(|nested| {
            let mut annotation = annotation(nested);
            if nested.has_field_by_name("additional_bindings") {
                annotation.problems.push("an additional binding has additional bindings".to_owned());
            }
            annotation
        }));
    }
    annotations
}

fn annotation(rule: &DynamicMessage) -> Annotation {
    let mut problems = Vec::new();
    let verbs = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ];
    let (method, path) = if let Some((name, method)) = verbs.into_iter().find(|(name, _)| rule.has_field_by_name(name))
    {
        (Some(method), text(rule, name))
    } else if let Some(Value::Message(custom)) = rule.get_field_by_name("custom").as_deref() {
        let kind = text(custom, "kind");
        let method = match kind.as_str() {
            "*" => None,
            kind => match Method::from_bytes(kind.as_bytes()) {
                Ok(method) => Some(method),
                Err(_) => {
                    problems.push(format!("`{kind}` is not a method"));
                    None
                }
            },
        };
        (method, text(custom, "path"))
    } else {
        (None, String::new())
    };
    if path.is_empty() {
        problems.push("the rule has no path".to_owned());
    }
    Annotation { method, path, body: text(rule, "body"), response_body: text(rule, "response_body"), problems }
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}
