//! The rows that a decision of the ledger needs.
//!
//! Backorders of an item are loaded only when units of it may become free, and orders with units at stake only when
//! units may come short.

use std::collections::BTreeSet;

use store::{Needs, Record, Rows};
use types::{Fault, NodeId, OrderId, Timestamp};

use crate::{
    ledger::Ledger,
    quantity::{AllocationLine, ItemQuantity},
    reach::Reach,
    reservation::{Allocation, LineAtLocation, LineKey, Reservation},
    stock::{Level, Stock, StockKey, lookup_key},
    supply::Supply,
};

/// Rows to load, by key and by lookup.
#[derive(Debug, Default)]
pub(crate) struct WorkingSet {
    skus: BTreeSet<String>,
    stock_keys: BTreeSet<StockKey>,
    lines: BTreeSet<LineKey>,
    allocations: BTreeSet<LineAtLocation>,
    /// Orders all of whose reservations are loaded.
    orders: BTreeSet<OrderId>,
    /// Items all of whose backorders are loaded.
    backordered: BTreeSet<String>,
    /// Items all of whose reservations are loaded.
    reserved: BTreeSet<String>,
    /// Items at locations all of whose open allocations are loaded.
    allocated: BTreeSet<StockKey>,
}

const BACKORDERED_SKU: &[&str] = &["backordered_sku"];
const RESERVED_SKU: &[&str] = &["reserved_sku"];
const OPEN_STOCK_KEY: &[&str] = &["open_stock_key"];

/// The row, when it is loaded already.
pub(crate) fn loaded<'r, R: Record>(rows: &'r Rows, key: &R::Key) -> Option<&'r R> {
    rows.get(key).ok().flatten()
}

impl WorkingSet {
    /// The reservations of these lines.
    pub(crate) fn of_lines(lines: impl IntoIterator<Item = LineKey>) -> Self {
        Self { lines: lines.into_iter().collect(), ..Self::default() }
    }

    /// All reservations of an order, with the backorders that expired units of them would fill.
    pub(crate) fn of_order(rows: &Rows, order_id: &OrderId) -> Self {
        let mut set = Self { orders: BTreeSet::from([order_id.clone()]), ..Self::default() };
        let reservations = rows.under::<Reservation>(order_id).unwrap_or_default();
        for reservation in reservations.iter().filter(|reservation| reservation.reserved > 0) {
            set.units_become_free(rows, &reservation.sku);
        }
        set
    }

    /// The reservations and allocations of an order's lines at locations. The items are known once the reservations are
    /// loaded.
    pub(crate) fn of_allocations(rows: &Rows, order_id: &OrderId, lines: &[AllocationLine]) -> Self {
        let mut set = Self::of_lines(lines.iter().map(|line| line.key(order_id)));
        for line in lines {
            if let Some(present) = loaded::<Reservation>(rows, &line.key(order_id)) {
                set.item_at(&present.sku, &line.location_id);
            }
            set.allocations.insert(line.at_location(order_id));
        }
        set
    }

    /// An item.
    pub(crate) fn item(&mut self, sku: &str) {
        self.skus.insert(sku.to_owned());
    }

    /// An item, and its level at a location.
    pub(crate) fn item_at(&mut self, sku: &str, location_id: &NodeId) {
        self.item(sku);
        self.stock_keys.insert((sku.to_owned(), location_id.clone()));
    }

    /// A line's allocation at a location.
    pub(crate) fn allocation(&mut self, key: LineAtLocation) {
        self.allocations.insert(key);
    }

    /// Units of every item in the set may become free.
    pub(crate) fn all_units_become_free(&mut self, rows: &Rows) {
        self.skus.clone().iter().for_each(|sku| self.units_become_free(rows, sku));
    }

    /// Units of the item may become free: its backorders are loaded.
    pub(crate) fn units_become_free(&mut self, rows: &Rows, sku: &str) {
        self.item(sku);
        if loaded::<Stock>(rows, &sku.to_owned()).is_some_and(|stock| stock.backordered > 0) {
            self.backordered.insert(sku.to_owned());
        }
    }

    /// Units of items arrive at a location.
    pub(crate) fn units_arrive(&mut self, rows: &Rows, location_id: &NodeId, items: &[ItemQuantity]) {
        for item in items {
            self.units_become_free(rows, &item.sku);
            self.item_at(&item.sku, location_id);
        }
    }

    /// Units on hand at a location change by `delta`: orders whose units then come short are loaded, and backorders
    /// when there are more units.
    pub(crate) fn on_hand_changes(&mut self, rows: &Rows, sku: &str, location_id: &NodeId, delta: i64) {
        let key = (sku.to_owned(), location_id.clone());
        let level = loaded::<Level>(rows, &key);
        let (on_hand, allocated) = level.map_or((0, 0), |level| (level.on_hand, level.allocated));
        if on_hand + delta < allocated {
            self.allocated.insert(key);
        }
        let reach = loaded::<Reach>(rows, &Reach::key());
        let short = |stock: &Stock| {
            let mut stock = stock.clone();
            stock.available_at.set(location_id, (on_hand + delta - allocated).max(0));
            Supply::of(&stock, reach).missing() > 0
        };
        if loaded::<Stock>(rows, &sku.to_owned()).is_some_and(short) {
            self.reserved.insert(sku.to_owned());
        }
        if delta > 0 {
            self.units_become_free(rows, sku);
        }
        self.item_at(sku, location_id);
    }

    /// Requests the rows.
    pub(crate) fn request(&self, needs: &mut Needs) {
        if !self.skus.is_empty() {
            needs.row::<Reach>(&Reach::key());
        }
        self.skus.iter().for_each(|sku| needs.row::<Stock>(sku));
        self.stock_keys.iter().for_each(|key| needs.row::<Level>(key));
        self.lines.iter().for_each(|line| needs.row::<Reservation>(line));
        self.allocations.iter().for_each(|key| needs.row::<Allocation>(key));
        self.orders.iter().for_each(|order_id| needs.under::<Reservation>(order_id));
        self.backordered.iter().for_each(|sku| needs.by::<Reservation>(BACKORDERED_SKU, sku));
        self.reserved.iter().for_each(|sku| needs.by::<Reservation>(RESERVED_SKU, sku));
        let allocated = self.allocated.iter().map(|(sku, location_id)| lookup_key(sku, location_id));
        allocated.for_each(|key| needs.by::<Allocation>(OPEN_STOCK_KEY, &key));
    }

    /// The ledger of the loaded rows.
    pub(crate) fn load(&self, rows: &Rows, now: Timestamp) -> Result<Ledger, Fault> {
        let mut reservations = find::<Reservation>(rows, &self.lines)?;
        for order_id in &self.orders {
            reservations.extend(rows.under::<Reservation>(order_id)?.into_iter().cloned());
        }
        for sku in &self.backordered {
            reservations.extend(rows.by::<Reservation>(BACKORDERED_SKU, sku)?.into_iter().cloned());
        }
        for sku in &self.reserved {
            reservations.extend(rows.by::<Reservation>(RESERVED_SKU, sku)?.into_iter().cloned());
        }
        let mut allocations = find::<Allocation>(rows, &self.allocations)?;
        for (sku, location_id) in &self.allocated {
            let key = lookup_key(sku, location_id);
            allocations.extend(rows.by::<Allocation>(OPEN_STOCK_KEY, &key)?.into_iter().cloned());
        }
        let (stock, levels) = (find::<Stock>(rows, &self.skus)?, find::<Level>(rows, &self.stock_keys)?);
        let reach = if self.skus.is_empty() { None } else { rows.get::<Reach>(&Reach::key())?.cloned() };
        Ok(Ledger::new(now, reach, stock, levels, reservations, allocations))
    }
}

/// The rows with these keys, those that exist.
fn find<R: Record>(rows: &Rows, keys: &BTreeSet<R::Key>) -> Result<Vec<R>, Fault> {
    keys.iter().filter_map(|key| rows.get::<R>(key).map(Option::<&R>::cloned).transpose()).collect()
}
