//! Fulfillment's events: what nodes and carriers did with the units.

use async_trait::async_trait;
use proto::{
    event::v1::Event,
    fulfillment::v1::{
        FulfillmentCancelled, FulfillmentOrder, FulfillmentPicked, FulfillmentUnfulfillable, Shipment,
        ShipmentDelivered, ShipmentShipped,
    },
};
use store::Reactions;
use types::Fault;

use super::{Commands, id, images, payload, record, units};
use crate::fact::{Fact, Stop};

/// Follows fulfillment.
#[derive(Debug)]
pub struct Fulfillment;

#[async_trait]
impl Reactions for Fulfillment {
    fn name(&self) -> &'static str {
        "order.fulfillment"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "fulfillment.picked",
            "fulfillment.short_picked",
            "fulfillment.unfulfillable",
            "fulfillment.cancelled",
            "shipment.shipped",
            "shipment.partially_delivered",
            "shipment.delivered",
        ]
    }

    async fn react(&self, event: &Event) -> Result<Commands, Fault> {
        match event.r#type.as_str() {
            "fulfillment.picked" => {
                let picked: FulfillmentPicked = payload(event)?;
                record(&order_of(picked.fulfillment_order, event), Fact::Picked(units(&picked.lines)?))
            }
            "fulfillment.short_picked" => {
                let short: FulfillmentPicked = payload(event)?;
                record(&order_of(short.fulfillment_order, event), Fact::Short(units(&short.lines)?))
            }
            "fulfillment.unfulfillable" => {
                let FulfillmentUnfulfillable { order_id, lines, reservations } = payload(event)?;
                record(&order_id, Fact::Unfulfillable(units(&lines)?, images(&reservations)))
            }
            "fulfillment.cancelled" => {
                let cancelled: FulfillmentCancelled = payload(event)?;
                record(&order_of(cancelled.fulfillment_order, event), Fact::Cancelled(units(&cancelled.lines)?))
            }
            "shipment.shipped" => shipped(payload(event)?),
            _ => delivered(payload(event)?),
        }
    }
}

fn shipped(fact: ShipmentShipped) -> Result<Commands, Fault> {
    let shipment = of(fact.shipment)?;
    let stop = if fact.cancellation_lost { Stop::Ignored } else { Stop::NotAsked };
    let shipment_id = id("shipment_id", &shipment.shipment_id)?;
    record(&shipment.order_id, Fact::Shipped { shipment_id, units: units(&fact.lines)?, stop })
}

fn delivered(fact: ShipmentDelivered) -> Result<Commands, Fault> {
    let shipment = of(fact.shipment)?;
    let shipment_id = id("shipment_id", &shipment.shipment_id)?;
    record(&shipment.order_id, Fact::Delivered { shipment_id, units: units(&fact.lines)? })
}

/// The order of some work. Units that no node was found for are cancelled without there being any.
fn order_of(work: Option<FulfillmentOrder>, event: &Event) -> String {
    work.map(|work| work.order_id)
        .filter(|order_id| !order_id.is_empty())
        .unwrap_or_else(|| event.correlation_id.clone())
}

fn of(shipment: Option<Shipment>) -> Result<Shipment, Fault> {
    shipment.ok_or_else(|| Fault::internal("an event about a shipment without the shipment"))
}
