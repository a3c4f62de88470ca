//! Units that wait for stock. Who gets free units is decided by [`deal`] alone.

use types::{Fault, Id as _, Timestamp};

use super::{Entry, Ledger, not_loaded};
use crate::{
    backorder::{Share, Waiting, deal},
    movement::MovementKind,
    reservation::LineKey,
};

impl Ledger {
    /// Backorders units of a reservation. It gets the next sequence number unless it has one of the same or a better
    /// rank.
    pub(super) fn backorder(&mut self, key: &LineKey, units: i64, rank: i64) -> Result<(), Fault> {
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let stock = self.stock.edit(&reservation.sku).ok_or_else(not_loaded)?;
        if reservation.backorder_sequence.is_none() || rank < reservation.backorder_rank {
            stock.last_backorder_sequence += 1;
            (reservation.backorder_rank, reservation.backorder_sequence) = (rank, Some(stock.last_backorder_sequence));
        }
        reservation.backordered += units;
        reservation.backorder_time = reservation.backorder_time.or(Some(self.now));
        stock.backorder_for(&reservation.ship_to_country, units);
        self.backorders.entry(reservation.sku.clone()).or_default().insert(key.clone());
        Ok(())
    }

    /// Takes units off the backorder of a reservation.
    pub(super) fn reduce_backorder(&mut self, key: &LineKey, units: i64) -> Result<(), Fault> {
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let stock = self.stock.edit(&reservation.sku).ok_or_else(not_loaded)?;
        reservation.backordered -= units;
        stock.backorder_for(&reservation.ship_to_country, -units);
        Ok(())
    }

    /// Has the backordered units of a reservation wait for what can reach another country. They keep their place.
    pub(super) fn redirect_backorder(&mut self, key: &LineKey, country: &String) -> Result<(), Fault> {
        let reservation = self.reservations.get(key).ok_or_else(not_loaded)?;
        let stock = self.stock.edit(&reservation.sku).ok_or_else(not_loaded)?;
        stock.backorder_for(&reservation.ship_to_country, -reservation.backordered);
        stock.backorder_for(country, reservation.backordered);
        Ok(())
    }

    /// Changes what the rules may compare a line by.
    pub(crate) fn prioritize(
        &mut self,
        key: &LineKey,
        priority: Option<i64>,
        promise_time: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let present = self.reservations.get(key).ok_or_else(not_loaded)?;
        let priority = priority.unwrap_or(present.priority);
        let promise_time = promise_time.or(present.promise_time);
        if (priority, promise_time) != (present.priority, present.promise_time) {
            let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
            (reservation.priority, reservation.promise_time) = (priority, promise_time);
            let sku = reservation.sku.clone();
            self.touch(&sku)?;
        }
        Ok(())
    }

    /// Reserves free units of each changed item for its backorders, as far as they can reach them and do not wait for a release. A
    /// fault when units stay free beside backorders that they could reach: the decision did not load them.
    pub(super) fn fill_backorders(&mut self) -> Result<(), Fault> {
        for sku in self.stock.touched() {
            if self.stock(&sku)?.backordered > 0 {
                self.fill_backorders_of(&sku)?;
            }
        }
        Ok(())
    }

    fn fill_backorders_of(&mut self, sku: &str) -> Result<(), Fault> {
        let holds = self.rules.hold_units();
        let mut waiting = self.waiting(sku);
        // Units that an order had before do not wait for a release.
        waiting.retain(|waiting| !holds || waiting.had_units());
        if !waiting.is_empty() {
            let shares = self.dealt(sku, waiting)?;
            self.give(sku, &shares)?;
        }
        let (supply, stock) = (self.supply(sku)?, self.stock(sku)?);
        let unfilled = !holds && !supply.is_restricted() && stock.free() > 0 && stock.backordered > 0;
        if unfilled { Err(not_loaded()) } else { Ok(()) }
    }

    /// Who would get the free units of an item now, if they were released.
    pub(crate) fn preview_release(&self, sku: &str) -> Result<Vec<Share>, Fault> {
        self.dealt(sku, self.waiting(sku))
    }

    /// Gives the free units of an item to the lines that wait for it; returns who got what.
    pub(crate) fn release_backorders(&mut self, sku: &str) -> Result<Vec<Share>, Fault> {
        let shares = self.preview_release(sku)?;
        self.give(sku, &shares)?;
        Ok(shares)
    }

    /// The lines that wait for an item.
    pub(super) fn waiting(&self, sku: &str) -> Vec<Waiting> {
        let keys = self.backorders.get(sku).into_iter().flatten();
        keys.filter_map(|key| Waiting::of(self.reservations.get(key)?)).collect()
    }

    fn dealt(&self, sku: &str, waiting: Vec<Waiting>) -> Result<Vec<Share>, Fault> {
        Ok(deal(&self.rules, &mut self.stock(sku)?.clone(), self.reach.as_ref(), waiting))
    }

    fn give(&mut self, sku: &str, shares: &[Share]) -> Result<(), Fault> {
        for Share { waiting, units, .. } in shares.iter().filter(|share| share.units > 0) {
            let key = &waiting.key;
            self.reduce_backorder(key, *units)?;
            self.reservations.edit(key).ok_or_else(not_loaded)?.reserved += units;
            let entry = self.entry(MovementKind::Reserved, sku, key.0.as_str());
            self.record(Entry { reserved: *units, ship_to_country: &waiting.country, ..entry })?;
            self.filled.insert(key.clone());
        }
        Ok(())
    }
}
