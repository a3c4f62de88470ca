//! Who units are promised to.

use std::time::Duration;

use proto::inventory::v1::AllocateResponse;
use store::Proto;
use types::{NodeId, OrderId, Timestamp};

store::text_enum! {
    /// What a reservation does when there is less than asked for.
    pub(crate) enum Policy {
        /// Refuses all of it.
        Refuse = "REFUSE",
        /// Lets the rest wait for stock.
        Backorder = "BACKORDER",
    }
}

store::record! {
    /// What is promised to one order line.
    pub(crate) struct Reservation in "reservations" key (order_id: OrderId, line_number: i64) {
        sku: String,
        /// `reserved + allocated + consumed + backordered + released`.
        requested: i64,
        /// Promised over all locations.
        reserved: i64,
        /// At work at locations.
        allocated: i64,
        /// Shipped.
        consumed: i64,
        /// Waits for stock.
        backordered: i64,
        /// Given back.
        released: i64,
        policy: Policy,
        /// Microseconds after which reserved units are given back.
        expire_after: Option<i64>,
        expire_time: Option<Timestamp>,
        /// 0 goes before 1: units a location could not find.
        wait_rank: i64,
        /// The ticket, while units wait.
        wait_number: Option<i64>,
        /// The item while units wait, for lookup.
        waiting_sku: Option<String>,
        /// The item while units are reserved or allocated, for lookup.
        promised_sku: Option<String>,
        create_time: Timestamp,
        update_time: Timestamp,
    }
}

store::record! {
    /// Units of a reservation at a location.
    pub(crate) struct Allocation in "allocations" key (order_id: OrderId, line_number: i64, location_id: NodeId) {
        sku: String,
        /// Not shipped yet.
        open_units: i64,
        consumed: i64,
        released: i64,
        /// `sku@location` while units are open, for lookup.
        open_place: Option<String>,
        update_time: Timestamp,
    }
}

store::record! {
    /// The first answer to an allocation key.
    pub(crate) struct AllocationKey in "allocation_keys" key (allocation_key: String) {
        order_id: OrderId,
        /// The allocations alone.
        answer: Proto<AllocateResponse>,
        create_time: Timestamp,
    }
}

store::record! {
    /// What a shipment took of a line.
    pub(crate) struct Consumption in "consumptions" key (shipment_id: types::ShipmentId, line_number: i64) {
        order_id: OrderId,
        /// By a call.
        asked: i64,
        /// By events of the shipment.
        told: i64,
    }
}

store::record! {
    /// How many holds stand on an order.
    pub(crate) struct OrderHolds in "order_holds" key (order_id: OrderId) {
        open_holds: i64,
    }
}

impl Reservation {
    /// Nothing is promised to the line yet.
    pub(crate) fn none_for(order_id: OrderId, line_number: i64, sku: String, now: Timestamp) -> Self {
        Self {
            order_id,
            line_number,
            sku,
            requested: 0,
            reserved: 0,
            allocated: 0,
            consumed: 0,
            backordered: 0,
            released: 0,
            policy: Policy::Refuse,
            expire_after: None,
            expire_time: None,
            wait_rank: 1,
            wait_number: None,
            waiting_sku: None,
            promised_sku: None,
            create_time: now,
            update_time: now,
            version: 0,
        }
    }

    /// Sets what follows from the counters.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        self.update_time = now;
        self.waiting_sku = (self.backordered > 0).then(|| self.sku.clone());
        self.promised_sku = (self.reserved > 0 || self.allocated > 0).then(|| self.sku.clone());
        if self.backordered == 0 {
            (self.wait_rank, self.wait_number) = (1, None);
        }
        self.expire_time = match (self.reserved, self.expire_after) {
            (1.., Some(after)) => self.expire_time.or_else(|| Some(now.after(micros(after)))),
            _ => None,
        };
    }
}

impl Allocation {
    /// Nothing of the line is at the location yet.
    pub(crate) fn none_at(
        order_id: OrderId,
        line_number: i64,
        location_id: NodeId,
        sku: String,
        now: Timestamp,
    ) -> Self {
        Self {
            order_id,
            line_number,
            location_id,
            sku,
            open_units: 0,
            consumed: 0,
            released: 0,
            open_place: None,
            update_time: now,
            version: 0,
        }
    }

    /// Sets what follows from the counters.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        self.update_time = now;
        self.open_place = (self.open_units > 0).then(|| place(&self.sku, &self.location_id));
    }
}

/// An item at a location, as lookups have it.
pub(crate) fn place(sku: &str, location_id: &NodeId) -> String {
    format!("{sku}@{location_id}")
}

/// The duration of so many microseconds.
pub(crate) fn micros(micros: i64) -> Duration {
    Duration::from_micros(micros.unsigned_abs())
}
