//! Keeping what other services told: orders as they were placed, what was delivered of them, and which nodes there are.

use std::collections::BTreeMap;

use store::{Command, Context, Needs, Rows};
use types::{AccountId, Currency, Fault, NodeId, OrderId};

use crate::order::{Delivery, Node, Order, OrderLine};

/// A line of an order as it was placed.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) line_number: i64,
    pub(crate) sku: String,
    pub(crate) ordered: i64,
    pub(crate) amount_minor: i64,
}

/// Keeps an order as it was placed.
pub(crate) struct CopyOrder {
    pub(crate) order_id: OrderId,
    pub(crate) account_id: AccountId,
    pub(crate) currency: Currency,
    pub(crate) lines: Vec<Placed>,
}

impl Command for CopyOrder {
    type Reply = ();
    const NAME: &'static str = "CopyOrder";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Order>(&self.order_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        if rows.get::<Order>(&self.order_id)?.is_some() {
            return Ok(());
        }
        rows.put(Order {
            order_id: self.order_id.clone(),
            account_id: self.account_id.clone(),
            currency: self.currency,
            version: 0,
        });
        for line in self.lines.iter().cloned() {
            let Placed { line_number, sku, ordered, amount_minor } = line;
            rows.put(OrderLine {
                order_id: self.order_id.clone(),
                line_number,
                sku,
                ordered,
                amount_minor,
                claimed: 0,
                creditable: 0,
                credit_minor: 0,
                version: 0,
            });
        }
        Ok(())
    }
}

/// Counts units that were delivered.
pub(crate) struct CountDelivery {
    pub(crate) order_id: OrderId,
    pub(crate) node_id: NodeId,
    /// Units by line.
    pub(crate) lines: BTreeMap<i64, i64>,
}

impl CountDelivery {
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
            let quantity = quantity.saturating_add(*units);
            rows.put(Delivery { order_id, line_number, node_id, quantity, version });
        }
        Ok(())
    }
}

/// Keeps that there is a node.
pub(crate) struct CopyNode {
    pub(crate) node_id: NodeId,
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
