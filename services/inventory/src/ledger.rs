//! The rules of stock and promises: pure, over the rows a command has loaded.
//!
//! Every change of a counter goes through [`Ledger::book`], which writes the movement too, or through the two functions
//! that keep the line of those who wait; so counters, movements and reservations can not come apart. [`Ledger::finish`]
//! gives free units to those who wait and answers what changed.

#[cfg(test)]
mod laws;
mod outcome;
mod promise;
mod rows;
mod supply;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use types::{Fault, Id as _, NodeId, OrderId, Timestamp};

use crate::{
    movement::{self, Kind, Movement},
    promise::{Allocation, Reservation},
    stock::{Level, Stock},
};

pub(crate) use outcome::{Drift, Lack, Outcome};
pub(crate) use promise::{Terms, Wanted};
pub(crate) use rows::{Change, Rows};
pub(crate) use supply::Supply;
pub(crate) use work::{Leaving, Pick, Taken};

/// An order line.
pub(crate) type LineKey = (OrderId, i64);

/// An item at a location.
pub(crate) type Place = (String, NodeId);

/// The rows a decision is made on, and what becomes of them.
#[derive(Debug)]
pub(crate) struct Ledger {
    now: Timestamp,
    stock: Rows<String, Stock>,
    levels: Rows<Place, Level>,
    reservations: Rows<LineKey, Reservation>,
    allocations: Rows<(OrderId, i64, NodeId), Allocation>,
    /// Loaded reservations that wait, by item.
    waiting: BTreeMap<String, BTreeSet<LineKey>>,
    /// Reservations that were given free units.
    served: BTreeSet<LineKey>,
    movements: Vec<Movement>,
    drifts: Vec<Drift>,
}

/// A movement to book: what changes, where, and why.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    kind: Kind,
    sku: &'a str,
    location_id: Option<&'a NodeId>,
    on_hand: i64,
    reserved: i64,
    allocated: i64,
    reference: &'a str,
    note: &'a str,
    occur_time: Timestamp,
}

impl Ledger {
    /// A ledger without rows.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            now,
            stock: Rows::default(),
            levels: Rows::default(),
            reservations: Rows::default(),
            allocations: Rows::default(),
            waiting: BTreeMap::new(),
            served: BTreeSet::new(),
            movements: Vec::new(),
            drifts: Vec::new(),
        }
    }

    /// Adds a loaded row.
    pub(crate) fn load_stock(&mut self, stock: Stock) {
        self.stock.load(stock.sku.clone(), stock);
    }

    /// Adds a loaded row.
    pub(crate) fn load_level(&mut self, level: Level) {
        self.levels.load((level.sku.clone(), level.location_id.clone()), level);
    }

    /// Adds a loaded row. The ledger needs all that wait for an item that it gives free units of.
    pub(crate) fn load_reservation(&mut self, reservation: Reservation) {
        let key = (reservation.order_id.clone(), reservation.line_number);
        if reservation.backordered > 0 {
            self.waiting.entry(reservation.sku.clone()).or_default().insert(key.clone());
        }
        self.reservations.load(key, reservation);
    }

    /// Adds a loaded row.
    pub(crate) fn load_allocation(&mut self, allocation: Allocation) {
        let key = (allocation.order_id.clone(), allocation.line_number, allocation.location_id.clone());
        self.allocations.load(key, allocation);
    }

    /// The item's counters; a fault when the item does not exist or was not loaded.
    pub(crate) fn stock(&self, sku: &str) -> Result<&Stock, Fault> {
        self.stock.get(sku).ok_or_else(|| Fault::not_found("item", sku))
    }

    /// The item's counters at a location, if it was ever there.
    pub(crate) fn level(&self, sku: &str, location_id: &NodeId) -> Option<&Level> {
        self.levels.get(&(sku.to_owned(), location_id.clone()))
    }

    /// What is promised to a line.
    pub(crate) fn reservation(&self, key: &LineKey) -> Option<&Reservation> {
        self.reservations.get(key)
    }

    /// Changes counters and writes the movement. The one place where units on hand, reserved and allocated change.
    fn book(&mut self, entry: Entry<'_>) -> Result<(), Fault> {
        let Entry { kind, sku, location_id, on_hand, reserved, allocated, reference, note, occur_time } = entry;
        let mut located = 0;
        if let Some(location_id) = location_id.filter(|_| on_hand != 0 || allocated != 0) {
            let place = (sku.to_owned(), location_id.clone());
            let level = self.levels.make(&place, || Level::none_at(sku.to_owned(), location_id.clone(), self.now));
            level.on_hand += on_hand;
            level.allocated += allocated;
            level.update_time = self.now;
            located -= level.shortfall;
            level.shortfall = level.allocated.saturating_sub(level.on_hand).max(0);
            located += level.shortfall;
        }
        let stock = self.stock.edit(sku).ok_or_else(|| Fault::not_found("item", sku))?;
        stock.on_hand += on_hand;
        stock.reserved += reserved;
        stock.allocated += allocated;
        stock.located_shortfall += located;
        stock.shortfall = (stock.reserved + stock.allocated).saturating_sub(stock.on_hand).max(0);
        stock.movements += 1;
        stock.update_time = self.now;
        let stock_day = location_id.filter(|_| on_hand != 0);
        self.movements.push(Movement {
            sku: sku.to_owned(),
            movement_number: stock.movements,
            location_id: location_id.map(ToString::to_string).unwrap_or_default(),
            kind,
            on_hand_delta: on_hand,
            reserved_delta: reserved,
            allocated_delta: allocated,
            reference: reference.to_owned(),
            note: note.to_owned(),
            occur_time,
            record_time: self.now,
            stock_day: stock_day.map(|location_id| movement::stock_day(sku, location_id, movement::day(occur_time))),
            version: 0,
        });
        Ok(())
    }

    /// A movement without deltas yet, now.
    fn entry<'a>(&self, kind: Kind, sku: &'a str, reference: &'a str) -> Entry<'a> {
        Entry {
            kind,
            sku,
            location_id: None,
            on_hand: 0,
            reserved: 0,
            allocated: 0,
            reference,
            note: "",
            occur_time: self.now,
        }
    }

    /// Lets units of a reservation wait, at the end of the line of its rank unless it waits already.
    fn wait(&mut self, key: &LineKey, units: i64, rank: i64) -> Result<(), Fault> {
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let stock = self.stock.edit(&reservation.sku).ok_or_else(not_loaded)?;
        if reservation.wait_number.is_none() || rank < reservation.wait_rank {
            stock.waits += 1;
            (reservation.wait_rank, reservation.wait_number) = (rank, Some(stock.waits));
        }
        reservation.backordered += units;
        stock.backordered += units;
        self.waiting.entry(reservation.sku.clone()).or_default().insert(key.clone());
        Ok(())
    }

    /// Lets units of a reservation wait no more.
    fn wait_no_more(&mut self, key: &LineKey, units: i64) -> Result<(), Fault> {
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let stock = self.stock.edit(&reservation.sku).ok_or_else(not_loaded)?;
        reservation.backordered -= units;
        stock.backordered -= units;
        Ok(())
    }

    /// Gives free units of an item to those who wait, first come first served, those short at a location before all.
    fn serve(&mut self, sku: &str) -> Result<(), Fault> {
        let mut line = Vec::new();
        for key in self.waiting.get(sku).into_iter().flatten() {
            let reservation = self.reservations.get(key).filter(|reservation| reservation.backordered > 0);
            line.extend(reservation.map(|waits| (waits.wait_rank, waits.wait_number, key.clone(), waits.backordered)));
        }
        line.sort_unstable();
        for (_, _, key, backordered) in line {
            let units = self.stock(sku)?.unpromised().min(backordered);
            if units == 0 {
                break;
            }
            self.wait_no_more(&key, units)?;
            if let Some(reservation) = self.reservations.edit(&key) {
                reservation.reserved += units;
            }
            self.book(Entry { reserved: units, ..self.entry(Kind::Reserved, sku, key.0.as_str()) })?;
            self.served.insert(key);
        }
        let stock = self.stock(sku)?;
        if stock.unpromised() > 0 && stock.backordered > 0 { Err(not_loaded()) } else { Ok(()) }
    }
}

/// A decision was made on rows it did not ask for.
fn not_loaded() -> Fault {
    Fault::internal("a row of the ledger was not loaded")
}
