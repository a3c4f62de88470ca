//! Units over all locations: reserve, release, expire.

use std::collections::BTreeMap;

use types::{AccountId, Fault, Id as _, OrderId, Reason, Timestamp, Violation};

use super::{Entry, Ledger, not_loaded};
use crate::{
    movement::MovementKind,
    quantity::RequestedLine,
    reservation::{DEFAULT_RANK, LineKey, Reservation, ShortagePolicy, micros},
};

/// How units are reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Where they go; empty where it is not known.
    pub(crate) ship_to_country: String,
    /// Where the units of lines go that go elsewhere.
    pub(crate) line_countries: BTreeMap<i64, String>,
    pub(crate) shortage_policy: ShortagePolicy,
    /// Microseconds.
    pub(crate) expire_after: Option<i64>,
    /// What a line has, or the default, when absent.
    pub(crate) priority: Option<i64>,
    /// What a line has when absent.
    pub(crate) promise_time: Option<Timestamp>,
}

/// A line that gets fewer units than it is to have.
#[derive(Debug)]
pub(super) struct ShortLine {
    pub(super) line_number: i64,
    pub(super) sku: String,
    pub(super) units: i64,
    pub(super) available: i64,
}

impl Terms {
    /// Where the units of a line go; empty where it is not known.
    fn country_of(&self, line_number: i64) -> &String {
        self.line_countries.get(&line_number).unwrap_or(&self.ship_to_country)
    }

    /// Where the line of a reservation goes now, if that is another country than before. One that is not known changes nothing.
    pub(crate) fn new_country_of(&self, present: &Reservation) -> Option<&String> {
        let country = self.country_of(present.line_number);
        Some(country).filter(|country| !country.is_empty() && **country != present.ship_to_country)
    }
}

impl Ledger {
    /// Reserves units for the lines of an order: on refusal none.
    ///
    /// A line that has the requested quantity already keeps what it has; another quantity changes it by the difference. A line that
    /// goes to another country than before is redirected first. Lines that share an item share its free units. The newest call
    /// decides on all units of its lines: what becomes of a shortage, and when they expire.
    pub(crate) fn reserve(
        &mut self,
        order_id: &OrderId,
        account_id: &AccountId,
        lines: &[RequestedLine],
        terms: &Terms,
    ) -> Result<(), Fault> {
        let mut violations = Vec::new();
        let (mut increases, mut redirections) = (Vec::new(), Vec::new());
        for (index, line) in lines.iter().enumerate() {
            let key = line.key(order_id);
            let Some(present) = self.reservations.get(&key) else {
                increases.push((key, line, line.quantity));
                continue;
            };
            let difference = line.quantity - present.requested;
            redirections.extend(terms.new_country_of(present).map(|country| (key.clone(), country.clone())));
            if present.sku != line.sku {
                violations.push(violation(index, "sku", format!("the line is reserved for {}", present.sku)));
            } else if -difference > present.reserved + present.backordered {
                let least = present.requested - present.reserved - present.backordered;
                let description = format!("{least} units are allocated, shipped or released");
                violations.push(violation(index, "quantity", description));
            } else if difference < 0 {
                self.reduce_reservation(&key, -difference)?.requested += difference;
            } else if difference > 0 {
                increases.push((key, line, difference));
            }
        }
        if !violations.is_empty() {
            return Err(Fault::violations(violations));
        }
        let mut short = self.redirect(&redirections)?;
        for (key, line, units) in increases {
            let available = self.reserve_more(&key, account_id, &line.sku, units, terms)?;
            if available < units {
                short.push(ShortLine { line_number: line.line_number, sku: line.sku.clone(), units, available });
            }
        }
        for line in lines {
            let key = line.key(order_id);
            if !self.reservations.get(&key).ok_or_else(not_loaded)?.has_terms(terms) {
                self.reservations.edit(&key).ok_or_else(not_loaded)?.set_terms(terms);
            }
            self.prioritize(&key, terms.priority, terms.promise_time)?;
        }
        let refused = short.first().filter(|_| terms.shortage_policy == ShortagePolicy::Refuse);
        refused.map_or(Ok(()), |ShortLine { line_number, sku, units, available }| {
            let message = format!("line {line_number}: {available} of {units} units of {sku} are available");
            Err(Fault::new(Reason::InsufficientStock, message)
                .fact("sku", sku)
                .fact("requested", units)
                .fact("available", available)
                .fact("short_lines", short.len()))
        })
    }

    /// Reserves available units for a line and backorders the others; returns how many were available.
    fn reserve_more(
        &mut self,
        key: &LineKey,
        account_id: &AccountId,
        sku: &str,
        units: i64,
        terms: &Terms,
    ) -> Result<i64, Fault> {
        // A line that is reserved already goes where it goes, also when this is not known now.
        let present = self.reservations.get(key).map(|known| &known.ship_to_country);
        let ship_to_country = present.unwrap_or_else(|| terms.country_of(key.1)).clone();
        let available = self.supply(sku)?.promisable_to(&ship_to_country).min(units);
        let new = || {
            Reservation::none_for(key.clone(), account_id.clone(), sku.to_owned(), ship_to_country.clone(), self.now)
        };
        let reservation = self.reservations.make(key, new);
        reservation.requested += units;
        reservation.reserved += available;
        if available > 0 {
            let entry = self.entry(MovementKind::Reserved, sku, key.0.as_str());
            self.record(Entry { reserved: available, ship_to_country: &ship_to_country, ..entry })?;
        }
        if available < units {
            self.backorder(key, units - available, DEFAULT_RANK)?;
        }
        Ok(available)
    }

    /// Releases up to `units` that are not allocated. An unknown line has none.
    pub(crate) fn release(&mut self, key: &LineKey, units: i64) -> Result<(), Fault> {
        let Some(reservation) = self.reservations.get(key) else { return Ok(()) };
        let units = units.min(reservation.reserved + reservation.backordered);
        self.reduce_reservation(key, units)?.released += units;
        Ok(())
    }

    /// Takes units off what is backordered, then off what is reserved.
    fn reduce_reservation(&mut self, key: &LineKey, units: i64) -> Result<&mut Reservation, Fault> {
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let backordered = units.min(reservation.backordered);
        let reserved = units - backordered;
        reservation.reserved -= reserved;
        let (sku, ship_to_country) = (reservation.sku.clone(), reservation.ship_to_country.clone());
        self.reduce_backorder(key, backordered)?;
        if reserved > 0 {
            let entry = self.entry(MovementKind::Released, &sku, key.0.as_str());
            self.record(Entry { reserved: -reserved, ship_to_country: &ship_to_country, ..entry })?;
        }
        self.reservations.edit(key).ok_or_else(not_loaded)
    }

    /// Ends the time of the reserved units of an order, all of whose reservations are loaded.
    pub(crate) fn expire(&mut self, order_id: &OrderId, open_holds: i64) -> Result<(), Fault> {
        let own = self.reservations.iter().filter(|(key, _)| key.0 == *order_id);
        let own: Vec<&Reservation> = own.map(|(_, reservation)| reservation).collect();
        let extended = open_holds > 0 || own.iter().any(|line| line.allocated > 0);
        let is_due = |line: &Reservation| line.reserved > 0 && line.expire_time.is_some_and(|time| time <= self.now);
        let due: Vec<Reservation> = own.into_iter().filter(|line| is_due(line)).cloned().collect();
        for line in &due {
            let key = line.key();
            let reservation = self.reservations.edit(&key).ok_or_else(not_loaded)?;
            if extended {
                reservation.expire_time = line.expire_after.map(|after| self.now.after(micros(after)));
                continue;
            }
            reservation.reserved = 0;
            reservation.expire_time = None;
            if line.shortage_policy == ShortagePolicy::Refuse {
                reservation.released += line.reserved;
            }
            let entry = self.entry(MovementKind::Released, &line.sku, order_id.as_str());
            let ship_to_country = &line.ship_to_country;
            self.record(Entry { reserved: -line.reserved, ship_to_country, note: "expired", ..entry })?;
            if line.shortage_policy == ShortagePolicy::Backorder {
                self.backorder(&key, line.reserved, DEFAULT_RANK)?;
            }
        }
        Ok(())
    }
}

impl Reservation {
    fn has_terms(&self, terms: &Terms) -> bool {
        (self.shortage_policy, self.expire_after) == (terms.shortage_policy, terms.expire_after)
    }

    /// Another time to live than before begins now.
    fn set_terms(&mut self, terms: &Terms) {
        if self.expire_after != terms.expire_after {
            self.expire_time = None;
        }
        (self.shortage_policy, self.expire_after) = (terms.shortage_policy, terms.expire_after);
    }
}

fn violation(index: usize, field: &str, description: String) -> Violation {
    Violation::new(format!("lines[{index}].{field}"), description)
}
