//! Releases: units that an order released for fulfillment, and where each of them is.
//!
//! A unit is in exactly one counter: unrouted, planned, assigned, returned to the order, or cancelled. The counters add up to
//! the released quantity at any time.

mod aggregate;
mod holds;

use proto::types::v1::{Address, LineQuantity};
use store::Proto;
use types::{AccountId, DecisionId, OrderId, Timestamp};

pub(crate) use aggregate::{ReleaseAggregate, Unassigned};
pub(crate) use holds::{OpenHold, OpenHolds};

use crate::{
    node::HandlingClass,
    routing::{Exclusions, RequestedLine},
    wire::count,
};

store::record! {
    /// Units that an order released under one number.
    pub(crate) struct Release in "releases" key (order_id: OrderId, release_number: i64) {
        /// The account.
        account_id: AccountId,
        /// The customer's purchase order number.
        customer_po: String,
        /// Where the goods go.
        ship_to: Proto<Address>,
        /// The ship-to group of the order; 0 when the order has one destination only.
        ship_to_group: i64,
        /// The change of the destination that `ship_to` comes from; 0 when it is that of the release.
        ship_to_change_number: i64,
        /// The first attempt that routes to the present country.
        ship_to_attempt: i64,
        /// When the customer wants it shipped.
        requested_ship_time: Option<Timestamp>,
        /// Whether its unrouted units are to be routed.
        routing_state: RoutingState,
        /// 1 for the first routing, one more for each rerouting.
        attempt: i64,
        /// Counts the plans of one attempt: inventory may allocate less than it reported as available.
        plan_number: i64,
        /// The plan that inventory has not answered yet.
        decision_id: Option<DecisionId>,
        /// Nodes that rejected it or could not find its units.
        exclusions: Exclusions,
        /// Holds of the order: what they block waits.
        holds: OpenHolds,
        /// Since when units have waited for a route.
        unrouted_time: Timestamp,
        /// Since when unrouted units need a person.
        unassigned_time: Option<Timestamp>,
        /// When the order's cancellation reached it.
        cancel_time: Option<Timestamp>,
        /// Why it was cancelled.
        cancel_reason: String,
        /// When it was created.
        create_time: Timestamp,
    }
}

store::record! {
    /// A line of a release.
    pub(crate) struct ReleaseLine in "release_lines" key (order_id: OrderId, release_number: i64, line_number: i64) {
        /// The item.
        sku: String,
        /// How it must be stored.
        handling_class: HandlingClass,
        /// Units released.
        quantity: i64,
        /// Units without a node.
        unrouted: i64,
        /// Units that a plan allots to nodes.
        planned: i64,
        /// Of the planned units, those that the order cancels when the plan is settled.
        to_cancel: i64,
        /// Units at nodes.
        assigned: i64,
        /// Units returned to the order, which waits for stock.
        returned_to_order: i64,
        /// Of these, those that are settled: the order knew of them when it made a request, or cancels them.
        returned_accounted: i64,
        /// Units that the order cancelled before they were at a node.
        cancelled: i64,
        /// The item, while some units are unrouted.
        unrouted_sku: Option<String>,
    }
}

store::text_enum! {
    /// Whether unrouted units of a release are to be routed.
    pub(crate) enum RoutingState {
        /// As soon as possible.
        Pending = "PENDING",
        /// When stock or nodes change: no node may take them now.
        Waiting = "WAITING",
        /// No unit is unrouted.
        Settled = "SETTLED",
    }
}

impl Release {
    /// Whether the release is to be planned now.
    pub(crate) fn awaits_plan(&self, lines: &[ReleaseLine]) -> bool {
        let pending = self.routing_state == RoutingState::Pending && self.decision_id.is_none();
        pending && lines.iter().any(|line| line.unrouted > 0 && !self.holds.block(line.line_number))
    }

    /// The unrouted units that no hold blocks, as routing is asked for them.
    pub(crate) fn requested_lines(&self, lines: &[ReleaseLine]) -> Vec<RequestedLine> {
        let unrouted = lines.iter().filter(|line| line.unrouted > 0 && !self.holds.block(line.line_number));
        let requested = unrouted.map(|line| RequestedLine {
            line_number: line.line_number,
            sku: line.sku.clone(),
            handling_class: line.handling_class,
            quantity: line.unrouted,
        });
        requested.collect()
    }
}

impl ReleaseLine {
    /// Reclaims deallocated units that left their node after all, and units beyond those that it had: from the units that no
    /// node was asked for yet, and the deallocated ones also from those that were cancelled since. Returns how many; the others
    /// are assigned to another node or returned to the order.
    pub(crate) fn reclaim(&mut self, deallocated: i64, beyond: i64) -> i64 {
        let unrouted = (deallocated + beyond).min(self.unrouted);
        let planned = (deallocated + beyond - unrouted).min(self.planned);
        let cancelled = (deallocated + beyond - unrouted - planned).min(deallocated).min(self.cancelled);
        self.unrouted -= unrouted;
        self.planned -= planned;
        self.to_cancel = self.to_cancel.min(self.planned);
        self.cancelled -= cancelled;
        self.assigned += unrouted + planned + cancelled;
        unrouted + planned + cancelled
    }

    /// Cancels unrouted units; returns how many.
    pub(crate) fn cancel_unrouted(&mut self, quantity: i64) -> i64 {
        let cancelled = quantity.min(self.unrouted);
        self.unrouted -= cancelled;
        self.cancelled += cancelled;
        cancelled
    }

    /// Cancels planned units when the plan is settled; returns how many.
    pub(crate) fn cancel_planned(&mut self, quantity: i64) -> i64 {
        let cancelled = quantity.min(self.planned - self.to_cancel);
        self.to_cancel += cancelled;
        cancelled
    }

    /// Gives deallocated units back to the node that they were at, if so many of them are unrouted. Returns whether they are.
    pub(crate) fn give_back(&mut self, quantity: i64) -> bool {
        let is_unrouted = quantity <= self.unrouted;
        if is_unrouted {
            self.unrouted -= quantity;
            self.assigned += quantity;
        }
        is_unrouted
    }

    /// Units of this line.
    pub(crate) fn units(&self, quantity: i64) -> LineQuantity {
        LineQuantity { line_number: count(self.line_number), sku: self.sku.clone(), quantity }
    }
}
