//! Work for one order at one node: two axes, execution and request, moved by facts that come in any order.
//!
//! Execution is a function of the line counters. The request axis is what the node said, or was taken to have said by
//! what it did. A fact is never refused because it contradicts: the transition says what the contradiction is.

mod line;
mod request;
#[cfg(test)]
mod tests;

use proto::types::v1::{Address, LineQuantity};
use store::Proto;
use types::{AccountId, DecisionId, FulfillmentOrderId, NodeId, OrderId, PartnerId, Timestamp};

pub use line::{Line, Reclaimed, number};
pub use request::{Acceptance, Answer, Cancellation, Rejection};

store::record! {
    /// Work for one order at one node.
    pub struct FulfillmentOrder in "fulfillment_orders" key (fulfillment_order_id: FulfillmentOrderId) {
        /// The order.
        order_id: OrderId,
        /// The account.
        account_id: AccountId,
        /// The customer's own number.
        customer_po: String,
        /// The node.
        node_id: NodeId,
        /// The partner that ran the node when the work was made.
        partner_id: PartnerId,
        /// The release of the order it serves.
        release_number: i64,
        /// The attempt of the routing it comes from.
        attempt: i64,
        /// How far the work is; derived from the lines.
        execution_state: Execution,
        /// What the node said.
        request_state: Request,
        /// Where the goods go.
        ship_to: Proto<Address>,
        /// When the customer wants it shipped.
        requested_ship_time: Option<Timestamp>,
        /// Why it was rejected or cancelled.
        reason: String,
        /// The routing decision it comes from.
        decision_id: DecisionId,
        /// When the node said that it will do it.
        accept_time: Option<Timestamp>,
        /// When the node said that it will not do it.
        reject_time: Option<Timestamp>,
        /// When the order's cancellation reached it.
        cancel_time: Option<Timestamp>,
        /// Whether the node took the work up after it was taken from it.
        late_acceptance: Late,
        /// When it was made.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::text_enum! {
    /// How far work is.
    pub enum Execution {
        /// Not begun.
        Open = "OPEN",
        /// Begun.
        InProgress = "IN_PROGRESS",
        /// All of it shipped.
        Completed = "COMPLETED",
        /// Ended with something short or cancelled, the rest shipped.
        Incomplete = "INCOMPLETE",
        /// Ended with nothing shipped.
        Cancelled = "CANCELLED",
    }
}

store::text_enum! {
    /// What the node said to work.
    pub enum Request {
        /// Nothing yet.
        Submitted = "SUBMITTED",
        /// It will do it.
        Accepted = "ACCEPTED",
        /// It will not do it.
        Rejected = "REJECTED",
        /// It did not answer in time.
        TimedOut = "TIMED_OUT",
        /// It was asked to stop.
        CancellationRequested = "CANCELLATION_REQUESTED",
        /// It stopped, or had not accepted yet.
        CancellationAccepted = "CANCELLATION_ACCEPTED",
        /// It could not stop.
        CancellationRejected = "CANCELLATION_REJECTED",
    }
}

store::text_enum! {
    /// Whether a node took work up after it was taken from it.
    pub enum Late {
        /// It did not.
        None = "NONE",
        /// It did, and has not stopped.
        Open = "OPEN",
        /// It did, and what came of it is known.
        Resolved = "RESOLVED",
    }
}

/// Work with its lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Fulfillment {
    /// The work.
    pub order: FulfillmentOrder,
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

impl Fulfillment {
    /// Units neither shipped nor given up.
    pub fn open(&self) -> Vec<LineQuantity> {
        self.lines.iter().filter(|line| line.open() > 0).map(|line| line.units(line.open())).collect()
    }

    /// The same units with the item of the line they name; `None` when the work has no such line.
    pub fn named(&self, unit: &LineQuantity) -> Option<LineQuantity> {
        let line = self.lines.iter().find(|line| line.line_number == i64::from(unit.line_number));
        line.map(|line| line.units(unit.quantity))
    }

    /// Whether nothing is left to do.
    pub fn ended(&self) -> bool {
        self.lines.iter().all(|line| line.open() == 0)
    }

    /// How far the work is, from the counters.
    pub fn execution(&self) -> Execution {
        let shipped = self.lines.iter().any(|line| line.shipped > 0);
        if !self.ended() {
            let begun = self.lines.iter().any(|line| line.picked + line.packed + line.shipped + line.short > 0);
            if begun { Execution::InProgress } else { Execution::Open }
        } else if self.lines.iter().all(|line| line.shipped >= line.quantity) {
            Execution::Completed
        } else if shipped {
            Execution::Incomplete
        } else {
            Execution::Cancelled
        }
    }

    /// Names of the methods that may be called for it now. Facts may always be reported.
    pub fn supported_actions(&self) -> Vec<&'static str> {
        let (open, request) = (!self.ended(), self.order.request_state);
        let asked = request == Request::CancellationRequested;
        let waits = request == Request::Submitted;
        let stoppable = matches!(request, Request::Submitted | Request::Accepted | Request::CancellationRejected);
        [
            ("AcceptFulfillmentOrder", waits),
            ("RejectFulfillmentOrder", open && (waits || asked || request == Request::Accepted)),
            ("RecordPick", open),
            ("RecordLabels", open),
            ("RecordShipment", true),
            ("RequestCancellation", open && stoppable),
            ("AnswerCancellation", asked),
        ]
        .into_iter()
        .filter_map(|(action, supported)| supported.then_some(action))
        .collect()
    }

    /// Units could not be found; answers those that were still open.
    pub fn short(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut short = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let missing = quantity.min(line.open());
            line.short += missing;
            line.in_return += missing;
            if missing > 0 {
                short.push(line.units(missing));
            }
        }
        short
    }

    /// Units were picked.
    pub fn pick(&mut self, units: &[LineQuantity]) {
        for (line, quantity) in line::matched(&mut self.lines, units) {
            line.picked = line.picked.saturating_add(quantity);
        }
    }

    /// Units were packed and labelled.
    pub fn pack(&mut self, units: &[LineQuantity]) {
        for (line, quantity) in line::matched(&mut self.lines, units) {
            line.packed = line.packed.saturating_add(quantity);
        }
    }

    /// Units left; answers what of them had been given up before, or was never asked for.
    pub fn ship(&mut self, units: &[LineQuantity]) -> Vec<Reclaimed> {
        self.order.request_state = match self.order.request_state {
            Request::Submitted | Request::Accepted | Request::Rejected | Request::TimedOut => Request::Accepted,
            Request::CancellationRequested | Request::CancellationAccepted | Request::CancellationRejected => {
                Request::CancellationRejected
            }
        };
        self.know_late_acceptance();
        line::matched(&mut self.lines, units).map(|(line, quantity)| line.ship(quantity)).collect()
    }

    /// Whether units that leave now leave against the order's wish.
    pub fn cancellation_is_lost(&self) -> bool {
        self.order.cancel_time.is_some()
    }

    /// Units inventory has back, of those taken from the node; answers how many were still on their way.
    pub fn returned(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut back = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let moved = quantity.min(line.in_return);
            line.in_return -= moved;
            if moved > 0 {
                back.push(line.units(moved));
            }
        }
        back
    }
}
