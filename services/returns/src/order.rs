//! Copies of orders: which units may come back.

use std::collections::BTreeMap;

use store::{Needs, Rows};
use types::{AccountId, Currency, Fault, NodeId, OrderId, Reason};

store::record! {
    /// An order.
    pub(crate) struct Order in "orders" key (order_id: OrderId) {
        /// The account that ordered.
        account_id: AccountId,
        /// Of its prices.
        currency: Currency,
    }
}

store::record! {
    /// A line of an order.
    pub(crate) struct OrderLine in "order_lines" key (order_id: OrderId, line_number: i64) {
        /// The item.
        sku: String,
        /// Units that are authorized to come back, or came back.
        claimed: i64,
    }
}

store::record! {
    /// Units of an order line delivered from a node.
    pub(crate) struct Delivery in "deliveries" key (order_id: OrderId, line_number: i64, node_id: NodeId) {
        /// Base units.
        quantity: i64,
    }
}

store::record! {
    /// A known node.
    pub(crate) struct Node in "nodes" key (node_id: NodeId) {}
}

impl OrderLine {
    /// Units that can still come back when `delivered` units were delivered.
    pub(crate) fn returnable(&self, delivered: i64) -> i64 {
        (delivered - self.claimed).max(0)
    }

    /// Refuses a return of more units than can still come back.
    pub(crate) fn check_returnable(&self, delivered: i64, units: i64) -> Result<(), Fault> {
        let returnable = self.returnable(delivered);
        if units <= returnable {
            return Ok(());
        }
        let message = format!("only {returnable} units of line {} can still be returned", self.line_number);
        let fault = Fault::new(Reason::NoReturnableQuantity, message);
        Err(fault.fact("line_number", self.line_number).fact("returnable", returnable))
    }
}

/// A line of an order with the number of its delivered units.
pub(crate) struct DeliveredLine {
    /// The line.
    pub(crate) line: OrderLine,
    /// Base units delivered.
    pub(crate) delivered: i64,
}

impl DeliveredLine {
    /// Asks for a line of an order.
    pub(crate) fn needs(order_id: &OrderId, line_number: i64, needs: &mut Needs) {
        needs.row::<OrderLine>(&(order_id.clone(), line_number));
        needs.under::<Delivery>(&(order_id.clone(), line_number));
    }

    /// Lines of an order by number; those that the order does not have are left out.
    pub(crate) fn load(
        order_id: &OrderId,
        line_numbers: impl IntoIterator<Item = i64>,
        rows: &Rows,
    ) -> Result<BTreeMap<i64, Self>, Fault> {
        let mut lines = BTreeMap::new();
        for line_number in line_numbers {
            let key = (order_id.clone(), line_number);
            let delivered = rows.under::<Delivery>(&key)?.into_iter().map(|delivery| delivery.quantity).sum();
            lines.extend(rows.get::<OrderLine>(&key)?.cloned().map(|line| (line_number, Self { line, delivered })));
        }
        Ok(lines)
    }
}
