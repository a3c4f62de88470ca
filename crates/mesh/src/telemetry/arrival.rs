//! A request that enters the mesh over HTTP: its id, its trace, its line in the log.

use std::{fmt::Display, time::Duration};

use http::{HeaderMap, HeaderValue};
use tokio::time::Instant;
use tracing::Span;

use super::{
    request_log::{self, Ended, Line},
    trace::{self, TraceParent},
};
use crate::request::{self, Context, REQUEST_ID};

/// A request at the front of the gateway.
#[derive(Debug)]
pub struct Arrival {
    request_id: String,
    parent: Option<TraceParent>,
    trace: TraceParent,
    state: Option<HeaderValue>,
    began: Instant,
}

/// What the line of a request says beside its ids.
#[derive(Debug)]
pub struct Answered<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The template of the path, where the request has one.
    pub route: Option<&'a str>,
    /// The status of the answer.
    pub status: u16,
    /// `ErrorInfo.reason` of a refusal.
    pub reason: Option<&'a str>,
    /// Who called, as `kind:subject`, where that is known.
    pub client: Option<&'a str>,
}

impl Arrival {
    /// Puts an id on the request, the caller's if it is a plain one, and reads its trace, or begins one.
    pub fn new(headers: &mut HeaderMap) -> Self {
        let request_id = request::id(headers);
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert(REQUEST_ID, id);
        }
        let parent = TraceParent::from_headers(headers);
        let trace = parent.unwrap_or_else(TraceParent::mint);
        Self { request_id, parent, trace, state: trace::state(headers), began: Instant::now() }
    }

    /// The request's id.
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// How long ago the request arrived.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Runs the work so that the calls it makes continue the request's trace, as children of the span when it is
    /// recorded.
    pub fn scope<F: Future>(&mut self, span: &Span, work: F) -> impl Future<Output = F::Output> + use<F> {
        self.trace = TraceParent::begin(self.parent, span, self.state.as_ref());
        let trace_parent = Some(self.trace.to_string().into());
        Context { trace_parent, trace_state: self.state.clone(), ..Context::default() }.scope(work)
    }

    /// Writes the request's line: always when it failed, for this share of the others.
    pub fn log(&self, answered: &Answered<'_>, share: f64) {
        let (ended, sampled) = (Ended::of_http(answered.status), request_log::is_sampled(share, self.trace));
        let line = Line {
            member: "gateway",
            method: answered.method,
            route: answered.route,
            status: &answered.status,
            reason: answered.reason,
            duration: self.elapsed(),
            client: answered.client.as_ref().map(|client| client as &dyn Display),
            request_id: &self.request_id,
            trace: self.trace,
        };
        request_log::write(&line, ended, sampled);
    }
}
