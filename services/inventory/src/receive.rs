//! Adds units that came in to the units on hand. Those under a receipt number count its schedule down, which may be known later.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, Timestamp, limits::MAX_NAME};

use crate::{
    ledger::Cause, movement::MovementKind, quantity::ItemQuantity, scheduled_receipt::ReceiptKey, stock::Location,
    wire::levels_of, working_set::WorkingSet,
};

/// Units that came in.
pub(crate) struct ReceiveStock {
    location_id: NodeId,
    items: Vec<ItemQuantity>,
    reference: String,
    /// Now when absent.
    occur_time: Option<Timestamp>,
}

impl ReceiveStock {
    pub(crate) fn parse(request: &wire::ReceiveStockRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let location_id = checks.id("location_id", &request.location_id);
        let items = ItemQuantity::read_all(&mut checks, &request.items, 1);
        let reference = checks.optional_text("reference", &request.reference, MAX_NAME);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        Ok(Self {
            location_id: checked(location_id)?,
            items,
            reference: checked(reference)?,
            occur_time: checked(occur_time)?,
        })
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        set.units_arrive(rows, &self.location_id, &self.items);
        self.receipts().for_each(|(key, _)| set.receipt(key));
        set
    }

    /// The receipts that these may be, and their units.
    fn receipts(&self) -> impl Iterator<Item = (ReceiptKey, i64)> {
        let items = self.items.iter().filter(|_| !self.reference.is_empty());
        items.map(|item| ((item.sku.clone(), self.location_id.clone(), self.reference.clone()), item.quantity))
    }
}

impl Command for ReceiveStock {
    type Reply = wire::ReceiveStockResponse;
    const NAME: &'static str = "ReceiveStock";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReceiveStockResponse, Fault> {
        Location::find(rows, &self.location_id)?;
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.check_items("items", self.items.iter().map(|item| &item.sku))?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for item in &self.items {
            ledger.receive(MovementKind::Received, &self.location_id, item, &self.reference, occur_time)?;
        }
        self.receipts().try_for_each(|(key, units)| ledger.count_down(&key, units))?;
        ledger.save(&Cause::Stock, rows, cx)?;
        Ok(wire::ReceiveStockResponse { levels: levels_of(rows, &self.location_id, &self.items, cx.now())? })
    }
}
