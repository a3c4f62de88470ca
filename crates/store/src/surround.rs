//! What reactions and tasks run in: their span, and the trace they go on with.

use futures::future::BoxFuture;
use tracing::{Instrument as _, Span};
use types::Fault;

use crate::command::AnyCommand;

/// What a reaction or a task answers.
pub(crate) type Answer = Result<Vec<Box<dyn AnyCommand>>, Fault>;

/// Runs a reaction or a task in its span, as part of the trace that the trace parent names. How a trace is carried is
/// the program's business, which is why it gives this.
pub type Surround = for<'a> fn(Span, Option<&'a str>, BoxFuture<'a, Answer>) -> BoxFuture<'a, Answer>;

/// Keeps the span and leaves the trace alone.
pub(crate) fn in_span<'a>(span: Span, _: Option<&'a str>, work: BoxFuture<'a, Answer>) -> BoxFuture<'a, Answer> {
    Box::pin(work.instrument(span))
}
