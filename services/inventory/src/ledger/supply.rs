//! Units that come, that are counted, and that are corrected.

use types::{Fault, NodeId, Reason, Timestamp};

use super::{Entry, Ledger};
use crate::{movement::Kind, stock::Level};

/// The most units of an item that can be on hand. Far above any warehouse, far below what a counter holds.
const MOST: i64 = 1_000_000_000_000_000;

/// Units of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Supply {
    pub(crate) sku: String,
    pub(crate) quantity: i64,
}

impl Ledger {
    /// Takes in units that were received or restocked at a location.
    ///
    /// Those that came before the location's newest count of the item are in that count already.
    pub(crate) fn take_in(
        &mut self,
        kind: Kind,
        location_id: &NodeId,
        supply: &Supply,
        reference: &str,
        occur_time: Timestamp,
    ) -> Result<(), Fault> {
        let Supply { sku, quantity } = supply;
        let counted = self.level(sku, location_id).is_some_and(|level| level.was_counted_after(occur_time));
        let note = if counted { format!("{quantity} units, in a later count already") } else { String::new() };
        let on_hand = if counted { 0 } else { *quantity };
        self.room_for(sku, on_hand)?;
        let entry = self.entry(kind, sku, reference);
        self.book(Entry { location_id: Some(location_id), on_hand, note: &note, occur_time, ..entry })
    }

    /// Corrects units on hand at a location by a difference.
    pub(crate) fn adjust(&mut self, location_id: &NodeId, sku: &str, delta: i64, reason: &str) -> Result<(), Fault> {
        let on_hand = self.level(sku, location_id).map_or(0, |level| level.on_hand);
        if on_hand + delta < 0 {
            let message = format!("{on_hand} units of {sku} are on hand at {location_id}");
            return Err(Fault::new(Reason::InsufficientStock, message).fact("on_hand", on_hand));
        }
        self.room_for(sku, delta)?;
        let entry = self.entry(Kind::Adjusted, sku, "");
        self.book(Entry { location_id: Some(location_id), on_hand: delta, note: reason, ..entry })
    }

    /// Sets units on hand at a location to what was counted, plus what came and left since: `later` is its sum.
    pub(crate) fn count(
        &mut self,
        location_id: &NodeId,
        counted: &Supply,
        count_time: Timestamp,
        later: i64,
    ) -> Result<(), Fault> {
        let Supply { sku, quantity } = counted;
        let present = self.level(sku, location_id).map_or(0, |level| level.on_hand);
        let delta = quantity.saturating_add(later).max(0) - present;
        self.room_for(sku, delta)?;
        let place = (sku.clone(), location_id.clone());
        let level = self.levels.make(&place, || Level::none_at(sku.clone(), location_id.clone(), self.now));
        level.count_time = Some(count_time);
        level.update_time = self.now;
        if delta == 0 {
            return Ok(());
        }
        let note = format!("{quantity} units counted");
        let entry = self.entry(Kind::Counted, sku, "");
        self.book(Entry {
            location_id: Some(location_id),
            on_hand: delta,
            note: &note,
            occur_time: count_time,
            ..entry
        })
    }

    fn room_for(&self, sku: &str, units: i64) -> Result<(), Fault> {
        if self.stock(sku)?.on_hand.saturating_add(units) > MOST {
            return Err(Fault::new(Reason::ResourceExhausted, format!("{sku}: more units than can be counted")));
        }
        Ok(())
    }
}
