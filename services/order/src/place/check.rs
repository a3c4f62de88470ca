//! Checks of a new order that need nothing but the request.

use std::{collections::HashSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{order::v1 as contract, types::v1::Address};
use types::{
    BasisPoints, Fault, LineReason,
    limits::{MAX_LINES, MAX_OUTSIDE_NUMBER, MAX_PRICE},
};

use super::{Destination, NewGroup, NewLine, OrderedQuantity, PlaceOrder, split};
use crate::{order::FillPolicy, own_fields::OwnFields, ship_to_group::MAX_GROUPS};

impl PlaceOrder {
    /// Reads the request; refuses it naming every wrong field.
    pub(crate) fn parse(request: &contract::PlaceOrderRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.id("account_id", &request.account_id);
        let customer_po = checks.text("customer_po", &request.customer_po, MAX_OUTSIDE_NUMBER);
        let groups = groups(request, &mut checks);
        let destination = match groups.as_deref() {
            Some([]) => destination("", &request.ship_to_id, request.ship_to_address.as_ref(), &mut checks).map(Some),
            Some(_) | None => {
                if !request.ship_to_id.is_empty() || request.ship_to_address.is_some() {
                    checks.wrong("ship_to_id", "must be absent when ship_to_groups are given, as ship_to_address must");
                }
                Some(None)
            }
        };
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
        if request.priority.is_some() && !caller.is_staff() {
            checks.wrong("priority", "is set by the distributor");
        } else if request.priority.is_some_and(|priority| !(0..=9).contains(&priority)) {
            checks.wrong("priority", "must be 0 to 9");
        }
        let lines = lines(&request.lines, caller, &mut checks);
        if let Some(groups) = &groups {
            let numbers: HashSet<i64> = groups.iter().map(|group| group.number).collect();
            for (index, line) in lines.iter().flatten().enumerate() {
                split::check(index, line, &numbers, &mut checks);
            }
        }
        let own_fields = OwnFields::of_order(request, &mut checks);
        checks.explain_lines(LineReason::Invalid);
        checks.done()?;
        Ok(Self {
            account_id: checked(account_id)?,
            customer_po: checked(customer_po)?,
            destination: checked(destination)?,
            groups: checked(groups)?,
            currency: checked(currency)?,
            fill_policy: FillPolicy::from_contract(checked(fill_policy)?).unwrap_or(FillPolicy::FillAvailableBackorder),
            requested_ship_time: checked(requested_ship_time)?,
            ship_not_before: checked(ship_not_before)?,
            cancel_after: checked(cancel_after)?,
            priority: request.priority.map(i64::from),
            lines: checked(lines)?,
            own_fields: checked(own_fields)?,
            caller: caller.clone(),
        })
    }
}

/// A ship-to or an address; `of` is what their fields are of, as `ship_tos[0].`.
pub(crate) fn destination(
    of: &str,
    ship_to_id: &str,
    address: Option<&Address>,
    checks: &mut Checks,
) -> Option<Destination> {
    match (ship_to_id, address) {
        ("", None) => {
            checks.wrong(format!("{of}ship_to_id"), "is required, or ship_to_address");
            None
        }
        ("", address) => checks.address(&format!("{of}ship_to_address"), address).map(Destination::Address),
        (ship_to_id, None) => checks.id(format!("{of}ship_to_id"), ship_to_id).map(Destination::ShipTo),
        (_, Some(_)) => {
            checks.wrong(format!("{of}ship_to_address"), "must be absent when ship_to_id is given");
            None
        }
    }
}

/// The places of an order that goes to several.
fn groups(request: &contract::PlaceOrderRequest, checks: &mut Checks) -> Option<Vec<NewGroup>> {
    if !checks.at_most("ship_to_groups", request.ship_to_groups.len(), MAX_GROUPS) {
        return None;
    }
    let mut numbers = HashSet::new();
    let read = request.ship_to_groups.iter().enumerate().map(|(index, group)| {
        let of = format!("ship_to_groups[{index}].");
        let number = usize::try_from(group.ship_to_group).ok().filter(|number| (1..=MAX_GROUPS).contains(number));
        if number.is_none() {
            checks.wrong(format!("{of}ship_to_group"), "must be 1 to 1,000");
        } else if !numbers.insert(group.ship_to_group) {
            checks.wrong(format!("{of}ship_to_group"), format!("{} is used by another group", group.ship_to_group));
        }
        let destination = destination(&of, &group.ship_to_id, group.ship_to_address.as_ref(), checks);
        Some(NewGroup { number: group.ship_to_group.into(), destination: destination? })
    });
    let mut groups: Vec<_> = read.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
    groups.sort_by_key(|group| group.number);
    Some(groups)
}

fn lines(lines: &[contract::NewOrderLine], caller: &Principal, checks: &mut Checks) -> Option<Vec<NewLine>> {
    if !(1..=MAX_LINES).contains(&lines.len()) {
        checks.wrong("lines", "must be 1 to 5,000 lines");
        return None;
    }
    let mut numbers = HashSet::with_capacity(lines.len());
    let read = lines.iter().enumerate().map(|(index, new)| {
        let place = i32::try_from(index + 1).unwrap_or(i32::MAX);
        let number = if new.line_number == 0 { place } else { new.line_number };
        line(&format!("lines[{index}]"), number, new, caller, &mut numbers, checks)
    });
    let read: Vec<_> = read.collect();
    read.into_iter().collect()
}

/// A new line that gets a number; `path` is the path of its fields.
pub(crate) fn line(
    path: &str,
    number: i32,
    new: &contract::NewOrderLine,
    caller: &Principal,
    numbers: &mut HashSet<i32>,
    checks: &mut Checks,
) -> Option<NewLine> {
    let field = |name: &str| format!("{path}.{name}");
    // Only the distributor sets prices: others may not even name the price that applies.
    if !caller.is_staff() {
        if new.unit_price_minor.is_some() {
            checks.wrong_line(field("unit_price_minor"), LineReason::PriceNotAllowed, "is set by the distributor");
        }
        if new.discount_basis_points != 0 {
            checks.wrong_line(field("discount_basis_points"), LineReason::PriceNotAllowed, "is set by the distributor");
        }
    }
    let mut line_number = checks.line_number(field("line_number"), number);
    if !numbers.insert(number) {
        let description = format!("{number} is used by another line");
        checks.wrong_line(field("line_number"), LineReason::LineNumberReused, description);
        line_number = None;
    }
    let sku = checks.sku(field("sku"), &new.sku);
    let whole = (new.quantity != 0 || new.decimal_quantity.is_empty()).then_some(new.quantity);
    let quantity = OrderedQuantity::read(whole, &new.decimal_quantity, 1, field, checks);
    let uom = checks.optional_text(field("uom"), &new.uom, 16);
    let unit_price_minor = price(new.unit_price_minor, field("unit_price_minor"), checks);
    let expected = price(new.expected_unit_price_minor, field("expected_unit_price_minor"), checks);
    let discount = BasisPoints::new(new.discount_basis_points.into());
    if discount.is_none() {
        checks.wrong(field("discount_basis_points"), "must be 0 to 10,000");
    }
    let ship_to_group = usize::try_from(new.ship_to_group).ok().filter(|group| *group <= MAX_GROUPS);
    if ship_to_group.is_none() {
        checks.wrong(field("ship_to_group"), "must be a group of the order");
    }
    let parts = split::read(&field("split"), &new.split, checks);
    let own_fields = OwnFields::of_line(new, &field(""), checks);
    Some(NewLine {
        line_number: line_number?.into(),
        ship_to_group: (new.ship_to_group > 0).then_some(new.ship_to_group.into()),
        split: parts?,
        sku: sku?,
        quantity: quantity??,
        uom: uom?,
        unit_price_minor: unit_price_minor?,
        expected_unit_price_minor: expected?,
        discount: discount?,
        own_fields: own_fields?,
    })
}

/// A price that may be absent: `Some(None)` when it is.
#[expect(clippy::option_option, reason = "what is absent is not wrong")]
fn price(price: Option<i64>, field: String, checks: &mut Checks) -> Option<Option<i64>> {
    let fits = price.is_none_or(|price| (0..=MAX_PRICE).contains(&price));
    if !fits {
        checks.wrong(field, "must be 0 to 1,000,000,000,000");
    }
    fits.then_some(price)
}
