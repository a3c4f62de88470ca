//! Refusals as `application/problem+json` (RFC 9457).

mod code;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use prost::Message;
use serde::Serialize;
use serde_json::Value;
use tonic::Code;
use tonic_types::pb;

use crate::{
    frame::Failure,
    headers,
    protobuf::Tables,
    transcoder::{RefusalReason, ResponseBody},
};

/// The media type of [`Problem`] bodies.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    /// Path of the field: `lines[2].quantity`.
    pub(crate) field: String,
    /// What is wrong with the field.
    pub(crate) description: String,
    /// Why, for a program; empty when the service names no reason.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
}

impl Violation {
    /// A wrong field that the gateway itself found.
    pub(crate) fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into(), reason: String::new() }
    }
}

/// Whether the request has an `If-Match` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    None,
    IfMatch,
}

/// A refusal.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: Code,
    reason: Option<Box<str>>,
    detail: Box<str>,
    errors: Vec<Violation>,
    metadata: BTreeMap<String, String>,
    details: Vec<Value>,
    headers: Box<HeaderMap>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'p> {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: &'p str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'p str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'p [Violation],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: &'p BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    details: &'p [Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'p str>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: Code, detail: impl Into<Box<str>>) -> Self {
        Self {
            status,
            code,
            reason: None,
            detail: detail.into(),
            errors: Vec::new(),
            metadata: BTreeMap::new(),
            details: Vec::new(),
            headers: Box::default(),
        }
    }

    /// The path has no route.
    pub(crate) fn no_route(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, format!("no route for {path}"))
    }

    /// The path has routes for other methods only.
    pub(crate) fn other_method(method: &Method, allowed: &[Method]) -> Self {
        let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
        let detail = format!("the path has no {method} method");
        let mut problem = Self::new(StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented, detail);
        if let Ok(allowed) = HeaderValue::try_from(allowed.join(", ")) {
            problem.headers.insert(header::ALLOW, allowed);
        }
        problem
    }

    /// The input cannot be read.
    pub(crate) fn malformed(detail: impl Into<Box<str>>) -> Self {
        let problem = Self::new(StatusCode::BAD_REQUEST, Code::InvalidArgument, detail);
        Self { reason: Some("INVALID_ARGUMENT".into()), ..problem }
    }

    /// At least one field is wrong.
    pub(crate) fn invalid(errors: Vec<Violation>) -> Self {
        let detail = match errors.as_slice() {
            [] => "invalid request".to_owned(),
            [one] => format!("{}: {}", one.field, one.description),
            [first, rest @ ..] => format!("{}: {} (and {} more)", first.field, first.description, rest.len()),
        };
        Self { errors, ..Self::malformed(detail) }
    }

    /// The body is larger than `limit` bytes.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted, detail)
    }

    /// The body did not arrive in time.
    pub(crate) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded, "the body did not arrive in time")
    }

    /// There is no room for the body now.
    pub(crate) fn busy(detail: &str, again_after: Option<Duration>) -> Self {
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, detail);
        problem.reason = Some("UNAVAILABLE".into());
        let seconds = again_after.map_or(1, |after| after.as_secs().max(1));
        problem.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        problem
    }

    /// The body is not JSON, or is compressed.
    pub(crate) fn not_json() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument, "the body must be application/json")
    }

    /// The caller accepts none of the media types of the answer.
    pub(crate) fn not_acceptable(produced: &[&str]) -> Self {
        let detail = format!("the answer is {}, which the Accept header excludes", produced.join(" or "));
        Self::new(StatusCode::NOT_ACCEPTABLE, Code::InvalidArgument, detail)
    }

    /// The answer of the service cannot be written as JSON.
    pub(crate) fn unreadable_answer() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "the service's answer cannot be read")
    }

    /// A refusal by the service.
    pub(crate) fn of_failure(failure: Failure, tables: &Tables, precondition: Precondition) -> Self {
        let mut problem = Self::new(code::status(failure.code), failure.code, failure.message);
        headers::response_headers(&failure.headers, &mut problem.headers);
        let status = pb::Status::decode(failure.details).unwrap_or_default();
        for any in &status.details {
            problem.details.push(tables.any(any));
            problem.apply_detail(any);
        }
        let stale = failure.code == Code::Aborted || problem.reason.as_deref() == Some("ETAG_MISMATCH");
        if stale && precondition == Precondition::IfMatch {
            problem.status = StatusCode::PRECONDITION_FAILED;
        }
        if problem.reason.as_deref() == Some("METHOD_ENDED") {
            problem.status = StatusCode::GONE;
        }
        if problem.status == StatusCode::UNAUTHORIZED && !problem.headers.contains_key(header::WWW_AUTHENTICATE) {
            problem.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        problem
    }

    /// Copies the content of a well-known detail.
    fn apply_detail(&mut self, any: &prost_types::Any) {
        let value = any.value.as_slice();
        match any.type_url.rsplit('/').next() {
            Some("google.rpc.ErrorInfo") => {
                let info = pb::ErrorInfo::decode(value).unwrap_or_default();
                self.reason = Some(info.reason).filter(|reason| !reason.is_empty()).map(String::into_boxed_str);
                self.metadata = info.metadata.into_iter().collect();
            }
            Some("google.rpc.BadRequest") => {
                let bad = pb::BadRequest::decode(value).unwrap_or_default();
                let violation = |wrong: pb::bad_request::FieldViolation| Violation {
                    field: wrong.field,
                    description: wrong.description,
                    reason: wrong.reason,
                };
                self.errors.extend(bad.field_violations.into_iter().map(violation));
            }
            Some("google.rpc.RetryInfo") => {
                let delay = pb::RetryInfo::decode(value).unwrap_or_default().retry_delay.unwrap_or_default();
                let seconds = delay.seconds.saturating_add(i64::from(delay.nanos > 0)).max(0);
                self.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
    }

    /// The body.
    pub(crate) fn to_json(&self, request_id: Option<&str>) -> Vec<u8> {
        let reason = self.reason.as_deref();
        let document = Document {
            kind: reason.map_or_else(|| "about:blank".to_owned(), |reason| format!("urn:waybill:error:{reason}")),
            title: reason.map_or_else(|| code::title(self.status).to_owned(), sentence),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: code::name(self.code),
            reason,
            errors: &self.errors,
            metadata: &self.metadata,
            details: &self.details,
            request_id: headers::text(&self.headers, "x-request-id").or(request_id),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The answer.
    pub(crate) fn into_response(self, request_id: Option<&str>) -> Response<ResponseBody> {
        let body = Bytes::from(self.to_json(request_id));
        let mut response = Response::new(crate::respond::full(body));
        *response.status_mut() = self.status;
        if let Some(reason) = self.reason {
            response.extensions_mut().insert(RefusalReason(reason.into_string()));
        }
        *response.headers_mut() = *self.headers;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response.headers_mut().insert(HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store"));
        response
    }
}

/// `ETAG_MISMATCH` as a title: "Etag mismatch".
fn sentence(reason: &str) -> String {
    let words = reason.replace('_', " ").to_lowercase();
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
