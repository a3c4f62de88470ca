//! Quantities as requests name them: of an item, of an order line, of an order line at a location.

use std::{
    collections::{BTreeMap, HashSet},
    hash::Hash,
};

use mesh::wire::Checks;
use proto::{inventory::v1 as wire, types::v1 as values};
use types::{NodeId, OrderId, limits::MAX_LINES};

use crate::reservation::{LineAtLocation, LineKey};

/// Units of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemQuantity {
    pub(crate) sku: String,
    pub(crate) quantity: i64,
}

/// Units of an order line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestedLine {
    pub(crate) line_number: i64,
    pub(crate) sku: String,
    pub(crate) quantity: i64,
}

/// Units of an order line at a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AllocationLine {
    pub(crate) line_number: i64,
    pub(crate) location_id: NodeId,
    pub(crate) quantity: i64,
}

impl ItemQuantity {
    /// Reads the `items` of a request, of at least `least` units each.
    pub(crate) fn read_all(checks: &mut Checks, items: &[wire::ItemQuantity], least: i64) -> Vec<Self> {
        read_list(checks, "items", items, ("sku", |item| &item.sku), |checks, at, item| {
            let sku = checks.sku(at("sku"), &item.sku);
            let quantity = checks.quantity(at("quantity"), item.quantity, least);
            Some(Self { sku: sku?, quantity: quantity? })
        })
    }
}

impl RequestedLine {
    /// Reads the `lines` of a request.
    pub(crate) fn read_all(checks: &mut Checks, lines: &[values::LineQuantity]) -> Vec<Self> {
        read_list(checks, "lines", lines, ("line_number", |line| line.line_number), |checks, at, line| {
            let line_number = checks.line_number(at("line_number"), line.line_number);
            let sku = checks.sku(at("sku"), &line.sku);
            let quantity = checks.quantity(at("quantity"), line.quantity, 1);
            Some(Self { line_number: line_number?.into(), sku: sku?, quantity: quantity? })
        })
    }

    /// The units of each line of an event, which may name a line several times or without units.
    pub(crate) fn of_event(lines: Vec<values::LineQuantity>) -> Vec<Self> {
        let mut units: BTreeMap<(i64, String), i64> = BTreeMap::new();
        for line in lines.into_iter().filter(|line| line.quantity > 0) {
            *units.entry((i64::from(line.line_number), line.sku)).or_default() += line.quantity;
        }
        let line = |((line_number, sku), quantity)| Self { line_number, sku, quantity };
        units.into_iter().map(line).collect()
    }

    /// The line of an order.
    pub(crate) fn key(&self, order_id: &OrderId) -> LineKey {
        (order_id.clone(), self.line_number)
    }
}

impl AllocationLine {
    /// Reads the `allocations` of a request.
    pub(crate) fn read_all(checks: &mut Checks, allocations: &[wire::AllocationRequest]) -> Vec<Self> {
        let key = |line: &wire::AllocationRequest| (line.line_number, line.location_id.clone());
        read_list(checks, "allocations", allocations, ("location_id", key), |checks, at, line| {
            let line_number = checks.line_number(at("line_number"), line.line_number);
            let location_id = checks.id(at("location_id"), &line.location_id);
            let quantity = checks.quantity(at("quantity"), line.quantity, 1);
            Some(Self { line_number: line_number?.into(), location_id: location_id?, quantity: quantity? })
        })
    }

    /// The line of an order.
    pub(crate) fn key(&self, order_id: &OrderId) -> LineKey {
        (order_id.clone(), self.line_number)
    }

    /// The line of an order at its location.
    pub(crate) fn at_location(&self, order_id: &OrderId) -> LineAtLocation {
        (order_id.clone(), self.line_number, self.location_id.clone())
    }
}

/// Reads a list of a request. `unique` is what no two elements have in common, and the field that is wrong then.
fn read_list<'r, R, K: Eq + Hash, T>(
    checks: &mut Checks,
    list: &str,
    elements: &'r [R],
    (unique, key): (&str, impl Fn(&'r R) -> K),
    read: impl Fn(&mut Checks, &dyn Fn(&str) -> String, &'r R) -> Option<T>,
) -> Vec<T> {
    check_count(checks, list, elements.len());
    let mut seen = HashSet::new();
    let mut parts = Vec::with_capacity(elements.len().min(MAX_LINES));
    for (index, element) in elements.iter().enumerate() {
        let at = |field: &str| format!("{list}[{index}].{field}");
        check_once(checks, &mut seen, key(element), || at(unique));
        parts.extend(read(checks, &at, element));
    }
    parts
}

/// Reads a `priority`, which may be absent.
pub(crate) fn read_priority(checks: &mut Checks, priority: Option<i32>) -> Option<i64> {
    if priority.is_some_and(|priority| !(0..=9).contains(&priority)) {
        checks.wrong("priority", "must be 0 to 9");
    }
    priority.map(i64::from)
}

/// Notes a violation when a list of a request is empty or too long.
pub(crate) fn check_count(checks: &mut Checks, field: &str, count: usize) {
    if !(1..=MAX_LINES).contains(&count) {
        checks.wrong(field, "must have 1 to 5,000 elements");
    }
}

/// Notes a violation when an element of a list was seen before.
pub(crate) fn check_once<K: Eq + Hash>(
    checks: &mut Checks,
    seen: &mut HashSet<K>,
    key: K,
    field: impl FnOnce() -> String,
) {
    if !seen.insert(key) {
        checks.wrong(field(), "is given twice");
    }
}
