//! Lines of the ledger.

use types::{NodeId, Timestamp};

use crate::promise::place;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

store::text_enum! {
    /// Kinds of movements.
    pub(crate) enum Kind {
        /// Came in.
        Received = "RECEIVED",
        /// Corrected.
        Adjusted = "ADJUSTED",
        /// Set to what was counted.
        Counted = "COUNTED",
        /// Held for an order.
        Reserved = "RESERVED",
        /// Held no more.
        Released = "RELEASED",
        /// Given to work at a location.
        Allocated = "ALLOCATED",
        /// Taken back from work at a location.
        Deallocated = "DEALLOCATED",
        /// Left.
        Shipped = "SHIPPED",
        /// Came back and can be sold again.
        Restocked = "RESTOCKED",
    }
}

store::record! {
    /// One line of an item's ledger. The sums of the deltas are the counters.
    pub(crate) struct Movement in "movements" key (sku: String, movement_number: i64) {
        /// Empty when the movement is not at a location.
        location_id: String,
        kind: Kind,
        on_hand_delta: i64,
        reserved_delta: i64,
        allocated_delta: i64,
        /// An order, a shipment, a receipt number.
        reference: String,
        note: String,
        occur_time: Timestamp,
        record_time: Timestamp,
        /// `sku@location@day` when units on hand changed at a location, for lookup.
        stock_day: Option<String>,
    }
}

/// Where and when units on hand changed, to the day.
pub(crate) fn stock_day(sku: &str, location_id: &NodeId, day: i64) -> String {
    format!("{}@{day}", place(sku, location_id))
}

/// The day of an instant, in UTC.
pub(crate) fn day(instant: Timestamp) -> i64 {
    instant.as_micros().div_euclid(DAY)
}
