//! Proposes a change: shows what it does, and keeps what it is about from being released until it is confirmed.

use std::{sync::Arc, time::Duration};

use mesh::{
    Principal,
    wire::{Checks, checked, timestamp},
};
use proto::{
    order::v1::{self as contract, LineChange, OrderChangeState},
    types::v1::ItemKind as Kind,
};
use store::{Command, Context, Needs, Rows};
use types::{Fault, LineReason, OrderId, Timestamp, limits::MAX_TEXT};

use super::{
    apply::{self, Part, Problem},
    edit::{AddedLine, Edits, LineEdit},
    growth, withdraw,
};
use crate::{
    account::Account,
    aggregate::{ChangingOrder, OrderAggregate},
    hold::{Hold, HoldReason, LineNumbers},
    item::{HandlingClass, Item},
    node::Nodes,
    order::{Action, Order},
    order_line::OrderLine,
    place::{
        base_units,
        price::{Pricing, price},
    },
    wire,
};

/// How long a change waits to be confirmed, if its proposer does not say.
const EXPIRE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest time for which a change waits.
const MAX_EXPIRE_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Proposes a change.
#[derive(Debug)]
pub(crate) struct ProposeChange {
    order_id: OrderId,
    etag: String,
    reason: String,
    edits: Edits,
    expire_after: Duration,
    validate_only: bool,
    caller: Arc<Principal>,
}

impl ProposeChange {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::ProposeOrderChangeRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        let edits = Edits::read(request, caller, &mut checks);
        let expire_after = checks.optional_duration("expire_after", request.expire_after.as_ref());
        if expire_after.flatten().is_some_and(|after| after > MAX_EXPIRE_AFTER) {
            checks.wrong("expire_after", "must be at most 30 days");
        }
        checks.done()?;
        Ok(Self {
            order_id: checked(order_id)?,
            etag: request.etag.clone(),
            reason: checked(reason)?,
            edits: checked(edits)?,
            expire_after: checked(expire_after)?.unwrap_or(EXPIRE_AFTER),
            validate_only: request.validate_only,
            caller: caller.clone(),
        })
    }

    /// The change with what it sets; what it does is not known yet.
    fn targets(
        &self,
        order: &ChangingOrder,
        rows: &Rows,
        now: Timestamp,
        checks: &mut Checks,
    ) -> Result<contract::OrderChange, Fault> {
        let mut change = contract::OrderChange {
            order_id: self.order_id.to_string(),
            change_number: wire::small(order.order.change_count + 1),
            account_id: order.order.account_id.to_string(),
            reason: self.reason.clone(),
            proposed_by: self.caller.subject.clone(),
            ..contract::OrderChange::default()
        };
        change.set_state(OrderChangeState::Proposed);
        for (index, edit) in self.edits.lines.iter().enumerate() {
            change.lines.extend(edited(index, edit, order, rows, now, checks)?);
        }
        let mut next = order.lines.last().map_or(0, |line| line.line_number);
        next = self.edits.added.iter().map(|added| added.line.line_number).fold(next, i64::max);
        for (index, added) in self.edits.added.iter().enumerate() {
            let Some(mut line) = added_line(index, added, order, rows, now, checks)? else { continue };
            if line.line_number == 0 {
                next += 1;
                line.line_number = next;
            }
            if let Some(number) = added.substitutes {
                let field = format!("added_lines[{index}].substitutes");
                if order.line(number).is_some_and(|replaced| replaced.is_service() != line.is_service()) {
                    checks.wrong(&field, "goods do not replace a service, nor does a service replace goods");
                    continue;
                }
                line.substitutes = Some(number);
                change.lines.extend(substituted(&field, number, line.ordered, order, &change, checks));
                change.needs_customer_consent |= self.caller.is_staff();
            }
            change.added_lines.push(wire::line(&line));
        }
        if next > i64::try_from(types::limits::MAX_LINES).unwrap_or(i64::MAX) {
            checks.wrong("added_lines", "come to a line number above 5,000");
        }
        for (index, edit) in self.edits.ship_tos.iter().enumerate() {
            let of = format!("ship_tos[{index}].");
            let ship_to_after = edit.destination.ship_to(&of, &order.order.account_id, rows, checks)?;
            let ship_to_group = wire::group(edit.ship_to_group);
            change.ship_tos.push(contract::ShipToChange { ship_to_group, ship_to_after, ..Default::default() });
        }
        undeliverable(order, &change, rows, checks)?;
        growth::check_places(order, &change, rows, checks)?;
        change.times = self.edits.has_times().then(|| self.times(order, checks));
        Ok(change)
    }

    fn times(&self, order: &ChangingOrder, checks: &mut Checks) -> contract::OrderTimesChange {
        let before = &order.order;
        let requested = self.edits.requested_ship_time.or(before.requested_ship_time);
        let not_before = self.edits.ship_not_before.or(before.ship_not_before);
        let cancel_after = self.edits.cancel_after.or(before.cancel_after);
        let earliest = [requested, not_before].into_iter().flatten().max();
        if cancel_after.zip(earliest).is_some_and(|(cancel_after, earliest)| cancel_after <= earliest) {
            checks.wrong("cancel_after", "must be after ship_not_before and requested_ship_time");
        }
        contract::OrderTimesChange {
            requested_ship_time_before: before.requested_ship_time.map(timestamp),
            requested_ship_time_after: requested.map(timestamp),
            ship_not_before_before: before.ship_not_before.map(timestamp),
            ship_not_before_after: not_before.map(timestamp),
            cancel_after_before: before.cancel_after.map(timestamp),
            cancel_after_after: cancel_after.map(timestamp),
        }
    }

    /// The wrong field of a change that is not possible.
    fn refusal(&self, problem: &Problem) -> Fault {
        let field = match problem.part {
            Part::Quantity(number) => self.field_of(number, "quantity"),
            Part::Price(number) => self.field_of(number, "unit_price_minor"),
            Part::ShipTo(group) => {
                let at = self.edits.ship_tos.iter().position(|edit| edit.ship_to_group == group);
                format!("ship_tos[{}].ship_to_group", at.unwrap_or_default())
            }
            Part::Times if problem.description.starts_with("cancel_after") => "cancel_after".to_owned(),
            Part::Times => "ship_not_before".to_owned(),
            Part::Order => "order_id".to_owned(),
        };
        Fault::invalid(field, &problem.description)
    }

    fn field_of(&self, line_number: i64, name: &str) -> String {
        let edited = self.edits.lines.iter().position(|edit| edit.line_number == line_number);
        let replaced = self.edits.added.iter().position(|added| added.substitutes == Some(line_number));
        let added = self.edits.added.iter().position(|added| added.line.line_number == line_number);
        match (edited, replaced, added) {
            (Some(index), _, _) => format!("lines[{index}].{name}"),
            (None, Some(index), _) => format!("added_lines[{index}].substitutes"),
            (None, None, Some(index)) => format!("added_lines[{index}].line.{name}"),
            (None, None, None) => format!("added_lines.{name}"),
        }
    }

    /// A hold of the lines that the change is about; of the whole order when it is about more than lines.
    fn hold(&self, order: &ChangingOrder, change: &contract::OrderChange, cx: &Context<'_>) -> Hold {
        let mut line_numbers: Vec<i64> = change.lines.iter().map(|line| line.line_number.into()).collect();
        line_numbers.retain(|number| order.line(*number).is_some());
        for place in &change.ship_tos {
            let group = wire::read_group(place.ship_to_group);
            line_numbers.extend(order.lines_of(group).map(|line| line.line_number));
        }
        line_numbers.sort_unstable();
        line_numbers.dedup();
        if change.times.is_some() || line_numbers.len() == order.lines.len() {
            line_numbers.clear();
        }
        Hold {
            note: format!("change {}", change.change_number),
            placed_by: self.caller.subject.clone(),
            expire_time: Some(cx.now().after(self.expire_after)),
            ..order.new_hold(HoldReason::AwaitingAmendment, LineNumbers(line_numbers), cx.now())
        }
    }
}

/// What an edit of a line sets.
fn edited(
    index: usize,
    edit: &LineEdit,
    order: &ChangingOrder,
    rows: &Rows,
    now: Timestamp,
    checks: &mut Checks,
) -> Result<Option<LineChange>, Fault> {
    let Some(line) = order.line(edit.line_number) else {
        checks.wrong(format!("lines[{index}].line_number"), format!("the order has no line {}", edit.line_number));
        return Ok(None);
    };
    let mut target = apply::before(line);
    match &edit.quantity {
        None => {}
        // It is removed.
        Some(quantity) if quantity.is_zero() => target.quantity_after = 0,
        Some(quantity) => {
            let item = rows.get::<Item>(&line.sku)?.ok_or_else(|| Fault::not_found("item", &line.sku))?;
            let (path, unit) = (format!("lines[{index}]"), line.order_unit(item));
            let Some(units) = base_units(quantity, &path, item, &unit, checks) else { return Ok(None) };
            if units > line.wanted() && !item.is_orderable() {
                checks.wrong_line(format!("{path}.quantity"), LineReason::ItemDiscontinued, "the item is discontinued");
            }
            target.quantity_after = units;
            let pricing = rows.get::<Account>(&order.order.account_id)?.map(|account| Pricing::of(account, now));
            if let Some(pricing) = pricing {
                target.unit_price_minor_after = pricing.repriced(line, item, &unit, units, rows)?;
            }
        }
    }
    target.unit_price_minor_after = edit.unit_price_minor.unwrap_or(target.unit_price_minor_after);
    if let Some(discount) = edit.discount {
        target.discount_basis_points_after = wire::small(discount.get());
    }
    let is_same = target.quantity_after == target.quantity_before
        && target.unit_price_minor_after == target.unit_price_minor_before
        && target.discount_basis_points_after == target.discount_basis_points_before;
    if is_same {
        checks.wrong(format!("lines[{index}]"), "changes nothing");
    }
    Ok(Some(target))
}

/// A new line with its price.
fn added_line(
    index: usize,
    added: &AddedLine,
    order: &ChangingOrder,
    rows: &Rows,
    now: Timestamp,
    checks: &mut Checks,
) -> Result<Option<OrderLine>, Fault> {
    let path = format!("added_lines[{index}].line");
    if added.line.line_number > 0 && order.line(added.line.line_number).is_some() {
        checks.wrong(format!("{path}.line_number"), format!("{} is used by another line", added.line.line_number));
    }
    let group = added.line.ship_to_group();
    let has_group = group.is_some_and(|number| order.groups.iter().any(|group| group.group_number == number));
    let is_service = rows.get::<Item>(&added.line.sku)?.is_some_and(Item::is_service);
    // A service may go with the goods of all groups.
    let needs_group = !order.groups.is_empty() && (group.is_some() || !is_service);
    if has_group != needs_group || group.is_some() != needs_group {
        checks.wrong(format!("{path}.ship_to_group"), "must be a group of the order, and 0 when it has none");
    }
    let pricing = rows.get::<Account>(&order.order.account_id)?.map(|account| Pricing::of(account, now));
    let priced = price(&added.line, &path, pricing.as_ref(), rows, checks)?;
    if priced.as_ref().is_some_and(|priced| priced.is_held) {
        let description = "differs from the price, and a change is confirmed at the price that it shows";
        checks.wrong_line(format!("{path}.expected_unit_price_minor"), LineReason::PriceDiscrepancy, description);
    }
    Ok(priced.map(|priced| OrderLine::new(&order.order, priced.line)))
}

/// Refuses places and lines that no known node delivers, as a new order is refused.
fn undeliverable(
    order: &ChangingOrder,
    change: &contract::OrderChange,
    rows: &Rows,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(nodes) = rows.get::<Nodes>(&Nodes::key())? else { return Ok(()) };
    let country = |ship_to: &contract::ShipTo| ship_to.address.clone().unwrap_or_default().country;
    for (index, place) in change.ship_tos.iter().enumerate() {
        let to = place.ship_to_after.as_ref().map(country).unwrap_or_default();
        let mut lines = order.lines_of(wire::read_group(place.ship_to_group)).filter(|line| line.cancellable() > 0);
        if let Some(line) = lines.find(|line| !line.is_service() && !nodes.deliver(&to, line.handling_class)) {
            nodes.check_delivery(format!("ship_tos[{index}].ship_to_address"), &to, line.handling_class, checks);
        }
    }
    let goods = change.added_lines.iter().enumerate().filter(|(_, added)| added.item_kind() != Kind::Service);
    for (index, added) in goods {
        let moved = change.ship_tos.iter().find(|place| place.ship_to_group == added.ship_to_group);
        let moved = moved.and_then(|place| place.ship_to_after.as_ref());
        let to = country(moved.unwrap_or_else(|| order.ship_to(wire::read_group(added.ship_to_group))));
        if let Some(class) = HandlingClass::from_contract(added.handling_class()) {
            nodes.check_delivery(format!("added_lines[{index}].line.sku"), &to, class, checks);
        }
    }
    Ok(())
}

/// What a substitution sets of the line whose item is replaced: so many fewer of its open units.
fn substituted(
    field: &str,
    line_number: i64,
    units: i64,
    order: &ChangingOrder,
    change: &contract::OrderChange,
    checks: &mut Checks,
) -> Option<LineChange> {
    let Some(line) = order.line(line_number) else {
        checks.wrong(field, format!("the order has no line {line_number}"));
        return None;
    };
    if change.lines.iter().any(|named| i64::from(named.line_number) == line_number) {
        checks.wrong(field, format!("line {line_number} is changed by another part of the change"));
        return None;
    }
    let fewer = units.min(line.unpicked());
    if fewer == 0 {
        checks.wrong(field, format!("line {line_number} has no open units"));
        return None;
    }
    let target = apply::before(line);
    Some(LineChange { quantity_after: target.quantity_before - fewer, ..target })
}

impl Command for ProposeChange {
    type Reply = contract::OrderChange;

    const NAME: &'static str = "ProposeOrderChange";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
        needs.row::<Nodes>(&Nodes::key());
        for edit in &self.edits.ship_tos {
            edit.destination.needs(needs);
        }
        for added in &self.edits.added {
            needs.row::<Item>(&added.line.sku);
        }
        growth::needs(&self.order_id, rows, needs);
        let lines = rows.under::<OrderLine>(&self.order_id).unwrap_or_default();
        let mut skus: Vec<&str> = self.edits.added.iter().map(|added| added.line.sku.as_str()).collect();
        for edit in self.edits.lines.iter().filter(|edit| edit.quantity.is_some()) {
            if let Some(line) = lines.iter().find(|line| line.line_number == edit.line_number) {
                needs.row::<Item>(&line.sku);
                growth::needs_place(&self.order_id, line.ship_to_group, rows, needs);
                skus.push(&line.sku);
            }
        }
        for added in &self.edits.added {
            growth::needs_place(&self.order_id, added.line.ship_to_group(), rows, needs);
        }
        let Ok(Some(order)) = rows.get::<Order>(&self.order_id) else { return };
        if let Ok(Some(account)) = rows.get::<Account>(&order.account_id) {
            Pricing::needs(account, skus.into_iter(), needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::OrderChange, Fault> {
        let action = Action::ProposeChange;
        let mut aggregate = OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, action, rows)?;
        let mut checks = Checks::new();
        let now = cx.now();
        let targets = self.targets(&aggregate, rows, now, &mut checks)?;
        checks.done()?;
        let mut change = aggregate.preview(&targets, now).map_err(|problem| self.refusal(&problem))?;
        growth::check_account(&aggregate.order, &change, rows)?;
        change.propose_time = Some(timestamp(now));
        change.expire_time = Some(timestamp(now.after(self.expire_after)));
        if self.validate_only {
            let order_etag = aggregate.order.version.to_string();
            return Ok(contract::OrderChange { change_number: 0, order_etag, ..change });
        }
        let hold = self.hold(&aggregate, &change, cx);
        aggregate.change(now, |order| order.propose_change(change, hold));
        let saved = aggregate.save(rows, cx)?;
        let change = saved.change().cloned().unwrap_or_default();
        let (number, due) = (change.change_number.into(), now.after(self.expire_after));
        withdraw::EXPIRE.schedule(&self.order_id, number, due, cx);
        checked(saved.change_to_contract())
    }
}
