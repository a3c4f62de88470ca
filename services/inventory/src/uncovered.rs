//! What a count of an item covers: once it is taken back, what holds is what would hold had it never been.
//!
//! A later count shows the truth about everything that occurred before it, so a movement that is taken back then changes no
//! unit (`ledger/on_hand.rs`). When that count is taken back itself, the ledger says what it covered:
//!
//! 1. The newest other count that stands, if it is within the time for which counts are accepted: the item was last counted then.
//! 2. The movements since that count which it had already: reported late, or taken back. Another movement makes each of them count.

use std::collections::HashSet;

use store::{Needs, Rows};
use types::{NodeId, Timestamp};

use crate::{
    movement::{Movement, MovementKind, STOCK_DAY, day, stock_day},
    report_snapshot::MAX_AGE,
    stock::Level,
    working_set::loaded,
};

/// What the newest count of an item at a location covers.
#[derive(Debug, Default)]
pub(crate) struct Uncovered<'r> {
    /// When the newest other count that stands was taken.
    pub(crate) count_time: Option<Timestamp>,
    /// Movements that it had already.
    pub(crate) movements: Vec<&'r Movement>,
}

fn days(sku: &str, location_id: &NodeId, count_time: Timestamp) -> impl Iterator<Item = String> {
    (day(count_time.before(MAX_AGE))..=day(count_time)).map(move |day| stock_day(sku, location_id, day))
}

/// Requests the rows that [`uncovered`] reads.
pub(crate) fn needs(sku: &str, location_id: &NodeId, count_time: Timestamp, needs: &mut Needs) {
    days(sku, location_id, count_time).for_each(|day| needs.by::<Movement>(STOCK_DAY, &day));
}

/// What a count of an item covers, as far as it is loaded. One that is not the newest covers nothing.
pub(crate) fn uncovered<'r>(rows: &'r Rows, sku: &str, location_id: &NodeId, count_time: Timestamp) -> Uncovered<'r> {
    let level = loaded::<Level>(rows, &(sku.to_owned(), location_id.clone()));
    if level.is_none_or(|level| level.count_time != Some(count_time)) {
        return Uncovered::default();
    }
    let loaded = days(sku, location_id, count_time).filter_map(|day| rows.by::<Movement>(STOCK_DAY, &day).ok());
    let earlier: Vec<_> = loaded.flatten().filter(|movement| movement.occur_time < count_time).collect();
    let retracted: HashSet<i64> = earlier.iter().filter_map(|movement| movement.retracts).collect();
    let uncovered: HashSet<i64> = earlier.iter().filter_map(|movement| movement.uncovers).collect();
    let stands = |movement: &&&Movement| {
        movement.kind == MovementKind::Counted && !retracted.contains(&movement.movement_number)
    };
    let last_count = earlier.iter().filter(stands).map(|movement| movement.occur_time).max();
    let was_covered = |movement: &&Movement| {
        last_count.is_none_or(|last| movement.occur_time >= last)
            && movement.covered_delta != 0
            && !uncovered.contains(&movement.movement_number)
    };
    Uncovered { count_time: last_count, movements: earlier.iter().copied().filter(was_covered).collect() }
}

/// The change of units on hand by movements that a count had already.
pub(crate) fn delta(movements: &[&Movement]) -> i64 {
    movements.iter().map(|movement| movement.covered_delta).sum()
}
