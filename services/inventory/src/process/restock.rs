//! Units of a return go back on hand.
//!
//! 1. Returns records the inspection of a return and emits `return.disposed` (`services/returns/src/inspect.rs`).
//! 2. `ReturnsFollower` (`reactions.rs`) makes a [`Restock`] of the units with the disposition `RESTOCK`; the others
//!    change no stock.
//! 3. [`Restock`] adds the units to those on hand at the node that inspected them, at the time of the event: what was
//!    inspected before the location's newest count is in that count already. The order has no claim on them.
//! 4. `Ledger::save` (`ledger/save.rs`) fills backorders from them (`ledger/backorders.rs`) and emits
//!    `inventory.restocked`, correlated with the order of the return.
//! 5. Fulfillment follows `inventory.restocked` and routes waiting orders again
//!    (`services/fulfillment/src/process/rerouting.rs`).

use std::collections::BTreeMap;

use mesh::wire::one_id;
use proto::returns::v1::{DispositionKind, ReturnDisposed};
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, NodeId, OrderId, Timestamp};

use crate::{ledger::Cause, movement::MovementKind, quantity::ItemQuantity, stock::Location, working_set::WorkingSet};

/// Units of a return that can be sold again.
pub(crate) struct Restock {
    return_id: String,
    order_id: OrderId,
    account_id: AccountId,
    location_id: NodeId,
    items: Vec<ItemQuantity>,
    /// When they were inspected; now when absent.
    occur_time: Option<Timestamp>,
}

impl Restock {
    /// The units of an inspected return that can be sold again, if there are any.
    pub(crate) fn of(disposed: ReturnDisposed, occur_time: Option<Timestamp>) -> Result<Option<Self>, Fault> {
        let inspected = disposed.r#return.unwrap_or_default();
        let mut items: BTreeMap<String, i64> = BTreeMap::new();
        for line in disposed.lines {
            if line.kind() == DispositionKind::Restock && line.quantity > 0 {
                *items.entry(line.sku).or_default() += line.quantity;
            }
        }
        if items.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            order_id: one_id("return.order_id", &inspected.order_id)?,
            account_id: one_id("return.account_id", &inspected.account_id)?,
            location_id: one_id("return.node_id", &inspected.node_id)?,
            return_id: inspected.return_id,
            items: items.into_iter().map(|(sku, quantity)| ItemQuantity { sku, quantity }).collect(),
            occur_time,
        }))
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        set.units_arrive(rows, &self.location_id, &self.items);
        set
    }
}

impl Command for Restock {
    type Reply = ();
    const NAME: &'static str = "Restock";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        Location::find(rows, &self.location_id)?;
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for item in &self.items {
            ledger.receive(MovementKind::Restocked, &self.location_id, item, &self.return_id, occur_time)?;
        }
        ledger.save(&Cause::Restock(&self.order_id, &self.account_id), rows, cx)
    }
}
