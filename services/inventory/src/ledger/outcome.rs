//! All rows that a decision changed, and the shortfalls that began, grew or ended.

use std::collections::{BTreeMap, BTreeSet};

use types::{Fault, NodeId, OrderId};

use super::{Change, Ledger};
use crate::{
    movement::Movement,
    process::shortfall::ShortfallChange,
    reservation::{Allocation, LineKey, Reservation},
    scheduled_receipt::ScheduledReceipt,
    stock::{Level, Stock, StockKey},
};

/// All that changed.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) stock: Vec<Change<Stock>>,
    pub(super) levels: Vec<Change<Level>>,
    pub(super) reservations: Vec<Change<Reservation>>,
    pub(super) allocations: Vec<Change<Allocation>>,
    pub(super) receipts: Vec<Change<ScheduledReceipt>>,
    pub(super) movements: Vec<Movement>,
    /// Reservations whose backorders were filled.
    pub(super) filled: BTreeSet<LineKey>,
    pub(super) shortfalls: Vec<ShortfallChange>,
    /// Units that a shipment took and that were not on hand.
    pub(super) drifts: BTreeMap<StockKey, i64>,
}

impl Ledger {
    /// Fills backorders, dates the others and returns all that changed.
    pub(super) fn finish(mut self) -> Result<Outcome, Fault> {
        self.fill_backorders()?;
        self.date_backorders()?;
        let (stock, levels) = (self.stock.changes(|_| ()), self.levels.changes(|_| ()));
        let reservations = self.reservations.changes(|reservation| reservation.derive_columns(self.now));
        let allocations = self.allocations.changes(|allocation| allocation.derive_columns(self.now));
        let receipts = self.receipts.changes(|receipt| receipt.derive_columns(self.now));
        let mut shortfalls = Vec::new();
        for Change { before, after } in &levels {
            let before = before.as_ref().map_or(0, |level| level.shortfall);
            let orders = || self.allocated_orders(&after.sku, &after.location_id);
            let location_id = Some(after.location_id.clone());
            shortfalls.extend(ShortfallChange::new(&after.sku, location_id, before, after.shortfall, orders));
        }
        for Change { before, after } in &stock {
            let before = before.as_ref().map_or(0, Stock::unlocated_shortfall);
            let orders = || self.reserved_orders(&after.sku);
            shortfalls.extend(ShortfallChange::new(&after.sku, None, before, after.unlocated_shortfall(), orders));
        }
        Ok(Outcome {
            stock,
            levels,
            reservations,
            allocations,
            receipts,
            movements: self.movements,
            filled: self.filled,
            shortfalls,
            drifts: self.drifts,
        })
    }

    /// Loaded orders with open allocations of the item at the location.
    fn allocated_orders(&self, sku: &str, location_id: &NodeId) -> BTreeSet<OrderId> {
        let open = |allocation: &Allocation| {
            allocation.open_units > 0 && allocation.sku == sku && allocation.location_id == *location_id
        };
        let allocations = self.allocations.iter().filter(|(_, allocation)| open(allocation));
        allocations.map(|((order_id, _, _), _)| order_id.clone()).collect()
    }

    /// Loaded orders with reserved or allocated units of the item.
    fn reserved_orders(&self, sku: &str) -> BTreeSet<OrderId> {
        let reserved = |reservation: &Reservation| {
            reservation.sku == sku && (reservation.reserved > 0 || reservation.allocated > 0)
        };
        let reservations = self.reservations.iter().filter(|(_, reservation)| reserved(reservation));
        reservations.map(|((order_id, _), _)| order_id.clone()).collect()
    }
}
