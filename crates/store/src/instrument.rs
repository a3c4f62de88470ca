//! The instrumentation of reactions and tasks: their span and the trace that they continue.

use futures::future::BoxFuture;
use tracing::{Instrument as _, Span};
use types::Fault;

use crate::command::AnyCommand;

/// The commands that a reaction or a task returns, or its fault.
pub(crate) type Outcome = Result<Vec<Box<dyn AnyCommand>>, Fault>;

/// Runs a reaction or a task in its span, as part of the trace of the given trace parent. The program provides it, since
/// the store does not know how traces are propagated.
pub type Instrumentation = for<'a> fn(Span, Option<&'a str>, BoxFuture<'a, Outcome>) -> BoxFuture<'a, Outcome>;

/// Runs in the span and ignores the trace parent.
pub(crate) fn in_span<'a>(span: Span, _: Option<&'a str>, future: BoxFuture<'a, Outcome>) -> BoxFuture<'a, Outcome> {
    Box::pin(future.instrument(span))
}
