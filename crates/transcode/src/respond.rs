//! Writes the HTTP answer of a gRPC answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};
use tonic::body::Body;

use crate::{
    frame::{Failure, Frames},
    headers::{self, text},
    problem::{Precondition, Problem},
    protobuf::{self, TableId, Tables},
    rule::{Endpoint, Rule},
    stream::{self, Format},
    transcoder::ResponseBody,
};

/// The media types of a method's answers. Lines of JSON are also sent to callers that accept only `application/json`.
pub(crate) fn media_types(endpoint: &Endpoint) -> &'static [&'static str] {
    match endpoint.method.is_server_streaming() {
        true => &["application/x-ndjson", "text/event-stream", "application/json"],
        false => &["application/json"],
    }
}

/// What the writing of an answer depends on.
#[derive(Debug, Clone)]
pub(crate) struct ResponseOptions {
    pub(crate) tables: Arc<Tables>,
    pub(crate) table: TableId,
    /// Number of the response field that is the body; all fields when `None`.
    pub(crate) field: Option<u32>,
    pub(crate) etag: Option<u32>,
    pub(crate) token: Option<u32>,
    pub(crate) precondition: Precondition,
    pub(crate) request_id: Option<String>,
}

impl ResponseOptions {
    pub(crate) fn new(tables: &Arc<Tables>, rule: &Rule, endpoint: &Endpoint, headers: &HeaderMap) -> Self {
        Self {
            tables: Arc::clone(tables),
            table: endpoint.output,
            field: rule.response.as_ref().map(prost_reflect::FieldDescriptor::number),
            etag: endpoint.answered_etag,
            token: endpoint.answered_token,
            precondition: match headers.contains_key(header::IF_MATCH) {
                true => Precondition::IfMatch,
                false => Precondition::None,
            },
            request_id: text(headers, "x-request-id").map(str::to_owned),
        }
    }

    /// The problem of a failed call.
    pub(crate) fn problem(&self, failure: Failure) -> Problem {
        Problem::of_failure(failure, &self.tables, self.precondition)
    }

    /// Appends a message as JSON.
    pub(crate) fn json(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let written = match self.field {
            None => self.tables.write_message(self.table, message, out),
            Some(field) => self.tables.write_field(self.table, field, message, out),
        };
        written.map_err(|error| {
            tracing::error!(%error, "an answer could not be written as JSON");
            Problem::unreadable_answer()
        })
    }
}

/// The answer to a unary call.
pub(crate) async fn unary(
    options: ResponseOptions,
    response: Response<Body>,
) -> Result<Response<ResponseBody>, Problem> {
    let (from, frames) = Frames::of(response).map_err(|failure| options.problem(failure))?;
    let message = frames.only().await.map_err(|mut failure| {
        for (name, value) in &from {
            if !failure.headers.contains_key(name) {
                failure.headers.append(name, value.clone());
            }
        }
        options.problem(failure)
    })?;
    let mut json = Vec::with_capacity(64 + 3 * message.len());
    options.json(&message, &mut json)?;

    let status = status(&from);
    let mut answer = Response::new(empty());
    headers::response_headers(&from, answer.headers_mut());
    if status != StatusCode::NO_CONTENT {
        *answer.body_mut() = full(Bytes::from(json));
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    *answer.status_mut() = status;
    if let Some(etag) = options.etag.and_then(|field| protobuf::text(field, &message))
        && !etag.is_empty()
        && !etag.contains('"')
        && let Ok(etag) = HeaderValue::try_from(format!("\"{etag}\""))
    {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    Ok(answer)
}

/// The answer to a server stream. It starts when the service accepts the call.
pub(crate) fn streaming(
    options: ResponseOptions,
    format: Format,
    response: Response<Body>,
) -> Result<Response<ResponseBody>, Problem> {
    let (from, frames) = Frames::of(response).map_err(|failure| options.problem(failure))?;
    let mut answer = Response::new(stream::body(options, format, frames));
    headers::response_headers(&from, answer.headers_mut());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies must not buffer it.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

/// The success status that the service chose.
fn status(headers: &HeaderMap) -> StatusCode {
    let chosen = text(headers, "x-http-code").and_then(|code| code.parse().ok());
    chosen.and_then(|code: u16| StatusCode::from_u16(code).ok()).filter(StatusCode::is_success).unwrap_or_default()
}

/// A complete body.
pub(crate) fn full(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).boxed_unsync()
}

/// An empty body.
pub(crate) fn empty() -> ResponseBody {
    Empty::new().boxed_unsync()
}
