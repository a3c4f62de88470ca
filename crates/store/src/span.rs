//! Spans of database operations, by OpenTelemetry's conventions for database clients.

use proto::event::v1::Event;
use tracing::{Span, field::Empty};
use types::{Fault, Reason};

use crate::dialect::Dialect;

/// The target of every span: only an exporter of traces enables it.
pub(crate) const SPANS: &str = "waybill_trace";

/// An operation at the database of a service: a command by its name, or `SELECT`. Nothing outside of any trace.
pub(crate) fn database(parent: &Span, dialect: Dialect, source: &'static str, operation: &str) -> Span {
    if parent.is_disabled() {
        return Span::none();
    }
    let system = match dialect {
        Dialect::Sqlite => "sqlite",
        Dialect::Postgres => "postgresql",
    };
    tracing::info_span!(
        target: SPANS,
        parent: parent,
        "database",
        otel.name = format!("{operation} {source}"),
        otel.kind = "client",
        otel.status_description = Empty,
        db.system.name = system,
        db.namespace = source,
        db.operation.name = operation,
        error.type = Empty,
        waybill.order_id = Empty,
    )
}

/// Notes on the span how the operation failed. A refusal is an answer like any other.
pub(crate) fn note_failure<T>(span: &Span, outcome: &Result<T, Fault>) {
    if let Err(fault) = outcome
        && (fault.is_transient() || fault.reason == Reason::Internal)
    {
        span.record("error.type", fault.reason.as_str());
        span.record("otel.status_description", fault.message.as_str());
    }
}

/// Notes on the spans which order the events are about.
pub(crate) fn note_order((caller, operation): &(Span, Span), events: &[Event]) {
    if caller.is_disabled() {
        return;
    }
    let order = events.iter().map(|event| event.correlation_id.as_str()).find(|id| id.starts_with("ord_"));
    if let Some(order) = order {
        caller.record("waybill.order_id", order);
        operation.record("waybill.order_id", order);
    }
}
