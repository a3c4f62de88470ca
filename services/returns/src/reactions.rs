//! What orders and fulfillment tell: what may come back.

use std::collections::BTreeMap;

use async_trait::async_trait;
use proto::{
    event::v1::Event,
    fulfillment::v1::{NodeChanged, ShipmentDelivered},
    order::v1::OrderSubmitted,
};
use store::{AnyCommand, Reactions};
use types::{Fault, Id};

use crate::copy::{CopyNode, CopyOrder, CountDelivery, Placed};

/// Follows orders.
pub(crate) struct OfOrder;

#[async_trait]
impl Reactions for OfOrder {
    fn name(&self) -> &'static str {
        "returns.order"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["order.submitted"]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let order = store::payload::<OrderSubmitted>(event).and_then(|fact| fact.order);
        let order = order.ok_or_else(|| Fault::internal("an event with an unexpected payload"))?;
        let placed = |line: proto::order::v1::OrderLine| Placed {
            line_number: line.line_number.into(),
            ordered: line.counters.map_or(0, |counters| counters.ordered),
            sku: line.sku,
            amount_minor: line.amount_minor,
        };
        Ok(vec![Box::new(CopyOrder {
            order_id: read(&order.order_id)?,
            account_id: read(&order.account_id)?,
            currency: order.currency.parse().map_err(|_| Fault::internal("an order in no currency"))?,
            lines: order.lines.into_iter().map(placed).collect(),
        })])
    }
}

/// Follows fulfillment.
pub(crate) struct OfFulfillment;

#[async_trait]
impl Reactions for OfFulfillment {
    fn name(&self) -> &'static str {
        "returns.fulfillment"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["shipment.partially_delivered", "shipment.delivered"]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let fact = store::payload::<ShipmentDelivered>(event);
        let fact = fact.ok_or_else(|| Fault::internal("an event with an unexpected payload"))?;
        let shipment = fact.shipment.ok_or_else(|| Fault::internal("a delivery of no shipment"))?;
        let mut lines: BTreeMap<i64, i64> = BTreeMap::new();
        for line in fact.lines {
            *lines.entry(line.line_number.into()).or_default() += line.quantity.max(0);
        }
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let (order_id, node_id) = (read(&shipment.order_id)?, read(&shipment.node_id)?);
        Ok(vec![Box::new(CountDelivery { order_id, node_id, lines })])
    }
}

/// Follows which nodes there are. Apart from deliveries, so that it begins with the log and misses no node.
pub(crate) struct OfNodes;

#[async_trait]
impl Reactions for OfNodes {
    fn name(&self) -> &'static str {
        "returns.nodes"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["node.created"]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let node = store::payload::<NodeChanged>(event).and_then(|fact| fact.node);
        let node = node.ok_or_else(|| Fault::internal("an event with an unexpected payload"))?;
        Ok(vec![Box::new(CopyNode { node_id: read(&node.node_id)? })])
    }
}

fn read<I: Id>(text: &str) -> Result<I, Fault> {
    text.parse().map_err(|error: types::IdError| Fault::internal(format!("an event with an unreadable id: {error}")))
}
