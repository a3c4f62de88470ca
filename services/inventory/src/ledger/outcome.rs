//! What a decision changed.

use std::collections::BTreeSet;

use types::{Fault, NodeId, OrderId};

use super::{Change, Ledger};
use crate::{
    movement::Movement,
    process::shortfall::ShortfallChange,
    reservation::{Allocation, LineKey, Reservation},
    stock::{Level, Stock},
};

/// All that changed.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) stock: Vec<Change<Stock>>,
    pub(super) levels: Vec<Change<Level>>,
    pub(super) reservations: Vec<Change<Reservation>>,
    pub(super) allocations: Vec<Change<Allocation>>,
    pub(super) movements: Vec<Movement>,
    /// Reservations whose backorders were filled.
    pub(super) filled: BTreeSet<LineKey>,
    pub(super) shortfalls: Vec<ShortfallChange>,
    pub(super) drifts: Vec<Drift>,
}

/// A shipment took units that were not on hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) sku: String,
    pub(crate) location_id: NodeId,
    pub(crate) quantity: i64,
}

impl Ledger {
    /// Fills backorders and returns all that changed.
    pub(super) fn finish(mut self) -> Result<Outcome, Fault> {
        self.fill_backorders()?;
        self.reservations.complete_changes(|reservation| reservation.derive_columns(self.now));
        self.allocations.complete_changes(|allocation| allocation.derive_columns(self.now));
        let (stock, levels) = (self.stock.changes(), self.levels.changes());
        let located = levels.iter().filter_map(|Change { before, after }| {
            let orders = || self.allocated_orders(&after.sku, &after.location_id);
            ShortfallChange::at_location(before.as_ref(), after, orders)
        });
        let unlocated = stock.iter().filter_map(|Change { before, after }| {
            ShortfallChange::at_no_location(before.as_ref(), after, || self.reserved_orders(&after.sku))
        });
        let shortfalls = located.chain(unlocated).collect();
        Ok(Outcome {
            stock,
            levels,
            reservations: self.reservations.changes(),
            allocations: self.allocations.changes(),
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
