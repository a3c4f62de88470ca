//! What inventory does about the facts of others: shipments take units away, holds keep reservations, returns bring
//! units back.

use std::collections::BTreeMap;

use mesh::wire::from_timestamp;
use proto::{
    event::v1::Event,
    fulfillment::v1::ShipmentShipped,
    order::v1::OrderHoldChanged,
    returns::v1::{DispositionKind, ReturnDisposed},
};
use store::{AnyCommand, Reactions, payload};
use types::{Fault, Timestamp};

use crate::{
    consume::{Consume, Told},
    hold::NoteHolds,
    ledger::{Supply, Wanted},
    restock::Restock,
};

type Commands = Result<Vec<Box<dyn AnyCommand>>, Fault>;

/// Holds of orders.
#[derive(Debug)]
pub(crate) struct Orders;

#[async_trait::async_trait]
impl Reactions for Orders {
    fn name(&self) -> &'static str {
        "inventory.order"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["order.hold_placed", "order.hold_released"]
    }

    async fn react(&self, event: &Event) -> Commands {
        let fact: OrderHoldChanged = payload(event).ok_or_else(|| unexpected(event))?;
        let order_id = id(&fact.order_id, event)?;
        Ok(vec![Box::new(NoteHolds { order_id, open_holds: i64::from(fact.open_holds) })])
    }
}

/// Shipments.
#[derive(Debug)]
pub(crate) struct Shipments;

#[async_trait::async_trait]
impl Reactions for Shipments {
    fn name(&self) -> &'static str {
        "inventory.fulfillment"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["shipment.shipped"]
    }

    async fn react(&self, event: &Event) -> Commands {
        let fact: ShipmentShipped = payload(event).ok_or_else(|| unexpected(event))?;
        let shipment = fact.shipment.ok_or_else(|| unexpected(event))?;
        let mut lines: BTreeMap<(i64, String), i64> = BTreeMap::new();
        for line in fact.lines.into_iter().filter(|line| line.quantity > 0) {
            *lines.entry((i64::from(line.line_number), line.sku)).or_default() += line.quantity;
        }
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let lines =
            lines.into_iter().map(|((line_number, sku), quantity)| Wanted { line_number, sku, quantity }).collect();
        Ok(vec![Box::new(Consume {
            shipment_id: id(&shipment.shipment_id, event)?,
            order_id: id(&shipment.order_id, event)?,
            location_id: id(&shipment.node_id, event)?,
            lines,
            told: Told::Event,
            occur_time: occurred(event),
        })])
    }
}

/// Returns that were inspected.
#[derive(Debug)]
pub(crate) struct Returns;

#[async_trait::async_trait]
impl Reactions for Returns {
    fn name(&self) -> &'static str {
        "inventory.returns"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["return.disposed"]
    }

    async fn react(&self, event: &Event) -> Commands {
        let fact: ReturnDisposed = payload(event).ok_or_else(|| unexpected(event))?;
        let from = fact.r#return.ok_or_else(|| unexpected(event))?;
        let sellable = |kind: i32| kind == i32::from(DispositionKind::Restock);
        let mut items: BTreeMap<String, i64> = BTreeMap::new();
        for line in fact.lines.into_iter().filter(|line| sellable(line.kind) && line.quantity > 0) {
            *items.entry(line.sku).or_default() += line.quantity;
        }
        if items.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Box::new(Restock {
            return_id: from.return_id,
            order_id: id(&from.order_id, event)?,
            location_id: id(&from.node_id, event)?,
            items: items.into_iter().map(|(sku, quantity)| Supply { sku, quantity }).collect(),
            occur_time: occurred(event),
        })])
    }
}

fn id<I: types::Id>(text: &str, event: &Event) -> Result<I, Fault> {
    text.parse().map_err(|error| Fault::internal(format!("{} {}: {error}", event.r#type, event.event_id)))
}

fn occurred(event: &Event) -> Option<Timestamp> {
    event.occur_time.as_ref().and_then(from_timestamp)
}

fn unexpected(event: &Event) -> Fault {
    Fault::internal(format!("{} {} has another payload", event.r#type, event.event_id))
}
