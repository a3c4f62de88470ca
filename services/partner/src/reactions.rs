//! What fulfillment tells and partners have to hear.

use async_trait::async_trait;
use proto::{
    event::v1::Event,
    fulfillment::v1::{FulfillmentCancelled, FulfillmentOrderChanged, NodeChanged},
};
use store::{AnyCommand, Reactions};
use types::Fault;

use crate::{
    request::{Acknowledge, CANCELLATION_REQUESTED, CallOff, REQUESTED, RequestCancellation, RequestWork, Told},
    work::CopyNode,
};

/// Reacts to fulfillment's events.
pub(crate) struct OfFulfillment;

#[async_trait]
impl Reactions for OfFulfillment {
    fn name(&self) -> &'static str {
        "partner.fulfillment"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "node.created",
            "node.updated",
            "fulfillment.requested",
            "fulfillment.accepted",
            "fulfillment.rejected",
            "fulfillment.timed_out",
            "fulfillment.cancellation_requested",
            "fulfillment.cancellation_rejected",
            "fulfillment.cancelled",
        ]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let command: Box<dyn AnyCommand> = match event.r#type.as_str() {
            "node.created" | "node.updated" => Box::new(node(event)?),
            "fulfillment.requested" => Box::new(RequestWork(work(event)?)),
            "fulfillment.cancellation_requested" => Box::new(RequestCancellation(work(event)?)),
            "fulfillment.timed_out" => Box::new(CallOff(work(event)?)),
            "fulfillment.cancelled" => {
                let fact = store::payload::<FulfillmentCancelled>(event).ok_or_else(unexpected)?;
                if fact.fulfillment_order.as_ref().is_some_and(|work| work.partner_id.is_empty()) {
                    // Units that no node ever had: there is nobody to tell.
                    return Ok(Vec::new());
                }
                Box::new(CallOff(Told::read(fact.fulfillment_order)?))
            }
            "fulfillment.accepted" => acknowledged(event, REQUESTED, "the partner accepted it")?,
            "fulfillment.rejected" => acknowledged(event, REQUESTED, "the partner rejected it")?,
            "fulfillment.cancellation_rejected" => {
                acknowledged(event, CANCELLATION_REQUESTED, "the partner could not stop it")?
            }
            _ => return Ok(Vec::new()),
        };
        Ok(vec![command])
    }
}

fn node(event: &Event) -> Result<CopyNode, Fault> {
    let node = store::payload::<NodeChanged>(event).and_then(|fact| fact.node).ok_or_else(unexpected)?;
    let unreadable = |error: types::IdError| Fault::internal(format!("an event about an unreadable node: {error}"));
    Ok(CopyNode {
        node_id: node.node_id.parse().map_err(unreadable)?,
        partner_id: node.partner_id.parse().map_err(unreadable)?,
    })
}

fn work(event: &Event) -> Result<Told, Fault> {
    Told::read(store::payload::<FulfillmentOrderChanged>(event).ok_or_else(unexpected)?.fulfillment_order)
}

fn acknowledged(event: &Event, kind: &'static str, answer: &'static str) -> Result<Box<dyn AnyCommand>, Fault> {
    Ok(Box::new(Acknowledge { told: work(event)?, kind, answer }))
}

fn unexpected() -> Fault {
    Fault::internal("an event with an unexpected payload")
}
