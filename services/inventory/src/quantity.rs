//! Quantities as requests name them: of an item, of an order line, of an order line at a location.

use std::{collections::HashSet, hash::Hash};

use mesh::wire::Checks;
use proto::{inventory::v1 as wire, types::v1 as values};
use types::{NodeId, OrderId};

use crate::reservation::{LineAtLocation, LineKey};

/// The most elements of a list in a request.
const MAX_ELEMENTS: usize = 5_000;

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
        check_count(checks, "items", items.len());
        let mut seen = HashSet::new();
        let mut read = Vec::with_capacity(items.len().min(MAX_ELEMENTS));
        for (index, item) in items.iter().enumerate() {
            let sku = checks.sku(format!("items[{index}].sku"), &item.sku);
            check_once(checks, &mut seen, item.sku.as_str(), || format!("items[{index}].sku"));
            let quantity = checks.quantity(format!("items[{index}].quantity"), item.quantity, least);
            read.extend(sku.zip(quantity).map(|(sku, quantity)| Self { sku, quantity }));
        }
        read
    }
}

impl RequestedLine {
    /// Reads the `lines` of a request.
    pub(crate) fn read_all(checks: &mut Checks, lines: &[values::LineQuantity]) -> Vec<Self> {
        check_count(checks, "lines", lines.len());
        let mut seen = HashSet::new();
        let mut read = Vec::with_capacity(lines.len().min(MAX_ELEMENTS));
        for (index, line) in lines.iter().enumerate() {
            let at = |field: &str| format!("lines[{index}].{field}");
            let line_number = checks.line_number(at("line_number"), line.line_number);
            check_once(checks, &mut seen, line.line_number, || at("line_number"));
            let sku = checks.sku(at("sku"), &line.sku);
            let quantity = checks.quantity(at("quantity"), line.quantity, 1);
            if let (Some(line_number), Some(sku), Some(quantity)) = (line_number, sku, quantity) {
                read.push(Self { line_number: line_number.into(), sku, quantity });
            }
        }
        read
    }

    /// The line of an order.
    pub(crate) fn key(&self, order_id: &OrderId) -> LineKey {
        (order_id.clone(), self.line_number)
    }
}

impl AllocationLine {
    /// Reads the `allocations` of a request.
    pub(crate) fn read_all(checks: &mut Checks, allocations: &[wire::AllocationRequest]) -> Vec<Self> {
        check_count(checks, "allocations", allocations.len());
        let mut seen = HashSet::new();
        let mut read = Vec::with_capacity(allocations.len().min(MAX_ELEMENTS));
        for (index, line) in allocations.iter().enumerate() {
            let at = |field: &str| format!("allocations[{index}].{field}");
            let line_number = checks.line_number(at("line_number"), line.line_number);
            let location_id = checks.id(at("location_id"), &line.location_id);
            check_once(checks, &mut seen, (line.line_number, line.location_id.as_str()), || at("location_id"));
            let quantity = checks.quantity(at("quantity"), line.quantity, 1);
            if let (Some(line_number), Some(location_id), Some(quantity)) = (line_number, location_id, quantity) {
                read.push(Self { line_number: line_number.into(), location_id, quantity });
            }
        }
        read
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

/// Notes a violation when a list of a request is empty or too long.
pub(crate) fn check_count(checks: &mut Checks, field: &str, count: usize) {
    if !(1..=MAX_ELEMENTS).contains(&count) {
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
