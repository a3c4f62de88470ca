//! Sets stock to what a warehouse counted.
//!
//! A count is true for the time it was taken: what came and left since is added to it, and what is reported later but
//! happened before is in it already. So news may come in any order.

use std::time::Duration;

use mesh::wire::timestamp;
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{Fault, NodeId, Timestamp};

use crate::{
    create_location::exists,
    ledger::Supply,
    movement::{Kind, Movement, day, stock_day},
    publish::{About, publish},
    receive::{known_items, levels},
    scope::{Scope, known},
    stock::{Level, Location},
};

/// How old a count may be: movements since are read.
const OLDEST: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// How far a warehouse's clock may be ahead.
const AHEAD: Duration = Duration::from_secs(5 * 60);

const STOCK_DAY: &[&str] = &["stock_day"];

/// What a warehouse counted.
pub(crate) struct ReportSnapshot {
    pub(crate) location_id: NodeId,
    pub(crate) items: Vec<Supply>,
    pub(crate) count_time: Timestamp,
    /// The last day on which something may have happened after the count.
    pub(crate) last_day: i64,
}

impl ReportSnapshot {
    /// Refuses a count that is too old or not taken yet.
    pub(crate) fn timely(self, now: Timestamp) -> Result<Self, Fault> {
        if self.count_time > now.after(AHEAD) {
            return Err(Fault::invalid("count_time", "must not be in the future"));
        }
        if now.since(self.count_time) > OLDEST {
            return Err(Fault::invalid("count_time", "must be within the last 31 days"));
        }
        // The decision may fall on the next day.
        Ok(Self { count_time: self.count_time.min(now), last_day: day(now) + 1, ..self })
    }

    fn days(&self, sku: &str) -> impl Iterator<Item = String> {
        (day(self.count_time)..=self.last_day).map(move |day| stock_day(sku, &self.location_id, day))
    }

    /// Units that came and left after the count, as far as they are loaded.
    fn later(&self, rows: &Rows, sku: &str) -> i64 {
        let movements = self.days(sku).filter_map(|day| rows.by::<Movement>(STOCK_DAY, &day).ok());
        let later = movements.flatten().filter(|movement| movement.occur_time > self.count_time);
        later.map(|movement| movement.on_hand_delta).sum()
    }

    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::default();
        for item in &self.items {
            let at = (item.sku.clone(), self.location_id.clone());
            let on_hand = known::<Level>(rows, &at).map_or(0, |level| level.on_hand);
            let target = item.quantity.saturating_add(self.later(rows, &item.sku)).max(0);
            scope.changes(rows, &item.sku, &self.location_id, target - on_hand);
            if target > on_hand {
                scope.frees(rows, &item.sku);
            }
        }
        scope
    }
}

impl Command for ReportSnapshot {
    type Reply = wire::ReportSnapshotResponse;
    const NAME: &'static str = "ReportSnapshot";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        for item in &self.items {
            self.days(&item.sku).for_each(|day| needs.by::<Movement>(STOCK_DAY, &day));
        }
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReportSnapshotResponse, Fault> {
        let Self { location_id, items, count_time, .. } = self;
        exists(rows, location_id)?;
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        known_items(&ledger, items.iter().map(|item| item.sku.as_str()), "items")?;
        let location = rows.get::<Location>(location_id)?.cloned();
        let mut location = location.ok_or_else(|| Fault::not_found("location", location_id))?;
        if location.count_time.is_some_and(|last| last > *count_time) {
            let levels = levels(rows, location_id, items, cx.now())?;
            return Ok(wire::ReportSnapshotResponse { levels, superseded: true });
        }
        for item in items {
            ledger.count(location_id, item, *count_time, self.later(rows, &item.sku))?;
        }
        let outcome = ledger.finish()?;
        let counted = outcome.movements.iter().filter(|movement| movement.kind == Kind::Counted);
        let fact = wire::SnapshotReported {
            location_id: location_id.to_string(),
            movements: counted.map(crate::wire::movement).collect(),
            count_time: Some(timestamp(*count_time)),
        };
        location.count_time = Some(*count_time);
        let version = rows.put(location).version;
        let draft = NewEvent::untyped("inventory.snapshot_reported", location_id, version, version, &fact);
        cx.emit(draft.occurred(*count_time, 0));
        publish(outcome, About::Stock, rows, cx);
        let levels = levels(rows, location_id, items, cx.now())?;
        Ok(wire::ReportSnapshotResponse { levels, superseded: false })
    }
}
