//! The rules of stock and reservations: pure, over the rows that a command has loaded.
//!
//! Units on hand, reserved and allocated change only in [`Ledger::record`], which writes the movement too; backordered
//! units change only in `backorders.rs`. [`Ledger::save`] fills backorders from free units, dates the others, writes all changed
//! rows and emits all events; a decision cannot store a change in any other way.

mod allocation;
mod backorders;
mod dates;
#[cfg(test)]
mod laws;
mod on_hand;
mod outcome;
mod receipts;
mod redirection;
mod reservation;
mod save;
mod tracked_rows;

use std::collections::{BTreeMap, BTreeSet};

use types::{Fault, NodeId, Timestamp, Violation};

use crate::{
    backorder::BackorderRules,
    movement::{self, Movement, MovementKind},
    reach::Reach,
    reservation::{Allocation, LineAtLocation, LineKey, Reservation},
    scheduled_receipt::{ReceiptKey, ScheduledReceipt},
    stock::{Level, Stock, StockKey},
    supply::Supply,
};

pub(crate) use allocation::{DeallocationPolicy, OutboundQuantity};
pub(crate) use on_hand::TakenBack;
pub(crate) use reservation::Terms;
pub(crate) use save::Cause;
pub(crate) use tracked_rows::{Change, TrackedRows};

/// The rows that a decision is made on, and what it changed.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ledger {
    now: Timestamp,
    /// Where the units of locations can be sent.
    reach: Option<Reach>,
    /// Who gets free units.
    rules: BackorderRules,
    stock: TrackedRows<String, Stock>,
    levels: TrackedRows<StockKey, Level>,
    reservations: TrackedRows<LineKey, Reservation>,
    allocations: TrackedRows<LineAtLocation, Allocation>,
    receipts: TrackedRows<ReceiptKey, ScheduledReceipt>,
    /// Reservations with backordered units, by item.
    backorders: BTreeMap<String, BTreeSet<LineKey>>,
    /// Reservations whose backorders were filled.
    filled: BTreeSet<LineKey>,
    movements: Vec<Movement>,
    /// Units that a shipment took and that were not on hand.
    drifts: BTreeMap<StockKey, i64>,
}

/// The rows that a decision is made on.
#[derive(Debug, Default)]
pub(crate) struct LedgerRows {
    pub(crate) stock: Vec<Stock>,
    pub(crate) levels: Vec<Level>,
    pub(crate) reservations: Vec<Reservation>,
    pub(crate) allocations: Vec<Allocation>,
    pub(crate) receipts: Vec<ScheduledReceipt>,
}

/// A movement to record: what changes, where, and why.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    kind: MovementKind,
    sku: &'a str,
    location_id: Option<&'a NodeId>,
    /// Of the units whose reservation changes.
    ship_to_country: &'a str,
    on_hand: i64,
    /// Units on hand that a later count has already.
    covered: i64,
    reserved: i64,
    allocated: i64,
    reference: &'a str,
    note: &'a str,
    occur_time: Timestamp,
    /// The movement that it takes back.
    retracts: Option<i64>,
    /// The movement whose covered units change.
    uncovers: Option<i64>,
}

impl Ledger {
    /// The ledger of these rows.
    pub(crate) fn new(
        now: Timestamp,
        reach: Option<Reach>,
        rules: BackorderRules,
        LedgerRows { stock, levels, reservations, allocations, receipts }: LedgerRows,
    ) -> Self {
        let level = |level: Level| ((level.sku.clone(), level.location_id.clone()), level);
        let mut backorders: BTreeMap<String, BTreeSet<LineKey>> = BTreeMap::new();
        let reservation = |reservation: Reservation| {
            if reservation.backordered > 0 {
                backorders.entry(reservation.sku.clone()).or_default().insert(reservation.key());
            }
            (reservation.key(), reservation)
        };
        Self {
            now,
            reach,
            rules,
            stock: stock.into_iter().map(|stock| (stock.sku.clone(), stock)).collect(),
            levels: levels.into_iter().map(level).collect(),
            reservations: reservations.into_iter().map(reservation).collect(),
            allocations: allocations.into_iter().map(|allocation| (allocation.key(), allocation)).collect(),
            receipts: receipts.into_iter().map(|receipt| (receipt.key(), receipt)).collect(),
            backorders,
            filled: BTreeSet::new(),
            movements: Vec::new(),
            drifts: BTreeMap::new(),
        }
    }

    /// The item's counters; a fault when the item does not exist or was not loaded.
    pub(crate) fn stock(&self, sku: &str) -> Result<&Stock, Fault> {
        self.stock.get(sku).ok_or_else(|| Fault::not_found("item", sku))
    }

    /// The item's counters at a location, if it was ever there.
    pub(crate) fn level(&self, sku: &str, location_id: &NodeId) -> Option<&Level> {
        self.levels.get(&(sku.to_owned(), location_id.clone()))
    }

    /// The reservation of a line.
    pub(crate) fn reservation(&self, key: &LineKey) -> Option<&Reservation> {
        self.reservations.get(key)
    }

    /// The supply of an item.
    pub(crate) fn supply(&self, sku: &str) -> Result<Supply<'_>, Fault> {
        Ok(Supply::of(self.stock(sku)?, self.reach.as_ref()))
    }

    /// Has the backorders of an item filled although nothing else changes.
    pub(crate) fn touch(&mut self, sku: &str) -> Result<(), Fault> {
        self.stock.edit(sku).map(|_| ()).ok_or_else(|| Fault::not_found("item", sku))
    }

    /// Refuses the request when items of its list `field` do not exist or are services, and names them all.
    pub(crate) fn check_items<'a>(&self, field: &str, skus: impl Iterator<Item = &'a String>) -> Result<(), Fault> {
        let unknown = skus.enumerate().filter(|(_, sku)| self.stock(sku).is_err());
        let violation = |(index, sku): (usize, &String)| {
            Violation::new(format!("{field}[{index}].sku"), format!("there is no item {sku} that is stocked"))
        };
        let violations: Vec<Violation> = unknown.map(violation).collect();
        if violations.is_empty() { Ok(()) } else { Err(Fault::violations(violations)) }
    }

    /// Changes counters and writes the movement.
    fn record(&mut self, entry: Entry<'_>) -> Result<(), Fault> {
        let Entry { kind, sku, location_id, ship_to_country, on_hand, covered, reserved, allocated, .. } = entry;
        let Entry { reference, note, occur_time, retracts, uncovers, .. } = entry;
        let mut located = 0;
        let mut available_at = None;
        if let Some(location_id) = location_id.filter(|_| on_hand != 0 || allocated != 0) {
            let key = (sku.to_owned(), location_id.clone());
            let level = self.levels.make(&key, || Level::none_at(sku.to_owned(), location_id.clone(), self.now));
            level.on_hand += on_hand;
            level.allocated += allocated;
            level.update_time = self.now;
            located -= level.shortfall;
            level.shortfall = level.allocated.saturating_sub(level.on_hand).max(0);
            located += level.shortfall;
            available_at = Some((location_id, level.available()));
        }
        let stock = self.stock.edit(sku).ok_or_else(|| Fault::not_found("item", sku))?;
        stock.on_hand += on_hand;
        stock.allocated += allocated;
        if let Some((location_id, units)) = available_at {
            stock.available_at.set(location_id, units);
        }
        if reserved != 0 {
            stock.reserve_for(&ship_to_country.to_owned(), reserved);
        }
        stock.located_shortfall += located;
        stock.shortfall = stock.located_shortfall + Supply::of(stock, self.reach.as_ref()).missing();
        stock.last_movement_number += 1;
        stock.update_time = self.now;
        let stock_day = location_id.filter(|_| on_hand != 0 || covered != 0 || retracts.is_some());
        self.movements.push(Movement {
            sku: sku.to_owned(),
            movement_number: stock.last_movement_number,
            location_id: location_id.map(ToString::to_string).unwrap_or_default(),
            kind,
            on_hand_delta: on_hand,
            covered_delta: covered,
            reserved_delta: reserved,
            allocated_delta: allocated,
            reference: reference.to_owned(),
            account_id: None,
            note: note.to_owned(),
            occur_time,
            record_time: self.now,
            stock_day: stock_day.map(|location_id| movement::stock_day(sku, location_id, movement::day(occur_time))),
            retracts,
            uncovers,
            version: 0,
        });
        Ok(())
    }

    /// A movement without deltas yet, now.
    fn entry<'a>(&self, kind: MovementKind, sku: &'a str, reference: &'a str) -> Entry<'a> {
        Entry {
            kind,
            sku,
            location_id: None,
            ship_to_country: "",
            on_hand: 0,
            covered: 0,
            reserved: 0,
            allocated: 0,
            reference,
            note: "",
            occur_time: self.now,
            retracts: None,
            uncovers: None,
        }
    }
}

/// A decision was made on rows that its working set does not contain.
fn not_loaded() -> Fault {
    Fault::internal("a row of the ledger was not loaded")
}
