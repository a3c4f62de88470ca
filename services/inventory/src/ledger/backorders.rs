//! Units that wait for stock, and the order in which they get free units.

use types::{Fault, Id as _};

use super::{Entry, Ledger, not_loaded};
use crate::{movement::MovementKind, reservation::LineKey};

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

    /// Reserves free units of each changed item for its backorders, by rank and sequence number, as far as they can reach them. A
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
        let mut backorders = Vec::new();
        for key in self.backorders.get(sku).into_iter().flatten() {
            let reservation = self.reservations.get(key).filter(|reservation| reservation.backordered > 0);
            backorders.extend(
                reservation.map(|own| (own.backorder_rank, own.backorder_sequence, key.clone(), own.backordered)),
            );
        }
        backorders.sort_unstable();
        for (_, _, key, backordered) in backorders {
            let ship_to_country = self.reservations.get(&key).ok_or_else(not_loaded)?.ship_to_country.clone();
            let supply = self.supply(sku)?;
            let units = supply.free_for(&ship_to_country).min(backordered);
            if units == 0 {
                if supply.is_restricted() {
                    continue;
                }
                break;
            }
            self.reduce_backorder(&key, units)?;
            self.reservations.edit(&key).ok_or_else(not_loaded)?.reserved += units;
            let entry = self.entry(MovementKind::Reserved, sku, key.0.as_str());
            self.record(Entry { reserved: units, ship_to_country: &ship_to_country, ..entry })?;
            self.filled.insert(key);
        }
        let (supply, stock) = (self.supply(sku)?, self.stock(sku)?);
        let unfilled = !supply.is_restricted() && stock.free() > 0 && stock.backordered > 0;
        if unfilled { Err(not_loaded()) } else { Ok(()) }
    }
}
