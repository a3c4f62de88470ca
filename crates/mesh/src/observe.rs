//! Observes a call to its end: metrics, span and, at the member that answers, the line in the log.

use std::sync::Arc;

use http::HeaderMap;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tracing::Span;

use crate::{
    metrics::{Measured, code_name},
    request::CallInfo,
    telemetry::{
        request_log::{self, Ended, Line},
        trace::TraceParent,
    },
};

/// A call being watched. What is known of its end is recorded when it is dropped.
#[derive(Debug)]
pub(crate) struct Observed {
    measured: Measured,
    span: Span,
    failure: Option<Failure>,
    /// The end is an ordinary one, whatever its status.
    expected: bool,
    answering: Option<Answering>,
}

/// What the line of an answered call needs.
#[derive(Debug)]
pub(crate) struct Answering {
    pub(crate) member: Arc<str>,
    pub(crate) method: String,
    pub(crate) trace: TraceParent,
    pub(crate) call: Arc<CallInfo>,
    pub(crate) sampled: bool,
    pub(crate) streams: bool,
}

#[derive(Debug)]
struct Failure {
    message: String,
    reason: Option<String>,
}

impl Observed {
    /// A call that is made.
    pub(crate) fn called(measured: Measured, span: Span) -> Self {
        Self { measured, span, failure: None, expected: false, answering: None }
    }

    /// A call that is answered.
    pub(crate) fn answered(measured: Measured, span: Span, answering: Answering) -> Self {
        let mut observed = Self::called(measured, span);
        observed.answering = Some(answering);
        observed
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// The full name of the service that is called.
    pub(crate) fn service(&self) -> &str {
        self.measured.service()
    }

    /// Notes that the call ended with this status.
    pub(crate) fn ended(&mut self, status: &Status) {
        self.measured.ended(status.code());
        if status.code() != Code::Ok {
            let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
            self.failure = Some(Failure { message: status.message().to_owned(), reason });
        }
    }

    /// Notes how the call ended, when these headers or trailers say.
    pub(crate) fn ended_as(&mut self, headers: &HeaderMap) {
        match headers.get("grpc-status").map(http::HeaderValue::as_bytes) {
            None => {}
            Some(b"0") => self.measured.ended(Code::Ok),
            Some(_) => {
                if let Some(status) = Status::from_header_map(headers) {
                    self.ended(&status);
                }
            }
        }
    }

    /// Notes that the call had to end because the server does, which is no failure of it.
    pub(crate) fn made_way(&mut self) {
        self.expected = true;
    }

    fn trace(&self, code: Code) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("rpc.response.status_code", code_name(code));
        if is_error(code, self.answering.is_some()) && !self.expected {
            self.span.record("error.type", code_name(code));
            let message = self.failure.as_ref().map_or("the caller left", |failure| failure.message.as_str());
            self.span.record("otel.status_description", message);
        }
    }

    fn log(&self, code: Code) {
        let Some(Answering { member, method, trace, call, sampled, streams }) = &self.answering else { return };
        // A stream has no end of its own: its caller leaves when it has enough, or its server does.
        let left = *streams && code == Code::Cancelled;
        let ended = if self.expected || left { Ended::Well } else { Ended::from(code) };
        if ended == Ended::Well && !sampled {
            return;
        }
        let line = Line {
            member,
            method: method.trim_start_matches('/'),
            route: None,
            status: &code_name(code),
            reason: self.failure.as_ref().and_then(|failure| failure.reason.as_deref()),
            duration: self.measured.elapsed(),
            client: (!call.principal.is_anonymous()).then_some(&call.principal),
            request_id: &call.request_id,
            trace: *trace,
        };
        request_log::write(&line, ended, *sampled);
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let code = self.measured.code();
        self.trace(code);
        self.log(code);
    }
}

/// Whether a span with this code failed. For the member that answers, only its own faults do.
fn is_error(code: Code, answers: bool) -> bool {
    match code {
        Code::Ok => false,
        Code::Unknown
        | Code::DeadlineExceeded
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => !answers,
    }
}
