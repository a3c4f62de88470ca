//! W3C trace context, kept whether or not traces are sent anywhere.

use std::{fmt, str::FromStr, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::request::{Context, Repeats};

const HEADER: HeaderName = HeaderName::from_static("traceparent");

/// A `traceparent` of version 00.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceParent {
    /// The start of a new trace.
    pub(crate) fn mint() -> Self {
        Self { trace: rand::random::<u128>().max(1), span: rand::random::<u64>().max(1), flags: 1 }
    }

    /// The one a request carries.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        headers.get(HEADER)?.to_str().ok()?.parse().ok()
    }

    /// The span's own, when traces are recorded.
    fn of(span: &Span) -> Option<Self> {
        let context = span.context();
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| Self {
            trace: u128::from_be_bytes(span.trace_id().to_bytes()),
            span: u64::from_be_bytes(span.span_id().to_bytes()),
            flags: span.trace_flags().to_u8(),
        })
    }

    /// Makes the span a child of this one, and answers what the span's own children have to carry.
    pub(crate) fn continue_in(self, span: &Span) -> Self {
        let parent = SpanContext::new(
            TraceId::from_bytes(self.trace.to_be_bytes()),
            SpanId::from_bytes(self.span.to_be_bytes()),
            TraceFlags::new(self.flags),
            true,
            TraceState::NONE,
        );
        let recorded = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent)).is_ok();
        if recorded { Self::of(span).unwrap_or(self) } else { self }
    }
}

impl FromStr for TraceParent {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let hex = |part: &str| part.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
        let parts: Vec<_> = text.split('-').collect();
        let ["00", trace, span, flags] = parts[..] else { return Err(()) };
        if (trace.len(), span.len(), flags.len()) != (32, 16, 2) || ![trace, span, flags].into_iter().all(hex) {
            return Err(());
        }
        let trace = u128::from_str_radix(trace, 16).map_err(|_| ())?;
        let span = u64::from_str_radix(span, 16).map_err(|_| ())?;
        let flags = u8::from_str_radix(flags, 16).map_err(|_| ())?;
        (trace != 0 && span != 0).then_some(Self { trace, span, flags }).ok_or(())
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

/// The `traceparent` to keep with what the running code causes: the current span's, else that of the call being
/// answered, else that given to [`continue_from`].
pub fn trace_parent() -> Option<String> {
    if let Some(recorded) = TraceParent::of(&Span::current()) {
        return Some(recorded.to_string());
    }
    let context = Context::current();
    let carried = context.trace_parent.map(|carried| carried.to_string());
    carried.or_else(|| context.call.map(|call| call.trace_parent.clone()))
}

/// Runs the work in the span, as part of the trace that `trace_parent` names: how a trace goes on after the event log or
/// a queue. Starts a new trace when there is none to go on with. Whoever runs such work also makes it again when it
/// fails, so its calls are not repeated on their way.
pub fn continue_from<F: Future>(span: Span, trace_parent: Option<&str>, work: F) -> impl Future<Output = F::Output> {
    let parent = trace_parent.and_then(|text| text.parse().ok()).unwrap_or_else(TraceParent::mint);
    let own = parent.continue_in(&span);
    let trace_parent = Some(Arc::from(own.to_string()));
    let context = Context { trace_parent, repeats: Repeats::ByCaller, ..Context::current() };
    context.scope(work.instrument(span))
}

/// Puts the running code's trace, or a new one, on an outgoing request.
pub(crate) fn inject(headers: &mut HeaderMap) {
    let carried = trace_parent().unwrap_or_else(|| TraceParent::mint().to_string());
    if let Ok(value) = HeaderValue::from_str(&carried) {
        headers.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_parent_is_read_back_as_it_was_written() {
        assert_eq!(GIVEN.parse::<TraceParent>().unwrap().to_string(), GIVEN);
        let minted = TraceParent::mint();
        assert_eq!(minted.to_string().parse(), Ok(minted));
    }

    #[test]
    fn malformed_trace_parents_are_refused() {
        for text in ["", "00", &GIVEN.to_uppercase(), &GIVEN.replace("b7ad6b7169203331", "0000000000000000")] {
            assert!(text.parse::<TraceParent>().is_err(), "{text}");
        }
        assert!(GIVEN.replacen("00-", "01-", 1).parse::<TraceParent>().is_err());
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
            let own = GIVEN.parse::<TraceParent>().unwrap().continue_in(&span);
            assert_eq!(own.to_string()[..36], GIVEN[..36], "the same trace");
            assert_ne!(own.to_string(), GIVEN, "another span");
            assert_eq!(span.in_scope(trace_parent), Some(own.to_string()));
        });
    }
}
