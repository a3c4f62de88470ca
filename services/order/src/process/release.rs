//! Release of reserved units to fulfillment, and units that fulfillment returns to the order.
//!
//! 1. After every change of an order, [`ChangingOrder::release_reserved`] releases its reserved units, unless a hold blocks
//!    them, it is FILL_ALL and some units have no stock yet, it is too early (`process/ship_window.rs`), or its account owes too
//!    much (`process/credit_check.rs`): `order.released` with the next release number.
//! 2. `PlaceHold` and `ReleaseHold` (`hold/place.rs`, `hold/release.rs`) block the order or some of its lines and permit
//!    them, as does the end of a hold's time: `order.hold_placed`, `order.hold_released`. Fulfillment does not route
//!    what is blocked (`services/fulfillment/src/process/hold.rs`). Reports are recorded all the same.
//! 3. Fulfillment follows `order.released`: it chooses nodes, allocates the stock and requests fulfillment orders
//!    (`services/fulfillment/src/process/routing.rs`).
//! 4. `fulfillment.picked` and `fulfillment.short_picked` are counted ([`ChangingOrder::record`]).
//! 5. `fulfillment.unfulfillable` (`services/fulfillment/src/process/unfulfillable.rs`): [`ChangingOrder::take_back`]
//!    returns units that no node can fulfill to the order. They are backordered or reserved, as the reservations in the
//!    event say, and reserved units are released again as in 1.
//! 6. A node ships units that it had given up: `order.release_superseded` takes back what is released instead of them
//!    (`process/closing.rs`).

use types::Timestamp;

use crate::{
    aggregate::ChangingOrder,
    events::PendingEvent,
    order::{FillPolicy, OrderState, UnitTotals},
    order_line::{LineUnits, OrderLine},
    report::ReservationSnapshot,
};

impl ChangingOrder {
    /// Releases the reserved units, unless something blocks it.
    pub(crate) fn release_reserved(&mut self, now: Timestamp) {
        let totals = UnitTotals::of_goods(&self.lines);
        let incomplete = totals.backordered + totals.unallocated > 0;
        let held: Vec<_> = self.lines.iter().map(|line| self.is_held(line) && !line.is_service()).collect();
        let waits_for_all = self.order.fill_policy == FillPolicy::FillAll && (incomplete || held.contains(&true));
        let early = self.order.release_time.is_some_and(|release_time| now < release_time);
        if self.order.state != OrderState::Confirmed || self.order.order_holds > 0 || waits_for_all || early {
            return;
        }
        let waits = |(line, held): (&OrderLine, &bool)| line.reserved > 0 && !held;
        if self.lines.iter().zip(&held).any(waits) && self.hold_for_credit_at_release(now) {
            return;
        }
        let mut held = held.into_iter();
        let released = self.units_of_each(|line| if held.next() == Some(true) { 0 } else { line.release() });
        for (group, units) in self.by_group(released) {
            self.order.release_number += 1;
            self.pending.push(PendingEvent::Released(group, self.order.release_number, units));
        }
    }

    /// Returns units that no node can fulfill to the order, reserved or backordered as the snapshots say. Those that nodes were to
    /// stop are cancelled.
    pub(crate) fn take_back(&mut self, units: &[LineUnits], reservations: &[ReservationSnapshot]) {
        let mut cancelled = Vec::new();
        for LineUnits { line_number, quantity } in units.iter().copied() {
            self.with_line(line_number, |line| {
                let quantity = line.take_back(quantity);
                cancelled.push(LineUnits { line_number, quantity });
            });
        }
        cancelled.retain(|units| units.quantity > 0);
        if !cancelled.is_empty() {
            self.pending.push(PendingEvent::LinesCancelled(cancelled));
        }
        self.apply_reservations(reservations);
    }
}
