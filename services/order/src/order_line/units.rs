//! How units of a line move from one counter to another.
//!
//! Reports come late and in any order; each is applied as far as possible, and the counters always add up.

use super::OrderLine;
use crate::report::ReservationSnapshot;

/// What is unexpected about units that were counted as shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShippedUnits {
    /// Units that nobody wanted.
    pub(crate) over_shipped: i64,
    /// Units that were released, and not to the node that shipped them: another one is not to ship them again.
    pub(crate) superseded: i64,
}

impl OrderLine {
    /// Units that are neither cancelled nor shipped nor at a node.
    fn unreleased(&self) -> i64 {
        self.ordered - self.cancelled - self.released - (self.shipped - self.over_shipped)
    }

    /// Divides the units that are not at nodes into those with stock, those without, and those not decided.
    fn divide_unreleased(&mut self) {
        let unreleased = self.unreleased();
        if self.reservation_version == 0 {
            (self.unallocated, self.backordered, self.reserved) = (unreleased, 0, 0);
        } else {
            // Cancelled units come off the backorder first, once inventory has released them.
            let to_release = (self.cancelled - self.over_shipped - self.inventory_released).max(0);
            let backordered = (self.inventory_backordered - to_release).clamp(0, unreleased);
            (self.unallocated, self.backordered, self.reserved) = (0, backordered, unreleased - backordered);
        }
    }

    /// Takes over a version of the reservation, unless a newer one was reported before.
    pub(crate) fn apply_reservation(&mut self, reservation: &ReservationSnapshot) {
        if reservation.version > self.reservation_version {
            self.reservation_version = reservation.version;
            self.inventory_backordered = reservation.backordered.max(0);
            self.inventory_released = reservation.released.max(0);
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

    /// Returns units from nodes to the order, as far as they are still there.
    pub(crate) fn take_back(&mut self, units: i64) {
        self.released -= units.min(self.released);
        self.divide_unreleased();
    }

    /// Cancels the units that are not at nodes; returns how many.
    pub(crate) fn cancel_unreleased(&mut self) -> i64 {
        let units = self.unreleased();
        self.cancelled += units;
        self.divide_unreleased();
        units
    }

    /// Cancels the units that wait for stock; returns how many.
    pub(crate) fn cancel_backordered(&mut self) -> i64 {
        let units = self.backordered;
        self.cancelled += units;
        self.divide_unreleased();
        units
    }

    /// Cancels units at nodes, as far as they are still there.
    pub(crate) fn cancel_released(&mut self, units: i64) {
        let units = units.min(self.released);
        self.released -= units;
        self.cancelled += units;
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
        self.divide_unreleased();
        let early = std::mem::take(&mut self.delivered_early);
        self.deliver(early);
        let early = std::mem::take(&mut self.replaced_early);
        self.replace(early);
        // The others were to be shipped by their node. What is counted of the rest is asked of another one.
        let superseded = (from_nodes - (units - beyond).max(0)).max(0);
        ShippedUnits { over_shipped, superseded }
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

    /// Cancels units that were shipped and do not reach the customer; over-shipped ones are forgotten.
    pub(crate) fn write_off(&mut self, units: i64) {
        let wanted = units.min(self.shipped) - units.min(self.over_shipped);
        self.unship(units);
        self.cancel_released(wanted);
    }

    /// Returns units that were shipped and do not reach the customer to the order, to be shipped again; over-shipped ones are
    /// forgotten. Those beyond the shipped ones are kept until they are reported shipped, since inventory may report of them first.
    pub(crate) fn replace(&mut self, units: i64) {
        let shipped = units.min(self.shipped);
        self.replaced_early += units - shipped;
        let wanted = shipped - shipped.min(self.over_shipped);
        self.unship(shipped);
        self.take_back(wanted);
        // The promise was kept, and is made anew.
        self.promised_ship_time = None;
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
