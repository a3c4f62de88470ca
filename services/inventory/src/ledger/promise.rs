//! Promises over all locations: reserve, give back, expire.

use types::{Fault, Id as _, OrderId, Reason, Violation};

use super::{Entry, Ledger, LineKey, not_loaded};
use crate::{
    movement::Kind,
    promise::{Policy, Reservation, micros},
};

/// What an order line wants in all, or gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) line_number: i64,
    pub(crate) sku: String,
    pub(crate) quantity: i64,
}

/// On what terms units are promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) policy: Policy,
    /// Microseconds.
    pub(crate) expire_after: Option<i64>,
}

/// What became of reserved units whose time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// None were.
    NotDue,
    /// The order keeps them: it is on hold, or at work.
    Extended,
    /// They were given back.
    Expired,
}

impl Ledger {
    /// Promises units to the lines of an order: all of them, or on refusal none.
    ///
    /// A line that asked for the same quantity before keeps what it has; another quantity changes it by the difference.
    /// Lines that share an item share what is free of it.
    pub(crate) fn reserve(&mut self, order_id: &OrderId, lines: &[Wanted], terms: Terms) -> Result<(), Fault> {
        let mut wrong = Vec::new();
        let mut more = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let key = (order_id.clone(), line.line_number);
            let Some(present) = self.reservations.get(&key) else {
                more.push((key, line, line.quantity));
                continue;
            };
            let difference = line.quantity - present.requested;
            if present.sku != line.sku {
                wrong.push(violation(index, "sku", format!("the line is reserved for {}", present.sku)));
            } else if -difference > present.reserved + present.backordered {
                let least = present.requested - present.reserved - present.backordered;
                wrong.push(violation(index, "quantity", format!("{least} units are at work, shipped or given back")));
            } else if difference < 0 {
                self.take_back(&key, -difference)?;
                if let Some(reservation) = self.reservations.edit(&key) {
                    reservation.requested += difference;
                }
            } else if difference > 0 {
                more.push((key, line, difference));
            }
        }
        if !wrong.is_empty() {
            return Err(Fault::violations(wrong));
        }
        let mut lacking = Vec::new();
        for (key, line, units) in more {
            let free = self.promise(&key, line, units, terms)?;
            if free < units && terms.policy == Policy::Refuse {
                lacking.push((line, units, free));
            }
        }
        lacking.first().map_or(Ok(()), |(line, units, free)| {
            let message = format!("line {}: {free} of {units} units of {} are free", line.line_number, line.sku);
            Err(Fault::new(Reason::InsufficientStock, message)
                .fact("sku", &line.sku)
                .fact("requested", units)
                .fact("available", free)
                .fact("lacking_lines", lacking.len()))
        })
    }

    /// Promises more units to a line; answers how many of them are there.
    fn promise(&mut self, key: &LineKey, line: &Wanted, units: i64, terms: Terms) -> Result<i64, Fault> {
        let free = self.stock(&line.sku)?.available_to_promise().min(units);
        let (order_id, line_number) = key.clone();
        let new = || Reservation::none_for(order_id, line_number, line.sku.clone(), self.now);
        let reservation = self.reservations.make(key, new);
        reservation.requested += units;
        reservation.reserved += free;
        (reservation.policy, reservation.expire_after) = (terms.policy, terms.expire_after);
        if free > 0 {
            self.book(Entry { reserved: free, ..self.entry(Kind::Reserved, &line.sku, key.0.as_str()) })?;
        }
        if free < units {
            self.wait(key, units - free, 1)?;
        }
        Ok(free)
    }

    /// Gives back up to `units` that no location works on; those of unknown lines are none.
    pub(crate) fn release(&mut self, key: &LineKey, units: i64) -> Result<(), Fault> {
        let Some(reservation) = self.reservations.get(key) else { return Ok(()) };
        let units = units.min(reservation.reserved + reservation.backordered);
        self.take_back(key, units)?;
        if let Some(reservation) = self.reservations.edit(key) {
            reservation.released += units;
        }
        Ok(())
    }

    /// Takes units from those that wait, then from those reserved. The caller says where they go.
    fn take_back(&mut self, key: &LineKey, units: i64) -> Result<(), Fault> {
        let reservation = self.reservations.edit(key).ok_or_else(not_loaded)?;
        let waiting = units.min(reservation.backordered);
        let reserved = units - waiting;
        reservation.reserved -= reserved;
        let sku = reservation.sku.clone();
        self.wait_no_more(key, waiting)?;
        if reserved > 0 {
            self.book(Entry { reserved: -reserved, ..self.entry(Kind::Released, &sku, key.0.as_str()) })?;
        }
        Ok(())
    }

    /// Ends the time of an order's reserved units: all reservations of the order are loaded.
    pub(crate) fn expire(&mut self, order_id: &OrderId, open_holds: i64) -> Result<Expiry, Fault> {
        let own = self.reservations.iter().filter(|(key, _)| key.0 == *order_id);
        let lines: Vec<Reservation> = own.map(|(_, reservation)| reservation.clone()).collect();
        let kept = open_holds > 0 || lines.iter().any(|line| line.allocated > 0);
        let is_due = |line: &Reservation| line.reserved > 0 && line.expire_time.is_some_and(|time| time <= self.now);
        let due: Vec<Reservation> = lines.into_iter().filter(is_due).collect();
        for line in &due {
            let key = (line.order_id.clone(), line.line_number);
            let reservation = self.reservations.edit(&key).ok_or_else(not_loaded)?;
            if kept {
                reservation.expire_time = line.expire_after.map(|after| self.now.after(micros(after)));
                continue;
            }
            reservation.reserved = 0;
            reservation.expire_time = None;
            let note = "expired";
            self.book(Entry {
                reserved: -line.reserved,
                note,
                ..self.entry(Kind::Released, &line.sku, order_id.as_str())
            })?;
            match line.policy {
                Policy::Backorder => self.wait(&key, line.reserved, 1)?,
                Policy::Refuse => {
                    self.reservations.edit(&key).ok_or_else(not_loaded)?.released += line.reserved;
                }
            }
        }
        Ok(match (due.is_empty(), kept) {
            (true, _) => Expiry::NotDue,
            (false, true) => Expiry::Extended,
            (false, false) => Expiry::Expired,
        })
    }
}

fn violation(index: usize, field: &str, description: String) -> Violation {
    Violation { field: format!("lines[{index}].{field}"), description }
}
