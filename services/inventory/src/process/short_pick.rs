//! A node does not find units that are allocated there.
//!
//! 1. Fulfillment records the pick, emits `fulfillment.short_picked` and calls `Deallocate` with the policy `SHORT`,
//!    the units that were not found, and the time of the pick (`services/fulfillment/src/process/short_pick.rs`).
//! 2. `Deallocate` (`deallocate.rs`) passes that time to `Ledger::deallocate` (`ledger/allocation.rs`), which takes the
//!    units off the allocation.
//! 3. [`ShortPick::new`] decides how many units come off the units on hand. They do so at the time of the pick, so that
//!    a count of the location gives the same result whether it is reported before or after the short pick.
//! 4. Other free units are reserved for the order before any backorder is filled; the rest is backordered with the
//!    first rank (`ledger/backorders.rs`).
//! 5. `Ledger::save` emits `inventory.adjusted` for the correction and `inventory.deallocated` for the order. A
//!    shortfall that the pick explains is reduced (`process/shortfall.rs`).
//!    The allocation keeps how many units came off (`Ledger::miss`): when they leave with a shipment of the line after all,
//!    they are put on hand again (`Ledger::find_outbound`, `ledger/on_hand.rs`), whatever fulfillment did with them meanwhile.
//! 6. Fulfillment routes the reserved units again and returns the backordered ones to the order. When the backorder is
//!    filled, `inventory.reserved` is emitted (`process/reservation.rs`).

use types::Timestamp;

use crate::stock::Level;

/// What a short pick changes at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShortPick {
    /// Units to take off the units on hand.
    pub(crate) correction: i64,
    /// For people: why none come off.
    pub(crate) note: &'static str,
}

impl ShortPick {
    /// `units` were not found at `occur_time`.
    pub(crate) fn new(level: Option<&Level>, units: i64, occur_time: Timestamp) -> Self {
        // A later count did not find the units either.
        if level.is_some_and(|level| level.was_counted_after(occur_time)) {
            return Self { correction: 0, note: "not found by the location, in a later count already" };
        }
        // Units of a known shortfall are not on hand any more: they are the first that were not found.
        let shortfall = level.map_or(0, |level| level.shortfall);
        Self { correction: (units - shortfall).max(0), note: "" }
    }
}
