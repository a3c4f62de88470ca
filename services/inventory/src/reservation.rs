//! Units that are reserved for orders, and where they are allocated.

use std::time::Duration;

use types::{AccountId, NodeId, OrderId, Timestamp};

use crate::stock::lookup_key;

/// Rank of the backorder of units that a location could not find: it is filled first.
pub(crate) const SHORT_PICK_RANK: i64 = 0;

/// Priority of lines that have none of their own.
pub(crate) const DEFAULT_PRIORITY: i64 = 5;

/// Rank of every other backorder.
pub(crate) const DEFAULT_RANK: i64 = 1;

store::text_enum! {
    /// What a reservation does when fewer units are available than requested.
    pub(crate) enum ShortagePolicy = proto::inventory::v1::ShortagePolicy {
        /// Refuses all units.
        Refuse = "REFUSE",
        /// Reserves the available units and backorders the others.
        Backorder = "BACKORDER",
    }
}

/// An order line.
pub(crate) type LineKey = (OrderId, i64);

/// An order line at a location.
pub(crate) type LineAtLocation = (OrderId, i64, NodeId);

store::record! {
    /// Units requested for one order line, by what was done with them.
    pub(crate) struct Reservation in "reservations" key (order_id: OrderId, line_number: i64) {
        /// The account that ordered.
        account_id: AccountId,
        sku: String,
        /// Where the units go, ISO 3166-1 alpha-2; empty where it is not known.
        ship_to_country: String,
        /// `reserved + allocated + consumed + backordered + released`.
        requested: i64,
        /// Reserved over all locations.
        reserved: i64,
        /// Allocated at locations.
        allocated: i64,
        /// Shipped.
        consumed: i64,
        /// Waiting for stock.
        backordered: i64,
        /// No longer wanted.
        released: i64,
        /// Of those shipped, units that were no longer wanted.
        consumed_released: i64,
        /// Units shipped beyond those requested.
        consumed_beyond: i64,
        shortage_policy: ShortagePolicy,
        /// Microseconds after which reserved units expire.
        expire_after: Option<i64>,
        expire_time: Option<Timestamp>,
        /// Backorders are filled by rank, then by the rules, then by sequence number.
        backorder_rank: i64,
        /// Set while units are backordered.
        backorder_sequence: Option<i64>,
        /// Since when units are backordered.
        backorder_time: Option<Timestamp>,
        /// When scheduled receipts are expected to fill all of them.
        backorder_expect_time: Option<Timestamp>,
        /// 0 to 9; where the rules say so, the higher one gets free units first.
        priority: i64,
        /// When the order was promised.
        promise_time: Option<Timestamp>,
        /// The item while units are backordered, for lookup.
        backordered_sku: Option<String>,
        /// The item while units are reserved or allocated, for lookup.
        reserved_sku: Option<String>,
        create_time: Timestamp,
        update_time: Timestamp,
    }
}

store::record! {
    /// Units of a reservation at a location.
    pub(crate) struct Allocation in "allocations" key (order_id: OrderId, line_number: i64, location_id: NodeId) {
        sku: String,
        /// Allocated and not shipped.
        open_units: i64,
        consumed: i64,
        released: i64,
        /// Not found by the location, and taken off its units on hand.
        not_found: i64,
        /// When the last of them were not found.
        not_found_time: Option<Timestamp>,
        /// `sku@location` while units are open, for lookup.
        open_stock_key: Option<String>,
        update_time: Timestamp,
    }
}

impl Reservation {
    /// Takes back units that were shipped and that nobody wanted, those beyond the requested ones first. Returns how many of the
    /// units were wanted.
    pub(crate) fn forget_unwanted(&mut self, units: i64) -> i64 {
        let beyond = units.min(self.consumed_beyond);
        let released = (units - beyond).min(self.consumed_released);
        self.consumed_beyond -= beyond;
        self.consumed_released -= released;
        self.consumed -= released;
        self.released += released;
        units - beyond - released
    }

    /// A line without units.
    pub(crate) fn none_for(
        (order_id, line_number): LineKey,
        account_id: AccountId,
        sku: String,
        ship_to_country: String,
        now: Timestamp,
    ) -> Self {
        Self {
            order_id,
            line_number,
            account_id,
            sku,
            ship_to_country,
            requested: 0,
            reserved: 0,
            allocated: 0,
            consumed: 0,
            backordered: 0,
            released: 0,
            consumed_released: 0,
            consumed_beyond: 0,
            shortage_policy: ShortagePolicy::Refuse,
            expire_after: None,
            expire_time: None,
            backorder_rank: DEFAULT_RANK,
            backorder_sequence: None,
            backorder_time: None,
            backorder_expect_time: None,
            priority: DEFAULT_PRIORITY,
            promise_time: None,
            backordered_sku: None,
            reserved_sku: None,
            create_time: now,
            update_time: now,
            version: 0,
        }
    }

    /// Its key.
    pub(crate) fn key(&self) -> LineKey {
        (self.order_id.clone(), self.line_number)
    }

    /// Whether both have the same units, for the same destination and with the same priority and promise.
    pub(crate) fn is_told_as(&self, other: &Self) -> bool {
        let units = |of: &Self| (of.requested, of.reserved, of.allocated, of.consumed, of.backordered, of.released);
        let terms = |of: &Self| (of.priority, of.promise_time);
        units(self) == units(other) && terms(self) == terms(other) && self.ship_to_country == other.ship_to_country
    }

    /// Sets the columns that follow from the counters.
    pub(crate) fn derive_columns(&mut self, now: Timestamp) {
        self.update_time = now;
        self.backordered_sku = (self.backordered > 0).then(|| self.sku.clone());
        self.reserved_sku = (self.reserved > 0 || self.allocated > 0).then(|| self.sku.clone());
        if self.backordered == 0 {
            (self.backorder_rank, self.backorder_sequence) = (DEFAULT_RANK, None);
            (self.backorder_time, self.backorder_expect_time) = (None, None);
        }
        self.expire_time = match (self.reserved, self.expire_after) {
            (1.., Some(after)) => self.expire_time.or_else(|| Some(now.after(micros(after)))),
            _ => None,
        };
    }
}

impl Allocation {
    /// A line without units at a location.
    pub(crate) fn none_at((order_id, line_number): LineKey, location_id: NodeId, sku: String, now: Timestamp) -> Self {
        Self {
            order_id,
            line_number,
            location_id,
            sku,
            open_units: 0,
            consumed: 0,
            released: 0,
            not_found: 0,
            not_found_time: None,
            open_stock_key: None,
            update_time: now,
            version: 0,
        }
    }

    /// Allocates units. A location that has them has found what it did not find before.
    pub(crate) fn allocate(&mut self, units: i64) {
        self.open_units += units;
        self.not_found = self.not_found.saturating_sub(units).max(0);
    }

    /// Its key.
    pub(crate) fn key(&self) -> LineAtLocation {
        (self.order_id.clone(), self.line_number, self.location_id.clone())
    }

    /// Sets the columns that follow from the counters.
    pub(crate) fn derive_columns(&mut self, now: Timestamp) {
        self.update_time = now;
        self.open_stock_key = (self.open_units > 0).then(|| lookup_key(&self.sku, &self.location_id));
    }
}

/// The duration of so many microseconds.
pub(crate) fn micros(micros: i64) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}
