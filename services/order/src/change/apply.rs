//! What a change does to an order. The same code shows it and makes it, so that a change does what it was shown to do.

use proto::order::v1::{self as contract, LineChange, LineChangeKind};
use types::{BasisPoints, Timestamp, limits::MAX_QUANTITY, line_amount_of};

use crate::{
    aggregate::ChangingOrder,
    events::PendingEvent,
    order::{FillPolicy, MAX_TOTAL, OrderState, sums::line_bytes},
    order_line::{CancelledUnits, LineUnits, OrderLine},
    process::{settlement::Cause, ship_window},
    promise::PromiseReason,
    wire,
};

/// The most bytes, about, that lines may come to when some are added: far below the 64 MiB of an answer to the gateway and of a log.
const MAX_ORDER_BYTES: usize = 8 << 20;

/// Why inventory cannot be told of a change yet.
const UNDECIDED: &str = "whether the order can be filled is not decided yet";

/// Why a change is not possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What of the change it is about.
    pub(crate) part: Part,
    /// What is wrong, a fragment.
    pub(crate) description: String,
}

/// A part of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The quantity of a line.
    Quantity(i64),
    /// The price of a line.
    Price(i64),
    /// The place of a group.
    ShipTo(Option<i64>),
    /// The times of the order.
    Times,
    /// The order as a whole.
    Order,
}

fn problem<T>(part: Part, description: impl Into<String>) -> Result<T, Problem> {
    Err(Problem { part, description: description.into() })
}

/// Makes a change: what it names is set to what it shall be after. Returns it with what it does; the order is of no use after a
/// problem.
pub(crate) fn apply(
    order: &mut ChangingOrder,
    change: &contract::OrderChange,
    now: Timestamp,
) -> Result<contract::OrderChange, Problem> {
    if !order.order.state.is_open() || order.order.cancel_time.is_some() {
        return problem(Part::Order, format!("the order is {}", order.order.status.as_str()));
    }
    let mut done = contract::OrderChange { lines: Vec::new(), ship_tos: Vec::new(), ..change.clone() };
    let before: i64 = order.lines.iter().map(OrderLine::wanted_minor).sum();
    let (mut cancelled, mut requested) = (Vec::new(), Vec::new());
    for line in change.lines.iter().filter(|line| line.kind() != LineChangeKind::Added) {
        let effect = change_line(order, line)?;
        let units = |quantity: i64| LineUnits { line_number: line.line_number.into(), quantity };
        cancelled.push(units(effect.cancelled));
        requested.push(units(effect.cancel_requested));
        done.lines.push(effect);
    }
    if !change.reason.is_empty() {
        change.reason.clone_into(&mut order.order.reason);
    }
    order.report_cancelled(cancelled, requested);
    for added in &change.added_lines {
        done.lines.push(add_line(order, added)?);
    }
    for place in &change.ship_tos {
        done.ship_tos.push(change_ship_to(order, place, change.change_number.into())?);
    }
    if let Some(times) = change.times {
        change_times(order, &times, now)?;
    }
    let total = order.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount_minor));
    match total.filter(|total| *total <= MAX_TOTAL) {
        Some(total) => order.order.total_minor = total,
        None => return problem(Part::Order, "the order comes to more than 1,000,000,000,000,000 minor units"),
    }
    let bytes: usize = order.lines.iter().map(line_bytes).sum();
    if !change.added_lines.is_empty() && bytes > MAX_ORDER_BYTES {
        return problem(Part::Order, "the order gets larger than 8 MiB");
    }
    order.settle(Cause::PriceChange, now);
    order.show_services(&mut done.lines);
    let after: i64 = order.lines.iter().map(OrderLine::wanted_minor).sum();
    done.total_before = Some(wire::money(order.order.currency, before));
    done.total_after = Some(wire::money(order.order.currency, after));
    Ok(done)
}

/// Changes quantity and price of a line; returns what it does.
fn change_line(order: &mut ChangingOrder, target: &LineChange) -> Result<LineChange, Problem> {
    let line_number = i64::from(target.line_number);
    let part = Part::Quantity(line_number);
    let may_grow = order.order.fill_policy != FillPolicy::FillOrKill;
    let at = order.lines.binary_search_by_key(&line_number, |line| line.line_number).ok();
    let Some(line) = at.and_then(|at| order.lines.get_mut(at)) else {
        return problem(part, format!("the order has no line {line_number}"));
    };
    let (was, wanted) = (before(line), line.wanted());
    // A quantity that was not to change follows the order.
    let quantity = if target.quantity_after == target.quantity_before { wanted } else { target.quantity_after };
    if target.unit_price_minor_after != target.unit_price_minor_before {
        line.unit_price_minor = target.unit_price_minor_after;
    }
    if target.discount_basis_points_after != target.discount_basis_points_before {
        let discount = BasisPoints::new(target.discount_basis_points_after.into());
        line.discount_basis_points = discount.unwrap_or(line.discount_basis_points);
    }
    let fewer = wanted - quantity;
    if fewer > line.unpicked() {
        let gone = match line.is_service() {
            true => "performed",
            false if fewer > line.cancellable() => "shipped",
            false => "picked",
        };
        let least = wanted - line.unpicked();
        return problem(part, format!("must be at least {least} base units, since so many are {gone}"));
    }
    if fewer < 0 && !may_grow {
        return problem(part, "a FILL_OR_KILL order does not grow: place another one");
    }
    let cancelled = if fewer > 0 { line.cancel(fewer) } else { CancelledUnits::default() };
    if fewer < 0 {
        grow(line, -fewer)?;
    }
    let is_priced_anew = fewer < 0
        || was.unit_price_minor_before != line.unit_price_minor
        || i64::from(was.discount_basis_points_before) != line.discount_basis_points.get();
    // The amount of a part of a line that was split is its share of the whole: it stays while nothing about it changes.
    if is_priced_anew {
        let amount_minor = line_amount_of(line.uom_fraction(), line.unit_price_minor, line.discount_basis_points);
        let Some(amount_minor) = amount_minor else {
            return problem(Part::Price(line_number), "the line comes to an amount that is too large");
        };
        line.amount_minor = amount_minor;
    }
    let is_removed = quantity == 0 && fewer > 0;
    Ok(LineChange {
        kind: if is_removed { LineChangeKind::Removed.into() } else { LineChangeKind::Changed.into() },
        quantity_after: quantity,
        cancelled: cancelled.at_once,
        cancel_requested: cancelled.requested,
        unit_price_minor_after: line.unit_price_minor,
        discount_basis_points_after: wire::small(line.discount_basis_points.get()),
        amount_minor_after: line.wanted_minor(),
        ..was
    })
}

/// A line as it is before a change.
pub(crate) fn before(line: &OrderLine) -> LineChange {
    let (unit_price_minor, discount) = (line.unit_price_minor, wire::small(line.discount_basis_points.get()));
    LineChange {
        line_number: wire::small(line.line_number),
        kind: LineChangeKind::Changed.into(),
        sku: line.sku.clone(),
        uom: line.uom.clone(),
        quantity_before: line.wanted(),
        quantity_after: line.wanted(),
        unit_price_minor_before: unit_price_minor,
        unit_price_minor_after: unit_price_minor,
        discount_basis_points_before: discount,
        discount_basis_points_after: discount,
        amount_minor_before: line.wanted_minor(),
        amount_minor_after: line.wanted_minor(),
        ship_to_group: wire::group(line.ship_to_group),
        ..LineChange::default()
    }
}

/// Adds units to a line, which are a whole number of what was ordered.
fn grow(line: &mut OrderLine, units: i64) -> Result<(), Problem> {
    let part = Part::Quantity(line.line_number);
    let Some(ordered) = line.ordered.checked_add(units).filter(|ordered| *ordered <= MAX_QUANTITY) else {
        return problem(part, "is more than 1,000,000,000 base units with what was cancelled");
    };
    if !line.set_ordered_quantity(ordered) {
        return problem(
            part,
            format!("comes to no quantity of {} with what was cancelled: add a line instead", line.uom),
        );
    }
    line.add(units);
    line.promise_again(PromiseReason::OrderChanged);
    Ok(())
}

fn add_line(order: &mut ChangingOrder, added: &contract::OrderLine) -> Result<LineChange, Problem> {
    let line_number = i64::from(added.line_number);
    let part = Part::Quantity(line_number);
    if order.order.fill_policy == FillPolicy::FillOrKill {
        return problem(part, "a FILL_OR_KILL order does not grow: place another one");
    }
    let Err(at) = order.lines.binary_search_by_key(&line_number, |line| line.line_number) else {
        return problem(part, format!("line {line_number} is there already"));
    };
    let Some(line) = wire::read_added_line(&order.order, added) else {
        return problem(part, "cannot be read");
    };
    let effect = LineChange {
        kind: LineChangeKind::Added.into(),
        quantity_before: 0,
        unit_price_minor_before: 0,
        discount_basis_points_before: 0,
        amount_minor_before: 0,
        substitutes: added.substitutes,
        ..before(&line)
    };
    order.lines.insert(at, line);
    Ok(effect)
}

/// Sends what is not shipped of a group to another place, and asks the nodes that have some of it.
fn change_ship_to(
    order: &mut ChangingOrder,
    target: &contract::ShipToChange,
    change_number: i64,
) -> Result<contract::ShipToChange, Problem> {
    let group = wire::read_group(target.ship_to_group);
    let part = Part::ShipTo(group);
    let is_known = match group {
        None => order.groups.is_empty(),
        Some(number) => order.groups.iter().any(|known| known.group_number == number),
    };
    let Some(ship_to_after) = target.ship_to_after.clone().filter(|_| is_known) else {
        return problem(part, "the order has no such group");
    };
    if order.order.state == OrderState::Submitted && order.order.fill_policy == FillPolicy::FillOrKill {
        return problem(part, UNDECIDED);
    }
    let (mut open, mut requested) = (0, 0);
    for line in order.lines_of(group) {
        open += line.cancellable();
        requested += line.released - line.cancel_requested;
    }
    if open == 0 {
        return problem(part, "nothing of it is open: all is shipped or cancelled");
    }
    let ship_to_before = Some(order.ship_to(group).clone());
    if ship_to_before.as_ref() == Some(&ship_to_after) && requested == 0 {
        return problem(part, "changes nothing: it goes there already");
    }
    order.set_ship_to(group, ship_to_after.clone());
    if requested > 0 {
        order.pending.push(PendingEvent::ShipToChangeRequested(change_number, group));
    }
    let ship_to_after = Some(ship_to_after);
    Ok(contract::ShipToChange { ship_to_before, ship_to_after, requested, declined: 0, ..target.clone() })
}

fn change_times(order: &mut ChangingOrder, times: &contract::OrderTimesChange, now: Timestamp) -> Result<(), Problem> {
    let read = |time: Option<_>| time.as_ref().and_then(mesh::wire::from_timestamp);
    let (requested, not_before) = (read(times.requested_ship_time_after), read(times.ship_not_before_after));
    let cancel_after = read(times.cancel_after_after);
    if cancel_after.is_some_and(|cancel_after| cancel_after <= now) {
        return problem(Part::Times, "cancel_after must be in the future");
    }
    if order.order.state == OrderState::Submitted && order.order.fill_policy == FillPolicy::FillOrKill {
        return problem(Part::Times, UNDECIDED);
    }
    let release_time = ship_window::release_time(not_before, requested, order.order.handling_time(), now);
    let is_later = (not_before, requested) != (order.order.ship_not_before, order.order.requested_ship_time);
    if is_later && release_time.is_some() && order.lines.iter().any(|line| line.released > 0) {
        return problem(Part::Times, "units are released already, and cannot wait any more");
    }
    let header = &mut order.order;
    (header.requested_ship_time, header.ship_not_before, header.cancel_after) = (requested, not_before, cancel_after);
    header.release_time = release_time;
    // What is not released is promised anew.
    let waiting = order.lines.iter_mut().filter(|line| line.reserved + line.backordered > 0);
    waiting.for_each(|line| line.promise_again(PromiseReason::OrderChanged));
    Ok(())
}
