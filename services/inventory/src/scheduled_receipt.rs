//! Units that are to come in, and what can be promised of them.
//!
//! 1. `ScheduleReceipt` (`schedule_receipt.rs`) says how many units of an item are expected at a location and when, under the
//!    distributor's own number. Emits `inventory.receipt_scheduled`.
//! 2. Every command that changes stock of an item with expected receipts dates its backorders anew (`ledger/dates.rs`):
//!    `inventory.backorder_dated`. `GetAvailability` says what can be promised by then.
//! 3. Received stock that names the number counts the receipt down (`receive.rs`), also when it is scheduled only later; a receipt
//!    that is taken back counts up again (`retract_movement.rs`).
//! 4. A task at the expected time ([`OverdueTasks`]): what did not come counts as supply no more, until it is scheduled anew.

use std::collections::BTreeMap;

use store::{AnyCommand, Task, TaskHandler};
use types::{Fault, Id as _, NodeId, Timestamp};

use crate::{
    reach::{FillBackorders, Reach},
    stock::{Level, Stock},
    supply::Supply,
};

store::record! {
    /// Units of an item that are to come in at a location, or came in under a number that may still be scheduled.
    pub(crate) struct ScheduledReceipt in "scheduled_receipts" key (sku: String, location_id: NodeId, receipt_number: String) {
        /// In all; 0 when it is cancelled.
        quantity: i64,
        /// Of them, units that came in; they may be more.
        received: i64,
        expect_time: Timestamp,
        /// The same while units are still to come, for lists.
        open_time: Option<Timestamp>,
        /// The item while they count as supply, for lookup.
        expected_sku: Option<String>,
        create_time: Timestamp,
        update_time: Timestamp,
    }
}

/// The column by which the receipts of an item are found that count as supply.
pub(crate) const EXPECTED_SKU: &[&str] = &["expected_sku"];

/// An item at a location under a receipt number.
pub(crate) type ReceiptKey = (String, NodeId, String);

impl ScheduledReceipt {
    /// A receipt of which nothing is scheduled yet.
    pub(crate) fn none_for((sku, location_id, receipt_number): ReceiptKey, now: Timestamp) -> Self {
        Self {
            sku,
            location_id,
            receipt_number,
            quantity: 0,
            received: 0,
            expect_time: now,
            open_time: None,
            expected_sku: None,
            create_time: now,
            update_time: now,
            version: 0,
        }
    }

    /// Its key.
    pub(crate) fn key(&self) -> ReceiptKey {
        (self.sku.clone(), self.location_id.clone(), self.receipt_number.clone())
    }

    /// Units still to come.
    pub(crate) fn open(&self) -> i64 {
        self.quantity.saturating_sub(self.received).max(0)
    }

    /// Whether units are still to come after the expected time.
    pub(crate) fn is_overdue(&self, now: Timestamp) -> bool {
        self.open() > 0 && self.expect_time <= now
    }

    /// Whether it counts as supply.
    pub(crate) fn is_expected(&self, now: Timestamp) -> bool {
        self.open() > 0 && self.expect_time > now
    }

    /// Sets the columns that follow from the others.
    pub(crate) fn derive_columns(&mut self, now: Timestamp) {
        self.open_time = (self.open() > 0).then_some(self.expect_time);
        self.expected_sku = self.is_expected(now).then(|| self.sku.clone());
    }
}

/// The stock of an item as receipts come in.
#[derive(Debug)]
pub(crate) struct Arrivals {
    stock: Stock,
    /// Units on hand less those allocated, by location.
    unallocated: BTreeMap<NodeId, i64>,
}

impl Arrivals {
    /// Before anything comes in. `levels` are those where something will.
    pub(crate) fn new<'a>(stock: &Stock, levels: impl IntoIterator<Item = &'a Level>) -> Self {
        let unallocated = |level: &Level| (level.location_id.clone(), level.on_hand - level.allocated);
        Self { stock: stock.clone(), unallocated: levels.into_iter().map(unallocated).collect() }
    }

    /// The stock now.
    pub(crate) fn stock(&mut self) -> &mut Stock {
        &mut self.stock
    }

    /// What is still to come of a receipt comes in. It ends a shortfall of its location first.
    pub(crate) fn arrive(&mut self, receipt: &ScheduledReceipt) {
        let units = self.unallocated.entry(receipt.location_id.clone()).or_default();
        *units = units.saturating_add(receipt.open());
        self.stock.available_at.set(&receipt.location_id, (*units).max(0));
    }
}

/// Units that come in at a time, and what can be promised by then in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatedSupply {
    pub(crate) expect_time: Timestamp,
    pub(crate) quantity: i64,
    pub(crate) available_to_promise: i64,
}

/// What receipts, by their expected time, add to what can be promised; to a destination when a country is given.
pub(crate) fn dated_supply(
    mut arrivals: Arrivals,
    reach: Option<&Reach>,
    country: &str,
    receipts: &[&ScheduledReceipt],
) -> Vec<DatedSupply> {
    let class = arrivals.stock.handling_class;
    let reaches = |location_id: &NodeId| {
        country.is_empty() || reach.is_none_or(|reach| reach.reaches(location_id.as_str(), country, class))
    };
    let mut dated = Vec::new();
    for receipts in receipts.chunk_by(|one, other| one.expect_time == other.expect_time) {
        receipts.iter().for_each(|receipt| arrivals.arrive(receipt));
        let there = receipts.iter().filter(|receipt| reaches(&receipt.location_id));
        let quantity: i64 = there.map(|receipt| receipt.open()).sum();
        if let Some(first) = receipts.first().filter(|_| quantity > 0) {
            let stock = &arrivals.stock;
            let available_to_promise = if country.is_empty() {
                stock.available_to_promise()
            } else {
                Supply::of(stock, reach).promisable_to(country)
            };
            dated.push(DatedSupply { expect_time: first.expect_time, quantity, available_to_promise });
        }
    }
    dated
}

/// Kind of the tasks. The key is `sku@microseconds`: receipts of an item that are expected together share one.
const OVERDUE: &str = "receipt.overdue";

/// The task at the time from which on a receipt is overdue.
pub(crate) fn overdue(receipt: &ScheduledReceipt) -> Task {
    let ScheduledReceipt { sku, expect_time, .. } = receipt;
    Task::new(OVERDUE, format!("{sku}@{}", expect_time.as_micros()), *expect_time)
}

/// Runs the tasks: the item's backorders are dated without the receipts that are overdue.
#[derive(Debug)]
pub(crate) struct OverdueTasks;

#[async_trait::async_trait]
impl TaskHandler for OverdueTasks {
    fn kind(&self) -> &'static str {
        OVERDUE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let (sku, _) =
            task.key.rsplit_once('@').ok_or_else(|| Fault::internal("the key of a receipt task names no item"))?;
        Ok(vec![Box::new(FillBackorders { sku: sku.to_owned() })])
    }
}
