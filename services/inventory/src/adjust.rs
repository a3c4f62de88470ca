//! Corrects units on hand by a difference.

use std::sync::Arc;

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, NodeId,
    limits::{MAX_QUANTITY, MAX_TEXT},
};

use crate::{ledger::Cause, stock::Location, wire::level_of, working_set::WorkingSet};

/// A correction.
pub(crate) struct AdjustStock {
    location_id: NodeId,
    sku: String,
    delta: i64,
    reason: String,
}

impl AdjustStock {
    pub(crate) fn parse(request: &wire::AdjustStockRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let location_id = checks.id("location_id", &request.location_id);
        let sku = checks.sku("sku", &request.sku);
        if request.delta == 0 {
            checks.wrong("delta", "must not be 0");
        } else if request.delta.unsigned_abs() > MAX_QUANTITY.unsigned_abs() {
            checks.wrong("delta", "must be -1,000,000,000 to 1,000,000,000");
        }
        let reason = checks.text("reason", &request.reason, MAX_TEXT);
        checks.done()?;
        Ok(Self {
            location_id: checked(location_id)?,
            sku: checked(sku)?,
            delta: request.delta,
            reason: checked(reason)?,
        })
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        set.on_hand_changes(rows, &self.sku, &self.location_id, self.delta);
        set
    }
}

impl Command for AdjustStock {
    type Reply = wire::StockLevel;
    const NAME: &'static str = "AdjustStock";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::StockLevel, Fault> {
        Location::find(rows, &self.location_id)?;
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.stock(&self.sku)?;
        ledger.adjust(&self.location_id, &self.sku, self.delta, &self.reason)?;
        ledger.save(&Cause::Stock, rows, cx)?;
        level_of(rows, &self.sku, &self.location_id, cx.now())
    }
}
