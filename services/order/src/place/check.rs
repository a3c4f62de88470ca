//! Checks of a new order that need nothing but the request.

use std::{collections::HashSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use types::{
    BasisPoints, Fault,
    limits::{MAX_LINES, MAX_OUTSIDE_NUMBER, MAX_PRICE},
};

use super::{Destination, NewLine, PlaceOrder};
use crate::order::FillPolicy;

impl PlaceOrder {
    /// Reads the request; refuses it naming every wrong field.
    pub(crate) fn parse(request: &contract::PlaceOrderRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.id("account_id", &request.account_id);
        let customer_po = checks.text("customer_po", &request.customer_po, MAX_OUTSIDE_NUMBER);
        let destination = destination(request, &mut checks);
        let currency = match request.currency.as_str() {
            "" => Some(None),
            code => checks.currency("currency", code).map(Some),
        };
        let fill_policy = checks.optional_choice("fill_policy", request.fill_policy);
        let requested_ship_time = checks.optional_time("requested_ship_time", request.requested_ship_time.as_ref());
        let ship_not_before = checks.optional_time("ship_not_before", request.ship_not_before.as_ref());
        let cancel_after = checks.optional_time("cancel_after", request.cancel_after.as_ref());
        if let Some(Some(cancel_after)) = cancel_after {
            let earliest = [ship_not_before, requested_ship_time].into_iter().flatten().flatten().max();
            if earliest.is_some_and(|earliest| cancel_after <= earliest) {
                checks.wrong("cancel_after", "must be after ship_not_before and requested_ship_time");
            }
        }
        let lines = lines(&request.lines, caller, &mut checks);
        checks.done()?;
        Ok(Self {
            account_id: checked(account_id)?,
            customer_po: checked(customer_po)?,
            destination: checked(destination)?,
            currency: checked(currency)?,
            fill_policy: FillPolicy::from_contract(checked(fill_policy)?).unwrap_or(FillPolicy::FillAvailableBackorder),
            requested_ship_time: checked(requested_ship_time)?,
            ship_not_before: checked(ship_not_before)?,
            cancel_after: checked(cancel_after)?,
            lines: checked(lines)?,
            caller: caller.clone(),
        })
    }
}

fn destination(request: &contract::PlaceOrderRequest, checks: &mut Checks) -> Option<Destination> {
    match (request.ship_to_id.as_str(), &request.ship_to_address) {
        ("", None) => {
            checks.wrong("ship_to_id", "is required, or ship_to_address");
            None
        }
        ("", address) => checks.address("ship_to_address", address.as_ref()).map(Destination::Address),
        (ship_to_id, None) => checks.id("ship_to_id", ship_to_id).map(Destination::ShipTo),
        (_, Some(_)) => {
            checks.wrong("ship_to_address", "must be absent when ship_to_id is given");
            None
        }
    }
}

fn lines(lines: &[contract::NewOrderLine], caller: &Principal, checks: &mut Checks) -> Option<Vec<NewLine>> {
    if !(1..=MAX_LINES).contains(&lines.len()) {
        checks.wrong("lines", "must be 1 to 5,000 lines");
        return None;
    }
    if !caller.is_staff() {
        refuse_prices(lines, checks);
    }
    let mut numbers = HashSet::with_capacity(lines.len());
    let read: Vec<_> = lines.iter().enumerate().map(|(index, new)| line(index, new, &mut numbers, checks)).collect();
    read.into_iter().collect()
}

/// Only the distributor sets prices: others may not even name the price that applies.
fn refuse_prices(lines: &[contract::NewOrderLine], checks: &mut Checks) {
    for (index, line) in lines.iter().enumerate() {
        if line.unit_price_minor.is_some() {
            checks.wrong(format!("lines[{index}].unit_price_minor"), "is set by the distributor");
        }
        if line.discount_basis_points != 0 {
            checks.wrong(format!("lines[{index}].discount_basis_points"), "is set by the distributor");
        }
    }
}

fn line(
    index: usize,
    new: &contract::NewOrderLine,
    numbers: &mut HashSet<i32>,
    checks: &mut Checks,
) -> Option<NewLine> {
    let field = |name: &str| format!("lines[{index}].{name}");
    let place = i32::try_from(index + 1).unwrap_or(i32::MAX);
    let number = if new.line_number == 0 { place } else { new.line_number };
    let mut line_number = checks.line_number(field("line_number"), number);
    if !numbers.insert(number) {
        checks.wrong(field("line_number"), format!("{number} is used by another line"));
        line_number = None;
    }
    let sku = checks.sku(field("sku"), &new.sku);
    let quantity = checks.quantity(field("quantity"), new.quantity, 1);
    let uom = checks.optional_text(field("uom"), &new.uom, 16);
    let unit_price_minor = new.unit_price_minor;
    let priced = unit_price_minor.is_none_or(|price| (0..=MAX_PRICE).contains(&price));
    if !priced {
        checks.wrong(field("unit_price_minor"), "must be 0 to 1,000,000,000,000");
    }
    let discount = BasisPoints::new(new.discount_basis_points.into());
    if discount.is_none() {
        checks.wrong(field("discount_basis_points"), "must be 0 to 10,000");
    }
    Some(NewLine {
        line_number: line_number?.into(),
        sku: sku?,
        quantity: quantity?,
        uom: uom?,
        unit_price_minor: priced.then_some(unit_price_minor)?,
        discount: discount?,
    })
}
