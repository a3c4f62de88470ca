//! Converts domain types to contract types.

use std::collections::HashMap;

use mesh::wire::timestamp;
use proto::{order::v1 as contract, types::v1 as common};
use types::{BasisPoints, Currency};

use crate::{
    account::{Account, ShipTo},
    hold::Hold,
    invoice::Balance,
    item::HandlingClass,
    order::{Action, Order, UnitTotals, sums},
    order_line::{OrderLine, PricedLine},
    own_fields::{self, OwnFields},
    promise::PromiseBasis,
    ship_to_group::ShipToGroup,
};

/// A number that is small in the domain: a line, release or hold number.
pub(crate) fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The number of a ship-to group.
pub(crate) fn group(group: Option<i64>) -> i32 {
    group.map_or(0, small)
}

/// Reads the number of a ship-to group, which is 0 when an order goes to one place.
pub(crate) fn read_group(group: i32) -> Option<i64> {
    (group != 0).then_some(group.into())
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
        state: contract::AccountState::from(account.state).into(),
        block_reason: account.block_reason.clone(),
        payment_terms: account.payment_terms.as_ref().map(|terms| terms.0.clone()),
        credit_limit: account.credit_limit_minor.map(|limit| money(account.currency, limit)),
        credit_policy: contract::CreditPolicy::from(account.credit_policy).into(),
        price_list_id: account.price_list_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        price_tolerance: Some(contract::PriceTolerance {
            basis_points: small(account.price_tolerance_points.get()),
            minor_units: account.price_tolerance_minor,
            policy: contract::PricePolicy::from(account.price_policy).into(),
        }),
    }
}

/// A ship-to.
pub(crate) fn ship_to(ship_to: &ShipTo) -> contract::ShipTo {
    contract::ShipTo {
        ship_to_id: ship_to.ship_to_id.to_string(),
        account_id: ship_to.account_id.to_string(),
        address: Some(ship_to.address.0.clone()),
        create_time: Some(timestamp(ship_to.create_time)),
        time_zone: ship_to.time_zone.clone(),
        state: contract::ShipToState::from(ship_to.state).into(),
        state_reason: ship_to.state_reason.clone(),
        etag: ship_to.version.to_string(),
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

/// An order with these lines and places, and those of these holds that are not released.
pub(crate) fn order<'a>(
    order: &Order,
    lines: &[OrderLine],
    groups: &[ShipToGroup],
    holds: impl IntoIterator<Item = &'a Hold>,
) -> contract::Order {
    let actions = order.supported_actions().into_iter().map(Action::name);
    let OwnFields { note, references, custom_fields, .. } = own_fields::of(&order.own_fields);
    let sums = &order.sums.0;
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
        ship_to_groups: ship_to_groups(lines, groups),
        open_change: group(order.open_change()),
        priority: order.priority.map(small),
        wanted_total: sums.wanted_total.clone(),
        invoicing_status: sums.invoicing_status,
        invoiced_total: sums.invoiced_total.clone(),
        credit_posted_total: sums.credit_posted_total.clone(),
        to_invoice_total: sums.to_invoice_total.clone(),
        to_credit_total: sums.to_credit_total.clone(),
        note,
        references,
        custom_fields,
        line_count: small(order.line_count),
        units: sums.units,
        promised_delivery_time: sums.promised_delivery_time,
        promise_is_partial: sums.promise_is_partial,
        payment_terms: order.payment_terms.as_ref().map(|terms| terms.0.clone()),
    }
}

/// The places of an order that goes to several, with the sums over their lines.
fn ship_to_groups(lines: &[OrderLine], groups: &[ShipToGroup]) -> Vec<contract::ShipToGroup> {
    let mut of_groups: HashMap<i64, Vec<&OrderLine>> = HashMap::new();
    for line in lines.iter().filter(|_| !groups.is_empty()) {
        of_groups.entry(line.ship_to_group.unwrap_or_default()).or_default().push(line);
    }
    let shown = groups.iter().map(|group| {
        let lines = of_groups.remove(&group.group_number).unwrap_or_default();
        let mut sum = contract::LineCounters::default();
        lines.iter().for_each(|line| sums::add(&mut sum, &counters(line)));
        contract::ShipToGroup {
            ship_to_group: small(group.group_number),
            ship_to: Some(group.ship_to.0.clone()),
            status: contract::LineStatus::from(UnitTotals::of(lines.iter().copied()).line_status()).into(),
            counters: Some(sum),
            line_count: i32::try_from(lines.len()).unwrap_or(i32::MAX),
        }
    });
    shown.collect()
}

/// A line that a change adds, as it was shown.
pub(crate) fn read_added_line(order: &Order, line: &contract::OrderLine) -> Option<OrderLine> {
    let priced = PricedLine {
        line_number: line.line_number.into(),
        sku: line.sku.clone(),
        name: line.name.clone(),
        uom: line.uom.clone(),
        uom_quantity: line.uom_quantity,
        decimal_quantity: (!line.decimal_quantity.is_empty()).then(|| line.decimal_quantity.clone()),
        expected_unit_price_minor: line.expected_unit_price_minor,
        ordered: line.counters?.ordered,
        unit_price_minor: line.unit_price_minor,
        discount: BasisPoints::new(line.discount_basis_points.into())?,
        amount_minor: line.amount_minor,
        handling_class: HandlingClass::from_contract(line.handling_class())?,
        ship_to_group: read_group(line.ship_to_group),
        split_of: None,
        own_fields: OwnFields::of_added_line(line),
    };
    let mut read = OrderLine::new(order, priced);
    read.substitutes = (line.substitutes > 0).then_some(line.substitutes.into());
    Some(read)
}

/// A line.
pub(crate) fn line(line: &OrderLine) -> contract::OrderLine {
    let balance = line.balance();
    let own = own_fields::of(&line.own_fields);
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
        ship_to_group: group(line.ship_to_group),
        split_of: line.split_of.map_or(0, small),
        substitutes: line.substitutes.map_or(0, small),
        invoiced_minor: line.invoiced_minor,
        credit_posted_minor: line.credit_posted_minor,
        to_invoice_minor: balance.to_invoice_minor,
        to_credit_minor: balance.to_credit_minor,
        note: own.note,
        references: own.references,
        custom_fields: own.custom_fields,
        customer_line_reference: own.customer_line_reference,
        customer_sku: own.customer_sku,
        decimal_quantity: line.decimal_quantity.clone().unwrap_or_default(),
        expected_unit_price_minor: line.expected_unit_price_minor,
        price_difference_minor: line.expected_unit_price_minor.map_or(0, |expected| line.unit_price_minor - expected),
        promised_delivery_time: line.delivery_promised().map(timestamp),
        promise_confidence: line.promise_confidence().into(),
        promise_source: line.promise_source().to_owned(),
        promise_reason: promise_reason(line).into(),
        promise_node_ids: line.promise_node_ids(),
    }
}

fn promise_reason(line: &OrderLine) -> contract::PromiseReason {
    if line.promise_basis == PromiseBasis::Pending {
        contract::PromiseReason::Unspecified
    } else {
        line.promise_reason.into()
    }
}

/// The counters of a line.
pub(crate) fn counters(line: &OrderLine) -> contract::LineCounters {
    let Balance { to_invoice, to_credit, .. } = line.balance();
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
        cancel_requested: line.cancel_requested,
        invoiced: line.invoiced,
        credit_posted: line.credit_posted,
        to_invoice,
        to_credit,
    }
}
