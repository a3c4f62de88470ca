//! Requests, checked: every violation is named at once.

use std::{collections::HashSet, hash::Hash, time::Duration};

use mesh::wire::Checks;
use proto::{inventory::v1 as wire, types::v1 as values};
use types::{Currency, Fault, NodeId, OrderId, Timestamp};

use crate::{
    adjust::AdjustStock,
    allocate::Allocate,
    consume::{Consume, Told},
    create_item::CreateItem,
    create_location::CreateLocation,
    deallocate::Deallocate,
    item::{HandlingClass, State, Unit, Units},
    ledger::{Pick, Supply, Taken, Terms, Wanted},
    promise::Policy,
    receive::ReceiveStock,
    release::Release,
    reserve::Reserve,
    snapshot::ReportSnapshot,
    store::Movements,
    update_item::UpdateItem,
};

/// The most lines or items of one request.
const MOST: usize = 5_000;

/// The longest time until reserved units are given back: ten years.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The most minor units of a price.
const HIGHEST_PRICE: i64 = 1_000_000_000_000;

pub(crate) fn create_item(request: &wire::CreateItemRequest) -> Result<CreateItem, Fault> {
    let mut checks = Checks::new();
    let sku = checks.sku("sku", &request.sku);
    let name = checks.text("name", &request.name, 200);
    let pack = checks.optional_text("pack", &request.pack, 200);
    let category = checks.optional_text("category", &request.category, 200);
    let handling_class = checks.choice("handling_class", request.handling_class).and_then(handling_class);
    let base = if request.base_uom.is_empty() { "EA" } else { &request.base_uom };
    let base_uom = uom(&mut checks, "base_uom".to_owned(), base);
    let units = units(&mut checks, &request.units, base);
    let list_price = price(&mut checks, request.list_price.as_ref());
    checks.done()?;
    let command = || {
        Some(CreateItem {
            sku: sku?,
            name: name?,
            pack: pack?,
            category: category?,
            handling_class: handling_class?,
            base_uom: base_uom?,
            units: units?,
            list_price: list_price?,
        })
    };
    checked(command())
}

pub(crate) fn update_item(request: &wire::UpdateItemRequest) -> Result<UpdateItem, Fault> {
    let mut checks = Checks::new();
    let sku = checks.sku("sku", &request.sku);
    let name = request.name.as_ref().map(|name| checks.text("name", name, 200));
    let pack = request.pack.as_ref().map(|pack| checks.optional_text("pack", pack, 200));
    let category = request.category.as_ref().map(|category| checks.optional_text("category", category, 200));
    let state = request.state.map(|state| checks.optional_choice("state", state).map(item_state));
    let list_price = price(&mut checks, request.list_price.as_ref());
    checks.done()?;
    let command = || {
        Some(UpdateItem {
            sku: sku?,
            etag: request.etag.clone(),
            name: name.flatten(),
            pack: pack.flatten(),
            category: category.flatten(),
            list_price: list_price?,
            state: state.flatten(),
        })
    };
    checked(command())
}

pub(crate) fn create_location(request: &wire::CreateLocationRequest) -> Result<CreateLocation, Fault> {
    let mut checks = Checks::new();
    let location_id = checks.id("location_id", &request.location_id);
    let name = checks.text("name", &request.name, 200);
    checks.done()?;
    checked(location_id.zip(name).map(|(location_id, name)| CreateLocation { location_id, name }))
}

pub(crate) fn receive(request: &wire::ReceiveStockRequest) -> Result<ReceiveStock, Fault> {
    let mut checks = Checks::new();
    let location_id = checks.id("location_id", &request.location_id);
    let items = items(&mut checks, &request.items, 1);
    let reference = checks.optional_text("reference", &request.reference, 200);
    let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
    checks.done()?;
    let command =
        || Some(ReceiveStock { location_id: location_id?, items, reference: reference?, occur_time: occur_time? });
    checked(command())
}

pub(crate) fn adjust(request: &wire::AdjustStockRequest) -> Result<AdjustStock, Fault> {
    let mut checks = Checks::new();
    let location_id = checks.id("location_id", &request.location_id);
    let sku = checks.sku("sku", &request.sku);
    if request.delta == 0 {
        checks.wrong("delta", "must not be 0");
    } else if request.delta.unsigned_abs() > mesh::wire::MAX_QUANTITY.unsigned_abs() {
        checks.wrong("delta", "must be -1,000,000,000 to 1,000,000,000");
    }
    let reason = checks.text("reason", &request.reason, 500);
    checks.done()?;
    let command = || Some(AdjustStock { location_id: location_id?, sku: sku?, delta: request.delta, reason: reason? });
    checked(command())
}

pub(crate) fn report_snapshot(request: &wire::ReportSnapshotRequest, now: Timestamp) -> Result<ReportSnapshot, Fault> {
    let mut checks = Checks::new();
    let location_id = checks.id("location_id", &request.location_id);
    let items = items(&mut checks, &request.items, 0);
    let count_time = checks.time("count_time", request.count_time.as_ref());
    checks.done()?;
    let command =
        || Some(ReportSnapshot { location_id: location_id?, items, count_time: count_time?, last_day: i64::MAX });
    checked(command())?.timely(now)
}

pub(crate) fn reserve(request: &wire::ReserveRequest) -> Result<Reserve, Fault> {
    let mut checks = Checks::new();
    let order_id = checks.id("order_id", &request.order_id);
    let lines = lines(&mut checks, &request.lines);
    let policy = checks.optional_choice("shortage_policy", request.shortage_policy).map(|policy| match policy {
        wire::ShortagePolicy::Backorder => Policy::Backorder,
        wire::ShortagePolicy::Refuse | wire::ShortagePolicy::Unspecified => Policy::Refuse,
    });
    let expire_after = checks.optional_duration("expire_after", request.expire_after.as_ref());
    if expire_after.flatten().is_some_and(|after| after > LONGEST) {
        checks.wrong("expire_after", "must be at most 3,650 days");
    }
    checks.done()?;
    // Shorter than a microsecond is a microsecond.
    let micros = |after: Duration| i64::try_from(after.as_micros()).unwrap_or(i64::MAX).max(1);
    let command = || {
        let terms = Terms { policy: policy?, expire_after: expire_after?.map(micros) };
        Some(Reserve { order_id: order_id?, lines, terms })
    };
    checked(command())
}

pub(crate) fn release(request: &wire::ReleaseRequest) -> Result<Release, Fault> {
    let mut checks = Checks::new();
    let order_id = checks.id("order_id", &request.order_id);
    let lines = lines(&mut checks, &request.lines);
    checks.done()?;
    checked(order_id.map(|order_id| Release { order_id, lines }))
}

pub(crate) fn allocate(request: &wire::AllocateRequest) -> Result<Allocate, Fault> {
    let mut checks = Checks::new();
    let allocation_key = checks.text("allocation_key", &request.allocation_key, 200);
    let order_id = checks.id("order_id", &request.order_id);
    let picks = picks(&mut checks, &request.allocations);
    checks.done()?;
    let command = || Some(Allocate { allocation_key: allocation_key?, order_id: order_id?, picks });
    checked(command())
}

pub(crate) fn deallocate(request: &wire::DeallocateRequest) -> Result<Deallocate, Fault> {
    let mut checks = Checks::new();
    let order_id: Option<OrderId> = checks.id("order_id", &request.order_id);
    let picks = picks(&mut checks, &request.allocations);
    let taken = checks.choice("policy", request.policy).and_then(|policy| match policy {
        wire::DeallocationPolicy::Cancel => Some(Taken::Cancelled),
        wire::DeallocationPolicy::Reassign => Some(Taken::Reassigned),
        wire::DeallocationPolicy::Short => Some(Taken::Short),
        wire::DeallocationPolicy::Unspecified => None,
    });
    let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
    checks.done()?;
    let command = || Some(Deallocate { order_id: order_id?, picks, taken: taken?, occur_time: occur_time? });
    checked(command())
}

pub(crate) fn consume(request: &wire::ConsumeRequest) -> Result<Consume, Fault> {
    let mut checks = Checks::new();
    let shipment_id = checks.id("shipment_id", &request.shipment_id);
    let order_id = checks.id("order_id", &request.order_id);
    let location_id = checks.id("location_id", &request.location_id);
    let lines = lines(&mut checks, &request.lines);
    checks.done()?;
    let command = || {
        Some(Consume {
            shipment_id: shipment_id?,
            order_id: order_id?,
            location_id: location_id?,
            lines,
            told: Told::Asked,
            occur_time: None,
        })
    };
    checked(command())
}

pub(crate) fn request_id(request_id: &str) -> Result<String, Fault> {
    let mut checks = Checks::new();
    let request_id = checks.optional_text("request_id", request_id, 200);
    checks.done()?;
    checked(request_id)
}

pub(crate) fn order_id(order_id: &str) -> Result<OrderId, Fault> {
    let mut checks = Checks::new();
    let order_id = checks.id("order_id", order_id);
    checks.done()?;
    checked(order_id)
}

pub(crate) fn movements(request: &wire::ListMovementsRequest) -> Result<Movements<'_>, Fault> {
    let wire::ListMovementsRequest { sku, location_id, reference, .. } = request;
    let mut checks = Checks::new();
    if !sku.is_empty() {
        checks.sku("sku", sku);
    }
    checks.optional_id::<NodeId>("location_id", location_id);
    checks.optional_text("reference", reference, 200);
    checks.done()?;
    Ok(Movements { sku, location_id, reference })
}

pub(crate) fn sku(sku: &str) -> Result<String, Fault> {
    let mut checks = Checks::new();
    let sku = checks.sku("sku", sku);
    checks.done()?;
    checked(sku)
}

/// The SKUs of a request, each once, in order.
pub(crate) fn skus(skus: &[String]) -> Result<Vec<String>, Fault> {
    let mut checks = Checks::new();
    count(&mut checks, "skus", skus.len());
    for (index, sku) in skus.iter().enumerate() {
        checks.sku(format!("skus[{index}]"), sku);
    }
    checks.done()?;
    let mut skus = skus.to_vec();
    skus.sort_unstable();
    skus.dedup();
    Ok(skus)
}

fn lines(checks: &mut Checks, wire: &[values::LineQuantity]) -> Vec<Wanted> {
    count(checks, "lines", wire.len());
    let mut seen = HashSet::new();
    let mut lines = Vec::with_capacity(wire.len().min(MOST));
    for (index, line) in wire.iter().enumerate() {
        let at = |field: &str| format!("lines[{index}].{field}");
        let line_number = checks.line_number(at("line_number"), line.line_number);
        once(checks, &mut seen, line.line_number, || at("line_number"));
        let sku = checks.sku(at("sku"), &line.sku);
        let quantity = checks.quantity(at("quantity"), line.quantity, 1);
        if let (Some(line_number), Some(sku), Some(quantity)) = (line_number, sku, quantity) {
            lines.push(Wanted { line_number: i64::from(line_number), sku, quantity });
        }
    }
    lines
}

fn picks(checks: &mut Checks, wire: &[wire::AllocationRequest]) -> Vec<Pick> {
    count(checks, "allocations", wire.len());
    let mut seen = HashSet::new();
    let mut picks = Vec::with_capacity(wire.len().min(MOST));
    for (index, pick) in wire.iter().enumerate() {
        let at = |field: &str| format!("allocations[{index}].{field}");
        let line_number = checks.line_number(at("line_number"), pick.line_number);
        let location_id: Option<NodeId> = checks.id(at("location_id"), &pick.location_id);
        once(checks, &mut seen, (pick.line_number, pick.location_id.as_str()), || at("location_id"));
        let quantity = checks.quantity(at("quantity"), pick.quantity, 1);
        if let (Some(line_number), Some(location_id), Some(quantity)) = (line_number, location_id, quantity) {
            picks.push(Pick { line_number: i64::from(line_number), location_id, quantity });
        }
    }
    picks
}

fn items(checks: &mut Checks, wire: &[wire::ItemQuantity], least: i64) -> Vec<Supply> {
    count(checks, "items", wire.len());
    let mut seen = HashSet::new();
    let mut items = Vec::with_capacity(wire.len().min(MOST));
    for (index, item) in wire.iter().enumerate() {
        let sku = checks.sku(format!("items[{index}].sku"), &item.sku);
        once(checks, &mut seen, item.sku.as_str(), || format!("items[{index}].sku"));
        let quantity = checks.quantity(format!("items[{index}].quantity"), item.quantity, least);
        if let (Some(sku), Some(quantity)) = (sku, quantity) {
            items.push(Supply { sku, quantity });
        }
    }
    items
}

fn count(checks: &mut Checks, field: &str, count: usize) {
    if !(1..=MOST).contains(&count) {
        checks.wrong(field, "must have 1 to 5,000 elements");
    }
}

fn once<K: Eq + Hash>(checks: &mut Checks, seen: &mut HashSet<K>, key: K, field: impl FnOnce() -> String) {
    if !seen.insert(key) {
        checks.wrong(field(), "is given twice");
    }
}

fn uom(checks: &mut Checks, field: String, text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if (1..=16).contains(&text.len()) && text.chars().all(plain) {
        return Some(text.to_owned());
    }
    checks.wrong(field, "must be 1 to 16 capital letters or digits");
    None
}

fn units(checks: &mut Checks, wire: &[wire::UnitConversion], base: &str) -> Option<Units> {
    if wire.len() > 50 {
        checks.wrong("units", "must have at most 50 elements");
    }
    let mut seen = HashSet::from([base]);
    let mut units = Vec::new();
    for (index, unit) in wire.iter().enumerate() {
        let at = |field: &str| format!("units[{index}].{field}");
        let uom = uom(checks, at("uom"), &unit.uom);
        once(checks, &mut seen, unit.uom.as_str(), || at("uom"));
        let numerator = checks.quantity(at("numerator"), unit.numerator, 1);
        let denominator = checks.quantity(at("denominator"), unit.denominator, 1);
        units.push(uom.zip(numerator).zip(denominator));
    }
    let unit = |unit: Option<((String, i64), i64)>| {
        unit.map(|((uom, numerator), denominator)| Unit { uom, numerator, denominator })
    };
    units.into_iter().map(unit).collect::<Option<Vec<_>>>().map(Units)
}

/// A price that may be absent: `Some(None)` when it is.
fn price(checks: &mut Checks, wire: Option<&values::Money>) -> Option<Option<(i64, Currency)>> {
    let Some(money) = wire else { return Some(None) };
    let currency = checks.currency("list_price.currency", &money.currency);
    if !(0..=HIGHEST_PRICE).contains(&money.minor_units) {
        checks.wrong("list_price.minor_units", "must be 0 to 1,000,000,000,000");
        return None;
    }
    currency.map(|currency| Some((money.minor_units, currency)))
}

fn handling_class(class: values::HandlingClass) -> Option<HandlingClass> {
    match class {
        values::HandlingClass::Ambient => Some(HandlingClass::Ambient),
        values::HandlingClass::Chilled => Some(HandlingClass::Chilled),
        values::HandlingClass::Frozen => Some(HandlingClass::Frozen),
        values::HandlingClass::Hazardous => Some(HandlingClass::Hazardous),
        values::HandlingClass::Unspecified => None,
    }
}

fn item_state(state: wire::ItemState) -> State {
    match state {
        wire::ItemState::Active | wire::ItemState::Unspecified => State::Active,
        wire::ItemState::Discontinued => State::Discontinued,
    }
}

/// Everything was checked before, so nothing is missing.
fn checked<T>(value: Option<T>) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::internal("a checked request lacks a field"))
}
