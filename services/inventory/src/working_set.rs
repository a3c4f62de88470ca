//! The rows that a decision of the ledger needs.
//!
//! Backorders of an item are loaded only when units of it may become free or have become free already, and when receipts of it are
//! expected, so that they are dated; orders with units at stake only when units may come short.

use std::collections::BTreeSet;

use store::{Needs, Record, Rows};
use types::{Fault, NodeId, OrderId, Timestamp};

use crate::{
    backorder::BackorderRules,
    ledger::{Ledger, LedgerRows},
    quantity::{AllocationLine, ItemQuantity},
    reach::{self, Reach},
    reservation::{Allocation, LineAtLocation, LineKey, Reservation},
    scheduled_receipt::{EXPECTED_SKU, ReceiptKey, ScheduledReceipt},
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
    /// Receipts that change when they are known.
    receipts: BTreeSet<ReceiptKey>,
    /// Items whose receipts are scheduled.
    scheduled: BTreeSet<String>,
    /// Whether the rules of backorders are needed whatever else is loaded.
    rules: bool,
}

/// What follows from rows that are loaded.
struct Consequences {
    /// Items all of whose backorders are loaded.
    backordered: BTreeSet<String>,
    /// Items all of whose expected receipts are loaded.
    dated: BTreeSet<String>,
    stock_keys: BTreeSet<StockKey>,
    rules: bool,
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
        self.rules = true;
        if loaded::<Stock>(rows, &sku.to_owned()).is_some_and(|stock| stock.backordered > 0) {
            self.backordered.insert(sku.to_owned());
        }
    }

    /// Units of a line do not stay at a location: those that cannot reach its destination from there become free.
    pub(crate) fn units_leave(&mut self, rows: &Rows, line: &LineKey, location_id: &NodeId) {
        let Some(present) = loaded::<Reservation>(rows, line) else { return };
        let reach = loaded::<Reach>(rows, &Reach::key());
        let stay = |stock: &Stock| reach::may_stay(reach, stock, location_id, &present.ship_to_country);
        if !loaded::<Stock>(rows, &present.sku).is_none_or(stay) {
            self.units_become_free(rows, &present.sku);
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

    /// Units under a receipt number come in, or did not after all.
    pub(crate) fn receipt(&mut self, key: ReceiptKey) {
        self.receipts.insert(key);
    }

    /// A receipt is scheduled.
    pub(crate) fn receipt_scheduled(&mut self, key: ReceiptKey) {
        let (sku, location_id, _) = &key;
        self.item_at(sku, location_id);
        self.scheduled.insert(sku.clone());
        self.receipt(key);
    }

    fn consequences(&self, rows: &Rows) -> Consequences {
        let known = self.receipts.iter().filter(|key| loaded::<ScheduledReceipt>(rows, key).is_some());
        let mut dated: BTreeSet<String> =
            known.map(|key| key.0.clone()).chain(self.scheduled.iter().cloned()).collect();
        let mut backordered = self.backordered.clone();
        let (mut stock_keys, mut rules) = (self.stock_keys.clone(), self.rules);
        let reach = loaded::<Reach>(rows, &Reach::key());
        let found = loaded::<BackorderRules>(rows, &BackorderRules::key());
        for stock in self.skus.iter().filter_map(|sku| loaded::<Stock>(rows, sku)) {
            let sku = &stock.sku;
            if stock.expected_receipts > 0 {
                dated.insert(sku.clone());
            }
            rules |= stock.backordered > 0;
            // The rules held units back until they changed.
            let left = !found.is_some_and(BackorderRules::hold_units) && Supply::of(stock, reach).can_fill();
            if stock.backordered > 0 && (dated.contains(sku) || left) {
                backordered.insert(sku.clone());
            }
        }
        for sku in &dated {
            let receipts = rows.by::<ScheduledReceipt>(EXPECTED_SKU, sku).unwrap_or_default();
            stock_keys.extend(receipts.into_iter().map(|receipt| (sku.clone(), receipt.location_id.clone())));
            rules = true;
        }
        Consequences { backordered, dated, stock_keys, rules }
    }

    /// Requests the rows, as far as those that are loaded already say which.
    pub(crate) fn request(&self, rows: &Rows, needs: &mut Needs) {
        let Consequences { backordered, dated, stock_keys, rules } = self.consequences(rows);
        if !self.skus.is_empty() {
            needs.row::<Reach>(&Reach::key());
        }
        if rules {
            needs.row::<BackorderRules>(&BackorderRules::key());
        }
        dated.iter().for_each(|sku| needs.by::<ScheduledReceipt>(EXPECTED_SKU, sku));
        self.receipts.iter().for_each(|key| needs.row::<ScheduledReceipt>(key));
        self.skus.iter().for_each(|sku| needs.row::<Stock>(sku));
        stock_keys.iter().for_each(|key| needs.row::<Level>(key));
        self.lines.iter().for_each(|line| needs.row::<Reservation>(line));
        self.allocations.iter().for_each(|key| needs.row::<Allocation>(key));
        self.orders.iter().for_each(|order_id| needs.under::<Reservation>(order_id));
        backordered.iter().for_each(|sku| needs.by::<Reservation>(BACKORDERED_SKU, sku));
        self.reserved.iter().for_each(|sku| needs.by::<Reservation>(RESERVED_SKU, sku));
        let allocated = self.allocated.iter().map(|(sku, location_id)| lookup_key(sku, location_id));
        allocated.for_each(|key| needs.by::<Allocation>(OPEN_STOCK_KEY, &key));
    }

    /// The ledger of the loaded rows.
    pub(crate) fn load(&self, rows: &Rows, now: Timestamp) -> Result<Ledger, Fault> {
        let Consequences { backordered, dated, stock_keys, rules } = self.consequences(rows);
        let mut reservations = find::<Reservation>(rows, &self.lines)?;
        for order_id in &self.orders {
            reservations.extend(rows.under::<Reservation>(order_id)?.into_iter().cloned());
        }
        for sku in &backordered {
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
        let mut receipts = find::<ScheduledReceipt>(rows, &self.receipts)?;
        for sku in &dated {
            receipts.extend(rows.by::<ScheduledReceipt>(EXPECTED_SKU, sku)?.into_iter().cloned());
        }
        let (stock, levels) = (find::<Stock>(rows, &self.skus)?, find::<Level>(rows, &stock_keys)?);
        let reach = if self.skus.is_empty() { None } else { rows.get::<Reach>(&Reach::key())?.cloned() };
        let rules = if rules { BackorderRules::find(rows)? } else { BackorderRules::default() };
        Ok(Ledger::new(now, reach, rules, LedgerRows { stock, levels, reservations, allocations, receipts }))
    }
}

/// The rows with these keys, those that exist.
fn find<R: Record>(rows: &Rows, keys: &BTreeSet<R::Key>) -> Result<Vec<R>, Fault> {
    keys.iter().filter_map(|key| rows.get::<R>(key).map(Option::<&R>::cloned).transpose()).collect()
}
