//! Copies of other services' data, made from their events: orders as submitted, delivered units, and nodes.

use std::collections::BTreeMap;

use proto::{
    fulfillment::v1::{NodeChanged, ShipmentDelivered},
    order::v1::{self as order_contract, OrderChangeConfirmed, OrderSubmitted},
};
use store::{Command, Context, Needs, Rows};
use types::{Fault, Id, NodeId, OrderId};

use crate::order::{Delivery, Node, Order, OrderLine};

/// Copies an order as it was submitted.
pub(crate) struct CopyOrder {
    order: Order,
    lines: Vec<OrderLine>,
}

impl CopyOrder {
    /// Reads the event.
    pub(crate) fn read(event: OrderSubmitted) -> Result<Self, Fault> {
        let placed = event.order.ok_or_else(|| Fault::internal("an event without its order"))?;
        let order = Order {
            order_id: read_id(&placed.order_id)?,
            account_id: read_id(&placed.account_id)?,
            currency: placed.currency.parse().map_err(|_| Fault::internal("an order with an unknown currency"))?,
            version: 0,
        };
        let line = |line: order_contract::OrderLine| OrderLine {
            order_id: order.order_id.clone(),
            line_number: line.line_number.into(),
            sku: line.sku,
            claimed: 0,
            version: 0,
        };
        let lines = placed.lines.into_iter().map(line).collect();
        Ok(Self { order, lines })
    }
}

impl Command for CopyOrder {
    type Reply = ();
    const NAME: &'static str = "CopyOrder";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Order>(&self.order.order_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        if rows.get::<Order>(&self.order.order_id)?.is_none() {
            rows.put(self.order.clone());
            for line in &self.lines {
                rows.put(line.clone());
            }
        }
        Ok(())
    }
}

/// Copies the lines that a change has added to an order.
pub(crate) struct CopyAddedLines(Vec<OrderLine>);

impl CopyAddedLines {
    /// Reads the event.
    pub(crate) fn read(event: OrderChangeConfirmed) -> Result<Self, Fault> {
        let change = event.change.ok_or_else(|| Fault::internal("an event without its change"))?;
        let order_id: OrderId = read_id(&change.order_id)?;
        let line = |line: order_contract::OrderLine| OrderLine {
            order_id: order_id.clone(),
            line_number: line.line_number.into(),
            sku: line.sku,
            claimed: 0,
            version: 0,
        };
        Ok(Self(change.added_lines.into_iter().map(line).collect()))
    }
}

impl Command for CopyAddedLines {
    type Reply = ();
    const NAME: &'static str = "CopyAddedLines";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        for line in &self.0 {
            needs.row::<OrderLine>(&(line.order_id.clone(), line.line_number));
        }
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        for line in &self.0 {
            if rows.get::<OrderLine>(&(line.order_id.clone(), line.line_number))?.is_none() {
                rows.put(line.clone());
            }
        }
        Ok(())
    }
}

/// Counts delivered units, and takes back those that were not delivered after all.
pub(crate) struct CountDelivery {
    order_id: OrderId,
    node_id: NodeId,
    /// Base units by line; negative when they are taken back.
    lines: BTreeMap<i64, i64>,
}

impl CountDelivery {
    /// Reads the event. `sign` is 1 for delivered units, -1 for those that are taken back.
    pub(crate) fn read(event: ShipmentDelivered, sign: i64) -> Result<Self, Fault> {
        let shipment = event.shipment.ok_or_else(|| Fault::internal("a delivery without its shipment"))?;
        let mut lines: BTreeMap<i64, i64> = BTreeMap::new();
        for line in event.lines {
            *lines.entry(line.line_number.into()).or_default() += sign * line.quantity.max(0);
        }
        Ok(Self { order_id: read_id(&shipment.order_id)?, node_id: read_id(&shipment.node_id)?, lines })
    }

    fn key(&self, line_number: i64) -> (OrderId, i64, NodeId) {
        (self.order_id.clone(), line_number, self.node_id.clone())
    }
}

impl Command for CountDelivery {
    type Reply = ();
    const NAME: &'static str = "CountDelivery";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        for line_number in self.lines.keys() {
            needs.row::<Delivery>(&self.key(*line_number));
        }
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        for (line_number, units) in &self.lines {
            let (order_id, line_number, node_id) = self.key(*line_number);
            let known = rows.get::<Delivery>(&(order_id.clone(), line_number, node_id.clone()))?;
            let (quantity, version) = known.map_or((0, 0), |known| (known.quantity, known.version));
            let quantity = quantity.saturating_add(*units).max(0);
            rows.put(Delivery { order_id, line_number, node_id, quantity, version });
        }
        Ok(())
    }
}

/// Copies that a node exists.
pub(crate) struct CopyNode {
    node_id: NodeId,
}

impl CopyNode {
    /// Reads the event.
    pub(crate) fn read(event: NodeChanged) -> Result<Self, Fault> {
        let node = event.node.ok_or_else(|| Fault::internal("an event without its node"))?;
        Ok(Self { node_id: read_id(&node.node_id)? })
    }
}

impl Command for CopyNode {
    type Reply = ();
    const NAME: &'static str = "CopyNode";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Node>(&self.node_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        if rows.get::<Node>(&self.node_id)?.is_none() {
            rows.put(Node { node_id: self.node_id.clone(), version: 0 });
        }
        Ok(())
    }
}

/// Reads an id of an event.
pub(crate) fn read_id<I: Id>(text: &str) -> Result<I, Fault> {
    text.parse().map_err(|error: types::IdError| Fault::internal(format!("an event with an unreadable id: {error}")))
}
