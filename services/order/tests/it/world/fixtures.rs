//! Accounts, items and orders of most tests.

use proto::{
    fulfillment::v1::FulfillmentOrder,
    inventory::v1::{Item, UnitConversion},
    order::v1 as contract,
    types::v1::{Address, HandlingClass, LineQuantity, Money},
};
use testkit::units;

pub(crate) fn address() -> Address {
    Address {
        name: "Alfreds Futterkiste".to_owned(),
        street: "Obere Str. 57".to_owned(),
        city: "Berlin".to_owned(),
        postal_code: "12209".to_owned(),
        country: "DE".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn account(account_id: &str) -> contract::CreateAccountRequest {
    contract::CreateAccountRequest {
        account_id: account_id.to_owned(),
        name: "Alfreds Futterkiste".to_owned(),
        bill_to: Some(address()),
        currency: "USD".to_owned(),
        ..Default::default()
    }
}

/// An item of 10.05 USD, twelve of which are a case.
pub(crate) fn item(sku: &str) -> Item {
    Item {
        sku: sku.to_owned(),
        name: format!("{sku}, loose"),
        handling_class: HandlingClass::Ambient.into(),
        base_uom: "EA".to_owned(),
        units: vec![
            UnitConversion { uom: "CS".to_owned(), numerator: 12, denominator: 1, ..Default::default() },
            UnitConversion { uom: "HALF".to_owned(), numerator: 1, denominator: 2, ..Default::default() },
        ],
        list_price: Some(Money { currency: "USD".to_owned(), minor_units: 1_005 }),
        etag: "1".to_owned(),
        ..Default::default()
    }
}

/// An order of items, a line each, from line 1 on.
pub(crate) fn order_of(customer_po: &str, lines: &[(&str, i64)]) -> contract::PlaceOrderRequest {
    let line = |(sku, quantity): &(&str, i64)| contract::NewOrderLine {
        sku: (*sku).to_owned(),
        quantity: *quantity,
        ..Default::default()
    };
    contract::PlaceOrderRequest {
        account_id: "acc_1".to_owned(),
        customer_po: customer_po.to_owned(),
        ship_to_id: "shp_1".to_owned(),
        lines: lines.iter().map(line).collect(),
        ..Default::default()
    }
}

pub(crate) fn quantities(lines: &[(i32, i64)]) -> Vec<LineQuantity> {
    lines.iter().map(|&(line_number, quantity)| units(line_number, quantity)).collect()
}

/// A fulfillment order of the order, as in events.
pub(crate) fn fulfillment_order(order: &contract::Order) -> Option<FulfillmentOrder> {
    Some(FulfillmentOrder { order_id: order.order_id.clone(), ..Default::default() })
}

/// The counters of the line at this place.
pub(crate) fn counters(order: &contract::Order, index: usize) -> contract::LineCounters {
    order.lines[index].counters.unwrap()
}
