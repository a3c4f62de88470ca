//! Makes the HTTP answer from the gRPC one.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full};
use tonic::body::Body;

use crate::{
    frame::{Failure, Frames},
    headers::{self, text},
    problem::{Precondition, Problem},
    rule::{Endpoint, Rule},
    stream::{self, Format},
    transcoder::ResponseBody,
    wire::{self, TableId, Tables},
};

/// What a method's answer may be. A stream goes on to callers that know no better name for lines of JSON.
pub(crate) fn media_types(endpoint: &Endpoint) -> &'static [&'static str] {
    match endpoint.method.is_server_streaming() {
        true => &["application/x-ndjson", "text/event-stream", "application/json"],
        false => &["application/json"],
    }
}

/// What the answer depends on.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) tables: Arc<Tables>,
    pub(crate) table: TableId,
    /// Number of the only field that is answered.
    pub(crate) field: Option<u32>,
    pub(crate) etag: Option<u32>,
    pub(crate) token: Option<u32>,
    pub(crate) precondition: Precondition,
    pub(crate) request_id: Option<String>,
}

impl Asked {
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

    /// The refusal for a failed call.
    pub(crate) fn problem(&self, failure: Failure) -> Problem {
        Problem::of_failure(failure, &self.tables, self.precondition)
    }

    /// A message as JSON.
    pub(crate) fn json(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
        let written = match self.field {
            None => self.tables.write_message(self.table, message, out),
            Some(field) => self.tables.write_field(self.table, field, message, out),
        };
        written.map_err(|error| {
            tracing::error!(%error, "an answer could not be written as json");
            Problem::unreadable_answer()
        })
    }
}

/// The answer to a unary call.
pub(crate) async fn unary(asked: Asked, response: Response<Body>) -> Result<Response<ResponseBody>, Problem> {
    let (from, frames) = Frames::of(response).map_err(|failure| asked.problem(failure))?;
    let message = frames.only().await.map_err(|mut failure| {
        for (name, value) in &from {
            if !failure.headers.contains_key(name) {
                failure.headers.append(name, value.clone());
            }
        }
        asked.problem(failure)
    })?;
    let mut json = Vec::with_capacity(64 + 3 * message.len());
    asked.json(&message, &mut json)?;

    let status = status(&from);
    let mut answer = Response::new(empty());
    headers::outward(&from, answer.headers_mut());
    if status != StatusCode::NO_CONTENT {
        *answer.body_mut() = full(Bytes::from(json));
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    *answer.status_mut() = status;
    if let Some(etag) = asked.etag.and_then(|field| wire::text(field, &message))
        && !etag.is_empty()
        && !etag.contains('"')
        && let Ok(etag) = HeaderValue::try_from(format!("\"{etag}\""))
    {
        answer.headers_mut().insert(header::ETAG, etag);
    }
    Ok(answer)
}

/// The answer to a server stream, which begins as soon as the service accepts the call.
pub(crate) fn streaming(
    asked: Asked,
    format: Format,
    response: Response<Body>,
) -> Result<Response<ResponseBody>, Problem> {
    let (from, frames) = Frames::of(response).map_err(|failure| asked.problem(failure))?;
    let mut answer = Response::new(stream::body(asked, format, frames));
    headers::outward(&from, answer.headers_mut());
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that would wait for more.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

/// The status the service chose among the good ones.
fn status(headers: &HeaderMap) -> StatusCode {
    let chosen = text(headers, "x-http-code").and_then(|code| code.parse().ok());
    chosen.and_then(|code: u16| StatusCode::from_u16(code).ok()).filter(StatusCode::is_success).unwrap_or_default()
}

/// A body that is there already.
pub(crate) fn full(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).boxed_unsync()
}

/// No body.
pub(crate) fn empty() -> ResponseBody {
    Empty::new().boxed_unsync()
}
