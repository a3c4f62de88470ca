//! Which rows a decision on the ledger is made on.
//!
//! Those who wait for an item are loaded only when units of it may become free, those at stake only when units may lack.

use std::collections::BTreeSet;

use store::{Needs, Record, Rows};
use types::{Fault, NodeId, OrderId, Timestamp};

use crate::{
    ledger::{Ledger, LineKey, Place},
    promise::{Allocation, Reservation, place},
    stock::{Level, Stock},
};

/// Rows to load, by key and by lookup.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) skus: BTreeSet<String>,
    pub(crate) places: BTreeSet<Place>,
    pub(crate) lines: BTreeSet<LineKey>,
    pub(crate) allocations: BTreeSet<(OrderId, i64, NodeId)>,
    /// Orders whose every reservation is wanted.
    pub(crate) orders: BTreeSet<OrderId>,
    waiting: BTreeSet<String>,
    at_work: BTreeSet<Place>,
    promised: BTreeSet<String>,
}

const WAITING: &[&str] = &["waiting_sku"];
const PROMISED: &[&str] = &["promised_sku"];
const OPEN: &[&str] = &["open_place"];

/// The row, when it is loaded already.
pub(crate) fn known<'w, R: Record>(work: &'w Rows, key: &R::Key) -> Option<&'w R> {
    work.get(key).ok().flatten()
}

impl Scope {
    /// The reservations of these lines.
    pub(crate) fn of_lines(lines: impl Iterator<Item = LineKey>) -> Self {
        Self { lines: lines.collect(), ..Self::default() }
    }

    /// Units of the item may become free: whoever waits for it is wanted.
    pub(crate) fn frees(&mut self, rows: &Rows, sku: &str) {
        self.skus.insert(sku.to_owned());
        if known::<Stock>(rows, &sku.to_owned()).is_some_and(|stock| stock.backordered > 0) {
            self.waiting.insert(sku.to_owned());
        }
    }

    /// Units on hand at a location change by `delta`: whoever then lacks them is wanted.
    pub(crate) fn changes(&mut self, rows: &Rows, sku: &str, location_id: &NodeId, delta: i64) {
        let at = (sku.to_owned(), location_id.clone());
        if known::<Level>(rows, &at).is_some_and(|level| level.on_hand + delta < level.allocated) {
            self.at_work.insert(at.clone());
        }
        let lacks = |stock: &Stock| stock.on_hand + delta < stock.reserved + stock.allocated;
        if known::<Stock>(rows, &at.0).is_some_and(lacks) {
            self.promised.insert(at.0.clone());
        }
        self.skus.insert(at.0.clone());
        self.places.insert(at);
    }

    /// Asks for the rows.
    pub(crate) fn ask(&self, needs: &mut Needs) {
        self.skus.iter().for_each(|sku| needs.row::<Stock>(sku));
        self.places.iter().for_each(|place| needs.row::<Level>(place));
        self.lines.iter().for_each(|line| needs.row::<Reservation>(line));
        self.allocations.iter().for_each(|at| needs.row::<Allocation>(at));
        self.orders.iter().for_each(|order_id| needs.under::<Reservation>(order_id));
        self.waiting.iter().for_each(|sku| needs.by::<Reservation>(WAITING, sku));
        self.promised.iter().for_each(|sku| needs.by::<Reservation>(PROMISED, sku));
        self.at_work.iter().for_each(|(sku, location_id)| needs.by::<Allocation>(OPEN, &place(sku, location_id)));
    }

    /// The ledger of the loaded rows.
    pub(crate) fn load(&self, rows: &Rows, now: Timestamp) -> Result<Ledger, Fault> {
        let mut ledger = Ledger::new(now);
        for sku in &self.skus {
            rows.get::<Stock>(sku)?.cloned().into_iter().for_each(|stock| ledger.load_stock(stock));
        }
        for place in &self.places {
            rows.get::<Level>(place)?.cloned().into_iter().for_each(|level| ledger.load_level(level));
        }
        let mut reservations = Vec::new();
        for line in &self.lines {
            reservations.extend(rows.get::<Reservation>(line)?);
        }
        for order_id in &self.orders {
            reservations.extend(rows.under::<Reservation>(order_id)?);
        }
        for sku in &self.waiting {
            reservations.extend(rows.by::<Reservation>(WAITING, sku)?);
        }
        for sku in &self.promised {
            reservations.extend(rows.by::<Reservation>(PROMISED, sku)?);
        }
        reservations.into_iter().cloned().for_each(|reservation| ledger.load_reservation(reservation));
        let mut allocations = Vec::new();
        for at in &self.allocations {
            allocations.extend(rows.get::<Allocation>(at)?);
        }
        for (sku, location_id) in &self.at_work {
            allocations.extend(rows.by::<Allocation>(OPEN, &place(sku, location_id))?);
        }
        allocations.into_iter().cloned().for_each(|allocation| ledger.load_allocation(allocation));
        Ok(ledger)
    }
}
