//! A fulfillment order: what one node has to ship for one order.
//!
//! It has two independent states. The execution state is a function of the line counters. The request state is what the
//! node answered, or implied by what it did. A reported fact is never refused because it contradicts what is recorded.

mod answers;
mod destination;
mod line;
mod stopping;
#[cfg(test)]
pub(crate) mod tests;

use prost::Message as _;
use proto::{
    fulfillment::v1 as contract,
    types::v1::{Address, LineQuantity},
};
use store::Proto;
use types::{AccountId, DecisionId, Fault, FulfillmentOrderId, NodeId, OrderId, PartnerId, Timestamp};

pub(crate) use answers::{Acceptance, Rejection};
pub(crate) use line::{FulfillmentLine, Reclaimed};
pub(crate) use stopping::{Cancellation, CancellationOutcome, Restored, Stopped};

use crate::release::{OpenHold, OpenHolds};

store::record! {
    /// A fulfillment order without its lines.
    pub(crate) struct FulfillmentOrderHeader in "fulfillment_orders" key (fulfillment_order_id: FulfillmentOrderId) {
        /// The order.
        order_id: OrderId,
        /// The order's account.
        account_id: AccountId,
        /// The customer's purchase order number.
        customer_po: String,
        /// The node.
        node_id: NodeId,
        /// The partner that ran the node when the fulfillment order was created.
        partner_id: PartnerId,
        /// The release of the order that it fulfills.
        release_number: i64,
        /// The routing attempt that it comes from.
        attempt: i64,
        /// Progress, derived from the lines.
        execution_state: ExecutionState,
        /// The node's answer.
        request_state: RequestState,
        /// Where the goods go.
        ship_to: Proto<Address>,
        /// The ship-to group of the order; 0 when the order has one destination only.
        ship_to_group: i64,
        /// The change of the destination that `ship_to` comes from; 0 when there was none.
        ship_to_change_number: i64,
        /// The change of the destination that the node is asked for and has not answered.
        ship_to_change: Option<Proto<contract::ShipToChange>>,
        /// When the customer wants it shipped.
        requested_ship_time: Option<Timestamp>,
        /// Why it was rejected or cancelled.
        reason: String,
        /// The routing decision that it comes from.
        decision_id: DecisionId,
        /// When the node accepted it.
        accept_time: Option<Timestamp>,
        /// When the node rejected it.
        reject_time: Option<Timestamp>,
        /// When the order's cancellation reached it.
        cancel_time: Option<Timestamp>,
        /// Whether the node accepted it after it was withdrawn.
        late_acceptance: LateAcceptance,
        /// Open holds of the order that block lines of it.
        holds: OpenHolds,
        /// About how long its lines are when they are encoded, so that a page ends by bytes before they are read.
        size_bytes: i64,
        /// When it was created.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::text_enum! {
    /// Progress of a fulfillment order.
    pub(crate) enum ExecutionState = contract::ExecutionState {
        /// Not started.
        Open = "OPEN",
        /// Started.
        InProgress = "IN_PROGRESS",
        /// All units shipped.
        Completed = "COMPLETED",
        /// Ended with some units shipped and others short or cancelled.
        Incomplete = "INCOMPLETE",
        /// Ended without a shipped unit.
        Cancelled = "CANCELLED",
    }
}

impl ExecutionState {
    /// Whether units are still to be shipped.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::InProgress)
    }
}

store::text_enum! {
    /// A node's answer to a fulfillment order.
    pub(crate) enum RequestState = contract::RequestState {
        /// No answer yet.
        Submitted = "SUBMITTED",
        /// The node accepted it.
        Accepted = "ACCEPTED",
        /// The node rejected it.
        Rejected = "REJECTED",
        /// The node did not answer in time.
        TimedOut = "TIMED_OUT",
        /// The node was asked to stop.
        CancellationRequested = "CANCELLATION_REQUESTED",
        /// The node stopped, or had not accepted yet.
        CancellationAccepted = "CANCELLATION_ACCEPTED",
        /// The node could not stop.
        CancellationRejected = "CANCELLATION_REJECTED",
    }
}

store::text_enum! {
    /// Whether a node accepted a fulfillment order after it was withdrawn.
    pub(crate) enum LateAcceptance {
        /// It did not.
        None = "NONE",
        /// It did, and has neither stopped nor shipped.
        Open = "OPEN",
        /// It did, and has stopped or shipped since.
        Resolved = "RESOLVED",
    }
}

/// About how long a fulfillment order is without its lines and texts, when it is encoded.
const ORDER_BYTES: usize = 500;

/// The same of a line without its SKU.
const LINE_BYTES: usize = 60;

impl FulfillmentOrderHeader {
    /// About how long the fulfillment order is with its lines, when it is encoded.
    pub(crate) fn full_bytes(&self) -> usize {
        let asked = self.ship_to_change.as_ref().map_or(0, |change| change.0.encoded_len());
        let texts = self.customer_po.len() + self.reason.len() + self.ship_to.0.encoded_len() + asked;
        let lines = usize::try_from(self.size_bytes).unwrap_or(usize::MAX);
        lines.saturating_add(ORDER_BYTES + texts)
    }
}

/// A fulfillment order with its lines.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FulfillmentOrder {
    pub(crate) header: FulfillmentOrderHeader,
    /// In order of their numbers.
    pub(crate) lines: Vec<FulfillmentLine>,
}

impl FulfillmentOrder {
    /// About how long its lines are when they are encoded.
    pub(crate) fn lines_bytes(&self) -> i64 {
        let bytes: usize = self.lines.iter().map(|line| LINE_BYTES + line.sku.len()).sum();
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }

    /// The same units with the item of their line; `None` when there is no such line.
    pub(crate) fn with_item(&self, unit: &LineQuantity) -> Option<LineQuantity> {
        let line = self.lines.iter().find(|line| line.line_number == i64::from(unit.line_number));
        line.map(|line| line.units(unit.quantity))
    }

    /// Whether no unit is still to be shipped.
    pub(crate) fn ended(&self) -> bool {
        self.lines.iter().all(|line| line.open() == 0)
    }

    /// The execution state that the counters amount to.
    pub(crate) fn execution(&self) -> ExecutionState {
        let shipped = self.lines.iter().any(|line| line.shipped > 0);
        if !self.ended() {
            let started = self.lines.iter().any(|line| line.picked + line.packed + line.shipped + line.short > 0);
            if started { ExecutionState::InProgress } else { ExecutionState::Open }
        } else if self.lines.iter().all(|line| line.shipped >= line.quantity) {
            ExecutionState::Completed
        } else if shipped {
            ExecutionState::Incomplete
        } else {
            ExecutionState::Cancelled
        }
    }

    /// Names of the methods that may be called now. Facts may always be reported.
    pub(crate) fn supported_actions(&self) -> Vec<&'static str> {
        let (open, state) = (!self.ended(), self.header.request_state);
        let asked_to_stop = state == RequestState::CancellationRequested;
        let unanswered = state == RequestState::Submitted;
        let stoppable = match state {
            RequestState::Submitted | RequestState::Accepted | RequestState::CancellationRejected => open,
            RequestState::CancellationRequested => self.lines.iter().any(|line| line.open() > line.asked()),
            RequestState::Rejected | RequestState::TimedOut | RequestState::CancellationAccepted => false,
        };
        [
            ("AcceptFulfillmentOrder", unanswered),
            ("RejectFulfillmentOrder", open && (unanswered || asked_to_stop || state == RequestState::Accepted)),
            ("RecordPick", open),
            ("RecordLabels", open),
            ("RecordShipment", true),
            ("RetractPick", self.lines.iter().any(|line| line.picked > 0)),
            ("VoidLabels", self.lines.iter().any(|line| line.packed > line.shipped)),
            ("RetractShipment", self.lines.iter().any(FulfillmentLine::can_be_corrected)),
            ("CorrectShipment", self.lines.iter().any(FulfillmentLine::can_be_corrected)),
            ("RequestCancellation", stoppable),
            ("AnswerCancellation", asked_to_stop),
            ("AnswerShipToChange", self.header.ship_to_change.is_some()),
        ]
        .into_iter()
        .filter_map(|(action, supported)| supported.then_some(action))
        .collect()
    }

    /// Whether a hold blocks it: a node that has not begun is not to begin.
    pub(crate) fn is_held(&self) -> bool {
        !self.header.holds.0.is_empty()
    }

    /// Adds an open hold of the order, if it blocks units that are still to be shipped; returns whether it does.
    pub(crate) fn place_hold(&mut self, hold_number: i64, hold: &OpenHold) -> bool {
        let blocks = self.lines.iter().any(|line| line.open() > 0 && hold.blocks(line.line_number));
        blocks && self.header.holds.0.insert(hold_number, hold.clone()).is_none()
    }

    /// Takes a hold of the order off; returns whether it was there.
    pub(crate) fn release_hold(&mut self, hold_number: i64) -> bool {
        self.header.holds.0.remove(&hold_number).is_some()
    }

    /// Counts units that could not be found; returns those that were open.
    pub(crate) fn short(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        let was_asked = self.is_asked();
        let asked_by_line =
            self.header.request_state == RequestState::CancellationRequested && self.header.cancel_time.is_none();
        let mut short = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let missing = quantity.min(line.open());
            line.short += missing;
            line.pending_deallocation += missing;
            let asked = line.cancel_requested;
            line.fit();
            // What the node cannot stop any more, because it does not find it, is cancelled once it is deallocated.
            let gone = (asked - line.cancel_requested).min(missing);
            if asked_by_line {
                line.cancel_pending = (line.cancel_pending + gone).min(line.pending_deallocation);
            }
            if missing > 0 {
                short.push(line.units(missing));
            }
        }
        self.end_moot_request(was_asked);
        short
    }

    /// Counts picked units.
    pub(crate) fn pick(&mut self, units: &[LineQuantity]) {
        for (line, quantity) in line::matched(&mut self.lines, units) {
            line.picked = line.picked.saturating_add(quantity);
        }
    }

    /// Takes over how many units are in packages in all, and how many of them in packages that are written off.
    pub(crate) fn pack(&mut self, packed: &[LineQuantity], written_off: &[LineQuantity]) {
        self.lines.iter_mut().for_each(|line| (line.packed, line.written_off) = (0, 0));
        for (line, quantity) in line::matched(&mut self.lines, packed) {
            line.packed = quantity;
        }
        for (line, quantity) in line::matched(&mut self.lines, written_off) {
            line.written_off = quantity;
        }
    }

    /// Counts units that left; returns which of them were no longer, or never, to be shipped.
    pub(crate) fn ship(&mut self, units: &[LineQuantity]) -> Vec<Reclaimed> {
        let ship = |(line, quantity): (&mut FulfillmentLine, i64)| {
            let (to_stop, freed) = (line.superseded + line.freed, line.freed);
            let reclaimed = line.ship(quantity);
            line.freed = line.freed.min(line.cancelled);
            line.doubled += to_stop - line.superseded - line.freed;
            Reclaimed { cancelled: reclaimed.cancelled - (freed - line.freed), ..reclaimed }
        };
        let reclaimed = line::matched(&mut self.lines, units).map(ship).collect();
        self.header.request_state = match self.header.request_state {
            // Who ships a part may still stop the rest.
            RequestState::CancellationRequested if self.is_asked() => RequestState::CancellationRequested,
            RequestState::CancellationRequested
            | RequestState::CancellationAccepted
            | RequestState::CancellationRejected => RequestState::CancellationRejected,
            RequestState::Submitted | RequestState::Accepted | RequestState::Rejected | RequestState::TimedOut => {
                RequestState::Accepted
            }
        };
        self.resolve_late_acceptance();
        reclaimed
    }

    /// Takes back picked units, as far as they are counted; returns how many.
    pub(crate) fn unpick(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut unpicked = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let quantity = quantity.min(line.picked);
            line.picked -= quantity;
            if quantity > 0 {
                unpicked.push(line.units(quantity));
            }
        }
        unpicked
    }

    /// Takes back short units: the node is to ship them. Returns them, with how many of each inventory has deallocated. Refuses
    /// when the node is to ship nothing any more.
    pub(crate) fn find(&mut self, units: &[LineQuantity]) -> Result<Vec<(LineQuantity, i64)>, Fault> {
        let mut found = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let quantity = quantity.min(line.short);
            let pending = quantity.min(line.pending_deallocation);
            line.short -= quantity;
            line.pending_deallocation -= pending;
            line.fit();
            if quantity > 0 {
                found.push((line.units(quantity), quantity - pending));
            }
        }
        let is_withdrawn = matches!(
            self.header.request_state,
            RequestState::Rejected | RequestState::TimedOut | RequestState::CancellationAccepted
        );
        if !found.is_empty() && (is_withdrawn || self.cancellation_is_lost()) {
            return Err(Fault::not_supported("the node is to ship nothing of the fulfillment order any more"));
        }
        Ok(found)
    }

    /// Takes back units that were counted as having left. They are open again at the node, but for those that the order had
    /// cancelled, which are cancelled again. Returns those that the node was no longer to ship: another one may have them
    /// (`process/faster_node.rs`).
    pub(crate) fn unship(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut taken_back = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let beyond = quantity.min(line.beyond);
            line.shipped -= quantity.min(line.shipped);
            let lost = (quantity - beyond).min(line.lost).min(line.open());
            line.beyond -= beyond;
            line.lost -= lost;
            line.cancelled += lost;
            if beyond > 0 {
                taken_back.push(line.units(beyond));
            }
        }
        taken_back
    }

    /// Counts units that left as cancelled by the order before.
    pub(crate) fn lose(&mut self, line_number: i64, quantity: i64) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.line_number == line_number) {
            line.lost += quantity;
        }
    }

    /// Counts units that left as no longer, or never, to be shipped by the node.
    pub(crate) fn ship_beyond(&mut self, line_number: i64, quantity: i64) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.line_number == line_number) {
            line.beyond += quantity;
        }
    }

    /// Whether units that leave now leave against the order's cancellation.
    pub(crate) fn cancellation_is_lost(&self) -> bool {
        self.header.cancel_time.is_some()
    }

    /// Counts units that inventory deallocated; returns how many of them were still pending.
    pub(crate) fn deallocated(&mut self, units: &[LineQuantity]) -> Vec<LineQuantity> {
        let mut deallocated = Vec::new();
        for (line, quantity) in line::matched(&mut self.lines, units) {
            let moved = quantity.min(line.pending_deallocation);
            line.pending_deallocation -= moved;
            if moved > 0 {
                deallocated.push(line.units(moved));
            }
        }
        deallocated
    }
}
