//! Releases: what the order gave out, and where each unit of it is.
//!
//! A unit is in exactly one bucket: without a node, planned for one, assigned to one, given back to the order, or
//! cancelled. They add up to what was released at any time.

mod book;

use std::collections::BTreeSet;

use proto::types::v1::{Address, LineQuantity};
use store::{Column, Kind, Proto, Value};
use types::{AccountId, DecisionId, OrderId, Timestamp};

pub use book::Book;

use crate::{
    fulfillment_order::number,
    node::HandlingClass,
    routing::{Exclusions, Wanted},
};

store::record! {
    /// Units an order gave out under one number.
    pub struct Release in "releases" key (order_id: OrderId, release_number: i64) {
        /// The account.
        account_id: AccountId,
        /// The customer's own number.
        customer_po: String,
        /// Where the goods go.
        ship_to: Proto<Address>,
        /// When the customer wants it shipped.
        requested_ship_time: Option<Timestamp>,
        /// Whether units without a node are to be routed.
        routing: Routing,
        /// 1 for the first routing, one more for each re-routing.
        attempt: i64,
        /// Counts plans of one attempt: inventory may have less at the nodes than it said.
        try_number: i64,
        /// The plan that inventory was not asked for yet.
        decision_id: Option<DecisionId>,
        /// Nodes that rejected or shorted it.
        exclusions: Exclusions,
        /// Since when a person has to help, while units have no node.
        unassigned_time: Option<Timestamp>,
        /// When the order's cancellation reached it.
        cancel_time: Option<Timestamp>,
        /// Why it was cancelled.
        cancel_reason: String,
        /// When it was made.
        create_time: Timestamp,
    }
}

store::record! {
    /// A line of a release.
    pub struct ReleaseLine in "release_lines" key (order_id: OrderId, release_number: i64, line_number: i64) {
        /// The item.
        sku: String,
        /// How it must be kept.
        handling_class: HandlingClass,
        /// Units released.
        quantity: i64,
        /// Units without a node.
        unrouted: i64,
        /// Units a plan wants to give to nodes.
        planned: i64,
        /// Units at nodes.
        assigned: i64,
        /// Units the order has back.
        given_back: i64,
        /// Units the order did not want any more before they were at a node.
        cancelled: i64,
        /// The item, while units of it have no node.
        waiting_sku: Option<String>,
    }
}

store::text_enum! {
    /// Whether units of a release without a node are to be routed.
    pub enum Routing {
        /// They are, as soon as possible.
        Wanted = "WANTED",
        /// No node may take them: they wait until something changes.
        Parked = "PARKED",
        /// There are none.
        Settled = "SETTLED",
    }
}

impl ReleaseLine {
    /// Units that were taken from a node have left it after all: those that wait for another one, or were cancelled
    /// since, are at a node again. Answers how many; the others have been given elsewhere.
    pub fn reclaim(&mut self, quantity: i64) -> i64 {
        let waiting = quantity.min(self.unrouted);
        let cancelled = (quantity - waiting).min(self.cancelled);
        self.unrouted -= waiting;
        self.cancelled -= cancelled;
        self.assigned += waiting + cancelled;
        waiting + cancelled
    }

    /// Units of this line.
    pub fn units(&self, quantity: i64) -> LineQuantity {
        LineQuantity { line_number: number(self.line_number), sku: self.sku.clone(), quantity }
    }
}

/// What of a release has no node.
pub fn unrouted<'a>(lines: impl IntoIterator<Item = &'a ReleaseLine>) -> Vec<LineQuantity> {
    lines.into_iter().filter(|line| line.unrouted > 0).map(|line| line.units(line.unrouted)).collect()
}

/// What of a release is to be routed.
pub fn wanted<'a>(lines: impl IntoIterator<Item = &'a ReleaseLine>) -> Vec<Wanted> {
    let without_node = lines.into_iter().filter(|line| line.unrouted > 0);
    without_node
        .map(|line| Wanted {
            line_number: line.line_number,
            sku: line.sku.clone(),
            handling_class: line.handling_class,
            quantity: line.unrouted,
        })
        .collect()
}

/// Kept as `nod_a;nod_b:SKU`.
impl Column for Exclusions {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let one = |(node_id, sku): &(types::NodeId, Option<String>)| match sku {
            Some(sku) => format!("{node_id}:{sku}"),
            None => node_id.to_string(),
        };
        Value::Text(self.0.iter().map(one).collect::<Vec<_>>().join(";"))
    }

    fn from_value(value: Value) -> Option<Self> {
        let text = String::from_value(value)?;
        let one = |part: &str| match part.split_once(':') {
            Some((node_id, sku)) => Some((node_id.parse().ok()?, Some(sku.to_owned()))),
            None => Some((part.parse().ok()?, None)),
        };
        let parts = text.split(';').filter(|part| !part.is_empty());
        parts.map(one).collect::<Option<BTreeSet<_>>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_are_read_back_as_they_were_written() {
        let node = |name: &str| name.parse::<types::NodeId>().unwrap();
        let exclusions = Exclusions([(node("nod_a"), None), (node("nod_b"), Some("X-1.5".to_owned()))].into());
        assert_eq!(exclusions.to_value(), Value::Text("nod_a;nod_b:X-1.5".to_owned()));
        assert_eq!(Exclusions::from_value(exclusions.to_value()), Some(exclusions));
        assert_eq!(Exclusions::from_value(Value::Text(String::new())), Some(Exclusions::default()));
    }
}
