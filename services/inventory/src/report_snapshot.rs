//! Sets units on hand to what a warehouse counted.
//!
//! A count stands for the time at which it was taken: what came and left since is added to it, and what is reported
//! later but occurred before is in it already. So reports may come in any order.

use std::time::Duration;

use mesh::wire::{Checks, checked};
use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, Timestamp, limits::CLOCK_SKEW};

use crate::{
    ledger::Cause,
    movement::{Movement, STOCK_DAY, day, stock_day},
    quantity::ItemQuantity,
    stock::{Level, Location},
    wire::levels_of,
    working_set::{WorkingSet, loaded},
};

/// How old a count may be: movements since are read.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// What a warehouse counted.
pub(crate) struct ReportSnapshot {
    location_id: NodeId,
    items: Vec<ItemQuantity>,
    count_time: Timestamp,
    /// The last day on which something may have occurred after the count.
    last_day: i64,
}

impl ReportSnapshot {
    /// Reads a request. Refuses a count that is too old or in the future.
    pub(crate) fn parse(request: &wire::ReportSnapshotRequest, now: Timestamp) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let location_id = checks.id("location_id", &request.location_id);
        let items = ItemQuantity::read_all(&mut checks, &request.items, 0);
        let count_time = checks.time("count_time", request.count_time.as_ref());
        if count_time.is_some_and(|count_time| count_time > now.after(CLOCK_SKEW)) {
            checks.wrong("count_time", "must not be in the future");
        }
        if count_time.is_some_and(|count_time| now.since(count_time) > MAX_AGE) {
            checks.wrong("count_time", "must be within the last 31 days");
        }
        checks.done()?;
        let count_time = checked(count_time)?.min(now);
        // The decision may fall on the next day.
        Ok(Self { location_id: checked(location_id)?, items, count_time, last_day: day(now) + 1 })
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

    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        for ItemQuantity { sku, quantity } in &self.items {
            let level = loaded::<Level>(rows, &(sku.clone(), self.location_id.clone()));
            let on_hand = level.map_or(0, |level| level.on_hand);
            let target = quantity.saturating_add(self.later(rows, sku)).max(0);
            set.on_hand_changes(rows, sku, &self.location_id, target - on_hand);
        }
        set
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
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReportSnapshotResponse, Fault> {
        let Self { location_id, items, count_time, .. } = self;
        let mut location = Location::find(rows, location_id)?.clone();
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.check_items("items", items.iter().map(|item| &item.sku))?;
        // After the newest count of the location is taken back, an older one counts for the items that no later one has.
        let counted_later =
            |sku: &str| ledger.level(sku, location_id).is_some_and(|level| level.was_counted_after(*count_time));
        let items_counted: Vec<_> = items.iter().filter(|item| !counted_later(&item.sku)).collect();
        let superseded = location.count_time.is_some_and(|last| last > *count_time) || items_counted.is_empty();
        if !superseded {
            for item in items_counted {
                ledger.count(location_id, item, *count_time, self.later(rows, &item.sku))?;
            }
            location.count_time = Some(*count_time);
            ledger.save(&Cause::Count(location), rows, cx)?;
        }
        Ok(wire::ReportSnapshotResponse { levels: levels_of(rows, location_id, items, cx.now())?, superseded })
    }
}
