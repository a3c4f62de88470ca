//! Reacts to some events: one after another within an order, concurrently across orders.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, StreamExt, stream};
use proto::event::v1::Event;
use tracing::Span;
use types::{Actor, Fault};

use super::Reactions;
use crate::{
    command::{AnyCommand, Call},
    db::Db,
    instrument::{Instrumentation, Outcome},
    park::ParkEvent,
    span::SPANS,
    write_request::Group,
};

/// How many orders' events are reacted to concurrently.
const CONCURRENCY: usize = 32;

/// Index of an event, the span of its reaction and the outcome.
type Reacted = (usize, Span, Outcome);

/// The groups of commands in position order, up to the first event whose reaction has to be retried; that event and its fault.
pub(super) async fn all(
    reactions: &dyn Reactions,
    instrumentation: Instrumentation,
    db: &Db,
    events: &[Arc<Event>],
) -> (Vec<Group>, Option<(usize, Fault)>) {
    let mut chains: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let chain = if event.correlation_id.is_empty() { &event.subject } else { &event.correlation_id };
        chains.entry(chain).or_default().push(index);
    }
    let done: Vec<Vec<Reacted>> = stream::iter(chains.into_values())
        .map(|indexes| in_turn(reactions, instrumentation, events, indexes))
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    let mut reacted: Vec<Reacted> = done.into_iter().flatten().collect();
    reacted.sort_by_key(|(index, ..)| *index);

    let mut groups = Vec::new();
    for (index, span, reacted) in reacted {
        let Some(event) = events.get(index) else { continue };
        match reacted {
            Ok(commands) if commands.is_empty() => {}
            Ok(commands) => groups.push(group(reactions, db, event, commands, span)),
            Err(fault) if fault.is_transient() => return (groups, Some((index, fault))),
            Err(fault) => {
                tracing::warn!(%fault, event_id = event.event_id, "a reaction was refused");
                let park: Box<dyn AnyCommand> = Box::new(ParkEvent::new(reactions.name(), event, &fault));
                groups.push(group(reactions, db, event, vec![park], span));
            }
        }
    }
    (groups, None)
}

/// Reacts to one order's events, up to the first whose reaction has to be retried.
async fn in_turn(
    reactions: &dyn Reactions,
    instrumentation: Instrumentation,
    events: &[Arc<Event>],
    indexes: Vec<usize>,
) -> Vec<Reacted> {
    let mut done = Vec::with_capacity(indexes.len());
    for index in indexes {
        let Some(event) = events.get(index) else { continue };
        let span = span(reactions.name(), event);
        let reacting =
            AssertUnwindSafe(instrumentation(span.clone(), trace_parent(event), reactions.react(event))).catch_unwind();
        let reacted = reacting.await.unwrap_or_else(|_| Err(Fault::internal("the reaction panicked")));
        let again = reacted.as_ref().is_err_and(Fault::is_transient);
        done.push((index, span, reacted));
        if again {
            break;
        }
    }
    done
}

fn trace_parent(event: &Event) -> Option<&str> {
    Some(event.trace_parent.as_str()).filter(|trace| !trace.is_empty())
}

/// The span of a reaction, by OpenTelemetry's conventions for consumers of messages.
fn span(subscription: &str, event: &Event) -> Span {
    let order = Some(event.correlation_id.as_str()).filter(|id| id.starts_with("ord_"));
    tracing::info_span!(
        target: SPANS,
        "react",
        otel.name = format!("process {}", event.r#type),
        otel.kind = "consumer",
        messaging.system = "waybill",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.destination.name = event.source,
        messaging.destination.subscription.name = subscription,
        messaging.message.id = event.event_id,
        waybill.order_id = order,
    )
}

fn group(
    reactions: &dyn Reactions,
    db: &Db,
    event: &Arc<Event>,
    commands: Vec<Box<dyn AnyCommand>>,
    span: Span,
) -> Group {
    let trace = trace_parent(event).map(str::to_owned);
    let call = Call::new(Actor::service(db.source())).trace(trace).caused_by(&event.event_id);
    let name = reactions.name();
    let before = event.position - 1;
    let event = event.clone();
    let refused = move |fault: &Fault| Box::new(ParkEvent::new(name, &event, fault)) as Box<dyn AnyCommand>;
    let operation = db.span(&span, commands.first().map_or("", |command| command.name()));
    Group { refused: Some(Box::new(refused)), before, ..Group::new(call, commands, (span, operation)) }
}
