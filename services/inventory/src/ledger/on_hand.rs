//! Units on hand: received, counted, corrected.

use types::{Fault, Id as _, NodeId, Reason, Timestamp};

use super::{Entry, Ledger, OutboundQuantity};
use crate::{
    movement::{Movement, MovementKind},
    quantity::ItemQuantity,
    reservation::{Allocation, LineKey},
    stock::Level,
};

/// The most units of an item that can be on hand. Far above any warehouse, far below what a counter holds.
const MAX_ON_HAND: i64 = 1_000_000_000_000_000;

/// A movement that is taken back, and the units on hand that it has changed so far: those of the movement that uncovers it too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TakenBack<'a> {
    pub(crate) movement: &'a Movement,
    pub(crate) effect: i64,
}

impl<'a> TakenBack<'a> {
    /// A movement; `others` has those of its day at its location.
    pub(crate) fn new<'o>(movement: &'a Movement, others: impl IntoIterator<Item = &'o Movement>) -> Self {
        let uncovers = |other: &&Movement| other.uncovers == Some(movement.movement_number);
        let uncovered: i64 = others.into_iter().filter(uncovers).map(|other| other.on_hand_delta).sum();
        Self { movement, effect: movement.on_hand_delta + uncovered }
    }

    /// By how many units on hand it is undone: by none when a later count of the item has shown the truth.
    pub(crate) fn undone(&self, level: Option<&Level>) -> i64 {
        let counted = level.is_some_and(|level| level.was_counted_after(self.movement.occur_time));
        if counted { 0 } else { -self.effect }
    }
}

impl Ledger {
    /// Adds units that were received or restocked at a location. Units that came before the location's newest count of
    /// the item are in that count already.
    pub(crate) fn receive(
        &mut self,
        kind: MovementKind,
        location_id: &NodeId,
        item: &ItemQuantity,
        reference: &str,
        occur_time: Timestamp,
    ) -> Result<(), Fault> {
        let ItemQuantity { sku, quantity } = item;
        let counted = self.level(sku, location_id).is_some_and(|level| level.was_counted_after(occur_time));
        let note = if counted { format!("{quantity} units, in a later count already") } else { String::new() };
        let (on_hand, covered) = if counted { (0, *quantity) } else { (*quantity, 0) };
        self.check_capacity(sku, on_hand)?;
        let entry = self.entry(kind, sku, reference);
        self.record(Entry { location_id: Some(location_id), on_hand, covered, note: &note, occur_time, ..entry })
    }

    /// Corrects units on hand at a location by a difference.
    pub(crate) fn adjust(&mut self, location_id: &NodeId, sku: &str, delta: i64, reason: &str) -> Result<(), Fault> {
        let on_hand = self.level(sku, location_id).map_or(0, |level| level.on_hand);
        if on_hand + delta < 0 {
            let message = format!("{on_hand} units of {sku} are on hand at {location_id}");
            return Err(Fault::new(Reason::InsufficientStock, message).fact("on_hand", on_hand));
        }
        self.check_capacity(sku, delta)?;
        let entry = self.entry(MovementKind::Adjusted, sku, "");
        self.record(Entry { location_id: Some(location_id), on_hand: delta, note: reason, ..entry })
    }

    /// Sets units on hand at a location to a count, plus `later`, the sum of what came and left since.
    pub(crate) fn count(
        &mut self,
        location_id: &NodeId,
        counted: &ItemQuantity,
        count_time: Timestamp,
        later: i64,
    ) -> Result<(), Fault> {
        let ItemQuantity { sku, quantity } = counted;
        let present = self.level(sku, location_id).map_or(0, |level| level.on_hand);
        let delta = quantity.saturating_add(later).max(0) - present;
        self.check_capacity(sku, delta)?;
        let key = (sku.clone(), location_id.clone());
        let level = self.levels.make(&key, || Level::none_at(sku.clone(), location_id.clone(), self.now));
        level.count_time = Some(count_time);
        level.update_time = self.now;
        if delta == 0 {
            return Ok(());
        }
        let note = format!("{quantity} units counted");
        let entry = self.entry(MovementKind::Counted, sku, "");
        let located = Entry { location_id: Some(location_id), on_hand: delta, ..entry };
        self.record(Entry { note: &note, occur_time: count_time, ..located })
    }

    /// Takes back a movement of units on hand at a location. What occurred before the location's newest count of the item
    /// changes no unit: the count has shown the truth. No unit goes below zero: what left since has left.
    pub(super) fn retract(&mut self, taken: TakenBack<'_>, location_id: &NodeId, reason: &str) -> Result<(), Fault> {
        let TakenBack { movement, .. } = taken;
        let sku = &movement.sku;
        let level = self.level(sku, location_id);
        let counted = level.is_some_and(|level| level.was_counted_after(movement.occur_time));
        let covered = if counted { -movement.reported_delta() } else { 0 };
        let on_hand = taken.undone(level).max(-level.map_or(0, |level| level.on_hand));
        self.check_capacity(sku, on_hand)?;
        let note = format!("takes back movement {}: {reason}", movement.movement_number);
        let entry = self.entry(MovementKind::Adjusted, sku, "");
        let located =
            Entry { location_id: Some(location_id), on_hand, covered, occur_time: movement.occur_time, ..entry };
        self.record(Entry { note: &note, retracts: Some(movement.movement_number), ..located })
    }

    /// Makes a movement count that a count had covered which is taken back. No unit goes below zero: what left since has left.
    fn uncover(&mut self, movement: &Movement, location_id: &NodeId, reason: &str) -> Result<(), Fault> {
        let Movement { sku, movement_number, occur_time, reference, retracts, .. } = movement;
        let present = self.level(sku, location_id).map_or(0, |level| level.on_hand);
        let on_hand = movement.covered_delta.max(-present);
        self.check_capacity(sku, on_hand)?;
        let note = format!("movement {movement_number} is in no later count any more: {reason}");
        let entry = self.entry(MovementKind::Adjusted, sku, reference);
        let located = Entry { location_id: Some(location_id), on_hand, occur_time: *occur_time, ..entry };
        self.record(Entry { note: &note, retracts: *retracts, uncovers: Some(*movement_number), ..located })
    }

    /// Takes back movements of one item, and makes those count that were covered by a count which is taken back. What puts units on
    /// hand comes first, so that no step goes below zero.
    pub(crate) fn retract_all(
        &mut self,
        taken_back: &[TakenBack<'_>],
        uncovered: &[&Movement],
        location_id: &NodeId,
        reason: &str,
    ) -> Result<(), Fault> {
        let mut taken_back = taken_back.to_vec();
        taken_back.sort_by_key(|taken| (taken.effect, taken.movement.movement_number));
        let (removed, added): (Vec<_>, Vec<_>) = taken_back.into_iter().partition(|taken| taken.effect > 0);
        let (put, took): (Vec<_>, Vec<_>) = uncovered.iter().partition(|movement| movement.covered_delta > 0);
        added.into_iter().try_for_each(|taken| self.retract(taken, location_id, reason))?;
        put.into_iter().try_for_each(|movement| self.uncover(movement, location_id, reason))?;
        removed.into_iter().try_for_each(|taken| self.retract(taken, location_id, reason))?;
        took.into_iter().try_for_each(|movement| self.uncover(movement, location_id, reason))
    }

    /// An item whose newest count is taken back was last counted at the location when the newest other count was taken, if there
    /// is one.
    pub(crate) fn forget_count(
        &mut self,
        sku: &str,
        location_id: &NodeId,
        count_time: Timestamp,
        earlier: Option<Timestamp>,
    ) {
        let key = (sku.to_owned(), location_id.clone());
        if self.levels.get(&key).is_some_and(|level| level.count_time == Some(count_time))
            && let Some(level) = self.levels.edit(&key)
        {
            level.count_time = earlier;
            level.update_time = self.now;
        }
    }

    /// Notes that units of a line come off the units on hand at a location that did not find them. Those of an earlier pick that
    /// was followed by a count are not noted any more: the count has shown the truth.
    pub(super) fn miss(&mut self, key: &LineKey, location_id: &NodeId, units: i64, occur_time: Timestamp) {
        let at_location = (key.0.clone(), key.1, location_id.clone());
        let Some(Allocation { sku, not_found_time: earlier, .. }) = self.allocations.get(&at_location) else { return };
        let level = self.level(sku, location_id);
        let is_counted = earlier.is_some_and(|earlier| level.is_some_and(|level| level.was_counted_after(earlier)));
        if let Some(allocation) = self.allocations.edit(&at_location) {
            allocation.not_found = if is_counted { units } else { allocation.not_found + units };
            allocation.not_found_time = allocation.not_found_time.max(Some(occur_time));
        }
    }

    /// Puts units on hand again, as of their pick, that a location did not find for a line and that leave with a shipment of it
    /// after all: those that are not allocated there. A count since the pick has them already.
    pub(crate) fn find_outbound(&mut self, key: &LineKey, outbound: &OutboundQuantity<'_>) -> Result<(), Fault> {
        let OutboundQuantity { location_id, sku, quantity, .. } = *outbound;
        let at_location = (key.0.clone(), key.1, location_id.clone());
        let Some(allocation) = self.allocations.get(&at_location).filter(|one| one.sku == sku) else { return Ok(()) };
        let found = (quantity - allocation.open_units).min(allocation.not_found);
        let Some(occur_time) = allocation.not_found_time.filter(|_| found > 0) else { return Ok(()) };
        if let Some(allocation) = self.allocations.edit(&at_location) {
            allocation.not_found -= found;
        }
        let is_counted = self.level(sku, location_id).is_some_and(|level| level.was_counted_after(occur_time));
        if is_counted {
            return Ok(());
        }
        let note = "found by the location after all";
        let entry = self.entry(MovementKind::Adjusted, sku, key.0.as_str());
        self.record(Entry { location_id: Some(location_id), on_hand: found, note, occur_time, ..entry })
    }

    fn check_capacity(&self, sku: &str, units: i64) -> Result<(), Fault> {
        if self.stock(sku)?.on_hand.saturating_add(units) > MAX_ON_HAND {
            return Err(Fault::new(Reason::ResourceExhausted, format!("{sku}: more units than can be counted")));
        }
        Ok(())
    }
}
