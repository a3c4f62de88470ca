//! What becomes of the events of a log: entries of timelines, and cases.

use proto::{
    event::v1::{Event, ExceptionOpened, ExceptionResolved},
    order::v1::OrderSubmitted,
};
use store::{AnyCommand, Reactions, payload};
use types::{Fault, OrderId};

use crate::{
    NAME,
    case::{AutoResolve, OpenCase},
    logs::subscription,
    timeline::{AddEntry, LearnOwner},
};

/// Follows the log of one service.
pub(crate) struct Observe {
    source: &'static str,
}

impl Observe {
    pub(crate) fn new(source: &'static str) -> Self {
        Self { source }
    }

    /// Only what the order service itself says of an order decides who may see it.
    fn owner(&self, event: &Event, order_id: &OrderId) -> Option<LearnOwner> {
        let submitted: OrderSubmitted = (self.source == "order").then(|| payload(event)).flatten()?;
        let account_id = submitted.order?.account_id.parse().ok()?;
        Some(LearnOwner { order_id: order_id.clone(), account_id })
    }

    fn case(&self, event: &Event) -> Result<Option<Box<dyn AnyCommand>>, Fault> {
        let unreadable = || Fault::internal(format!("the payload of {} can not be read", event.r#type));
        Ok(match event.r#type.as_str() {
            "exception.opened" => {
                let report: ExceptionOpened = payload(event).ok_or_else(unreadable)?;
                // A case of its own log that can not be made would only make the next one.
                if self.source == NAME && report.facts.get("source").is_some_and(|source| source == NAME) {
                    tracing::error!(subject = report.subject, summary = report.summary, "a case could not be made");
                    return Ok(None);
                }
                Some(Box::new(OpenCase::new(self.source, report, event)))
            }
            "exception.resolved" => {
                let report: ExceptionResolved = payload(event).ok_or_else(unreadable)?;
                Some(Box::new(AutoResolve { report }))
            }
            _ => None,
        })
    }
}

#[async_trait::async_trait]
impl Reactions for Observe {
    fn name(&self) -> &'static str {
        subscription(self.source)
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let mut commands: Vec<Box<dyn AnyCommand>> = Vec::new();
        // An event of no order, or of something that is not one of ours, has no timeline.
        if let Ok(order_id) = event.correlation_id.parse::<OrderId>() {
            if let Some(owner) = self.owner(event, &order_id) {
                commands.push(Box::new(owner));
            }
            commands.push(Box::new(AddEntry::new(self.source, order_id, event)));
        }
        commands.extend(self.case(event)?);
        Ok(commands)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures::FutureExt;
    use prost::{Message, Name};

    use super::*;

    fn commands(source: &'static str, about: &str) -> usize {
        let report = ExceptionOpened {
            facts: HashMap::from([("source".to_owned(), about.to_owned())]),
            ..ExceptionOpened::default()
        };
        let payload = prost_types::Any {
            type_url: format!("type.googleapis.com/{}", ExceptionOpened::full_name()),
            value: report.encode_to_vec(),
        };
        let event = Event { r#type: "exception.opened".to_owned(), payload: Some(payload), ..Event::default() };
        let reacted = Observe::new(source).react(&event).now_or_never();
        reacted.expect("it waits for nothing").expect("it is readable").len()
    }

    #[test]
    fn a_case_that_could_not_be_made_does_not_make_the_next_one() {
        assert_eq!(commands("operations", "operations"), 0);
        assert_eq!(commands("operations", "order"), 1);
        assert_eq!(commands("order", "operations"), 1);
    }
}
