//! Lines of the inventory service's events.

use std::collections::BTreeMap;

use proto::{
    events::InventoryEvent,
    inventory::v1::{
        Allocation, DriftDetected, ItemChanged, Reservation, ReservationsChanged, ScheduledReceipt, SnapshotReported,
        StockChanged, StockMovement,
    },
};

use super::{
    exception,
    format::{count, items, line_items, list, one_line},
};

pub(super) fn line(event: InventoryEvent) -> Option<String> {
    Some(match event {
        InventoryEvent::ItemCreated(payload) => format!("item {} added", item(payload)?),
        InventoryEvent::ItemUpdated(payload) => format!("item {} changed", item(payload)?),
        InventoryEvent::LocationReachChanged(payload) => {
            format!("stock at {} is promised as its node ships now", payload.location_id)
        }
        InventoryEvent::LocationCreated(payload) => {
            let location = payload.location?;
            format!("location {} ({}) added", one_line(&location.name), location.location_id)
        }
        InventoryEvent::InventoryReceived(StockChanged { movement, .. }) => added("received", &movement?),
        InventoryEvent::InventoryRestocked(StockChanged { movement, .. }) => added("restocked", &movement?),
        InventoryEvent::InventoryAdjusted(StockChanged { movement, .. }) => adjusted(&movement?),
        InventoryEvent::InventorySnapshotReported(payload) => counted(&payload),
        InventoryEvent::InventoryReserved(payload) => reserved(&payload),
        InventoryEvent::InventoryReservationReleased(payload) => {
            format!("reservation released: {}", no_longer_reserved(&payload))
        }
        InventoryEvent::InventoryReservationExpired(payload) => {
            format!("reservation expired: {}", no_longer_reserved(&payload))
        }
        InventoryEvent::InventoryAllocated(payload) => {
            format!("allocated {}", by_location(&payload, |allocation| allocation.open))
        }
        InventoryEvent::InventoryDeallocated(payload) => {
            format!("deallocated {}", by_location(&payload, |allocation| allocation.released))
        }
        InventoryEvent::InventoryConsumed(payload) => {
            let taken = payload.movements.iter().map(|movement| (movement.sku.as_str(), -movement.on_hand_delta));
            format!("{} took {} out of stock", payload.shipment_id, items(taken))
        }
        InventoryEvent::InventoryShortfallDetected(payload) => {
            let orders = count(payload.order_ids.len(), "order");
            format!("shortfall of {} {}{}, {orders} affected", payload.shortfall, payload.sku, at(&payload.location_id))
        }
        InventoryEvent::InventoryDriftDetected(DriftDetected { sku, location_id, quantity, shipment_id }) => {
            format!("{shipment_id} took {quantity} {sku} that were not on hand{}", at(&location_id))
        }
        InventoryEvent::InventoryReplacementReserved(payload) => {
            format!("reserved again, to be shipped again: {}", line_items(&payload.lines))
        }
        InventoryEvent::InventoryReceiptScheduled(payload) => scheduled(&payload.receipt?),
        InventoryEvent::InventoryBackorderDated(payload) => dated(&payload),
        InventoryEvent::InventoryBackorderUpdated(payload) => {
            let priority = |line: &Reservation| format!("{} priority {}", line.sku, line.priority);
            let lines: Vec<String> = payload.reservations.iter().map(priority).collect();
            format!("backorder changed: {}", list(&lines, "lines"))
        }
        InventoryEvent::BackorderRulesUpdated(_) => "rules of backorders changed".to_owned(),
        InventoryEvent::ExceptionOpened(payload) => exception::opened(&payload),
        InventoryEvent::ExceptionResolved(payload) => exception::resolved(&payload),
    })
}

fn item(payload: ItemChanged) -> Option<String> {
    let item = payload.item?;
    Some(format!("{} {}", item.sku, one_line(&item.name)))
}

fn at(location_id: &str) -> String {
    if location_id.is_empty() { String::new() } else { format!(" at {location_id}") }
}

fn added(how: &str, movement: &StockMovement) -> String {
    format!("{how} {} {}{}", movement.on_hand_delta, movement.sku, at(&movement.location_id))
}

fn adjusted(movement: &StockMovement) -> String {
    let note = if movement.note.is_empty() { String::new() } else { format!(": {}", one_line(&movement.note)) };
    format!("adjusted {} by {:+}{}{note}", movement.sku, movement.on_hand_delta, at(&movement.location_id))
}

fn counted(payload: &SnapshotReported) -> String {
    match payload.movements.len() {
        0 => format!("{} counted its stock: as expected", payload.location_id),
        some => format!("{} counted its stock: {}", payload.location_id, count(some, "difference")),
    }
}

fn reserved(payload: &ReservationsChanged) -> String {
    let sum = |units: fn(&Reservation) -> i64| payload.reservations.iter().map(units).sum::<i64>();
    let named = |units: fn(&Reservation) -> i64| {
        items(payload.reservations.iter().map(|reservation| (reservation.sku.as_str(), units(reservation))))
    };
    let reserved: fn(&Reservation) -> i64 = |line| line.reserved + line.allocated;
    let backordered: fn(&Reservation) -> i64 = |line| line.backordered;
    match (sum(reserved) > 0, sum(backordered) > 0) {
        (true, false) => format!("stock reserved: {}", named(reserved)),
        (true, true) => format!("stock reserved: {}; backordered: {}", named(reserved), named(backordered)),
        (false, true) => format!("no stock to reserve; backordered: {}", named(backordered)),
        (false, false) => "nothing reserved any more".to_owned(),
    }
}

fn scheduled(receipt: &ScheduledReceipt) -> String {
    let ScheduledReceipt { receipt_number, sku, location_id, quantity, .. } = receipt;
    let number = one_line(receipt_number);
    if *quantity == 0 {
        return format!("receipt {number} of {sku}{} cancelled", at(location_id));
    }
    format!("{quantity} {sku} expected{} as {number}", at(location_id))
}

fn dated(payload: &ReservationsChanged) -> String {
    let is_expected = |line: &&Reservation| line.backorder_expect_time.is_some();
    let (expected, others): (Vec<_>, Vec<_>) = payload.reservations.iter().partition(is_expected);
    let named = |lines: Vec<&Reservation>| items(lines.into_iter().map(|line| (line.sku.as_str(), line.backordered)));
    match (expected.is_empty(), others.is_empty()) {
        (false, true) => format!("backorder expected: {}", named(expected)),
        (true, _) => format!("backorder not expected any more: {}", named(others)),
        (false, false) => format!("backorder expected: {}; not any more: {}", named(expected), named(others)),
    }
}

fn no_longer_reserved(payload: &ReservationsChanged) -> String {
    items(payload.reservations.iter().map(|reservation| (reservation.sku.as_str(), reservation.released)))
}

/// `12 NW-011 at nod_bremen, 3 NW-011 at nod_lodz`.
fn by_location(payload: &ReservationsChanged, units: fn(&Allocation) -> i64) -> String {
    let mut locations: BTreeMap<&str, Vec<(&str, i64)>> = BTreeMap::new();
    for allocation in payload.allocations.iter().filter(|allocation| units(allocation) > 0) {
        locations.entry(&allocation.location_id).or_default().push((&allocation.sku, units(allocation)));
    }
    let parts = locations.into_iter().map(|(location, quantities)| format!("{}{}", items(quantities), at(location)));
    list(&parts.collect::<Vec<_>>(), "items")
}
