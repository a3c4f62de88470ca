//! W3C trace context, carried whether or not traces are exported, and the spans of calls.
//!
//! Span names and attributes follow the OpenTelemetry semantic conventions 1.45 for RPC. All spans have the target
//! [`SPANS`], which only the exporter enables: without one they cost nothing.

use std::{fmt, str::FromStr, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::{Instrument, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::request::{Context, Repeats};

/// The target of every span. The log shows spans too when its filter names it: `info,waybill_trace=info`.
pub const SPANS: &str = "waybill_trace";

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

/// A `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    trace: u128,
    span: u64,
    flags: u8,
}

/// A text that is no `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of version 00")]
pub(crate) struct MalformedTraceParent;

impl TraceParent {
    /// The start of a new trace.
    pub(crate) fn mint() -> Self {
        Self { trace: rand::random::<u128>().max(1), span: rand::random::<u64>().max(1), flags: 1 }
    }

    /// The one a request carries.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        headers.get(TRACE_PARENT)?.to_str().ok()?.parse().ok()
    }

    /// The span's own, when traces are recorded.
    pub(crate) fn of(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context();
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| Self {
            trace: u128::from_be_bytes(span.trace_id().to_bytes()),
            span: u64::from_be_bytes(span.span_id().to_bytes()),
            flags: span.trace_flags().to_u8(),
        })
    }

    /// The trace of a span that continues `parent` or else begins a trace, and what its own children have to carry.
    pub(crate) fn begin(parent: Option<Self>, span: &Span, state: Option<&HeaderValue>) -> Self {
        match parent {
            Some(parent) => parent.continue_in(span, state),
            None => Self::of(span).unwrap_or_else(Self::mint),
        }
    }

    /// Makes the span a child of this one, and returns what the span's own children have to carry.
    pub(crate) fn continue_in(self, span: &Span, state: Option<&HeaderValue>) -> Self {
        if span.is_disabled() {
            return self;
        }
        let state = state.and_then(|state| TraceState::from_str(state.to_str().ok()?).ok());
        let parent = self.span_context(state.unwrap_or_default());
        let recorded = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent)).is_ok();
        if recorded { Self::of(span).unwrap_or(self) } else { self }
    }

    fn span_context(self, state: TraceState) -> SpanContext {
        SpanContext::new(
            TraceId::from_bytes(self.trace.to_be_bytes()),
            SpanId::from_bytes(self.span.to_be_bytes()),
            TraceFlags::new(self.flags),
            true,
            state,
        )
    }

    /// The trace's id as it is written.
    pub(crate) fn trace_id(self) -> impl fmt::Display {
        fmt::from_fn(move |f| write!(f, "{:032x}", self.trace))
    }

    /// The position of the trace among all traces, from 0 to 1: the same at every member.
    pub(crate) fn position(self) -> f64 {
        let low = u64::try_from(self.trace & u128::from(u64::MAX)).unwrap_or_default();
        low as f64 / u64::MAX as f64
    }
}

impl FromStr for TraceParent {
    type Err = MalformedTraceParent;

    fn from_str(text: &str) -> Result<Self, MalformedTraceParent> {
        let hex = |part: &str| part.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        let mut parts = text.split('-');
        let mut next =
            |length: usize| parts.next().filter(|part| part.len() == length && hex(part)).ok_or(MalformedTraceParent);
        let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        let trace = u128::from_str_radix(trace, 16).map_err(|_| MalformedTraceParent)?;
        let span = u64::from_str_radix(span, 16).map_err(|_| MalformedTraceParent)?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| MalformedTraceParent)?;
        let sound = version == "00" && parts.next().is_none() && trace != 0 && span != 0;
        if sound { Ok(Self { trace, span, flags }) } else { Err(MalformedTraceParent) }
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

/// The `tracestate` a request carries.
pub(crate) fn state(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(TRACE_STATE).cloned()
}

/// The span of a call that a member answers.
pub(crate) fn server_span(member: &str, path: &str, request_id: &str) -> Span {
    let method = path.trim_start_matches('/');
    tracing::info_span!(
        target: SPANS,
        parent: None,
        "call",
        otel.name = method,
        otel.kind = "server",
        otel.status_description = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        error.type = Empty,
        waybill.member = member,
        waybill.request_id = request_id,
        waybill.order_id = Empty,
    )
}

/// The span of a call to a member at this address.
pub(crate) fn client_span(path: &str, address: &str) -> Span {
    let method = path.trim_start_matches('/');
    tracing::info_span!(
        target: SPANS,
        "call",
        otel.name = method,
        otel.kind = "client",
        otel.status_description = Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = Empty,
        error.type = Empty,
        server.address = address,
    )
}

/// The `traceparent` to keep with what the running code causes: the current span's, else that given to
/// [`continue_from`], else that of the call being answered.
pub fn trace_parent() -> Option<String> {
    current(&Span::current(), &Context::current())
}

fn current(span: &Span, context: &Context) -> Option<String> {
    if let Some(recorded) = TraceParent::of(span) {
        return Some(recorded.to_string());
    }
    let carried = context.trace_parent.as_ref().map(ToString::to_string);
    carried.or_else(|| context.call.as_ref().map(|call| call.trace_parent.clone()))
}

/// Runs the work in the span, as part of the trace that `trace_parent` names: how a trace continues after the event log
/// or a queue. Starts a new trace when there is none to continue. Whoever runs such work also repeats it when it fails,
/// so its calls are not repeated on their way.
pub fn continue_from<F: Future>(span: Span, trace_parent: Option<&str>, work: F) -> impl Future<Output = F::Output> {
    let own = TraceParent::begin(trace_parent.and_then(|text| text.parse().ok()), &span, None);
    let trace_parent = Some(Arc::from(own.to_string()));
    let context = Context { trace_parent, repeats: Repeats::ByCaller, ..Context::current() };
    context.scope(work.instrument(span))
}

/// Gives a span that was begun another name.
pub fn rename(span: &Span, name: String) {
    if !span.is_disabled() {
        span.context().span().update_name(name);
    }
}

/// Whether the running code's spans are exported.
pub fn is_recorded() -> bool {
    TraceParent::of(&Span::current()).is_some_and(|current| current.flags & 1 == 1)
}

/// Links the running code's trace with another one, both ways: the current span links to the span that `trace_parent`
/// names, and a new span in that trace, with the given name and order, links back. Does nothing within one trace.
pub fn link(trace_parent: &str, name: &str, order_id: &str) {
    let (here, Ok(there)) = (Span::current(), trace_parent.parse::<TraceParent>()) else { return };
    let Some(current) = TraceParent::of(&here).filter(|current| current.trace != there.trace) else { return };
    here.record("waybill.order_id", order_id);
    here.add_link(there.span_context(TraceState::NONE));
    let span = tracing::info_span!(
        target: SPANS, parent: None, "link", otel.name = name, otel.kind = "internal", waybill.order_id = order_id,
    );
    there.continue_in(&span, None);
    span.add_link(current.span_context(TraceState::NONE));
}

/// Puts the trace of an outgoing call on its request: that of its own span, else the running code's, else a new one.
pub(crate) fn inject(headers: &mut HeaderMap, span: &Span, context: &Context) {
    let own = TraceParent::of(span).map(|own| own.to_string()).or_else(|| current(&Span::current(), context));
    let carried = own.unwrap_or_else(|| TraceParent::mint().to_string());
    if let Ok(value) = HeaderValue::try_from(carried) {
        headers.insert(TRACE_PARENT, value);
    }
    if let Some(state) = &context.trace_state {
        headers.insert(TRACE_STATE, state.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_parent_is_read_back_as_it_was_written() {
        let given: TraceParent = GIVEN.parse().unwrap();
        assert_eq!(given.to_string(), GIVEN);
        assert_eq!(given.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        let minted = TraceParent::mint();
        assert_eq!(minted.to_string().parse(), Ok(minted));
    }

    #[test]
    fn malformed_trace_parents_are_refused() {
        for text in ["", "00", &GIVEN.to_uppercase(), &GIVEN.replace("b7ad6b7169203331", "0000000000000000")] {
            assert!(text.parse::<TraceParent>().is_err(), "{text}");
        }
        assert!(GIVEN.replacen("00-", "01-", 1).parse::<TraceParent>().is_err());
        assert!(format!("{GIVEN}-00").parse::<TraceParent>().is_err());
    }

    #[tokio::test]
    async fn background_work_goes_on_with_the_trace_it_is_given() {
        assert_eq!(trace_parent(), None);
        let carried = continue_from(Span::none(), Some(GIVEN), async { trace_parent() }).await;
        assert_eq!(carried.as_deref(), Some(GIVEN));
        let minted = continue_from(Span::none(), None, async { trace_parent() }).await;
        assert!(minted.is_some_and(|text| text.parse::<TraceParent>().is_ok()));
    }

    #[test]
    fn a_recorded_span_is_a_child_in_the_same_trace() {
        use opentelemetry::trace::TracerProvider;
        use tracing_subscriber::layer::SubscriberExt;
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!("work");
            let state = HeaderValue::from_static("vendor=1");
            let own = GIVEN.parse::<TraceParent>().unwrap().continue_in(&span, Some(&state));
            assert_eq!(own.to_string()[..36], GIVEN[..36], "the same trace");
            assert_ne!(own.to_string(), GIVEN, "another span");
            assert_eq!(span.in_scope(trace_parent), Some(own.to_string()));
            assert_eq!(span.context().span().span_context().trace_state().header(), "vendor=1");
        });
    }
}
