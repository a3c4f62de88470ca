//! Schedules units that are to come in.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, Timestamp, limits::MAX_NAME};

use crate::{
    ledger::Cause,
    quantity::ItemQuantity,
    scheduled_receipt::{ReceiptKey, ScheduledReceipt},
    stock::Location,
    working_set::WorkingSet,
};

/// The units of items that are to come in at a location under a number.
pub(crate) struct ScheduleReceipt {
    location_id: NodeId,
    receipt_number: String,
    items: Vec<ItemQuantity>,
    /// May be absent when all are cancelled.
    expect_time: Option<Timestamp>,
}

impl ScheduleReceipt {
    pub(crate) fn parse(request: &wire::ScheduleReceiptRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let location_id = checks.id("location_id", &request.location_id);
        let receipt_number = checks.text("receipt_number", &request.receipt_number, MAX_NAME);
        let items = ItemQuantity::read_all(&mut checks, &request.items, 0);
        let is_cancelled = items.iter().all(|item| item.quantity == 0);
        let expect_time = match request.expect_time.as_ref() {
            None if is_cancelled => Some(None),
            time => checks.time("expect_time", time).map(Some),
        };
        checks.done()?;
        Ok(Self {
            location_id: checked(location_id)?,
            receipt_number: checked(receipt_number)?,
            items,
            expect_time: checked(expect_time)?,
        })
    }

    fn key(&self, item: &ItemQuantity) -> ReceiptKey {
        (item.sku.clone(), self.location_id.clone(), self.receipt_number.clone())
    }

    fn working_set(&self) -> WorkingSet {
        let mut set = WorkingSet::default();
        self.items.iter().for_each(|item| set.receipt_scheduled(self.key(item)));
        set
    }
}

impl Command for ScheduleReceipt {
    type Reply = wire::ScheduleReceiptResponse;
    const NAME: &'static str = "ScheduleReceipt";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        self.working_set().request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ScheduleReceiptResponse, Fault> {
        Location::find(rows, &self.location_id)?;
        let mut ledger = self.working_set().load(rows, cx.now())?;
        ledger.check_items("items", self.items.iter().map(|item| &item.sku))?;
        for item in &self.items {
            ledger.schedule(&self.key(item), item.quantity, self.expect_time)?;
        }
        ledger.save(&Cause::Stock, rows, cx)?;
        let mut receipts = Vec::new();
        for item in &self.items {
            let receipt = rows.get::<ScheduledReceipt>(&self.key(item))?;
            receipts.extend(receipt.map(|receipt| crate::wire::receipt(receipt, cx.now())));
        }
        Ok(wire::ScheduleReceiptResponse { receipts })
    }
}
