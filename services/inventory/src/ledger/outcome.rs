//! What a decision changed.

use std::collections::BTreeSet;

use types::{Fault, NodeId, OrderId};

use super::{Change, Ledger, LineKey};
use crate::{
    movement::Movement,
    promise::{Allocation, Reservation},
    stock::{Level, Stock},
};

/// The most orders a lack names.
const NAMED: usize = 1_000;

/// All that changed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) stock: Vec<Change<Stock>>,
    pub(crate) levels: Vec<Change<Level>>,
    pub(crate) reservations: Vec<Change<Reservation>>,
    pub(crate) allocations: Vec<Change<Allocation>>,
    pub(crate) movements: Vec<Movement>,
    /// Reservations that were given free units.
    pub(crate) served: BTreeSet<LineKey>,
    /// Shortfalls that are not what they were.
    pub(crate) lacks: Vec<Lack>,
    pub(crate) drifts: Vec<Drift>,
}

/// More is promised of an item than there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) sku: String,
    /// `None` when no one location lacks it.
    pub(crate) location_id: Option<NodeId>,
    pub(crate) before: i64,
    pub(crate) after: i64,
    /// Orders with units at stake, oldest first: the last ones are the first to lack.
    pub(crate) orders: Vec<OrderId>,
}

/// A shipment took units that were not on hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) sku: String,
    pub(crate) location_id: NodeId,
    pub(crate) quantity: i64,
}

impl Ledger {
    /// Gives free units to those who wait, and answers all that changed.
    pub(crate) fn finish(mut self) -> Result<Outcome, Fault> {
        for sku in self.stock.touched() {
            if self.stock(&sku)?.backordered > 0 {
                self.serve(&sku)?;
            }
        }
        self.reservations.settle(|reservation| reservation.settle(self.now));
        self.allocations.settle(|allocation| allocation.settle(self.now));
        let (stock, levels) = (self.stock.changes(), self.levels.changes());
        let located = levels.iter().map(|Change { before, after }| Lack {
            sku: after.sku.clone(),
            location_id: Some(after.location_id.clone()),
            before: before.as_ref().map_or(0, |level| level.shortfall),
            after: after.shortfall,
            orders: Vec::new(),
        });
        let unlocated = stock.iter().map(|Change { before, after }| Lack {
            sku: after.sku.clone(),
            location_id: None,
            before: before.as_ref().map_or(0, Stock::unlocated_shortfall),
            after: after.unlocated_shortfall(),
            orders: Vec::new(),
        });
        let mut lacks: Vec<Lack> = located.chain(unlocated).filter(|lack| lack.before != lack.after).collect();
        for lack in lacks.iter_mut().filter(|lack| lack.after > lack.before) {
            lack.orders = match &lack.location_id {
                Some(location_id) => self.at_work(&lack.sku, location_id),
                None => self.promised(&lack.sku),
            };
        }
        Ok(Outcome {
            stock,
            levels,
            reservations: self.reservations.changes(),
            allocations: self.allocations.changes(),
            movements: self.movements,
            served: self.served,
            lacks,
            drifts: self.drifts,
        })
    }

    /// Loaded orders with units of the item at work at the location.
    fn at_work(&self, sku: &str, location_id: &NodeId) -> Vec<OrderId> {
        let there = |allocation: &Allocation| {
            allocation.open_units > 0 && allocation.sku == sku && allocation.location_id == *location_id
        };
        let orders = self.allocations.iter().filter(|(_, allocation)| there(allocation));
        named(orders.map(|((order_id, _, _), _)| order_id.clone()))
    }

    /// Loaded orders the item is promised to.
    fn promised(&self, sku: &str) -> Vec<OrderId> {
        let promised = |reservation: &Reservation| {
            reservation.sku == sku && (reservation.reserved > 0 || reservation.allocated > 0)
        };
        let orders = self.reservations.iter().filter(|(_, reservation)| promised(reservation));
        named(orders.map(|((order_id, _), _)| order_id.clone()))
    }
}

/// Each order once, by age, which order ids sort by.
fn named(orders: impl Iterator<Item = OrderId>) -> Vec<OrderId> {
    let orders: BTreeSet<OrderId> = orders.collect();
    let skipped = orders.len().saturating_sub(NAMED);
    orders.into_iter().skip(skipped).collect()
}
