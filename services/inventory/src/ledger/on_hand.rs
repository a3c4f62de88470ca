//! Units on hand: received, counted, corrected.

use types::{Fault, NodeId, Reason, Timestamp};

use super::{Entry, Ledger};
use crate::{
    movement::{Movement, MovementKind},
    quantity::ItemQuantity,
    stock::Level,
};

/// The most units of an item that can be on hand. Far above any warehouse, far below what a counter holds.
const MAX_ON_HAND: i64 = 1_000_000_000_000_000;

/// By how many units on hand a movement at a location is undone: by none when a later count of the item has shown the truth.
pub(crate) fn undone(level: Option<&Level>, movement: &Movement) -> i64 {
    let counted = level.is_some_and(|level| level.was_counted_after(movement.occur_time));
    if counted { 0 } else { -movement.on_hand_delta }
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
        let on_hand = if counted { 0 } else { *quantity };
        self.check_capacity(sku, on_hand)?;
        let entry = self.entry(kind, sku, reference);
        self.record(Entry { location_id: Some(location_id), on_hand, note: &note, occur_time, ..entry })
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
    pub(crate) fn retract(&mut self, movement: &Movement, location_id: &NodeId, reason: &str) -> Result<(), Fault> {
        let sku = &movement.sku;
        let level = self.level(sku, location_id);
        let on_hand = undone(level, movement).max(-level.map_or(0, |level| level.on_hand));
        self.check_capacity(sku, on_hand)?;
        if movement.kind == MovementKind::Counted {
            self.forget_count(sku, location_id, movement.occur_time);
        }
        let note = format!("takes back movement {}: {reason}", movement.movement_number);
        let entry = self.entry(MovementKind::Adjusted, sku, "");
        let located = Entry { location_id: Some(location_id), on_hand, occur_time: movement.occur_time, ..entry };
        self.record(Entry { note: &note, retracts: Some(movement.movement_number), ..located })
    }

    /// An item whose newest count is taken back counts as not counted at the location.
    pub(crate) fn forget_count(&mut self, sku: &str, location_id: &NodeId, count_time: Timestamp) {
        let key = (sku.to_owned(), location_id.clone());
        if self.levels.get(&key).is_some_and(|level| level.count_time == Some(count_time))
            && let Some(level) = self.levels.edit(&key)
        {
            level.count_time = None;
            level.update_time = self.now;
        }
    }

    fn check_capacity(&self, sku: &str, units: i64) -> Result<(), Fault> {
        if self.stock(sku)?.on_hand.saturating_add(units) > MAX_ON_HAND {
            return Err(Fault::new(Reason::ResourceExhausted, format!("{sku}: more units than can be counted")));
        }
        Ok(())
    }
}
