//! Units at locations: allocate, deallocate, consume.

use types::{Fault, Id as _, NodeId, OrderId, Timestamp};

use super::{Entry, Ledger, not_loaded};
use crate::{
    movement::MovementKind,
    process::short_pick::ShortPick,
    quantity::AllocationLine,
    reach,
    reservation::{Allocation, DEFAULT_RANK, LineKey, SHORT_PICK_RANK},
    supply::Supply,
};

store::text_enum! {
    /// What is done with deallocated units.
    pub(crate) enum DeallocationPolicy = proto::inventory::v1::DeallocationPolicy {
        /// They are released: the order does not want them any more.
        Cancel = "CANCEL",
        /// They are reserved for the order again, or others when they cannot reach its destination from there.
        Reassign = "REASSIGN",
        /// The location could not find them: other units are reserved, or backordered before all others.
        Short = "SHORT",
    }
}

/// Units of an item that left a location with a shipment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboundQuantity<'a> {
    pub(crate) shipment_id: &'a str,
    pub(crate) location_id: &'a NodeId,
    pub(crate) sku: &'a str,
    pub(crate) quantity: i64,
    pub(crate) occur_time: Timestamp,
}

impl Ledger {
    /// Allocates reserved units at a location, as far as units are available there; returns how many.
    pub(crate) fn allocate(&mut self, order_id: &OrderId, line: &AllocationLine) -> Result<i64, Fault> {
        let key = line.key(order_id);
        let Some(reservation) = self.reservations.get(&key) else { return Ok(0) };
        let (sku, ship_to_country) = (reservation.sku.clone(), reservation.ship_to_country.clone());
        let wanted = line.quantity.min(reservation.reserved);
        let units = self.supply(&sku)?.allocatable(&ship_to_country, &line.location_id, wanted);
        if units <= 0 {
            return Ok(0);
        }
        let reservation = self.reservations.edit(&key).ok_or_else(not_loaded)?;
        reservation.reserved -= units;
        reservation.allocated += units;
        self.allocation(&key, &line.location_id, &sku).allocate(units);
        let entry = self.entry(MovementKind::Allocated, &sku, order_id.as_str());
        let (location_id, ship_to_country) = (Some(&line.location_id), ship_to_country.as_str());
        self.record(Entry { location_id, ship_to_country, reserved: -units, allocated: units, ..entry })?;
        Ok(units)
    }

    /// Deallocates up to so many units of a line at a location. With CANCEL those that a shipment took instead are released of what
    /// is reserved. `occur_time` is when a short pick occurred.
    pub(crate) fn deallocate(
        &mut self,
        order_id: &OrderId,
        line: &AllocationLine,
        policy: DeallocationPolicy,
        occur_time: Timestamp,
    ) -> Result<(), Fault> {
        let key = line.key(order_id);
        let location_id = &line.location_id;
        let (open, consumed) = self
            .allocations
            .get(&line.at_location(order_id))
            .map_or((0, 0), |allocation| (allocation.open_units, allocation.consumed));
        let units = open.min(line.quantity);
        if policy == DeallocationPolicy::Cancel {
            // Another shipment of the line from here took units that were allocated for this one, and left it reserved ones.
            self.release(&key, (line.quantity - units).min(consumed))?;
        }
        if units <= 0 {
            return Ok(());
        }
        let reservation = self.reservations.get(&key).ok_or_else(not_loaded)?;
        let (sku, ship_to_country) = (reservation.sku.clone(), reservation.ship_to_country.clone());
        let allocation = self.allocation(&key, location_id, &sku);
        allocation.open_units -= units;
        allocation.released += units;
        let mut note = "";
        if policy == DeallocationPolicy::Short {
            let short_pick = ShortPick::new(self.level(&sku, location_id), units, occur_time);
            note = short_pick.note;
            if short_pick.correction > 0 {
                self.miss(&key, location_id, short_pick.correction, occur_time);
                let entry = self.entry(MovementKind::Adjusted, &sku, order_id.as_str());
                let note = "not found by the location";
                let on_hand = -short_pick.correction;
                self.record(Entry { location_id: Some(location_id), on_hand, note, occur_time, ..entry })?;
            }
        }
        let mut stock = self.stock(&sku)?.clone();
        let level = self.level(&sku, location_id);
        let left = level.map_or(0, |level| level.on_hand.saturating_sub(level.allocated - units).max(0));
        stock.available_at.set(location_id, left);
        let left = Supply::of(&stock, self.reach.as_ref());
        let stay = reach::may_stay(self.reach.as_ref(), &stock, location_id, &ship_to_country);
        let reserved = match policy {
            DeallocationPolicy::Cancel => 0,
            DeallocationPolicy::Reassign if stay => units,
            DeallocationPolicy::Reassign => left.promisable_to(&ship_to_country).min(units),
            // Free units go to the short pick before any backorder.
            DeallocationPolicy::Short => left.free_for(&ship_to_country).min(units),
        };
        let reservation = self.reservations.edit(&key).ok_or_else(not_loaded)?;
        reservation.allocated -= units;
        reservation.reserved += reserved;
        if policy == DeallocationPolicy::Cancel {
            reservation.released += units;
        }
        let entry = self.entry(MovementKind::Deallocated, &sku, order_id.as_str());
        let (location_id, ship_to_country) = (Some(location_id), ship_to_country.as_str());
        self.record(Entry { location_id, ship_to_country, reserved, allocated: -units, note, ..entry })?;
        match policy {
            DeallocationPolicy::Short if reserved < units => self.backorder(&key, units - reserved, SHORT_PICK_RANK),
            DeallocationPolicy::Reassign if reserved < units => self.backorder(&key, units - reserved, DEFAULT_RANK),
            DeallocationPolicy::Cancel | DeallocationPolicy::Reassign | DeallocationPolicy::Short => Ok(()),
        }
    }

    /// Consumes units of a shipment. They have left, so nothing is refused: units that were not allocated there come
    /// off what is reserved, backordered or released of the line, and what is not on hand is drift.
    pub(crate) fn consume(&mut self, key: &LineKey, outbound: OutboundQuantity<'_>) -> Result<(), Fault> {
        let OutboundQuantity { shipment_id, location_id, sku, quantity, occur_time } = outbound;
        let level = self.level(sku, location_id);
        let counted = level.is_some_and(|level| level.was_counted_after(occur_time));
        let on_hand = if counted { 0 } else { level.map_or(0, |level| level.on_hand).min(quantity) };
        let (drift, covered) = if counted { (0, -quantity) } else { (quantity - on_hand, 0) };

        let (mut allocated, mut reserved, mut backordered) = (0, 0, 0);
        let mut ship_to_country = String::new();
        if self.reservations.get(key).is_some_and(|reservation| reservation.sku == sku) {
            let allocation = self.allocations.get(&(key.0.clone(), key.1, location_id.clone()));
            allocated = allocation.map_or(0, |allocation| allocation.open_units).min(quantity);
            if allocated > 0 {
                let allocation = self.allocation(key, location_id, sku);
                allocation.open_units -= allocated;
                allocation.consumed += allocated;
            }
            let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
            ship_to_country.clone_from(&reservation.ship_to_country);
            reserved = (quantity - allocated).min(reservation.reserved);
            backordered = (quantity - allocated - reserved).min(reservation.backordered);
            let released = (quantity - allocated - reserved - backordered).min(reservation.released);
            reservation.allocated -= allocated;
            reservation.reserved -= reserved;
            reservation.released -= released;
            reservation.consumed += allocated + reserved + backordered + released;
            reservation.consumed_released += released;
            reservation.consumed_beyond += quantity - allocated - reserved - backordered - released;
        }
        if backordered > 0 {
            self.reduce_backorder(key, backordered)?;
        }
        let note = match (counted, drift) {
            (true, _) => format!("{quantity} units, left before the last count"),
            (false, 1..) => format!("{drift} of {quantity} units were not on hand"),
            (false, _) => String::new(),
        };
        let entry = self.entry(MovementKind::Shipped, sku, shipment_id);
        let ship_to_country = ship_to_country.as_str();
        let deltas = Entry { on_hand: -on_hand, reserved: -reserved, allocated: -allocated, ship_to_country, ..entry };
        self.record(Entry { location_id: Some(location_id), covered, note: &note, occur_time, ..deltas })?;
        if drift > 0 {
            *self.drifts.entry((sku.to_owned(), location_id.clone())).or_default() += drift;
        }
        Ok(())
    }

    /// Restores units of a shipment that did not leave after all: they are on hand, unless the location was counted since, and
    /// allocated there again, unless nobody wanted them or another location is to ship them.
    pub(crate) fn restore(&mut self, key: &LineKey, stayed: OutboundQuantity<'_>, elsewhere: i64) -> Result<(), Fault> {
        let OutboundQuantity { shipment_id, location_id, sku, quantity, occur_time } = stayed;
        let counted = self.level(sku, location_id).is_some_and(|level| level.was_counted_after(occur_time));
        let (on_hand, covered) = if counted { (0, quantity) } else { (quantity, 0) };
        let mut allocated = 0;
        if self.reservations.get(key).is_some_and(|reservation| reservation.sku == sku) {
            let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
            allocated = (reservation.forget_unwanted(quantity) - elsewhere).clamp(0, reservation.consumed);
            reservation.consumed -= allocated;
            reservation.allocated += allocated;
            let allocation = self.allocation(key, location_id, sku);
            allocation.consumed = (allocation.consumed - allocated).max(0);
            allocation.open_units += allocated;
        }
        let note =
            if counted { "did not leave after all, in a later count already" } else { "did not leave after all" };
        let entry = self.entry(MovementKind::Shipped, sku, shipment_id);
        self.record(Entry { location_id: Some(location_id), on_hand, covered, allocated, note, occur_time, ..entry })
    }

    /// Reserves units again that were consumed and do not reach the customer: before any other backorder. Those that nobody wanted
    /// are forgotten.
    pub(crate) fn replace(&mut self, key: &LineKey, quantity: i64) -> Result<(), Fault> {
        if self.reservations.get(key).is_none() {
            return Ok(());
        }
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let units = reservation.forget_unwanted(quantity).min(reservation.consumed);
        reservation.consumed -= units;
        if units > 0 { self.backorder(key, units, SHORT_PICK_RANK) } else { Ok(()) }
    }

    /// Forgets units that were consumed, that nobody wanted, and that do not reach the customer.
    pub(crate) fn forget_unwanted(&mut self, key: &LineKey, quantity: i64) {
        if let Some(reservation) = self.reservations.edit(key) {
            reservation.forget_unwanted(quantity);
        }
    }

    /// Reserves units again that no location is to ship any more although the order wants them: they were released, or consumed
    /// by a shipment that did not leave. Before any other backorder.
    pub(crate) fn reserve_again(&mut self, key: &LineKey, quantity: i64) -> Result<(), Fault> {
        let Some(reservation) = self.reservations.edit(key) else { return Ok(()) };
        let released = quantity.min(reservation.released);
        let consumed = (quantity - released).min(reservation.consumed);
        reservation.released -= released;
        reservation.consumed -= consumed;
        if released + consumed > 0 { self.backorder(key, released + consumed, SHORT_PICK_RANK) } else { Ok(()) }
    }

    fn allocation(&mut self, key: &LineKey, location_id: &NodeId, sku: &str) -> &mut Allocation {
        let at_location = (key.0.clone(), key.1, location_id.clone());
        let now = self.now;
        self.allocations
            .make(&at_location, || Allocation::none_at(key.clone(), location_id.clone(), sku.to_owned(), now))
    }
}
