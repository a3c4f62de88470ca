//! The `google.api.http` rules of the routed methods, compiled against their messages.

mod annotation;
mod field;
mod lint;

use std::sync::Arc;

use http::{Method, uri::PathAndQuery};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use self::{annotation::Annotation, lint::check_query};
pub(crate) use self::{
    annotation::annotations,
    field::{AssignError, FieldPath, is_text},
};
use crate::{
    protobuf::{TableId, Tables},
    template::Template,
    transcoder::Upstream,
};

/// Why a method cannot be routed by its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method}: {rule}: {problem}")]
pub struct RuleError {
    /// Full name of the method or service.
    pub method: String,
    /// Path of the rule, or `-`.
    pub rule: String,
    /// What is wrong, a lowercase fragment.
    pub problem: String,
}

/// A method and the target of its calls.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: MethodDescriptor,
    /// Path of the gRPC call.
    pub(crate) path: PathAndQuery,
    pub(crate) upstream: Upstream,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: TableId,
    /// Request field that `Idempotency-Key` fills.
    pub(crate) request_id: Option<FieldDescriptor>,
    /// Request field that `If-Match` fills.
    pub(crate) etag: Option<FieldDescriptor>,
    /// Request field that `Last-Event-ID` fills.
    pub(crate) resume_token: Option<FieldDescriptor>,
    /// Number of the response field that becomes the `ETag` header.
    pub(crate) answered_etag: Option<u32>,
    /// Number of the response field that becomes the id of an event.
    pub(crate) answered_token: Option<u32>,
}

/// The part of the request message that is the HTTP body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Body {
    /// There is no body.
    None,
    /// All fields that are not in the path.
    Whole,
    /// This field.
    Field(FieldDescriptor),
}

/// Origin of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A `google.api.http` option; these rules are documented.
    Annotation,
    /// The method's name: `POST /package.Service/Method`.
    Name,
}

/// One way to call a method over HTTP.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Index of its endpoint.
    pub(crate) endpoint: usize,
    /// `None` is any method.
    pub(crate) http: Option<Method>,
    pub(crate) template: Template,
    /// The template as it is written.
    pub(crate) route: Arc<str>,
    /// The fields of the template's variables, in order.
    pub(crate) variables: Vec<FieldPath>,
    pub(crate) body: Body,
    /// Number of the response field that is the body, instead of all of it.
    pub(crate) response: Option<FieldDescriptor>,
    pub(crate) origin: Origin,
}

impl Endpoint {
    /// An endpoint for a method.
    pub(crate) fn new(method: &MethodDescriptor, upstream: Upstream, tables: &Tables) -> Result<Self, RuleError> {
        let (input, output) = (method.input(), method.output());
        let error = |problem: &str| RuleError {
            method: method.full_name().to_owned(),
            rule: "-".to_owned(),
            problem: problem.to_owned(),
        };
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        Ok(Self {
            path: PathAndQuery::try_from(path).map_err(|_| error("its name is not a path"))?,
            upstream,
            output: tables.find(output.full_name()).ok_or_else(|| error("its response is not described"))?,
            request_id: text_field(&input, "request_id"),
            etag: text_field(&input, "etag"),
            resume_token: text_field(&input, "resume_token"),
            answered_etag: text_field(&output, "etag").map(|field| field.number()),
            answered_token: text_field(&output, "resume_token").map(|field| field.number()),
            input,
            method: method.clone(),
        })
    }
}

fn text_field(message: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    message.get_field_by_name(name).filter(|field| field.kind() == Kind::String && !field.is_list())
}

/// The rules of a method. Their errors are added to `errors`.
pub(crate) fn compile(method: &MethodDescriptor, endpoint: usize, errors: &mut Vec<RuleError>) -> Vec<Rule> {
    let annotations = annotations(method);
    if method.is_client_streaming() {
        if let Some(annotation) = annotations.first() {
            errors.push(error(method, &annotation.path, "a client stream cannot be called over HTTP".to_owned()));
        }
        return Vec::new();
    }
    let mut rules = Vec::with_capacity(annotations.len() + 1);
    for annotation in &annotations {
        match rule(method, endpoint, annotation) {
            Ok(rule) => {
                errors.extend(check_query(method, &rule).map(|problem| error(method, &annotation.path, problem)));
                rules.push(rule);
            }
            Err(problems) => {
                errors.extend(problems.into_iter().map(|problem| error(method, &annotation.path, problem)));
            }
        }
    }
    if !method.is_server_streaming() {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        match Template::parse(&path) {
            Ok(template) => rules.push(Rule {
                endpoint,
                http: Some(Method::POST),
                template,
                route: path.into(),
                variables: Vec::new(),
                body: Body::Whole,
                response: None,
                origin: Origin::Name,
            }),
            Err(problem) => errors.push(error(method, &path, problem)),
        }
    }
    rules
}

fn rule(method: &MethodDescriptor, endpoint: usize, annotation: &Annotation) -> Result<Rule, Vec<String>> {
    let (input, output) = (method.input(), method.output());
    let mut problems = annotation.problems.clone();
    let template = match Template::parse(&annotation.path) {
        Ok(template) => template,
        Err(problem) => {
            problems.push(problem);
            return Err(problems);
        }
    };
    let mut variables = Vec::with_capacity(template.variables.len());
    for variable in &template.variables {
        match FieldPath::resolve(&input, &variable.field) {
            Some(path) if variables.contains(&path) => problems.push(format!("`{path}` is in the path twice")),
            Some(path) if path.leaf().is_list() || path.leaf().is_map() || !is_text(&path.leaf().kind()) => {
                problems.push(format!("`{path}` is not a single value that fits into a path"));
            }
            Some(path) => variables.push(path),
            None => problems.push(format!("{} has no field `{}`", input.full_name(), variable.field)),
        }
    }
    let body = match annotation.body.as_str() {
        "" => Body::None,
        "*" => Body::Whole,
        name => match input.get_field_by_name(name) {
            Some(field) if field.is_list() || field.is_map() || field.kind().as_message().is_none() => {
                problems.push(format!("the body `{name}` is not a message"));
                Body::None
            }
            Some(field) => Body::Field(field),
            None => {
                problems.push(format!("{} has no field `{name}` for the body", input.full_name()));
                Body::None
            }
        },
    };
    let response = match annotation.response_body.as_str() {
        "" => None,
        name => {
            let field = output.get_field_by_name(name);
            if field.is_none() {
                problems.push(format!("{} has no field `{name}` for the response body", output.full_name()));
            }
            field
        }
    };
    if body != Body::None && matches!(annotation.method.as_ref(), Some(m) if m == Method::GET || m == Method::HEAD) {
        problems.push("GET has no body".to_owned());
    }
    if problems.is_empty() {
        let http = annotation.method.clone();
        let route = annotation.path.as_str().into();
        Ok(Rule { endpoint, http, template, route, variables, body, response, origin: Origin::Annotation })
    } else {
        Err(problems)
    }
}

/// An error of a method's rule.
pub(crate) fn error(method: &MethodDescriptor, rule: &str, problem: String) -> RuleError {
    RuleError { method: method.full_name().to_owned(), rule: rule.to_owned(), problem }
}
