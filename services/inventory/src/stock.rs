//! Where units are, and how many.

use types::{NodeId, Timestamp};

store::record! {
    /// A place stock is counted at. Its id is the node's.
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
        /// Promised, not at a location yet.
        reserved: i64,
        allocated: i64,
        /// Units orders wait for.
        backordered: i64,
        /// Promised units that are not there.
        shortfall: i64,
        /// Sum of the shortfalls of the item's levels.
        located_shortfall: i64,
        /// The last ticket given to a reservation that waits.
        waits: i64,
        /// The last number in the item's ledger.
        movements: i64,
        update_time: Timestamp,
    }
}

store::record! {
    /// Units of an item at a location.
    pub(crate) struct Level in "levels" key (sku: String, location_id: NodeId) {
        on_hand: i64,
        allocated: i64,
        /// Allocated units that are not there.
        shortfall: i64,
        /// When the item was last counted there.
        count_time: Option<Timestamp>,
        update_time: Timestamp,
    }
}

impl Stock {
    /// An item of which nothing came yet.
    pub(crate) fn none_of(sku: String, now: Timestamp) -> Self {
        Self {
            sku,
            on_hand: 0,
            reserved: 0,
            allocated: 0,
            backordered: 0,
            shortfall: 0,
            located_shortfall: 0,
            waits: 0,
            movements: 0,
            update_time: now,
            version: 0,
        }
    }

    /// Units there that are promised to nobody. Orders that wait have the first right to them.
    pub(crate) fn unpromised(&self) -> i64 {
        self.on_hand.saturating_sub(self.reserved).saturating_sub(self.allocated).max(0)
    }

    /// Units that can be promised to an order that comes now.
    pub(crate) fn available_to_promise(&self) -> i64 {
        self.unpromised().saturating_sub(self.backordered).max(0)
    }

    /// Promised units that lack, though no one location lacks them.
    pub(crate) fn unlocated_shortfall(&self) -> i64 {
        self.shortfall.saturating_sub(self.located_shortfall).max(0)
    }
}

impl Level {
    /// A location an item was never at.
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

    /// Units there that no work will take.
    pub(crate) fn available(&self) -> i64 {
        self.on_hand.saturating_sub(self.allocated).max(0)
    }

    /// Whether a count has seen what happened at `occur_time`.
    pub(crate) fn was_counted_after(&self, occur_time: Timestamp) -> bool {
        self.count_time.is_some_and(|count_time| count_time > occur_time)
    }
}
