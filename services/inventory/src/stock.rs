//! Locations, and the counters of an item over all locations and at each.

use std::borrow::Cow;

use store::Rows;
use types::{Fault, NodeId, Timestamp};

use crate::{
    item::HandlingClass,
    supply::{UnitsAt, UnitsFor},
};

/// An item at a location.
pub(crate) type StockKey = (String, NodeId);

/// A stock key as columns for lookups have it: `sku@location`.
pub(crate) fn lookup_key(sku: &str, location_id: &NodeId) -> String {
    format!("{}@{location_id}", sku_key(sku))
}

/// An SKU beside stock keys. An `@` in it is doubled, so that no item's key is another's at a location.
pub(crate) fn sku_key(sku: &str) -> Cow<'_, str> {
    if sku.contains('@') { Cow::Owned(sku.replace('@', "@@")) } else { Cow::Borrowed(sku) }
}

store::record! {
    /// Where stock is counted. Its id is the node's.
    pub(crate) struct Location in "locations" key (location_id: NodeId) {
        name: String,
        /// Time of the newest count that was applied.
        count_time: Option<Timestamp>,
        create_time: Timestamp,
    }
}

store::record! {
    /// Units of an item over all locations. There is one for every item.
    pub(crate) struct Stock in "stock" key (sku: String) {
        on_hand: i64,
        /// Reserved for orders, not allocated at a location yet.
        reserved: i64,
        allocated: i64,
        /// Units that orders wait for.
        backordered: i64,
        /// How the item must be stored; it never changes.
        handling_class: HandlingClass,
        /// Units on hand that are not allocated, by location.
        available_at: UnitsAt,
        /// The reserved units, by destination.
        reserved_for: UnitsFor,
        /// The backordered units, by destination.
        backordered_for: UnitsFor,
        /// Allocated units that are not at their location, and reserved ones that are at none.
        shortfall: i64,
        /// Sum of the shortfalls of the item's levels.
        located_shortfall: i64,
        /// The last backorder sequence number of the item.
        last_backorder_sequence: i64,
        /// Scheduled receipts that count as supply.
        expected_receipts: i64,
        /// Counts the changes of receipts, so that decisions on them conflict.
        receipt_changes: i64,
        /// The last number in the item's ledger.
        last_movement_number: i64,
        update_time: Timestamp,
    }
}

store::record! {
    /// Units of an item at a location.
    pub(crate) struct Level in "levels" key (sku: String, location_id: NodeId) {
        on_hand: i64,
        allocated: i64,
        /// Allocated units that are not on hand.
        shortfall: i64,
        /// When the item was last counted there.
        count_time: Option<Timestamp>,
        update_time: Timestamp,
    }
}

impl Location {
    /// The location; a fault when it does not exist.
    pub(crate) fn find<'r>(rows: &'r Rows, location_id: &NodeId) -> Result<&'r Self, Fault> {
        rows.get::<Self>(location_id)?.ok_or_else(|| Fault::not_found("location", location_id))
    }
}

impl Stock {
    /// An item without units.
    pub(crate) fn none_of(sku: String, handling_class: HandlingClass, now: Timestamp) -> Self {
        Self {
            sku,
            on_hand: 0,
            reserved: 0,
            allocated: 0,
            backordered: 0,
            handling_class,
            available_at: UnitsAt::default(),
            reserved_for: UnitsFor::default(),
            backordered_for: UnitsFor::default(),
            shortfall: 0,
            located_shortfall: 0,
            last_backorder_sequence: 0,
            expected_receipts: 0,
            receipt_changes: 0,
            last_movement_number: 0,
            update_time: now,
            version: 0,
        }
    }

    /// Units on hand that are neither reserved nor allocated. Backorders have the first right to them. A location that has less
    /// than is allocated there takes no units of the others.
    pub(crate) fn free(&self) -> i64 {
        self.available_at.total().saturating_sub(self.reserved).max(0)
    }

    /// Changes the units reserved for a destination.
    pub(crate) fn reserve_for(&mut self, country: &String, units: i64) {
        self.reserved += units;
        self.reserved_for.set(country, self.reserved_for.of(country) + units);
    }

    /// Changes the units that orders of a destination wait for.
    pub(crate) fn backorder_for(&mut self, country: &String, units: i64) {
        self.backordered += units;
        self.backordered_for.set(country, self.backordered_for.of(country) + units);
    }

    /// Units that a new order can reserve.
    pub(crate) fn available_to_promise(&self) -> i64 {
        self.free().saturating_sub(self.backordered).max(0)
    }

    /// The part of the shortfall that is at no single location.
    pub(crate) fn unlocated_shortfall(&self) -> i64 {
        self.shortfall.saturating_sub(self.located_shortfall).max(0)
    }
}

impl Level {
    /// An item without units at a location.
    pub(crate) fn none_at(sku: String, location_id: NodeId, now: Timestamp) -> Self {
        Self {
            sku,
            location_id,
            on_hand: 0,
            allocated: 0,
            shortfall: 0,
            count_time: None,
            update_time: now,
            version: 0,
        }
    }

    /// Units on hand that are not allocated.
    pub(crate) fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.allocated).max(0)
    }

    /// Whether a count that was applied was taken after `occur_time`.
    pub(crate) fn was_counted_after(&self, occur_time: Timestamp) -> bool {
        self.count_time.is_some_and(|count_time| count_time > occur_time)
    }
}
