//! What the inventory service tells.

use std::collections::BTreeMap;

use proto::{
    event::v1::Event,
    inventory::v1::{
        Allocation, DriftDetected, ItemChanged, LocationCreated, Reservation, ReservationsChanged, ShortfallDetected,
        SnapshotReported, StockChanged, StockConsumed,
    },
};
use store::payload;

use super::words::{count, goods, list, one_line};

pub(super) fn line(event: &Event) -> Option<String> {
    Some(match event.r#type.as_str() {
        "item.created" => format!("item {} added", item(event)?),
        "item.updated" => format!("item {} changed", item(event)?),
        "location.created" => {
            let location = payload::<LocationCreated>(event)?.location?;
            format!("location {} ({}) added", one_line(&location.name), location.location_id)
        }
        "inventory.received" => stock("received", event)?,
        "inventory.restocked" => stock("restocked", event)?,
        "inventory.adjusted" => adjusted(event)?,
        "inventory.snapshot_reported" => {
            let fact: SnapshotReported = payload(event)?;
            match fact.movements.len() {
                0 => format!("{} counted its stock: as expected", fact.location_id),
                some => format!("{} counted its stock: {}", fact.location_id, count(some, "difference")),
            }
        }
        "inventory.reserved" => reserved(&payload(event)?),
        "inventory.reservation_released" => format!("reservation given up: {}", given_up(&payload(event)?)),
        "inventory.reservation_expired" => format!("reservation expired: {}", given_up(&payload(event)?)),
        "inventory.allocated" => format!("set aside {}", at_places(&payload(event)?, |allocation| allocation.open)),
        "inventory.deallocated" => {
            format!("no longer set aside: {}", at_places(&payload(event)?, |allocation| allocation.released))
        }
        "inventory.consumed" => {
            let fact: StockConsumed = payload(event)?;
            let taken = fact.movements.iter().map(|movement| (movement.sku.as_str(), -movement.on_hand_delta));
            format!("{} took {} out of stock", fact.shipment_id, goods(taken))
        }
        "inventory.shortfall_detected" => {
            let fact: ShortfallDetected = payload(event)?;
            let orders = count(fact.order_ids.len(), "order");
            format!("{} {} lack{}, {orders} at stake", fact.shortfall, fact.sku, at(&fact.location_id))
        }
        "inventory.drift_detected" => {
            let fact: DriftDetected = payload(event)?;
            let DriftDetected { sku, location_id, quantity, shipment_id } = fact;
            format!("{shipment_id} took {quantity} {sku} that were not on hand{}", at(&location_id))
        }
        _ => return None,
    })
}

fn item(event: &Event) -> Option<String> {
    let item = payload::<ItemChanged>(event)?.item?;
    Some(format!("{} {}", item.sku, one_line(&item.name)))
}

fn at(location_id: &str) -> String {
    if location_id.is_empty() { String::new() } else { format!(" at {location_id}") }
}

fn stock(what: &str, event: &Event) -> Option<String> {
    let movement = payload::<StockChanged>(event)?.movement?;
    Some(format!("{what} {} {}{}", movement.on_hand_delta, movement.sku, at(&movement.location_id)))
}

fn adjusted(event: &Event) -> Option<String> {
    let movement = payload::<StockChanged>(event)?.movement?;
    let note = if movement.note.is_empty() { String::new() } else { format!(": {}", one_line(&movement.note)) };
    Some(format!("adjusted {} by {:+}{}{note}", movement.sku, movement.on_hand_delta, at(&movement.location_id)))
}

fn reserved(fact: &ReservationsChanged) -> String {
    let sum = |units: fn(&Reservation) -> i64| fact.reservations.iter().map(units).sum::<i64>();
    let named = |units: fn(&Reservation) -> i64| {
        goods(fact.reservations.iter().map(|reservation| (reservation.sku.as_str(), units(reservation))))
    };
    let promised: fn(&Reservation) -> i64 = |line| line.reserved + line.allocated;
    let waiting: fn(&Reservation) -> i64 = |line| line.backordered;
    match (sum(promised) > 0, sum(waiting) > 0) {
        (true, false) => format!("stock reserved: {}", named(promised)),
        (true, true) => format!("stock reserved: {}; backordered: {}", named(promised), named(waiting)),
        (false, true) => format!("no stock to reserve; backordered: {}", named(waiting)),
        (false, false) => "nothing reserved any more".to_owned(),
    }
}

fn given_up(fact: &ReservationsChanged) -> String {
    goods(fact.reservations.iter().map(|reservation| (reservation.sku.as_str(), reservation.released)))
}

/// `12 NW-011 at nod_bremen, 3 NW-011 at nod_lodz`.
fn at_places(fact: &ReservationsChanged, units: fn(&Allocation) -> i64) -> String {
    let mut places: BTreeMap<&str, Vec<(&str, i64)>> = BTreeMap::new();
    for allocation in fact.allocations.iter().filter(|allocation| units(allocation) > 0) {
        places.entry(&allocation.location_id).or_default().push((&allocation.sku, units(allocation)));
    }
    let parts: Vec<String> = places.into_iter().map(|(place, what)| format!("{}{}", goods(what), at(place))).collect();
    list(&parts, "items")
}
