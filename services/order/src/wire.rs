//! Converts domain types to contract types.

use mesh::wire::timestamp;
use proto::{order::v1 as contract, types::v1 as common};
use types::Currency;

use crate::{
    account::{Account, ShipTo},
    hold::Hold,
    order::{Action, Order},
    order_line::OrderLine,
};

/// A number that is small in the domain: a line, release or hold number.
pub(crate) fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// An amount.
pub(crate) fn money(currency: Currency, minor_units: i64) -> common::Money {
    common::Money { currency: currency.to_string(), minor_units }
}

/// Units of a line.
pub(crate) fn quantity(line: &OrderLine, quantity: i64) -> common::LineQuantity {
    common::LineQuantity { line_number: small(line.line_number), sku: line.sku.clone(), quantity }
}

/// An account.
pub(crate) fn account(account: &Account) -> contract::Account {
    contract::Account {
        account_id: account.account_id.to_string(),
        name: account.name.clone(),
        contact: account.contact.clone(),
        phone: account.phone.clone(),
        bill_to: Some(account.bill_to.0.clone()),
        currency: account.currency.to_string(),
        duplicate_po_policy: contract::DuplicatePoPolicy::from(account.duplicate_po_policy).into(),
        invoice_policy: contract::InvoicePolicy::from(account.invoice_policy).into(),
        etag: account.version.to_string(),
        create_time: Some(timestamp(account.create_time)),
        update_time: Some(timestamp(account.update_time)),
    }
}

/// A ship-to.
pub(crate) fn ship_to(ship_to: &ShipTo) -> contract::ShipTo {
    contract::ShipTo {
        ship_to_id: ship_to.ship_to_id.to_string(),
        account_id: ship_to.account_id.to_string(),
        address: Some(ship_to.address.0.clone()),
        create_time: Some(timestamp(ship_to.create_time)),
    }
}

/// A hold.
pub(crate) fn hold(hold: &Hold) -> contract::Hold {
    contract::Hold {
        hold_number: small(hold.hold_number),
        reason: contract::HoldReason::from(hold.reason).into(),
        note: hold.note.clone(),
        placed_by: hold.placed_by.clone(),
        place_time: Some(timestamp(hold.place_time)),
        line_numbers: hold.line_numbers.0.iter().map(|number| small(*number)).collect(),
        fulfillment_order_id: hold.fulfillment_order_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        expire_time: hold.expire_time.map(timestamp),
    }
}

/// An order with its lines and those of its holds that are not released.
pub(crate) fn order<'a>(
    order: &Order,
    lines: &[OrderLine],
    holds: impl IntoIterator<Item = &'a Hold>,
) -> contract::Order {
    let actions = order.supported_actions(lines).into_iter().map(Action::name);
    contract::Order {
        order_id: order.order_id.to_string(),
        account_id: order.account_id.to_string(),
        customer_po: order.customer_po.clone(),
        ship_to: Some(order.ship_to.0.clone()),
        currency: order.currency.to_string(),
        fill_policy: contract::FillPolicy::from(order.fill_policy).into(),
        requested_ship_time: order.requested_ship_time.map(timestamp),
        state: contract::OrderState::from(order.state).into(),
        status: contract::OrderStatus::from(order.status).into(),
        lines: lines.iter().map(line).collect(),
        holds: holds.into_iter().filter(|hold| hold.release_time.is_none()).map(hold).collect(),
        reason: order.reason.clone(),
        total: Some(money(order.currency, order.total_minor)),
        invoice_ready_total: Some(money(order.currency, order.invoice_ready_minor)),
        supported_actions: actions.map(str::to_owned).collect(),
        etag: order.version.to_string(),
        create_time: Some(timestamp(order.create_time)),
        update_time: Some(timestamp(order.update_time)),
        close_time: order.close_time.map(timestamp),
        credited_total: Some(money(order.currency, order.credited_minor)),
        open_exceptions: small(order.open_exceptions),
        ship_not_before: order.ship_not_before.map(timestamp),
        cancel_after: order.cancel_after.map(timestamp),
        release_time: order.release_time.map(timestamp),
    }
}

/// A line.
pub(crate) fn line(line: &OrderLine) -> contract::OrderLine {
    contract::OrderLine {
        line_number: small(line.line_number),
        sku: line.sku.clone(),
        name: line.name.clone(),
        uom: line.uom.clone(),
        uom_quantity: line.uom_quantity,
        unit_price_minor: line.unit_price_minor,
        discount_basis_points: small(line.discount_basis_points.get()),
        amount_minor: line.amount_minor,
        invoice_ready_minor: line.invoice_ready_minor,
        handling_class: common::HandlingClass::from(line.handling_class).into(),
        counters: Some(counters(line)),
        status: contract::LineStatus::from(line.status()).into(),
        promised_ship_time: line.promised_ship_time.map(timestamp),
        credited_minor: line.credited_minor,
    }
}

fn counters(line: &OrderLine) -> contract::LineCounters {
    contract::LineCounters {
        ordered: line.ordered,
        cancelled: line.cancelled,
        unallocated: line.unallocated,
        backordered: line.backordered,
        reserved: line.reserved,
        released: line.released,
        picked: line.picked,
        shipped: line.shipped,
        delivered: line.delivered,
        short: line.short,
        over_shipped: line.over_shipped,
        invoice_ready: line.invoice_ready,
        return_authorized: line.return_authorized,
        return_received: line.return_received,
        credited: line.credited,
    }
}
