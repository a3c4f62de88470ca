//! Copies of orders: what may come back of them, and what it is worth.

use types::{AccountId, Currency, Fault, NodeId, OrderId, Reason};

use crate::credit::worth;

store::record! {
    /// An order.
    pub(crate) struct Order in "orders" key (order_id: OrderId) {
        /// Whose it is.
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
        /// Units ordered.
        ordered: i64,
        /// What they cost together, rounded once.
        amount_minor: i64,
        /// Units that were authorized to come back, or came without.
        claimed: i64,
        /// Units inspected that are worth money.
        creditable: i64,
        /// What was proposed to credit for them.
        credit_minor: i64,
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
    /// A node there is.
    pub(crate) struct Node in "nodes" key (node_id: NodeId) {}
}

impl OrderLine {
    /// Units that can still come back when so many were delivered.
    pub(crate) fn returnable(&self, delivered: i64) -> i64 {
        (delivered - self.claimed).max(0)
    }

    /// Claims units for a return.
    pub(crate) fn claim(&self, delivered: i64, wanted: i64) -> Result<Self, Fault> {
        let returnable = self.returnable(delivered);
        if wanted > returnable {
            let message = format!("only {returnable} units of line {} can still be returned", self.line_number);
            let fault = Fault::new(Reason::NoReturnableQuantity, message);
            return Err(fault.fact("line_number", self.line_number).fact("returnable", returnable));
        }
        Ok(Self { claimed: self.claimed + wanted, ..self.clone() })
    }

    /// Counts inspected units that are worth money; answers what is due for them beyond what was proposed before. Units
    /// that were never delivered or ordered are worth nothing.
    pub(crate) fn credit(&self, delivered: i64, units: i64) -> (Self, i64) {
        let creditable = self.creditable + units;
        let total = worth(self.amount_minor, self.ordered, creditable.min(delivered));
        let due = (total - self.credit_minor).max(0);
        (Self { creditable, credit_minor: self.credit_minor + due, ..self.clone() }, due)
    }
}
