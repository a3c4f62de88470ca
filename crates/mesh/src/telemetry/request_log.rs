//! The log line of a request, by the member that answered it: always when it failed there, a sample of the others.

use std::{fmt, time::Duration};

use tonic::Code;

use super::trace::TraceParent;

/// The target of the lines, by which a log filter finds them.
const LINES: &str = "waybill_request";

/// What a line says of a request. Neither credentials nor bodies are among it.
pub(crate) struct Line<'a> {
    /// Who answered it.
    pub(crate) member: &'a str,
    /// The full name of the gRPC method, or the HTTP method.
    pub(crate) method: &'a str,
    /// The template of the HTTP path, where there is one.
    pub(crate) route: Option<&'a str>,
    /// The gRPC code, or the HTTP status.
    pub(crate) status: &'a dyn fmt::Display,
    /// `ErrorInfo.reason` of a refusal.
    pub(crate) reason: Option<&'a str>,
    /// From the arrival to the end of the answer.
    pub(crate) duration: Duration,
    /// Who called, as `kind:subject`, where that is known.
    pub(crate) client: Option<&'a dyn fmt::Display>,
    pub(crate) request_id: &'a str,
    pub(crate) trace: TraceParent,
}

/// How a request ended, as far as its line depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As it should.
    Well,
    /// Refused for what the caller asked.
    Refused,
    /// Failed for now: something needed is missing, or took too long.
    Unavailable,
    /// Failed for a fault in the mesh.
    Broken,
}

impl From<Code> for Ended {
    fn from(code: Code) -> Self {
        match code {
            Code::Ok => Self::Well,
            Code::Unavailable | Code::DeadlineExceeded => Self::Unavailable,
            Code::Internal | Code::Unknown | Code::DataLoss => Self::Broken,
            Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => Self::Refused,
        }
    }
}

impl Ended {
    /// How a request with this HTTP status ended.
    pub(crate) fn of_http(status: u16) -> Self {
        match status {
            0..400 => Self::Well,
            400..=499 | 501 => Self::Refused,
            502..=504 => Self::Unavailable,
            _ => Self::Broken,
        }
    }
}

/// Whether a request is among the logged share of those that end well. All members log the same traces.
pub(crate) fn is_sampled(share: f64, trace: TraceParent) -> bool {
    trace.position() < share || share >= 1.0
}

/// Writes the line of a request, unless it ended well and is not `sampled`.
pub(crate) fn write(line: &Line<'_>, ended: Ended, sampled: bool) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: LINES,
                parent: None,
                member = line.member,
                method = line.method,
                route = line.route,
                status = %line.status,
                reason = line.reason,
                duration_ms = (line.duration.as_secs_f64() * 1e6).round() / 1e3,
                client = line.client.map(tracing::field::display),
                request_id = line.request_id,
                trace_id = %line.trace.trace_id(),
                "request"
            )
        };
    }
    match ended {
        Ended::Well if sampled => line!(info),
        Ended::Well => {}
        Ended::Refused => line!(info),
        Ended::Unavailable => line!(warn),
        Ended::Broken => line!(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_traces_is_sampled_and_every_member_samples_the_same() {
        let traces: Vec<_> = (0..1_000).map(|_| TraceParent::mint()).collect();
        let sampled = |share: f64| traces.iter().filter(|trace| is_sampled(share, **trace)).count();
        assert_eq!((sampled(0.0), sampled(1.0)), (0, 1_000));
        assert!((50..200).contains(&sampled(0.1)), "{}", sampled(0.1));
        assert!(traces.iter().all(|trace| is_sampled(0.5, *trace) == is_sampled(0.5, *trace)));
    }
}
