//! Promises at locations: allocate, take back, take away.

use types::{Fault, Id as _, NodeId, OrderId, Timestamp};

use super::{Drift, Entry, Ledger, LineKey, not_loaded};
use crate::{movement::Kind, promise::Allocation};

/// Units of a line at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pick {
    pub(crate) line_number: i64,
    pub(crate) location_id: NodeId,
    pub(crate) quantity: i64,
}

/// What becomes of units taken back from a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The order does not want them any more.
    Cancelled,
    /// The order holds them again.
    Reassigned,
    /// They were not found there: the order holds others, or waits before everyone else.
    Short,
}

/// Units of an item that left a location with a shipment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaving<'a> {
    pub(crate) shipment_id: &'a str,
    pub(crate) location_id: &'a NodeId,
    pub(crate) sku: &'a str,
    pub(crate) quantity: i64,
    pub(crate) occur_time: Timestamp,
}

impl Ledger {
    /// Gives reserved units to work at a location, as far as there is stock; answers how many.
    pub(crate) fn allocate(&mut self, order_id: &OrderId, pick: &Pick) -> Result<i64, Fault> {
        let key = (order_id.clone(), pick.line_number);
        let Some(reservation) = self.reservations.get(&key) else { return Ok(0) };
        let sku = reservation.sku.clone();
        let available = self.level(&sku, &pick.location_id).map_or(0, |level| level.available());
        let units = pick.quantity.min(reservation.reserved).min(available);
        if units <= 0 {
            return Ok(0);
        }
        let reservation = self.reservations.edit(&key).ok_or_else(not_loaded)?;
        reservation.reserved -= units;
        reservation.allocated += units;
        self.allocation(&key, &pick.location_id, &sku).open_units += units;
        let entry = self.entry(Kind::Allocated, &sku, order_id.as_str());
        self.book(Entry { location_id: Some(&pick.location_id), reserved: -units, allocated: units, ..entry })?;
        Ok(units)
    }

    /// Takes up to so many units back from a location. Those it did not find it did not find at `occur_time`.
    pub(crate) fn deallocate(
        &mut self,
        order_id: &OrderId,
        pick: &Pick,
        taken: Taken,
        occur_time: Timestamp,
    ) -> Result<(), Fault> {
        let key = (order_id.clone(), pick.line_number);
        let location_id = &pick.location_id;
        let open = self.allocations.get(&(order_id.clone(), pick.line_number, location_id.clone()));
        let units = open.map_or(0, |allocation| allocation.open_units).min(pick.quantity);
        if units <= 0 {
            return Ok(());
        }
        let sku = self.reservations.get(&key).ok_or_else(not_loaded)?.sku.clone();
        let allocation = self.allocation(&key, location_id, &sku);
        allocation.open_units -= units;
        allocation.released += units;
        let mut counted = false;
        if taken == Taken::Short {
            let level = self.level(&sku, location_id);
            // Whoever counted later has not seen them either.
            counted = level.is_some_and(|level| level.was_counted_after(occur_time));
            // Units that are known to lack there are the first that were not found.
            let lacking = level.map_or(0, |level| level.shortfall);
            let missing = if counted { 0 } else { (units - lacking).max(0) };
            if missing > 0 {
                let entry = self.entry(Kind::Adjusted, &sku, order_id.as_str());
                let note = "not found by the location";
                self.book(Entry { location_id: Some(location_id), on_hand: -missing, note, occur_time, ..entry })?;
            }
        }
        // A short line may hold what is free once its own units are off, as nobody goes before it.
        let stock = self.stock(&sku)?;
        let free = (stock.on_hand - stock.reserved - stock.allocated + units).max(0);
        let reserved = match taken {
            Taken::Cancelled => 0,
            Taken::Reassigned => units,
            Taken::Short => free.min(units),
        };
        let reservation = self.reservations.edit(&key).ok_or_else(not_loaded)?;
        reservation.allocated -= units;
        reservation.reserved += reserved;
        if taken == Taken::Cancelled {
            reservation.released += units;
        }
        let note = if counted { "not found by the location, in a later count already" } else { "" };
        let entry = self.entry(Kind::Deallocated, &sku, order_id.as_str());
        self.book(Entry { location_id: Some(location_id), reserved, allocated: -units, note, ..entry })?;
        if taken == Taken::Short && reserved < units {
            self.wait(&key, units - reserved, 0)?;
        }
        Ok(())
    }

    /// Takes units away for a shipment. It is a fact: units that were not allocated there are taken from what the line
    /// holds, waits for or gave back, and what is not on hand at all is drift.
    pub(crate) fn consume(&mut self, key: &LineKey, leaving: Leaving<'_>) -> Result<(), Fault> {
        let Leaving { shipment_id, location_id, sku, quantity, occur_time } = leaving;
        let level = self.level(sku, location_id);
        let counted = level.is_some_and(|level| level.was_counted_after(occur_time));
        let on_hand = if counted { 0 } else { level.map_or(0, |level| level.on_hand).min(quantity) };
        let drift = if counted { 0 } else { quantity - on_hand };

        let (mut allocated, mut reserved, mut waiting) = (0, 0, 0);
        if self.reservations.get(key).is_some_and(|reservation| reservation.sku == sku) {
            let place = (key.0.clone(), key.1, location_id.clone());
            let open = self.allocations.get(&place).map_or(0, |allocation| allocation.open_units);
            allocated = open.min(quantity);
            if allocated > 0 {
                let allocation = self.allocation(key, location_id, sku);
                allocation.open_units -= allocated;
                allocation.consumed += allocated;
            }
            let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
            reserved = (quantity - allocated).min(reservation.reserved);
            waiting = (quantity - allocated - reserved).min(reservation.backordered);
            let released = (quantity - allocated - reserved - waiting).min(reservation.released);
            reservation.allocated -= allocated;
            reservation.reserved -= reserved;
            reservation.released -= released;
            reservation.consumed += allocated + reserved + waiting + released;
        }
        if waiting > 0 {
            self.wait_no_more(key, waiting)?;
        }
        let note = match (counted, drift) {
            (true, _) => format!("{quantity} units, left before the last count"),
            (false, 1..) => format!("{drift} of {quantity} units were not on hand"),
            (false, _) => String::new(),
        };
        let entry = self.entry(Kind::Shipped, sku, shipment_id);
        let deltas = Entry { on_hand: -on_hand, reserved: -reserved, allocated: -allocated, ..entry };
        self.book(Entry { location_id: Some(location_id), note: &note, occur_time, ..deltas })?;
        if drift > 0 {
            match self.drifts.iter_mut().find(|known| known.sku == sku && known.location_id == *location_id) {
                Some(known) => known.quantity += drift,
                None => {
                    let location_id = location_id.clone();
                    self.drifts.push(Drift { sku: sku.to_owned(), location_id, quantity: drift });
                }
            }
        }
        Ok(())
    }

    fn allocation(&mut self, key: &LineKey, location_id: &NodeId, sku: &str) -> &mut Allocation {
        let (order_id, line_number) = key.clone();
        let place = (order_id.clone(), line_number, location_id.clone());
        let now = self.now;
        self.allocations
            .make(&place, || Allocation::none_at(order_id, line_number, location_id.clone(), sku.to_owned(), now))
    }
}
