//! Takes back a receipt, a correction or a count by a movement that undoes it. The ledger keeps both. With the newest count of the
//! item, what it covered counts again (`uncovered.rs`). Units of a scheduled receipt are to come in again: as many as were reported,
//! whether a count had them already or not.

use std::sync::Arc;

use mesh::wire::{Checks, checked, one_id};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows, Value};
use types::{Fault, NodeId, limits::MAX_TEXT};

use crate::{
    ledger::{Cause, TakenBack},
    movement::{Movement, MovementKind, STOCK_DAY},
    scheduled_receipt::ReceiptKey,
    stock::Level,
    uncovered::{self, Uncovered, uncovered},
    wire::level_of,
    working_set::{WorkingSet, loaded},
};

/// The columns by which the movement that takes another back is found.
const RETRACTS: &[&str] = &["sku", "retracts"];

/// A movement to take back.
pub(crate) struct RetractMovement {
    sku: String,
    movement_number: i64,
    reason: String,
}

impl RetractMovement {
    /// Reads the request.
    pub(crate) fn parse(request: &wire::RetractMovementRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let sku = checks.sku("sku", &request.sku);
        if request.movement_number < 1 {
            checks.wrong("movement_number", "must be at least 1");
        }
        let reason = checks.text("reason", &request.reason, MAX_TEXT);
        checks.done()?;
        Ok(Self { sku: checked(sku)?, movement_number: request.movement_number, reason: checked(reason)? })
    }

    fn key(&self) -> (String, i64) {
        (self.sku.clone(), self.movement_number)
    }

    fn retracts(&self) -> Vec<Value> {
        vec![Value::Text(self.sku.clone()), Value::Integer(self.movement_number)]
    }

    /// What a movement covers, if it is of a count.
    fn covered<'r>(rows: &'r Rows, movement: &Movement, location_id: &NodeId) -> Uncovered<'r> {
        if movement.kind != MovementKind::Counted {
            return Uncovered::default();
        }
        uncovered(rows, &movement.sku, location_id, movement.occur_time)
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        if let Some(movement) = loaded::<Movement>(rows, &self.key())
            && let Ok(location_id) = one_id::<NodeId>("location_id", &movement.location_id)
        {
            let level = loaded::<Level>(rows, &(self.sku.clone(), location_id.clone()));
            let covered = Self::covered(rows, movement, &location_id).movements;
            let delta = taken_back(rows, movement).undone(level) + uncovered::delta(&covered);
            set.on_hand_changes(rows, &self.sku, &location_id, delta);
            receipt(movement, &location_id).into_iter().for_each(|key| set.receipt(key));
        }
        set
    }
}

/// A movement to take back, with what has been uncovered of it as far as it is loaded.
fn taken_back<'r>(rows: &'r Rows, movement: &'r Movement) -> TakenBack<'r> {
    let of_day = movement.stock_day.as_ref().and_then(|day| rows.by::<Movement>(STOCK_DAY, day).ok());
    TakenBack::new(movement, of_day.unwrap_or_default())
}

/// The scheduled receipt that a movement may be of.
fn receipt(movement: &Movement, location_id: &NodeId) -> Option<ReceiptKey> {
    let Movement { kind, sku, reference, .. } = movement;
    let is_receipt = *kind == MovementKind::Received && !reference.is_empty();
    is_receipt.then(|| (sku.clone(), location_id.clone(), reference.clone()))
}

impl Command for RetractMovement {
    type Reply = wire::StockLevel;
    const NAME: &'static str = "RetractMovement";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Movement>(&self.key());
        needs.by::<Movement>(RETRACTS, self.retracts().as_slice());
        let movement = loaded::<Movement>(rows, &self.key());
        if let Some(day) = movement.and_then(|movement| movement.stock_day.as_ref()) {
            needs.by::<Movement>(STOCK_DAY, day);
        }
        if let Some(movement) = movement.filter(|movement| movement.kind == MovementKind::Counted)
            && let Ok(location_id) = one_id::<NodeId>("location_id", &movement.location_id)
        {
            uncovered::needs(&self.sku, &location_id, movement.occur_time, needs);
        }
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::StockLevel, Fault> {
        let movement = rows.get::<Movement>(&self.key())?.cloned();
        let movement = movement.ok_or_else(|| Fault::not_found("movement", self.movement_number))?;
        let kinds = [MovementKind::Received, MovementKind::Adjusted, MovementKind::Counted];
        if !kinds.contains(&movement.kind) || movement.retracts.is_some() || movement.uncovers.is_some() {
            return Err(Fault::not_supported("only a receipt, a correction or a count can be taken back"));
        }
        let location_id = one_id("location_id", &movement.location_id)?;
        if rows.by::<Movement>(RETRACTS, self.retracts().as_slice())?.is_empty() {
            let mut ledger = self.working_set(rows).load(rows, cx.now())?;
            let Uncovered { count_time: earlier, movements } = Self::covered(rows, &movement, &location_id);
            if movement.kind == MovementKind::Counted {
                ledger.forget_count(&self.sku, &location_id, movement.occur_time, earlier);
            }
            if let Some(key) = receipt(&movement, &location_id) {
                ledger.count_down(&key, -movement.reported_delta())?;
            }
            ledger.retract_all(&[taken_back(rows, &movement)], &movements, &location_id, &self.reason)?;
            ledger.save(&Cause::Stock, rows, cx)?;
        }
        level_of(rows, &self.sku, &location_id, cx.now())
    }
}
