//! Converts domain types to contract types.

use mesh::wire::timestamp;
use proto::{inventory::v1 as wire, types::v1 as values};
use store::Rows;
use types::{Fault, NodeId, Timestamp};

use crate::{
    item::Item,
    movement::Movement,
    quantity::ItemQuantity,
    reach::Reach,
    reservation::{Allocation, LineKey, Reservation},
    stock::{Level, Location, Stock},
    supply::Supply,
    unit::Unit,
};

pub(crate) fn item(item: &Item) -> wire::Item {
    let Item {
        sku,
        name,
        pack,
        category,
        handling_class,
        base_uom,
        units,
        list_price_minor,
        list_price_currency,
        state,
        create_time,
        update_time,
        version,
    } = item;
    let price = list_price_minor.zip(list_price_currency.as_ref());
    wire::Item {
        sku: sku.clone(),
        name: name.clone(),
        pack: pack.clone(),
        category: category.clone(),
        handling_class: values::HandlingClass::from(*handling_class).into(),
        base_uom: base_uom.clone(),
        units: units.0.iter().map(unit).collect(),
        list_price: price.map(|(minor_units, currency)| values::Money { currency: currency.to_string(), minor_units }),
        state: wire::ItemState::from(*state).into(),
        etag: version.to_string(),
        create_time: Some(timestamp(*create_time)),
        update_time: Some(timestamp(*update_time)),
    }
}

fn unit(unit: &Unit) -> wire::UnitConversion {
    let Unit { uom, numerator, denominator } = unit;
    wire::UnitConversion { uom: uom.clone(), numerator: *numerator, denominator: *denominator }
}

pub(crate) fn location(location: &Location) -> wire::Location {
    wire::Location {
        location_id: location.location_id.to_string(),
        name: location.name.clone(),
        create_time: Some(timestamp(location.create_time)),
    }
}

pub(crate) fn level(level: &Level) -> wire::StockLevel {
    wire::StockLevel {
        sku: level.sku.clone(),
        location_id: level.location_id.to_string(),
        on_hand: level.on_hand,
        allocated: level.allocated,
        available: level.available(),
        shortfall: level.shortfall,
        update_time: Some(timestamp(level.update_time)),
    }
}

/// The availability of an item; for a destination when a country is given.
pub(crate) fn availability(
    stock: &Stock,
    levels: &[Level],
    reach: Option<&Reach>,
    country: &str,
) -> wire::Availability {
    let supply = Supply::of(stock, reach);
    let for_destination = !country.is_empty() && supply.is_restricted();
    let level = |found: &Level| {
        let mut level = level(found);
        if for_destination {
            level.available = supply.available_to(country, &found.location_id);
        }
        level
    };
    wire::Availability {
        sku: stock.sku.clone(),
        on_hand: stock.on_hand,
        reserved: stock.reserved,
        allocated: stock.allocated,
        backordered: stock.backordered,
        atp: if country.is_empty() { stock.available_to_promise() } else { supply.promisable_to(country) },
        shortfall: stock.shortfall,
        levels: levels.iter().map(level).collect(),
    }
}

pub(crate) fn reservation(reservation: &Reservation) -> wire::Reservation {
    wire::Reservation {
        order_id: reservation.order_id.to_string(),
        line_number: line_number(reservation.line_number),
        sku: reservation.sku.clone(),
        requested: reservation.requested,
        reserved: reservation.reserved,
        allocated: reservation.allocated,
        consumed: reservation.consumed,
        backordered: reservation.backordered,
        released: reservation.released,
        expire_time: reservation.expire_time.map(timestamp),
        version: reservation.version,
        account_id: reservation.account_id.to_string(),
    }
}

pub(crate) fn allocation(allocation: &Allocation) -> wire::Allocation {
    wire::Allocation {
        order_id: allocation.order_id.to_string(),
        line_number: line_number(allocation.line_number),
        sku: allocation.sku.clone(),
        location_id: allocation.location_id.to_string(),
        open: allocation.open_units,
        consumed: allocation.consumed,
        released: allocation.released,
    }
}

pub(crate) fn movement(movement: &Movement) -> wire::StockMovement {
    wire::StockMovement {
        movement_number: movement.movement_number,
        sku: movement.sku.clone(),
        location_id: movement.location_id.clone(),
        kind: wire::MovementKind::from(movement.kind).into(),
        on_hand_delta: movement.on_hand_delta,
        reserved_delta: movement.reserved_delta,
        allocated_delta: movement.allocated_delta,
        reference: movement.reference.clone(),
        note: movement.note.clone(),
        occur_time: Some(timestamp(movement.occur_time)),
        account_id: movement.account_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        retracts: movement.retracts.unwrap_or_default(),
    }
}

/// A line number; they are 1 to 5,000.
pub(crate) fn line_number(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The reservations of these lines as they are now; those that do not exist are absent.
pub(crate) fn reservations_of(
    rows: &Rows,
    lines: impl IntoIterator<Item = LineKey>,
) -> Result<Vec<wire::Reservation>, Fault> {
    let mut reservations = Vec::new();
    for line in lines {
        reservations.extend(rows.get::<Reservation>(&line)?.map(reservation));
    }
    Ok(reservations)
}

/// The level of an item at a location as it is now.
pub(crate) fn level_of(
    rows: &Rows,
    sku: &str,
    location_id: &NodeId,
    now: Timestamp,
) -> Result<wire::StockLevel, Fault> {
    let found = rows.get::<Level>(&(sku.to_owned(), location_id.clone()))?.cloned();
    Ok(level(&found.unwrap_or_else(|| Level::none_at(sku.to_owned(), location_id.clone(), now))))
}

/// The levels of some items at a location as they are now.
pub(crate) fn levels_of(
    rows: &Rows,
    location_id: &NodeId,
    items: &[ItemQuantity],
    now: Timestamp,
) -> Result<Vec<wire::StockLevel>, Fault> {
    items.iter().map(|item| level_of(rows, &item.sku, location_id, now)).collect()
}
