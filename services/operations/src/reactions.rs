//! Follower of every log: it adds entries to timelines, and opens and closes exceptions.
//!
//! It follows every event, so that one of a newer version, whose type is unknown here, is in its timeline too.

use proto::{
    event::v1::Event,
    events::{EventSource, EventType, LogEvent, OrderEvent, SharedEvent},
};
use store::{AnyCommand, Reactions};
use types::{Fault, OrderId};

use crate::{
    NAME,
    exception::{AutoResolveException, ReportException},
    logs::subscription,
    timeline::{AddEntry, RecordOwner},
};

/// Follows the log of one service.
pub(crate) struct LogFollower {
    source: EventSource,
}

impl LogFollower {
    pub(crate) fn new(source: EventSource) -> Self {
        Self { source }
    }

    /// The account of a new order. Only the order service's own events decide who sees an order.
    fn owner(&self, event: &Event, order_id: &OrderId) -> Option<RecordOwner> {
        if self.source != EventSource::Order || event.r#type != EventType::OrderSubmitted.as_str() {
            return None;
        }
        let Ok(OrderEvent::OrderSubmitted(submitted)) = OrderEvent::decode(event) else { return None };
        let account_id = submitted.order?.account_id.parse().ok()?;
        Some(RecordOwner { order_id: order_id.clone(), account_id })
    }

    fn exception(&self, event: &Event) -> Result<Option<Box<dyn AnyCommand>>, Fault> {
        let unreadable = |error| Fault::internal(format!("event {}: {error}", event.event_id));
        Ok(match SharedEvent::decode(event).map_err(unreadable)? {
            Some(SharedEvent::ExceptionOpened(report)) => {
                // An event of its own log that cannot be applied would only open the next exception.
                let own = self.source == EventSource::Operations;
                if own && report.facts.get("source").is_some_and(|source| source == NAME) {
                    tracing::error!(
                        subject = report.subject,
                        summary = report.summary,
                        "an exception cannot be opened"
                    );
                    return Ok(None);
                }
                Some(Box::new(ReportException::new(self.source.as_str(), report, event)))
            }
            Some(SharedEvent::ExceptionResolved(report)) => Some(Box::new(AutoResolveException { report })),
            None => None,
        })
    }
}

#[async_trait::async_trait]
impl Reactions for LogFollower {
    fn name(&self) -> &'static str {
        subscription(self.source)
    }

    fn source(&self) -> &'static str {
        self.source.as_str()
    }

    fn event_types(&self) -> &'static [EventType] {
        &[]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let mut commands: Vec<Box<dyn AnyCommand>> = Vec::new();
        // An event without an order, or with a correlation id that is not an order id, has no timeline.
        if let Ok(order_id) = event.correlation_id.parse::<OrderId>() {
            if let Some(owner) = self.owner(event, &order_id) {
                commands.push(Box::new(owner));
            }
            commands.push(Box::new(AddEntry::new(self.source.as_str(), order_id, event)));
        }
        commands.extend(self.exception(event)?);
        Ok(commands)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures::FutureExt;
    use proto::{event::v1::ExceptionOpened, events::EventPayload};

    use super::*;

    fn commands(source: EventSource, about: &str) -> usize {
        let facts = HashMap::from([("source".to_owned(), about.to_owned())]);
        let opened = SharedEvent::ExceptionOpened(ExceptionOpened { facts, ..ExceptionOpened::default() });
        let event =
            Event { r#type: opened.event_type().to_string(), payload: Some(opened.to_any()), ..Event::default() };
        let reacted = LogFollower::new(source).react(&event).now_or_never();
        reacted.expect("it waits for nothing").expect("it is readable").len()
    }

    #[test]
    fn an_exception_that_could_not_be_opened_does_not_open_the_next_one() {
        assert_eq!(commands(EventSource::Operations, "operations"), 0);
        assert_eq!(commands(EventSource::Operations, "order"), 1);
        assert_eq!(commands(EventSource::Order, "operations"), 1);
    }
}
