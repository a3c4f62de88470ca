//! Takes back a count of a location. The ledger keeps the count, and what takes it back.
//!
//! 1. The movements of the count are found by their item, location and time; those that were taken back before are left out.
//! 2. Each is taken back as one movement is (`retract_movement.rs`), so that an item that was counted later keeps its units. With the
//!    newest count, what it covered counts again (`uncovered.rs`).
//! 3. A count that found what was expected has no movement. It is forgotten too: what is reported later but occurred before is
//!    not in it any more.
//! 4. When it was the newest count of the location, an older one may be reported again.

use std::{collections::HashSet, sync::Arc};

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, Timestamp, limits::MAX_TEXT};

use crate::{
    ledger::{Cause, TakenBack},
    movement::{Movement, MovementKind, STOCK_DAY, day, stock_day},
    quantity::{check_count, check_once},
    stock::{Level, Location},
    uncovered::{self, Uncovered, uncovered},
    wire::level_of,
    working_set::{WorkingSet, loaded},
};

/// A count to take back.
pub(crate) struct RetractCount {
    location_id: NodeId,
    skus: Vec<String>,
    count_time: Timestamp,
    reason: String,
}

impl RetractCount {
    /// Reads the request.
    pub(crate) fn parse(request: &wire::RetractCountRequest, _: &Arc<mesh::Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let location_id = checks.id("location_id", &request.location_id);
        check_count(&mut checks, "skus", request.skus.len());
        let mut seen = HashSet::new();
        let mut skus = Vec::with_capacity(request.skus.len());
        for (index, sku) in request.skus.iter().enumerate() {
            let field = || format!("skus[{index}]");
            check_once(&mut checks, &mut seen, sku, field);
            skus.extend(checks.sku(field(), sku));
        }
        let count_time = checks.time("count_time", request.count_time.as_ref());
        let reason = checks.text("reason", &request.reason, MAX_TEXT);
        checks.done()?;
        Ok(Self {
            location_id: checked(location_id)?,
            skus,
            count_time: checked(count_time)?,
            reason: checked(reason)?,
        })
    }

    fn stock_day(&self, sku: &str) -> String {
        stock_day(sku, &self.location_id, day(self.count_time))
    }

    /// The movements of the count that were not taken back, as far as they are loaded.
    fn counted<'r>(&self, rows: &'r Rows, sku: &str) -> Vec<TakenBack<'r>> {
        let of_day = rows.by::<Movement>(STOCK_DAY, &self.stock_day(sku)).unwrap_or_default();
        let retracted: Vec<i64> = of_day.iter().filter_map(|movement| movement.retracts).collect();
        let is_of_count = |movement: &&Movement| {
            movement.kind == MovementKind::Counted
                && movement.occur_time == self.count_time
                && !retracted.contains(&movement.movement_number)
        };
        let counted = of_day.iter().copied().filter(is_of_count);
        counted.map(|movement| TakenBack::new(movement, of_day.iter().copied())).collect()
    }

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        for sku in &self.skus {
            let level = loaded::<Level>(rows, &(sku.clone(), self.location_id.clone()));
            let counted: i64 = self.counted(rows, sku).iter().map(|taken| taken.undone(level)).sum();
            let covered = uncovered(rows, sku, &self.location_id, self.count_time).movements;
            set.on_hand_changes(rows, sku, &self.location_id, counted + uncovered::delta(&covered));
        }
        set
    }
}

impl Command for RetractCount {
    type Reply = wire::RetractCountResponse;
    const NAME: &'static str = "RetractCount";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        for sku in &self.skus {
            uncovered::needs(sku, &self.location_id, self.count_time, needs);
        }
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::RetractCountResponse, Fault> {
        let Self { location_id, skus, count_time, reason } = self;
        let location = Location::find(rows, location_id)?.clone();
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        let mut checks = Checks::new();
        for (index, sku) in skus.iter().enumerate().filter(|(_, sku)| ledger.stock(sku).is_err()) {
            checks.wrong(format!("skus[{index}]"), format!("there is no item {sku}"));
        }
        checks.done()?;
        for sku in skus {
            let Uncovered { count_time: earlier, movements } = uncovered(rows, sku, location_id, *count_time);
            ledger.forget_count(sku, location_id, *count_time, earlier);
            ledger.retract_all(&self.counted(rows, sku), &movements, location_id, reason)?;
        }
        ledger.save(&Cause::Stock, rows, cx)?;
        if location.count_time == Some(*count_time) {
            rows.put(Location { count_time: None, ..location });
        }
        let levels = skus.iter().map(|sku| level_of(rows, sku, location_id, cx.now())).collect::<Result<_, _>>()?;
        Ok(wire::RetractCountResponse { levels })
    }
}
