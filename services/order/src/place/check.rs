//! The form of a new order: everything that can be told without looking anything up.

use std::{collections::HashSet, sync::Arc};

use mesh::{Principal, wire::Checks};
use proto::order::v1 as wire;
use types::{BasisPoints, Fault};

use super::{Destination, NewLine, PlaceOrder};
use crate::order::FillPolicy;

/// The most lines an order has.
pub const MOST_LINES: usize = 5_000;

/// The highest price of one unit, so that no amount overflows.
pub(super) const MAX_UNIT_PRICE: i64 = 1_000_000_000_000;

/// How many wrong fields a caller is told of one order; an answer has to fit into headers.
const MOST_VIOLATIONS: usize = 50;

/// Refuses a request with the first of its violations; the others are counted.
pub(super) fn refuse(checks: Checks) -> Result<(), Fault> {
    checks.done().map_err(|mut fault| {
        if fault.violations.len() > MOST_VIOLATIONS {
            fault = fault.clone().fact("violations", fault.violations.len());
            fault.violations.truncate(MOST_VIOLATIONS);
        }
        fault
    })
}

/// Reads a new order off the wire; refuses it naming every wrong field.
pub fn check(request: &wire::PlaceOrderRequest, caller: Arc<Principal>) -> Result<PlaceOrder, Fault> {
    let mut checks = Checks::new();
    let read = read(request, caller, &mut checks);
    refuse(checks)?;
    read.ok_or_else(|| Fault::internal("a request passed its checks without its parts"))
}

fn read(request: &wire::PlaceOrderRequest, caller: Arc<Principal>, checks: &mut Checks) -> Option<PlaceOrder> {
    let request_id = checks.optional_text("request_id", &request.request_id, 128);
    let account_id = checks.id("account_id", &request.account_id);
    let customer_po = checks.text("customer_po", &request.customer_po, 64);
    let destination = destination(request, checks);
    let currency = match request.currency.as_str() {
        "" => Some(None),
        code => checks.currency("currency", code).map(Some),
    };
    let fill_policy = checks.optional_choice("fill_policy", request.fill_policy);
    let requested_ship_time = checks.optional_time("requested_ship_time", request.requested_ship_time.as_ref());
    let lines = lines(&request.lines, &caller, checks);
    request_id?;
    Some(PlaceOrder {
        account_id: account_id?,
        customer_po: customer_po?,
        destination: destination?,
        currency: currency?,
        fill_policy: fill(fill_policy?),
        requested_ship_time: requested_ship_time?,
        lines: lines?,
        caller,
    })
}

fn destination(request: &wire::PlaceOrderRequest, checks: &mut Checks) -> Option<Destination> {
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

fn fill(policy: wire::FillPolicy) -> FillPolicy {
    match policy {
        wire::FillPolicy::FillOrKill => FillPolicy::FillOrKill,
        wire::FillPolicy::FillAll => FillPolicy::FillAll,
        wire::FillPolicy::Unspecified | wire::FillPolicy::FillAllAvailable => FillPolicy::FillAllAvailable,
    }
}

fn lines(lines: &[wire::NewOrderLine], caller: &Principal, checks: &mut Checks) -> Option<Vec<NewLine>> {
    if !(1..=MOST_LINES).contains(&lines.len()) {
        checks.wrong("lines", "must be 1 to 5,000 lines");
        return None;
    }
    let mut numbers = HashSet::with_capacity(lines.len());
    if !caller.is_staff() {
        refuse_prices(lines, checks);
    }
    let read: Vec<_> = lines.iter().enumerate().map(|(index, wire)| line(index, wire, &mut numbers, checks)).collect();
    read.into_iter().collect()
}

/// What goods cost is the distributor's word, also when others would say the same.
fn refuse_prices(lines: &[wire::NewOrderLine], checks: &mut Checks) {
    for (index, line) in lines.iter().enumerate() {
        if line.unit_price_minor.is_some() {
            checks.wrong(format!("lines[{index}].unit_price_minor"), "is set by the distributor");
        }
        if line.discount_basis_points != 0 {
            checks.wrong(format!("lines[{index}].discount_basis_points"), "is given by the distributor");
        }
    }
}

fn line(index: usize, wire: &wire::NewOrderLine, numbers: &mut HashSet<i32>, checks: &mut Checks) -> Option<NewLine> {
    let field = |name: &str| format!("lines[{index}].{name}");
    let place = i32::try_from(index + 1).unwrap_or(i32::MAX);
    let asked = if wire.line_number == 0 { place } else { wire.line_number };
    let mut line_number = checks.line_number(field("line_number"), asked);
    if !numbers.insert(asked) {
        checks.wrong(field("line_number"), format!("{asked} is used by another line"));
        line_number = None;
    }
    let sku = checks.sku(field("sku"), &wire.sku);
    let quantity = checks.quantity(field("quantity"), wire.quantity, 1);
    let uom = checks.optional_text(field("uom"), &wire.uom, 16);
    let unit_price_minor = wire.unit_price_minor;
    let priced = unit_price_minor.is_none_or(|price| (0..=MAX_UNIT_PRICE).contains(&price));
    if !priced {
        checks.wrong(field("unit_price_minor"), "must be 0 to 1,000,000,000,000");
    }
    let discount = BasisPoints::new(wire.discount_basis_points.into());
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
