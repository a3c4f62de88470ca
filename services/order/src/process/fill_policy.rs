//! What happens to units that cannot be filled, whenever that turns out.
//!
//! 1. Inventory has no stock for units when the order is placed (`process/confirmation.rs`), or a node does not find them and
//!    no other has any: `fulfillment.unfulfillable` (`process/release.rs`). They are backordered.
//! 2. FILL_AVAILABLE_BACKORDER and FILL_ALL: they wait for stock; of FILL_ALL the others wait with them.
//! 3. FILL_ALL_AVAILABLE: [`ChangingOrder::apply_fill_policy`] cancels them at once, `order.line_cancelled`, and inventory
//!    releases their backorder (`process/cancellation.rs`).
//! 4. FILL_OR_KILL: the order is rejected when it is placed. Later all of it is cancelled as far as possible: what is not at
//!    nodes at once, the rest by `order.cancel_requested`. What nodes have shipped or do not stop is shipped.
//! 5. The same holds for units that are to be replaced (`process/closing.rs`) and that there is no stock for.
//! 6. The time of reserved units is over: inventory backorders them, and 2 or 3 follows. Those of a FILL_OR_KILL order it releases,
//!    since they wait for nothing: [`ChangingOrder::expire_reservations`] cancels the order as in 4.

use types::Timestamp;

use crate::{
    aggregate::ChangingOrder,
    events::PendingEvent,
    order::{FillPolicy, UnitTotals},
    order_line::OrderLine,
    report::ReservationSnapshot,
};

/// Why units are cancelled that the fill policy does not let wait.
const UNAVAILABLE: &str = "not available";

impl ChangingOrder {
    /// Counts the units whose time is over. A FILL_OR_KILL order does not have them any more.
    pub(crate) fn expire_reservations(&mut self, reservations: &[ReservationSnapshot], now: Timestamp) {
        self.apply_reservations(reservations);
        let open = UnitTotals::of_goods(&self.lines).open() > 0;
        if self.order.fill_policy == FillPolicy::FillOrKill && self.order.cancel_time.is_none() && open {
            self.cancel(UNAVAILABLE, now);
        }
    }

    /// Cancels what the fill policy does not let wait for stock, once stock is decided for every line.
    pub(crate) fn apply_fill_policy(&mut self, now: Timestamp) {
        let totals = UnitTotals::of_goods(&self.lines);
        let decided = self.order.state.is_open() && totals.unallocated == 0;
        if !decided || totals.backordered == 0 || self.order.cancel_time.is_some() {
            return;
        }
        match self.order.fill_policy {
            FillPolicy::FillAll | FillPolicy::FillAvailableBackorder => {}
            FillPolicy::FillOrKill => self.cancel(UNAVAILABLE, now),
            FillPolicy::FillAllAvailable => {
                UNAVAILABLE.clone_into(&mut self.order.reason);
                let cancelled = self.units_of_each(OrderLine::cancel_backordered);
                self.pending.push(PendingEvent::LinesCancelled(cancelled));
            }
        }
    }
}
