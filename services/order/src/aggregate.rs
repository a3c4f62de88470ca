//! An order with its lines: loaded, changed and saved as one.
//!
//! The counters of every line add up after any reports in any order, and state and status follow from the counters of
//! all lines.

use std::{collections::HashMap, ops::Deref};

use mesh::Principal;
use proto::order::v1 as contract;
use store::{Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    change::{OpenChange, OrderChange},
    credit::{self, Counted},
    events::PendingEvent,
    hold::Hold,
    node::Nodes,
    order::{Action, Order, UnitTotals},
    order_line::{LineUnits, OrderLine},
    process::credit_check::Standing,
    process::evidence::OrderShipment,
    report::OrderReport,
    ship_to_group::ShipToGroup,
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
    /// The places that it goes to, by number; none when all of it goes to one.
    pub(crate) groups: Vec<ShipToGroup>,
    /// Its open change, with its hold.
    pub(crate) change: Option<OpenChange>,
    /// The change that a report is about, when it has ended before.
    pub(crate) settled_change: Option<OrderChange>,
    /// What was reported of its shipments: all of them when its invoice policy keeps that, else those of the report at hand.
    pub(crate) shipments: Vec<OrderShipment>,
    /// Events to emit when it is saved, in order.
    pub(crate) pending: Vec<PendingEvent>,
    /// What its account may owe and owes, when the order is counted.
    pub(crate) standing: Option<Standing>,
}

/// An order as it is stored after a change; made only by [`OrderAggregate::save`].
pub(crate) struct SavedOrder {
    order: Order,
    lines: Vec<OrderLine>,
    groups: Vec<ShipToGroup>,
    change: Option<OrderChange>,
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
        crate::wire::order(&self.order, &self.lines, &self.groups, holds)
    }

    /// Its change that was open before it was saved.
    pub(crate) fn change(&self) -> Option<&contract::OrderChange> {
        self.change.as_ref().map(|change| &change.change.0)
    }

    /// The same as callers see it.
    pub(crate) fn change_to_contract(&self) -> Option<contract::OrderChange> {
        self.change.as_ref().map(|change| change.to_contract(&self.order))
    }

    /// Where the lines of a group go.
    pub(crate) fn ship_to(&self, group: Option<i64>) -> &contract::ShipTo {
        crate::ship_to_group::ship_to(&self.order, &self.groups, group)
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
    pub(crate) fn place(mut order: Order, lines: Vec<OrderLine>, groups: Vec<ShipToGroup>) -> Self {
        order.sum_up(&lines);
        let (shipments, pending) = (Vec::new(), vec![PendingEvent::Submitted]);
        Self(ChangingOrder {
            order,
            lines,
            groups,
            change: None,
            settled_change: None,
            shipments,
            standing: None,
            pending,
        })
    }

    /// Asks for an order with all its lines, what else it has, and what its account owes when it is counted.
    pub(crate) fn needs(order_id: &OrderId, rows: &Rows, needs: &mut Needs) {
        needs.row::<Order>(order_id);
        needs.under::<OrderLine>(order_id);
        let Ok(Some(order)) = rows.get::<Order>(order_id) else { return };
        credit::needs(order, needs);
        if order.group_count > 0 {
            needs.under::<ShipToGroup>(order_id);
        }
        let lines = rows.under::<OrderLine>(order_id).unwrap_or_default();
        if lines.iter().any(|line| line.awaits_promise()) {
            needs.row::<Nodes>(&Nodes::key());
        }
        if order.invoice_policy.keeps_evidence() {
            needs.under::<OrderShipment>(order_id);
        }
        if let Some(change_number) = order.open_change() {
            OpenChange::needs((order_id.clone(), change_number), rows, needs);
        }
    }

    /// Asks for an order with all its lines and holds.
    pub(crate) fn needs_with_holds(order_id: &OrderId, rows: &Rows, needs: &mut Needs) {
        Self::needs(order_id, rows, needs);
        needs.under::<Hold>(order_id);
    }

    /// The order with all its lines.
    pub(crate) fn load(order_id: &OrderId, rows: &Rows) -> Result<Self, Fault> {
        let order = rows.get::<Order>(order_id)?.cloned().ok_or_else(|| Fault::not_found("order", order_id))?;
        let lines = rows.under::<OrderLine>(order_id)?.into_iter().cloned().collect();
        let groups = match order.group_count {
            0 => Vec::new(),
            _ => rows.under::<ShipToGroup>(order_id)?.into_iter().cloned().collect(),
        };
        let change_number = order.open_change();
        let change = change_number.map(|number| OpenChange::load((order_id.clone(), number), rows)).transpose()?;
        let shipments = match order.invoice_policy.keeps_evidence() {
            true => rows.under::<OrderShipment>(order_id)?.into_iter().cloned().collect(),
            false => Vec::new(),
        };
        let standing = credit::of_order(&order, rows)?.map(|credit| Standing::before(&order, credit));
        let (change, pending) = (change.flatten(), Vec::new());
        let settled_change = None;
        let mut aggregate =
            Self(ChangingOrder { order, lines, groups, change, settled_change, shipments, standing, pending });
        if aggregate.standing.as_ref().is_some_and(Standing::is_limited) {
            aggregate.begin_counting();
        }
        Ok(aggregate)
    }

    /// Has its account count the order from when it is saved.
    pub(crate) fn begin_counting(&mut self) {
        self.0.order.counted_minor.get_or_insert(0);
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
        let version = aggregate.order.version;
        let supported = aggregate.order.supported_actions();
        let refreshed = |fault: Fault| {
            let names: Vec<_> = supported.iter().copied().map(Action::name).collect();
            fault.refreshed(&names, version)
        };
        Fault::check_etag("order", etag, version).map_err(refreshed)?;
        if !supported.contains(&action) {
            let (action, status) = (action.name(), aggregate.order.status.as_str());
            let message = format!("{action} is not possible while the order is {status}");
            return Err(refreshed(Fault::not_supported(message)));
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
        let waiting = changing.lines.iter().filter(|line| line.backordered > 0);
        let backordered_before = waiting.map(|line| (line.line_number, line.backordered)).collect();
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
        changing.go_on(now);
        let holds = changing.order.open_holds;
        changing.end_change(now);
        if changing.order.open_holds < holds {
            changing.go_on(now);
        }
        changing.balance_invoices();
        let ChangingOrder { order, lines, .. } = changing;
        order.status = order.derive_status(&UnitTotals::leading(lines.as_slice()));
        order.sum_up(lines);
        if !order.is_live() {
            // Its customer PO number is free again; what is placed with it meanwhile keeps it, should the order be reopened.
            order.unique_po = None;
        }
    }

    /// Makes the promises that are due (`process/promise.rs`), writes what changed and emits the pending events; returns the order
    /// as it is stored now.
    pub(crate) fn save(self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<SavedOrder, Fault> {
        let Self(mut changing) = self;
        if changing.order.invoice_policy.keeps_evidence() {
            for shipment in std::mem::take(&mut changing.shipments) {
                shipment.save(rows)?;
            }
        }
        let open_minor = credit::open_minor(&changing.lines);
        changing.order.counted_minor = changing.order.counted_minor.map(|_| open_minor);
        let held = changing.order.credit_hold_number.map(|_| credit::unreleased_minor(&changing.lines));
        changing.order.credit_held_minor = held;
        let order_id = changing.order.order_id.clone();
        let (stored, stored_lines) = match changing.order.version {
            0 => (None, Vec::new()),
            _ => (rows.get::<Order>(&order_id)?, rows.under::<OrderLine>(&order_id)?),
        };
        // Where nodes were not asked for, dates are found with the next change.
        let nodes = rows.get::<Nodes>(&Nodes::key()).ok();
        changing.renew_promises(nodes.map(|nodes| nodes.map_or(&[][..], Nodes::all)), cx.now());
        changing.report_promises(&stored_lines);
        let ChangingOrder { mut order, mut lines, mut groups, change, pending, .. } = changing;
        let change = change.map(|open| open.change);
        let is_changed = |at: usize, line: &OrderLine| stored_lines.get(at).is_none_or(|stored| *stored != line);
        let changed: Vec<_> =
            lines.iter().enumerate().filter(|(at, line)| is_changed(*at, line)).map(|(at, _)| at).collect();
        if changed.is_empty() && stored == Some(&order) && pending.is_empty() {
            return Ok(SavedOrder { order, lines, groups, change });
        }
        if let Some(stored) = stored {
            count_ended(stored, stored_lines.iter().copied(), -1, cx);
        }
        let counted = stored.and_then(Counted::of);
        for at in changed {
            if let Some(line) = lines.get_mut(at) {
                *line = rows.put(line.clone());
            }
        }
        for group in &mut groups {
            group.save(rows)?;
        }
        let change = change.map(|change| change.save(rows)).transpose()?;
        credit::count(counted, &order, rows, cx)?;
        order.update_time = cx.now();
        let saved = SavedOrder { order: rows.put(order), lines, groups, change };
        count_ended(&saved.order, &saved.lines, 1, cx);
        let mut emitted = HashMap::new();
        for event in pending {
            event.emit(&saved, &mut emitted, rows, cx);
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
    /// Takes the steps that a hold may have blocked.
    fn go_on(&mut self, now: Timestamp) {
        self.release_reserved(now);
        self.perform_services(now);
        self.close_or_reopen(now);
        self.settle_completion(now);
    }

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
            OrderReport::CancellationDeclined(units) => self.each_of(units, OrderLine::decline_cancellation),
            OrderReport::ShipToChangeSettled(settled) => {
                let ended = self.settled_change.take();
                self.settle_ship_to_change(settled, ended);
            }
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

    /// A line, if the order has it.
    pub(crate) fn line(&self, line_number: i64) -> Option<&OrderLine> {
        let at = self.lines.binary_search_by_key(&line_number, |line| line.line_number).ok()?;
        self.lines.get(at)
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
