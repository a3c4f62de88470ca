//! One rule as an OpenAPI operation.

use http::Method;
use prost_reflect::{FieldDescriptor, MessageDescriptor};
use serde_json::{Value, json};
use types::limits::MAX_REQUEST_ID;

use super::{
    refusals,
    schema::{Behavior, Schemas, behaves, demand},
};
use crate::{
    catalogue::is_deprecated,
    comments::first_sentence,
    rule::{Body, Endpoint, FieldPath, Rule, is_text},
    template::{Segment, encode_segment},
};

/// The path and the operation of the `nth` rule of a method.
pub(super) fn operation(rule: &Rule, endpoint: &Endpoint, nth: usize, schemas: &mut Schemas<'_>) -> (String, Value) {
    let method = &endpoint.method;
    let comment = schemas.comments.get(&method.parent_file(), method.path());
    let (path, mut parameters) = path(rule, schemas);
    query(rule, &endpoint.input, schemas, &mut parameters);
    headers(rule, endpoint, &mut parameters);

    let service = method.parent_service();
    let name = format!("{}_{}", service.name(), method.name());
    let mut operation = json!({
        "operationId": if nth > 1 { format!("{name}_{nth}") } else { name },
        "tags": [service.name()],
        "x-grpc-method": endpoint.path.as_str(),
        "parameters": parameters,
        "responses": responses(rule, endpoint, schemas),
    });
    if !comment.is_empty() {
        operation["summary"] = first_sentence(comment).into();
        operation["description"] = comment.into();
    }
    if is_deprecated(method) {
        operation["deprecated"] = true.into();
    }
    if let Some(body) = body(rule, &endpoint.input, schemas) {
        operation["requestBody"] = body;
    }
    (path, operation)
}

fn path(rule: &Rule, schemas: &mut Schemas<'_>) -> (String, Vec<Value>) {
    let template = &rule.template;
    let mut path = String::new();
    let mut parameters: Vec<Value> = Vec::new();
    for (at, segment) in template.segments.iter().enumerate() {
        path.push('/');
        if let Segment::Literal(text) = segment {
            path.push_str(&encode_segment(text));
            continue;
        }
        let mut variables = template.variables.iter().zip(&rule.variables);
        let variable = variables.find(|(variable, _)| (variable.start..variable.end).contains(&at));
        let collection = match at.checked_sub(1).map(|before| &template.segments[before]) {
            Some(Segment::Literal(text)) => Some(text.strip_suffix('s').unwrap_or(text).replace('-', "_")),
            _ => None,
        };
        let (mut name, schema, description) = match variable {
            Some((variable, field)) if variable.end - variable.start == 1 => {
                (field.json_name(), schemas.field(field.leaf()), schemas.describe(field.leaf()).to_owned())
            }
            Some((_, field)) => {
                let name = collection.filter(|_| *segment == Segment::One).unwrap_or_else(|| field.json_name());
                (name, json!({"type": "string"}), format!("Part of `{}`.", field.json_name()))
            }
            None => (collection.unwrap_or_else(|| "rest".to_owned()), json!({"type": "string"}), String::new()),
        };
        while parameters.iter().any(|parameter| parameter["name"] == name.as_str()) {
            name.push('_');
        }
        path.push_str(&format!("{{{name}}}"));
        parameters.push(parameter(&name, "path", &description, &schema));
    }
    if let Some(verb) = &template.verb {
        path.push(':');
        path.push_str(&encode_segment(verb));
    }
    for parameter in &mut parameters {
        parameter["required"] = true.into();
    }
    (path, parameters)
}

/// Names the parameters as the path does.
pub(super) fn rename(operation: &mut Value, path: &str) {
    let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
    for (parameter, name) in parameters.zip(names) {
        parameter["name"] = name.into();
    }
}

fn parameter(name: &str, place: &str, description: &str, schema: &Value) -> Value {
    let mut parameter = json!({"name": name, "in": place, "schema": schema});
    if !description.is_empty() {
        parameter["description"] = description.into();
    }
    parameter
}

fn query(rule: &Rule, input: &MessageDescriptor, schemas: &mut Schemas<'_>, parameters: &mut Vec<Value>) {
    let taken = |field: &FieldDescriptor| match &rule.body {
        Body::None => false,
        Body::Whole => true,
        Body::Field(body) => body == field,
    };
    for field in input.fields().filter(|field| !taken(field)) {
        query_field(rule, &[field], schemas, parameters);
    }
}

fn query_field(rule: &Rule, way: &[FieldDescriptor], schemas: &mut Schemas<'_>, parameters: &mut Vec<Value>) {
    let (Some(first), Some(field)) = (way.first(), way.last()) else { return };
    let names: Vec<_> = way.iter().map(FieldDescriptor::name).collect();
    let Some(path) = FieldPath::resolve(first.parent_message(), &names.join(".")) else { return };
    if rule.variables.contains(&path) || behaves(field, Behavior::OutputOnly) {
        return;
    }
    let kind = field.kind();
    match kind.as_message() {
        Some(message) if !is_text(&kind) => {
            for inner in message.fields() {
                query_field(rule, &[way, &[inner]].concat(), schemas, parameters);
            }
        }
        _ => {
            let mut schema = schemas.field(field);
            let required = way.len() == 1 && behaves(field, Behavior::Required);
            if required {
                demand(field, &mut schema);
            }
            let mut parameter = parameter(&path.json_name(), "query", schemas.describe(field), &schema);
            if required {
                parameter["required"] = true.into();
            }
            parameters.push(parameter);
        }
    }
}

fn headers(rule: &Rule, endpoint: &Endpoint, parameters: &mut Vec<Value>) {
    let text = &json!({"type": "string"});
    if endpoint.request_id.is_some() && rule.http != Some(Method::GET) {
        let description = format!(
            "Repeating a request with the same key returns the first answer. At most {MAX_REQUEST_ID} characters. \
             Fills `requestId`."
        );
        parameters.push(parameter("Idempotency-Key", "header", &description, text));
    }
    if endpoint.etag.is_some() {
        let description = "The version the resource is expected to have. Fills `etag`.";
        parameters.push(parameter("If-Match", "header", description, text));
    }
    if endpoint.resume_token.is_some() && endpoint.method.is_server_streaming() {
        let description = "The id of the last event that was seen. Fills `resumeToken`.";
        parameters.push(parameter("Last-Event-ID", "header", description, text));
    }
    parameters.push(json!({"$ref": "#/components/parameters/RequestTimeout"}));
}

fn body(rule: &Rule, input: &MessageDescriptor, schemas: &mut Schemas<'_>) -> Option<Value> {
    let (schema, required) = match &rule.body {
        Body::None => return None,
        Body::Field(field) => (schemas.field(field), behaves(field, Behavior::Required)),
        Body::Whole => {
            let free = |field: &FieldDescriptor| {
                !rule.variables.iter().any(|path| path.first() == field && path.leaf() == field)
            };
            let required = input.fields().any(|field| free(&field) && behaves(&field, Behavior::Required));
            let schema = if rule.variables.is_empty() { schemas.message(input) } else { schemas.object(input, free) };
            (schema, required)
        }
    };
    Some(json!({"required": required, "content": {"application/json": {"schema": schema}}}))
}

fn responses(rule: &Rule, endpoint: &Endpoint, schemas: &mut Schemas<'_>) -> Value {
    let output = endpoint.method.output();
    let schema = match &rule.response {
        None => schemas.message(&output),
        Some(field) => schemas.field(field),
    };
    let comment = schemas.comments.get(&output.parent_file(), output.path());
    let description = if comment.is_empty() { "The answer." } else { comment };
    let mut good = if endpoint.method.is_server_streaming() {
        json!({
            "description": format!(
                "{description}\n\nA stream: a line of JSON for each message, and at a failure a last line with an \
                 `error`. With `Accept: text/event-stream`, server-sent events, and at a failure an event `error`."
            ),
            "content": {"application/x-ndjson": {"schema": schema}, "text/event-stream": {"schema": schema}},
        })
    } else {
        json!({"description": description, "content": {"application/json": {"schema": schema}}})
    };
    let mut headers = json!({"X-Request-Id": refusals::header("RequestId")});
    if !endpoint.method.is_server_streaming() && endpoint.answered_etag.is_some() {
        headers["ETag"] = refusals::header("ETag");
    }
    let deprecated = is_deprecated(&endpoint.method);
    if deprecated {
        for name in ["Deprecation", "Sunset", "Link"] {
            headers[name] = refusals::header(name);
        }
    }
    good["headers"] = headers;
    let mut statuses = vec!["400", "401", "403", "404", "405", "406", "429", "499", "500", "501", "503", "504"];
    if !matches!(&rule.http, Some(method) if *method == Method::GET || *method == Method::HEAD) {
        statuses.push("409");
    }
    if deprecated {
        statuses.push("410");
    }
    if endpoint.etag.is_some() {
        statuses.push("412");
    }
    if rule.body != Body::None {
        statuses.extend(["408", "413", "415"]);
    }
    let mut responses = refusals::references(&statuses);
    responses.insert("200".to_owned(), good);
    responses.into()
}
