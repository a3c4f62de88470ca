//! Units of lines that go to another country than before.
//!
//! 1. All reserved units of the lines become free, so that lines that change places do not stand in each other's way.
//! 2. Each line gets as many again as can reach its new destination: those that step 1 made free for it, and those that can be
//!    promised. Units that others wait for stay theirs.
//! 3. The others are backordered. Units that were backordered keep their place in the queue.
//!
//! Allocated units stay where they are.

use std::collections::BTreeMap;

use types::{Fault, Id as _};

use super::{Entry, Ledger, not_loaded, reservation::ShortLine};
use crate::{
    movement::MovementKind,
    reservation::{DEFAULT_RANK, LineKey},
};

impl Ledger {
    /// Has the units of lines go to other countries; returns the lines that do not get back all that they had reserved.
    pub(super) fn redirect(&mut self, lines: &[(LineKey, String)]) -> Result<Vec<ShortLine>, Fault> {
        let mut free: BTreeMap<(String, &String), i64> = BTreeMap::new();
        for (key, country) in lines {
            let sku = self.reservations.get(key).ok_or_else(not_loaded)?.sku.clone();
            let units = self.supply(&sku)?.free_for(country);
            free.insert((sku, country), units);
        }
        let mut withdrawn = Vec::new();
        for (key, country) in lines {
            withdrawn.push(self.withdraw(key, country)?);
        }
        let mut short = Vec::new();
        for ((key, country), units) in lines.iter().zip(withdrawn) {
            let sku = self.reservations.get(key).ok_or_else(not_loaded)?.sku.clone();
            let supply = self.supply(&sku)?;
            let before = free.get(&(sku.clone(), country)).copied().unwrap_or(0);
            let own = supply.free_for(country) - before;
            let available = own.max(supply.promisable_to(country)).min(units);
            if available > 0 {
                self.reservations.edit(key).ok_or_else(not_loaded)?.reserved += available;
                let entry = self.entry(MovementKind::Reserved, &sku, key.0.as_str());
                self.record(Entry { reserved: available, ship_to_country: country, ..entry })?;
            }
            if available < units {
                self.backorder(key, units - available, DEFAULT_RANK)?;
                short.push(ShortLine { line_number: key.1, sku, units, available });
            }
        }
        Ok(short)
    }

    /// Takes the reserved units of a line back, and has the backordered ones go to the country; returns how many were reserved.
    fn withdraw(&mut self, key: &LineKey, country: &String) -> Result<i64, Fault> {
        self.redirect_backorder(key, country)?;
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let from = std::mem::replace(&mut reservation.ship_to_country, country.clone());
        let units = std::mem::take(&mut reservation.reserved);
        let sku = reservation.sku.clone();
        if units > 0 {
            let entry = self.entry(MovementKind::Released, &sku, key.0.as_str());
            self.record(Entry { reserved: -units, ship_to_country: &from, note: "goes elsewhere", ..entry })?;
        }
        Ok(units)
    }
}
