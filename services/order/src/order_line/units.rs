//! How units of a line move from one counter to another.
//!
//! Reports come late and in any order; each is applied as far as possible, and the counters always add up.

use types::share_of_line;

use super::OrderLine;
use crate::{
    promise::{PromiseBasis, PromiseReason},
    report::ReservationSnapshot,
};

/// What is unexpected about units that were counted as shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShippedUnits {
    /// Units that nobody wanted.
    pub(crate) over_shipped: i64,
    /// Units that were released, and not to the node that shipped them: another one is not to ship them again.
    pub(crate) superseded: i64,
    /// Units that nodes were asked to stop.
    pub(crate) cancel_lost: i64,
}

/// What became of units that are not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CancelledUnits {
    /// Units that no node had.
    pub(crate) at_once: i64,
    /// Units that nodes are asked to stop.
    pub(crate) requested: i64,
}

impl OrderLine {
    /// Units that are neither cancelled nor shipped nor at a node.
    pub(super) fn unreleased(&self) -> i64 {
        self.ordered - self.cancelled - self.released - (self.shipped - self.over_shipped)
    }

    /// Divides the units that are not at nodes into those with stock, those without, and those not decided.
    fn divide_unreleased(&mut self) {
        let unreleased = self.unreleased();
        // Cancelled units that inventory has not released come off those that it was not asked for yet, then off the backorder.
        let to_release = (self.cancelled - self.over_shipped - self.inventory_released).max(0);
        let added = (self.ordered - self.inventory_requested).max(0);
        let unallocated = (added - to_release).clamp(0, unreleased);
        let to_release = (to_release - added).max(0);
        let backordered = (self.inventory_backordered - to_release).clamp(0, unreleased - unallocated);
        (self.unallocated, self.backordered) = (unallocated, backordered);
        self.reserved = unreleased - unallocated - backordered;
    }

    /// Units that are wanted: neither cancelled nor asked to be.
    pub(crate) fn wanted(&self) -> i64 {
        self.ordered - self.cancelled - self.cancel_requested
    }

    /// Units that are neither cancelled nor shipped, and that no node was asked to stop.
    pub(crate) fn cancellable(&self) -> i64 {
        self.unallocated + self.backordered + self.reserved + self.released - self.cancel_requested
    }

    /// Of those, units that are not picked.
    pub(crate) fn unpicked(&self) -> i64 {
        let picked = (self.picked - self.shipped).clamp(0, self.released - self.cancel_requested);
        self.cancellable() - picked
    }

    /// The price of the units that are wanted.
    pub(crate) fn wanted_minor(&self) -> i64 {
        share_of_line(self.amount_minor, self.ordered, self.wanted())
    }

    /// Cancels units that no node has, then asks for those that nodes have; at most [`Self::cancellable`].
    pub(crate) fn cancel(&mut self, units: i64) -> CancelledUnits {
        let units = units.min(self.cancellable());
        let at_once = units.min(self.unreleased());
        self.cancelled += at_once;
        self.cancel_requested += units - at_once;
        self.divide_unreleased();
        self.wait_no_more();
        CancelledUnits { at_once, requested: units - at_once }
    }

    /// What a supply was promised for is cancelled: the promise of the others is made again.
    fn wait_no_more(&mut self) {
        if self.backordered == 0 && matches!(self.promise_basis, PromiseBasis::Supply | PromiseBasis::Backordered) {
            self.promise_again(PromiseReason::OrderChanged);
        }
    }

    /// Nodes do not stop units that they were asked to stop.
    pub(crate) fn decline_cancellation(&mut self, units: i64) {
        self.cancel_requested -= units.min(self.cancel_requested);
    }

    /// What was asked of nodes is at most what they have. Returns the units that are not at nodes any more.
    fn limit_cancel_requested(&mut self) -> i64 {
        let gone = (self.cancel_requested - self.released).max(0);
        self.cancel_requested -= gone;
        gone
    }

    /// More units are ordered; inventory is to be asked for them.
    pub(crate) fn add(&mut self, units: i64) {
        self.ordered += units;
        self.divide_unreleased();
    }

    /// Takes over a version of the reservation, unless a newer one was reported before.
    pub(crate) fn apply_reservation(&mut self, reservation: &ReservationSnapshot) {
        if reservation.version > self.reservation_version {
            self.reservation_version = reservation.version;
            self.inventory_requested = reservation.requested.max(0);
            self.inventory_backordered = reservation.backordered.max(0);
            self.inventory_released = reservation.released.max(0);
            self.backorder_expect_time = reservation.backorder_expect_time;
            self.divide_unreleased();
        }
    }

    /// Releases all reserved units; returns how many.
    pub(crate) fn release(&mut self) -> i64 {
        let units = self.reserved;
        self.released += units;
        self.divide_unreleased();
        units
    }

    /// Returns units from nodes to the order, as far as they are still there. As many as nodes were to stop are cancelled, and nodes are
    /// not to stop others for them: returns how many.
    pub(crate) fn take_back(&mut self, units: i64) -> i64 {
        self.returned_by_nodes += units;
        let units = units.min(self.released);
        let cancelled = units.min(self.cancel_requested);
        self.released -= units;
        self.cancel_requested -= cancelled;
        self.cancelled += cancelled;
        self.divide_unreleased();
        cancelled
    }

    /// Cancels the units that are not at nodes; returns how many.
    pub(crate) fn cancel_unreleased(&mut self) -> i64 {
        let units = self.unreleased();
        self.cancelled += units;
        self.divide_unreleased();
        self.wait_no_more();
        units
    }

    /// Cancels the units that wait for stock; returns how many.
    pub(crate) fn cancel_backordered(&mut self) -> i64 {
        let units = self.backordered;
        self.cancelled += units;
        self.divide_unreleased();
        self.wait_no_more();
        units
    }

    /// Cancels units at nodes, as far as they are still there.
    pub(crate) fn cancel_released(&mut self, units: i64) {
        let units = units.min(self.released);
        self.released -= units;
        self.cancelled += units;
        self.cancel_requested -= units.min(self.cancel_requested);
        self.divide_unreleased();
    }

    /// Counts shipped units: first those at nodes, then others that are wanted, and the rest as over-shipped. `beyond` of them
    /// were no longer, or never, to be shipped by their node.
    pub(crate) fn ship(&mut self, units: i64, beyond: i64) -> ShippedUnits {
        let from_nodes = units.min(self.released);
        let from_others = (units - from_nodes).min(self.unreleased());
        let over_shipped = units - from_nodes - from_others;
        self.released -= from_nodes;
        self.shipped += units;
        self.over_shipped += over_shipped;
        let cancel_lost = self.limit_cancel_requested();
        self.divide_unreleased();
        let early = std::mem::take(&mut self.delivered_early);
        self.deliver(early);
        let early = std::mem::take(&mut self.replaced_early);
        self.replace(early);
        // The others were to be shipped by their node. What is counted of the rest is asked of another one.
        let superseded = (from_nodes - (units - beyond).max(0)).max(0);
        ShippedUnits { over_shipped, superseded, cancel_lost }
    }

    /// Counts so many of the wanted units of a service as shipped, all or none of them as delivered; the others are open.
    pub(crate) fn perform(&mut self, units: i64, is_delivered: bool) {
        self.shipped = units;
        self.delivered = if is_delivered { units } else { 0 };
        self.divide_unreleased();
    }

    /// Counts delivered units. Those beyond the shipped ones are kept until more are shipped.
    pub(crate) fn deliver(&mut self, units: i64) {
        let shipped = units.min(self.shipped - self.delivered);
        self.delivered += shipped;
        self.delivered_early += units - shipped;
    }

    /// Takes back units that were counted as shipped, over-shipped ones first: the others are at nodes again. What is
    /// delivered of them is kept until they are shipped.
    pub(crate) fn unship(&mut self, units: i64) {
        // What followed from their way does not any more.
        if self.promise_basis == PromiseBasis::ShippedLate || self.carrier_delivery_time.is_some() {
            self.promise_again(PromiseReason::ShippedAgain);
        }
        self.uncount_shipped(units);
    }

    fn uncount_shipped(&mut self, units: i64) {
        let units = units.min(self.shipped);
        let over_shipped = units.min(self.over_shipped);
        self.shipped -= units;
        self.over_shipped -= over_shipped;
        self.released += units - over_shipped;
        let early = (self.delivered - self.shipped).max(0);
        self.delivered -= early;
        self.delivered_early += early;
        self.divide_unreleased();
    }

    /// Cancels units that were shipped and do not reach the customer; over-shipped ones are forgotten. The promise of the others
    /// stands.
    pub(crate) fn write_off(&mut self, units: i64) {
        let wanted = units.min(self.shipped) - units.min(self.over_shipped);
        self.uncount_shipped(units);
        // Not those that nodes were asked to stop: these are others.
        self.released -= wanted;
        self.cancelled += wanted;
        self.divide_unreleased();
    }

    /// Returns units that were shipped and do not reach the customer to the order, to be shipped again; over-shipped ones are
    /// forgotten. Those beyond the shipped ones are kept until they are reported shipped, since inventory may report of them first.
    pub(crate) fn replace(&mut self, units: i64) {
        let shipped = units.min(self.shipped);
        self.replaced_early += units - shipped;
        let wanted = shipped - shipped.min(self.over_shipped);
        self.uncount_shipped(shipped);
        self.released -= wanted.min(self.released - self.cancel_requested);
        self.divide_unreleased();
        if units > 0 {
            self.promise_again(PromiseReason::ShippedAgain);
        }
    }

    /// Takes back picked units.
    pub(crate) fn unpick(&mut self, units: i64) {
        self.picked -= units.min(self.picked);
    }

    /// Takes back units that were counted as delivered, those that are not reported shipped first.
    pub(crate) fn undeliver(&mut self, units: i64) {
        let early = units.min(self.delivered_early);
        self.delivered_early -= early;
        self.delivered -= (units - early).min(self.delivered);
    }

    /// Counts picked units.
    pub(crate) fn pick(&mut self, units: i64) {
        self.picked += units;
    }

    /// Counts units that a node could not find.
    pub(crate) fn fall_short(&mut self, units: i64) {
        self.short += units;
    }

    /// Takes back short units.
    pub(crate) fn find(&mut self, units: i64) {
        self.short -= units.min(self.short);
    }

    /// Sets the units that all returns together authorize, those that came back, at most the shipped ones, and those of them
    /// for which a credit is due.
    pub(crate) fn set_returned(&mut self, authorized: i64, received: i64, creditable: i64) {
        self.return_authorized = authorized;
        self.return_received = received.min(self.shipped);
        self.creditable = creditable;
    }
}
