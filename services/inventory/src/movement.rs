//! Movements: the lines of the ledger.

use types::{AccountId, NodeId, Timestamp};

use crate::stock::lookup_key;

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

store::text_enum! {
    /// Kinds of movements.
    pub(crate) enum MovementKind = proto::inventory::v1::MovementKind {
        /// Units came in.
        Received = "RECEIVED",
        /// Units on hand were corrected.
        Adjusted = "ADJUSTED",
        /// Units on hand were set to a count.
        Counted = "COUNTED",
        /// Units were reserved for an order.
        Reserved = "RESERVED",
        /// Units are no longer reserved.
        Released = "RELEASED",
        /// Reserved units were allocated at a location.
        Allocated = "ALLOCATED",
        /// Allocated units were returned to the order or to free stock.
        Deallocated = "DEALLOCATED",
        /// Units left with a shipment.
        Shipped = "SHIPPED",
        /// Units of a return can be sold again.
        Restocked = "RESTOCKED",
    }
}

store::record! {
    /// One line of an item's ledger. The sums of the deltas are the counters.
    pub(crate) struct Movement in "movements" key (sku: String, movement_number: i64) {
        /// Empty when the movement is not at a location.
        location_id: String,
        kind: MovementKind,
        on_hand_delta: i64,
        /// Units on hand that it would have changed too, had not a later count had them already.
        covered_delta: i64,
        reserved_delta: i64,
        allocated_delta: i64,
        /// An order, a shipment, a receipt number.
        reference: String,
        /// The account of the order; none when the movement is of no order.
        account_id: Option<AccountId>,
        note: String,
        occur_time: Timestamp,
        record_time: Timestamp,
        /// `sku@location@day` when units on hand changed at a location, a count had the change already, or one is taken back; for
        /// lookup.
        stock_day: Option<String>,
        /// The movement that it takes back.
        retracts: Option<i64>,
        /// The movement whose covered units change by this one, because the count is taken back.
        uncovers: Option<i64>,
    }
}

impl Movement {
    /// The change of units on hand that was reported, whether a later count had it already or not.
    pub(crate) fn reported_delta(&self) -> i64 {
        self.on_hand_delta + self.covered_delta
    }
}

/// The column by which the movements of an item at a location on a day are found.
pub(crate) const STOCK_DAY: &[&str] = &["stock_day"];

/// Where and when units on hand changed, to the day.
pub(crate) fn stock_day(sku: &str, location_id: &NodeId, day: i64) -> String {
    format!("{}@{day}", lookup_key(sku, location_id))
}

/// The day of an instant, in UTC.
pub(crate) fn day(instant: Timestamp) -> i64 {
    instant.as_micros().div_euclid(DAY_MICROS)
}
