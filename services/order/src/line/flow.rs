//! How units of a line move from one counter to another.
//!
//! Facts come late, doubled and in any order; each is applied as far as it can be, and the counters always add up.

use super::Line;

impl Line {
    /// Units that are not cancelled, not shipped and not at a node.
    fn unreleased(&self) -> i64 {
        self.ordered - self.cancelled - self.released - (self.shipped - self.over_shipped)
    }

    /// Says of the units that are not at nodes which have stock, which wait, and which are undecided.
    fn settle(&mut self) {
        let unreleased = self.unreleased();
        if self.reservation_version == 0 {
            (self.unallocated, self.backordered, self.reserved) = (unreleased, 0, 0);
        } else {
            let backordered = self.inventory_backordered.min(unreleased);
            (self.unallocated, self.backordered, self.reserved) = (0, backordered, unreleased - backordered);
        }
    }

    /// Takes over what inventory says of the reservation, unless it said something newer before.
    pub fn apply_reservation(&mut self, version: i64, backordered: i64) {
        if version > self.reservation_version {
            self.reservation_version = version;
            self.inventory_backordered = backordered.max(0);
            self.settle();
        }
    }

    /// Gives all reserved units to the nodes; answers how many.
    pub fn release(&mut self) -> i64 {
        let units = self.reserved;
        self.released += units;
        self.settle();
        units
    }

    /// Takes units back that no node has; those no longer at nodes are left where they are.
    pub fn take_back(&mut self, units: i64) {
        self.released -= units.min(self.released);
        self.settle();
    }

    /// Cancels every unit that is not at a node; answers how many.
    pub fn cancel_unreleased(&mut self) -> i64 {
        let units = self.unreleased();
        self.cancelled += units;
        self.settle();
        units
    }

    /// Cancels units at nodes, as far as they are still there.
    pub fn cancel_released(&mut self, units: i64) {
        let units = units.min(self.released);
        self.released -= units;
        self.cancelled += units;
        self.settle();
    }

    /// Units left: first those known to be at nodes, then any others that were wanted; the rest is too many. Answers how
    /// many those are.
    pub fn ship(&mut self, units: i64) -> i64 {
        let from_nodes = units.min(self.released);
        let from_others = (units - from_nodes).min(self.unreleased());
        let too_many = units - from_nodes - from_others;
        self.released -= from_nodes;
        self.shipped += units;
        self.over_shipped += too_many;
        self.settle();
        let early = std::mem::take(&mut self.delivered_early);
        self.deliver(early);
        too_many
    }

    /// Units arrived. More than are known to have left are kept until they are.
    pub fn deliver(&mut self, units: i64) {
        let known = units.min(self.shipped - self.delivered);
        self.delivered += known;
        self.delivered_early += units - known;
    }

    /// Units were picked.
    pub fn pick(&mut self, units: i64) {
        self.picked += units;
    }

    /// A node could not find units.
    pub fn fall_short(&mut self, units: i64) {
        self.short += units;
    }

    /// What all returns say by now: units authorized to come back, and units that came back.
    pub fn apply_returns(&mut self, authorized: i64, received: i64) {
        self.return_authorized = authorized;
        self.return_received = received.min(self.shipped);
    }
}
