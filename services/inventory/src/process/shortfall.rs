//! More units of an item are reserved and allocated than are on hand.
//!
//! 1. A count, a correction or a shipment lowers the units on hand (`report_snapshot.rs`, `adjust.rs`, `consume.rs`).
//!    It is not refused for reserved units. Its working set has the orders with units at stake
//!    (`WorkingSet::on_hand_changes`, `working_set.rs`).
//! 2. `Ledger::record` (`ledger.rs`) sets the shortfall of the level (allocated units that are not there) and of the
//!    item: those of its levels, and reserved units that no location has for their destination (`Supply::missing`).
//! 3. `Ledger::finish` (`ledger/outcome.rs`) compares both with what they were: [`ShortfallChange`]. The shortfall of
//!    an item counts only beyond that of its levels.
//! 4. [`ShortfallChange::emit`]: a shortfall that begins or grows emits `inventory.shortfall_detected` with the orders
//!    at stake; one that begins opens the exception `STOCK_SHORTFALL`. No reservation changes: a person decides which
//!    order goes without.
//! 5. While it lasts, no unit of that location is free, and none that the reserved units need (`supply.rs`): received units
//!    end the shortfall before they fill a backorder. What other locations have stays free.
//! 6. It ends by units that arrive, by a cancellation, or by the short pick of the node that does not find the units
//!    (`process/short_pick.rs`). Then the exception is resolved.

use std::collections::BTreeSet;

use proto::{event::v1::ExceptionType, events::InventoryEvent, inventory::v1::ShortfallDetected};
use store::{Context, Exception, NewEvent};
use types::{Id as _, NodeId, OrderId};

use crate::stock::{lookup_key, sku_key};

/// The most orders that an event names.
const MAX_ORDERS: usize = 1_000;

/// A shortfall that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShortfallChange {
    pub(crate) sku: String,
    /// `None` for the part of the item's shortfall that is at no single location.
    location_id: Option<NodeId>,
    before: i64,
    after: i64,
    /// Orders with units at stake when it grows, by age.
    orders: Vec<OrderId>,
}

impl ShortfallChange {
    /// The change of a shortfall, if it did change. `orders` are those with units at stake.
    pub(crate) fn new(
        sku: &str,
        location_id: Option<NodeId>,
        before: i64,
        after: i64,
        orders: impl FnOnce() -> BTreeSet<OrderId>,
    ) -> Option<Self> {
        let orders = if after > before { orders() } else { BTreeSet::new() };
        // Order ids sort by age. The last orders are the first to come short, so they are the ones that are named.
        let unnamed = orders.len().saturating_sub(MAX_ORDERS);
        let orders = orders.into_iter().skip(unnamed).collect();
        (before != after).then(|| Self { sku: sku.to_owned(), location_id, before, after, orders })
    }

    /// Emits that it grew; opens an exception when it begins and resolves it when it ends. `version` is the item's.
    pub(crate) fn emit(&self, version: i64, cx: &mut Context<'_>) {
        let Self { sku, location_id, before, after, orders } = self;
        let location = location_id.as_ref().map_or("", |location_id| location_id.as_str());
        if after > before {
            let payload = InventoryEvent::InventoryShortfallDetected(ShortfallDetected {
                sku: sku.clone(),
                location_id: location.to_owned(),
                shortfall: *after,
                order_ids: orders.iter().map(ToString::to_string).collect(),
            });
            cx.emit(NewEvent::new(payload, sku, version, format!("{location}:{version}")));
        }
        let subject =
            location_id.as_ref().map_or_else(|| sku_key(sku).into_owned(), |location_id| lookup_key(sku, location_id));
        let exception = Exception::new(ExceptionType::StockShortfall, &subject, version).version(version);
        if *before == 0 {
            let summary = format!("{after} reserved units of {subject} are not there");
            let facts = [("sku", sku.clone()), ("location_id", location.to_owned()), ("shortfall", after.to_string())];
            exception.open(cx, summary, facts);
        } else if *after == 0 {
            exception.resolve(cx, format!("all reserved units of {subject} are there again"));
        }
    }
}
