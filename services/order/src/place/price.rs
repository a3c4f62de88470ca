//! The quantity of a new line in base units, and its price.

use mesh::wire::Checks;
use types::{
    Currency,
    limits::{MAX_PRICE, MAX_QUANTITY},
    line_amount,
};

use super::NewLine;
use crate::{
    item::{HandlingClass, Item},
    order_line::PricedLine,
};

/// Prices the line at `index` of a request by its item; `None` after it noted what is wrong.
pub(super) fn price(
    line: &NewLine,
    index: usize,
    item: Option<&Item>,
    currency: Option<Currency>,
    checks: &mut Checks,
) -> Option<PricedLine> {
    let field = |name: &str| format!("lines[{index}].{name}");
    let Some(item) = item else {
        checks.wrong(field("sku"), "no such item");
        return None;
    };
    if !item.is_orderable() {
        checks.wrong(field("sku"), "is discontinued");
    }
    let Some((uom, factor)) = item.unit(&line.uom) else {
        checks.wrong(field("uom"), "is not a unit of the item");
        return None;
    };
    let ordered = factor.base_units(line.quantity);
    if ordered.is_none() {
        checks.wrong(field("quantity"), format!("is not a whole number of {}", item.item.0.base_uom));
    } else if ordered.is_some_and(|units| units > MAX_QUANTITY) {
        checks.wrong(field("quantity"), format!("is more than 1,000,000,000 {}", item.item.0.base_uom));
    }
    let listed = || item.list_price(factor, currency?).filter(|price| (0..=MAX_PRICE).contains(price));
    let unit_price_minor = line.unit_price_minor.or_else(listed);
    if let (None, Some(currency)) = (unit_price_minor, currency) {
        checks.wrong(field("unit_price_minor"), format!("is required: the item has no list price in {currency}"));
    }
    let (ordered, unit_price_minor) = (ordered?, unit_price_minor?);
    let amount_minor = line_amount(line.quantity, unit_price_minor, line.discount);
    if amount_minor.is_none() {
        checks.wrong(field("unit_price_minor"), "the line comes to an amount that is too large");
    }
    Some(PricedLine {
        line_number: line.line_number,
        sku: line.sku.clone(),
        name: item.item.0.name.clone(),
        uom,
        uom_quantity: line.quantity,
        ordered,
        unit_price_minor,
        discount: line.discount,
        amount_minor: amount_minor?,
        handling_class: HandlingClass::from_contract(item.item.0.handling_class()).unwrap_or(HandlingClass::Ambient),
    })
}
