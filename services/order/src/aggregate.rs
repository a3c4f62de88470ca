//! An order with its lines: loaded, changed and saved as one.
//!
//! The counters of every line add up after any reports in any order, and state and status follow from the counters of
//! all lines.

use std::ops::Deref;

use mesh::Principal;
use proto::order::v1 as contract;
use store::{Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    events::PendingEvent,
    hold::Hold,
    order::{Action, Order, UnitTotals},
    order_line::{LineUnits, OrderLine},
    report::OrderReport,
    store::count_ended,
};

/// An order with all its lines. It is read freely, and changed only by [`OrderAggregate::change`].
#[derive(Debug, Clone, PartialEq)]
#[must_use = "nothing is stored or emitted until it is saved"]
pub(crate) struct OrderAggregate(ChangingOrder);

/// An order during a change. Its steps are in [`process`](crate::process).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChangingOrder {
    /// The order itself.
    pub(crate) order: Order,
    /// All its lines, by line number.
    pub(crate) lines: Vec<OrderLine>,
    /// Events to emit when it is saved, in order.
    pub(crate) pending: Vec<PendingEvent>,
}

/// An order as it is stored after a change; made only by [`OrderAggregate::save`].
pub(crate) struct SavedOrder {
    order: Order,
    lines: Vec<OrderLine>,
}

impl SavedOrder {
    /// The order itself.
    pub(crate) fn order(&self) -> &Order {
        &self.order
    }

    /// All its lines, by line number.
    pub(crate) fn lines(&self) -> &[OrderLine] {
        &self.lines
    }

    /// The order as the contract has it.
    pub(crate) fn to_contract<'a>(&self, holds: impl IntoIterator<Item = &'a Hold>) -> contract::Order {
        crate::wire::order(&self.order, &self.lines, holds)
    }
}

impl Deref for OrderAggregate {
    type Target = ChangingOrder;

    fn deref(&self) -> &ChangingOrder {
        &self.0
    }
}

impl OrderAggregate {
    /// An order that is placed and not stored yet.
    pub(crate) fn place(order: Order, lines: Vec<OrderLine>) -> Self {
        Self(ChangingOrder { order, lines, pending: vec![PendingEvent::Submitted] })
    }

    /// Asks for an order with all its lines.
    pub(crate) fn needs(order_id: &OrderId, needs: &mut Needs) {
        needs.row::<Order>(order_id);
        needs.under::<OrderLine>(order_id);
    }

    /// Asks for an order with all its lines and holds.
    pub(crate) fn needs_with_holds(order_id: &OrderId, needs: &mut Needs) {
        Self::needs(order_id, needs);
        needs.under::<Hold>(order_id);
    }

    /// The order with all its lines.
    pub(crate) fn load(order_id: &OrderId, rows: &Rows) -> Result<Self, Fault> {
        let order = rows.get::<Order>(order_id)?.cloned().ok_or_else(|| Fault::not_found("order", order_id))?;
        let lines = rows.under::<OrderLine>(order_id)?.into_iter().cloned().collect();
        Ok(Self(ChangingOrder { order, lines, pending: Vec::new() }))
    }

    /// The order for a caller that sees its account, read it with this etag, and asks for an action that it supports.
    pub(crate) fn load_for(
        order_id: &OrderId,
        etag: &str,
        caller: &Principal,
        action: Action,
        rows: &Rows,
    ) -> Result<Self, Fault> {
        let aggregate = Self::load(order_id, rows)?;
        if !caller.sees(&aggregate.order.account_id) {
            return Err(Fault::not_found("order", order_id));
        }
        Fault::check_etag("order", etag, aggregate.order.version)?;
        let supported = aggregate.order.supported_actions(&aggregate.lines);
        if !supported.contains(&action) {
            let (action, status) = (action.name(), aggregate.order.status.as_str());
            let message = format!("{action} is not possible while the order is {status}");
            let names: Vec<_> = supported.into_iter().map(Action::name).collect();
            return Err(Fault::not_supported(message).fact("supported_actions", names.join(",")));
        }
        Ok(aggregate)
    }

    /// Refuses a report about a line that the order does not have.
    pub(crate) fn check_lines(&self, line_numbers: impl IntoIterator<Item = i64>) -> Result<(), Fault> {
        let mut numbers = line_numbers.into_iter();
        match numbers.find(|number| self.lines.binary_search_by_key(number, |line| line.line_number).is_err()) {
            Some(unknown) => Err(Fault::internal(format!("the order has no line {unknown}"))),
            None => Ok(()),
        }
    }

    /// Makes a change, and then takes every step that the counters of the lines call for.
    pub(crate) fn change(&mut self, now: Timestamp, change: impl FnOnce(&mut ChangingOrder)) {
        let Self(changing) = self;
        let backordered_before: Vec<_> = changing.lines.iter().map(|line| line.backordered).collect();
        change(changing);
        // An order that has ended is open again before the next steps, when units of it are.
        changing.close_or_reopen(now);
        changing.cancel_when_late(now);
        if changing.order.cancel_time.is_some() {
            changing.cancel_unreleased();
        }
        changing.apply_fill_policy(now);
        changing.confirm();
        changing.report_backorders(&backordered_before);
        changing.release_reserved(now);
        changing.close_or_reopen(now);
        changing.promise_ship_times(now);
        changing.order.status = changing.order.derive_status(&UnitTotals::of(&changing.lines));
    }

    /// Writes what changed and emits the pending events; returns the order as it is stored now.
    pub(crate) fn save(self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<SavedOrder, Fault> {
        let ChangingOrder { mut order, mut lines, pending } = self.0;
        let (stored, stored_lines) = match order.version {
            0 => (None, Vec::new()),
            _ => (rows.get::<Order>(&order.order_id)?, rows.under::<OrderLine>(&order.order_id)?),
        };
        let is_changed = |at: usize, line: &OrderLine| stored_lines.get(at).is_none_or(|stored| *stored != line);
        let changed: Vec<_> =
            lines.iter().enumerate().filter(|(at, line)| is_changed(*at, line)).map(|(at, _)| at).collect();
        if changed.is_empty() && stored == Some(&order) && pending.is_empty() {
            return Ok(SavedOrder { order, lines });
        }
        if let Some(stored) = stored {
            count_ended(stored, stored_lines.iter().copied(), -1, cx);
        }
        for at in changed {
            if let Some(line) = lines.get_mut(at) {
                *line = rows.put(line.clone());
            }
        }
        order.update_time = cx.now();
        let saved = SavedOrder { order: rows.put(order), lines };
        count_ended(&saved.order, &saved.lines, 1, cx);
        for event in pending {
            event.emit(&saved, rows, cx);
        }
        Ok(saved)
    }

    /// As [`Self::save`]; returns the order with its holds as callers see it.
    pub(crate) fn save_and_show(self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let saved = self.save(rows, cx)?;
        Ok(saved.to_contract(rows.under::<Hold>(&saved.order.order_id)?))
    }
}

impl ChangingOrder {
    /// Records a report.
    pub(crate) fn record(&mut self, report: &OrderReport, now: Timestamp) {
        match report {
            OrderReport::Reserved(reservations) => self.apply_reservations(reservations),
            OrderReport::Expired(reservations) => self.expire_reservations(reservations, now),
            OrderReport::ReservationRefused(reason) => self.reject(reason, now),
            OrderReport::Picked(units) => self.each_of(units, OrderLine::pick),
            OrderReport::Short(units) => self.each_of(units, OrderLine::fall_short),
            OrderReport::Unfulfillable(units, reservations) => self.take_back(units, reservations),
            OrderReport::Cancelled(units) => self.each_of(units, OrderLine::cancel_released),
            OrderReport::Shipped { shipment_id, units, beyond, cancellation_lost } => {
                self.ship(shipment_id, units, beyond, *cancellation_lost, now);
            }
            OrderReport::Delivered { shipment_id, units } => self.deliver(shipment_id, units, now),
            OrderReport::DepartureRetracted { shipment_id, units } => self.unship(shipment_id, units, now),
            OrderReport::PickRetracted(units) => self.each_of(units, OrderLine::unpick),
            OrderReport::Found(units) => self.each_of(units, OrderLine::find),
            OrderReport::WrittenOff { shipment_id, units } => self.write_off(shipment_id, units, now),
            OrderReport::Replaced { shipment_id, units, reservations } => {
                self.replace(shipment_id, units, reservations, now);
            }
            OrderReport::DeliveryRetracted { shipment_id, units } => self.undeliver(shipment_id, units, now),
        }
    }

    /// Takes a step of each line; returns the units that it moved.
    pub(crate) fn units_of_each(&mut self, mut step: impl FnMut(&mut OrderLine) -> i64) -> Vec<LineUnits> {
        let moved = self.lines.iter_mut().map(|line| LineUnits { line_number: line.line_number, quantity: step(line) });
        moved.filter(|units| units.quantity > 0).collect()
    }

    /// Takes a step of the line that each of the units are of.
    pub(crate) fn each_of(&mut self, units: &[LineUnits], step: impl Fn(&mut OrderLine, i64)) {
        for LineUnits { line_number, quantity } in units {
            self.with_line(*line_number, |line| step(line, *quantity));
        }
    }

    /// Takes a step of a line, if the order has it.
    pub(crate) fn with_line(&mut self, line_number: i64, step: impl FnOnce(&mut OrderLine)) {
        if let Ok(at) = self.lines.binary_search_by_key(&line_number, |line| line.line_number)
            && let Some(line) = self.lines.get_mut(at)
        {
            step(line);
        }
    }
}

#[cfg(test)]
mod tests;
