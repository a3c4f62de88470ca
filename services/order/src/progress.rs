//! An order moves on: facts are applied to its lines, and what follows from the counters is drawn.
//!
//! Pure. Whatever comes in whatever order, the buckets of every line add up, and state and status are what the counters
//! of all lines say.

use std::time::Duration;

use types::{ShipmentId, Timestamp};

use crate::{
    fact::{Fact, Returned, Stop, Units},
    line::Line,
    news::News,
    order::{FillPolicy, Order, State, Totals},
};

/// How long reserved units take to leave.
const HANDLING: Duration = Duration::from_secs(24 * 60 * 60);

/// An order with all its lines while it moves on, and what there is to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The order.
    pub order: Order,
    /// All its lines, by line number.
    pub lines: Vec<Line>,
    /// What there is to tell, in order.
    pub news: Vec<News>,
}

impl Progress {
    /// An order before it moves on. `lines` are all it has, by line number.
    pub fn new(order: Order, lines: Vec<Line>) -> Self {
        Self { order, lines, news: Vec::new() }
    }

    /// Applies a fact and draws what follows. Lines the order does not have are passed over.
    pub fn apply(&mut self, fact: &Fact, now: Timestamp) {
        let waiting = self.waiting();
        match fact {
            Fact::Reserved(images) => {
                for image in images {
                    self.each(image.line_number, |line| line.apply_reservation(image.version, image.backordered));
                }
            }
            Fact::Refused(reason) => self.reject(reason, now),
            Fact::Picked(units) => self.of(units, Line::pick),
            Fact::Short(units) => self.of(units, Line::fall_short),
            Fact::Unfulfillable(units, images) => {
                self.of(units, Line::take_back);
                for image in images {
                    self.each(image.line_number, |line| line.apply_reservation(image.version, image.backordered));
                }
            }
            Fact::Cancelled(units) => self.of(units, Line::cancel_released),
            Fact::Shipped { shipment_id, units, stop } => {
                let mut too_many = Vec::new();
                for Units { line_number, quantity } in units.iter().copied() {
                    self.each(line_number, |line| {
                        let quantity = line.ship(quantity);
                        if quantity > 0 {
                            too_many.push(Units { line_number, quantity });
                        }
                    });
                }
                // Its cancellation was asked for here, even if the word had not reached the node.
                if *stop == Stop::Ignored || self.order.cancel_time.is_some() {
                    self.order.exceptions += 1;
                    self.news.push(News::CancelLost(shipment_id.clone(), units.clone()));
                } else if !too_many.is_empty() {
                    self.order.exceptions += 1;
                    self.news.push(News::OverShipped(shipment_id.clone(), too_many));
                }
                self.make_ready(shipment_id);
            }
            Fact::Delivered { shipment_id, units } => {
                self.of(units, Line::deliver);
                self.make_ready(shipment_id);
            }
            Fact::Returned(returned) => {
                for Returned { line_number, authorized, received } in returned.iter().copied() {
                    self.each(line_number, |line| line.apply_returns(authorized, received));
                }
            }
        }
        self.conclude(&waiting, now);
    }

    /// Cancels what is open: units that are not at nodes at once, the others if their nodes can still stop them.
    pub fn cancel(&mut self, reason: &str, now: Timestamp) {
        let waiting = self.waiting();
        reason.clone_into(&mut self.order.reason);
        self.order.cancel_time = Some(now);
        self.cancel_unreleased();
        if Totals::of(&self.lines).released > 0 {
            self.news.push(News::CancelRequested);
        }
        self.conclude(&waiting, now);
    }

    /// Draws what follows after holds changed.
    pub fn holds_changed(&mut self, now: Timestamp) {
        let waiting = self.waiting();
        self.conclude(&waiting, now);
    }

    fn reject(&mut self, reason: &str, now: Timestamp) {
        if self.order.state != State::Submitted {
            return;
        }
        self.order.state = State::Rejected;
        self.order.close_time = Some(now);
        reason.clone_into(&mut self.order.reason);
        for line in &mut self.lines {
            line.cancel_unreleased();
        }
        self.news.push(News::Rejected);
    }

    /// Draws what follows from the counters. `waiting` is how many units of each line waited for stock before.
    fn conclude(&mut self, waiting: &[i64], now: Timestamp) {
        if self.order.cancel_time.is_some() {
            self.cancel_unreleased();
        }
        self.confirm();
        self.tell_waiting(waiting);
        self.release();
        self.settle_state(now);
        self.promise(now);
        self.order.status = self.order.derive_status(&Totals::of(&self.lines));
    }

    fn cancel_unreleased(&mut self) {
        let cancelled = self.units_of_each(Line::cancel_unreleased);
        if !cancelled.is_empty() {
            self.news.push(News::LinesCancelled(cancelled));
        }
    }

    fn confirm(&mut self) {
        let totals = Totals::of(&self.lines);
        if self.order.state == State::Submitted && totals.unallocated == 0 && !totals.all_cancelled() {
            self.order.state = State::Confirmed;
            self.news.push(News::Confirmed);
        }
    }

    fn tell_waiting(&mut self, before: &[i64]) {
        let grown = self.lines.iter().zip(before).any(|(line, before)| line.backordered > *before);
        if grown && self.order.state == State::Confirmed {
            let waiting = self.lines.iter().filter(|line| line.backordered > 0);
            let waiting = waiting.map(|line| Units { line_number: line.line_number, quantity: line.backordered });
            self.news.push(News::Backordered(waiting.collect()));
        }
    }

    fn release(&mut self) {
        let totals = Totals::of(&self.lines);
        let together = self.order.fill_policy == FillPolicy::FillAll;
        let incomplete = totals.backordered + totals.unallocated > 0;
        if self.order.state != State::Confirmed || self.order.open_holds > 0 || (together && incomplete) {
            return;
        }
        let released = self.units_of_each(Line::release);
        if !released.is_empty() {
            self.order.release_number += 1;
            self.news.push(News::Released(released));
        }
    }

    fn settle_state(&mut self, now: Timestamp) {
        let totals = Totals::of(&self.lines);
        let before = self.order.state;
        self.order.state = match before {
            State::Rejected => State::Rejected,
            _ if totals.all_cancelled() => State::Cancelled,
            State::Submitted => State::Submitted,
            _ if totals.all_arrived() => State::Closed,
            // What was closed or cancelled goes on when units left after all.
            State::Confirmed | State::Closed | State::Cancelled => State::Confirmed,
        };
        if self.order.state == before {
            return;
        }
        self.order.close_time = if self.order.state.is_open() { None } else { Some(now) };
        match self.order.state {
            State::Cancelled => self.news.push(News::Cancelled),
            State::Closed => self.news.push(News::Closed),
            State::Submitted | State::Confirmed | State::Rejected => {}
        }
    }

    fn promise(&mut self, now: Timestamp) {
        let soonest = now.after(HANDLING);
        let promised = self.order.requested_ship_time.map_or(soonest, |requested| requested.max(soonest));
        for line in &mut self.lines {
            if line.backordered + line.unallocated > 0 {
                line.promised_ship_time = None;
            } else if line.promised_ship_time.is_none() && line.reserved + line.released > 0 {
                line.promised_ship_time = Some(promised);
            }
        }
    }

    fn make_ready(&mut self, shipment_id: &ShipmentId) {
        let policy = self.order.invoice_policy;
        let mut ready = Vec::new();
        for line in &mut self.lines {
            if let Some(of_line) = line.make_ready(policy) {
                self.order.invoice_ready_minor += of_line.amount_minor;
                ready.push((line.line_number, of_line));
            }
        }
        if !ready.is_empty() {
            self.order.invoice_count += 1;
            self.news.push(News::InvoiceReady { shipment_id: shipment_id.clone(), lines: ready });
        }
    }

    fn waiting(&self) -> Vec<i64> {
        self.lines.iter().map(|line| line.backordered).collect()
    }

    fn units_of_each(&mut self, mut step: impl FnMut(&mut Line) -> i64) -> Vec<Units> {
        let moved = self.lines.iter_mut().map(|line| Units { line_number: line.line_number, quantity: step(line) });
        moved.filter(|units| units.quantity > 0).collect()
    }

    fn of(&mut self, units: &[Units], step: impl Fn(&mut Line, i64)) {
        for units in units {
            self.each(units.line_number, |line| step(line, units.quantity));
        }
    }

    fn each(&mut self, line_number: i64, step: impl FnOnce(&mut Line)) {
        if let Ok(at) = self.lines.binary_search_by_key(&line_number, |line| line.line_number)
            && let Some(line) = self.lines.get_mut(at)
        {
            step(line);
        }
    }
}

#[cfg(test)]
mod tests;
