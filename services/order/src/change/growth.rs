//! What a change adds to an order is refused for what a new order is refused for: a blocked account, a place where nothing is delivered,
//! and an amount beyond the credit limit where the account's policy is to refuse it. That an item is orderable is checked with its line.
//! Account and limit are checked again when the change is confirmed; places and items are not.

use mesh::wire::Checks;
use proto::order::v1 as contract;
use store::{Needs, Rows};
use types::{Fault, LineReason, OrderId, ShipToId};

use crate::{
    account::{Account, ShipTo, ShipToState},
    aggregate::ChangingOrder,
    credit::{self, AccountCredit},
    order::Order,
    ship_to_group::ShipToGroup,
    wire,
};

/// Asks for the account of an order and what it owes.
pub(super) fn needs(order_id: &OrderId, rows: &Rows, needs: &mut Needs) {
    let Ok(Some(order)) = rows.get::<Order>(order_id) else { return };
    needs.row::<Account>(&order.account_id);
    let Ok(Some(account)) = rows.get::<Account>(&order.account_id) else { return };
    if account.credit_limit_minor.is_some() {
        needs.row::<AccountCredit>(&order.account_id);
    }
}

/// Asks for the ship-to that a group of an order, or the order, goes to.
pub(super) fn needs_place(order_id: &OrderId, group: Option<i64>, rows: &Rows, needs: &mut Needs) {
    if let Some(number) = group {
        needs.row::<ShipToGroup>(&(order_id.clone(), number));
    }
    let place = match group {
        Some(number) => rows.get::<ShipToGroup>(&(order_id.clone(), number)).map(|group| group.map(|of| &of.ship_to)),
        None => rows.get::<Order>(order_id).map(|order| order.map(|order| &order.ship_to)),
    };
    if let Ok(Some(ship_to)) = place
        && let Some(ship_to_id) = id(&ship_to.0)
    {
        needs.row::<ShipTo>(&ship_to_id);
    }
}

fn id(ship_to: &contract::ShipTo) -> Option<ShipToId> {
    ship_to.ship_to_id.parse().ok()
}

fn grows(line: &contract::LineChange) -> bool {
    line.quantity_after > line.quantity_before
}

/// Refuses what a change adds where nothing is delivered. A group that the change moves is checked with its new place.
pub(super) fn check_places(
    order: &ChangingOrder,
    change: &contract::OrderChange,
    rows: &Rows,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let edited = change.lines.iter().enumerate().filter(|(_, line)| grows(line));
    let edited = edited.map(|(index, line)| (format!("lines[{index}].quantity"), line.ship_to_group));
    let added = change.added_lines.iter().enumerate();
    let added = added.map(|(index, line)| (format!("added_lines[{index}].line.sku"), line.ship_to_group));
    for (field, group) in edited.chain(added) {
        if change.ship_tos.iter().any(|place| place.ship_to_group == group) {
            continue;
        }
        let Some(ship_to_id) = id(order.ship_to(wire::read_group(group))) else { continue };
        let closed = rows.get::<ShipTo>(&ship_to_id)?.filter(|ship_to| ship_to.state == ShipToState::NotDeliverable);
        if let Some(ship_to) = closed {
            let description = format!("nothing is delivered to {ship_to_id}: {}", ship_to.state_reason);
            checks.wrong_line(field, LineReason::NotDeliverable, description);
        }
    }
    Ok(())
}

/// Refuses a change that adds to the order of an account that may not order more. `change` shows what it does.
pub(super) fn check_account(order: &Order, change: &contract::OrderChange, rows: &Rows) -> Result<(), Fault> {
    if !change.lines.iter().any(grows) {
        return Ok(());
    }
    let account = rows.get::<Account>(&order.account_id)?;
    let account = account.ok_or_else(|| Fault::not_found("account", &order.account_id))?;
    account.check_not_blocked()?;
    let minor = |money: &Option<proto::types::v1::Money>| money.as_ref().map_or(0, |money| money.minor_units);
    let more_minor = minor(&change.total_after) - minor(&change.total_before);
    // Where the policy is to hold, the check of the order's credit does when it is saved.
    if more_minor > 0 { credit::exceeds_limit(account, more_minor, rows).map(|_| ()) } else { Ok(()) }
}
