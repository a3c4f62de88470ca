//! Proto and domain. Requests are read in `wire/request.rs`.

mod request;

use mesh::wire::timestamp;
use proto::{inventory::v1 as wire, types::v1 as values};

use crate::{
    item::{HandlingClass, Item, State, Unit},
    movement::{Kind, Movement},
    promise::{Allocation, Reservation},
    stock::{Level, Location, Stock},
};

pub(crate) use request::{
    adjust, allocate, consume, create_item, create_location, deallocate, movements, order_id, receive, release,
    report_snapshot, request_id, reserve, sku, skus, update_item,
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
        handling_class: match handling_class {
            HandlingClass::Ambient => values::HandlingClass::Ambient,
            HandlingClass::Chilled => values::HandlingClass::Chilled,
            HandlingClass::Frozen => values::HandlingClass::Frozen,
            HandlingClass::Hazardous => values::HandlingClass::Hazardous,
        }
        .into(),
        base_uom: base_uom.clone(),
        units: units.0.iter().map(unit).collect(),
        list_price: price.map(|(minor_units, currency)| values::Money { currency: currency.to_string(), minor_units }),
        state: match state {
            State::Active => wire::ItemState::Active,
            State::Discontinued => wire::ItemState::Discontinued,
        }
        .into(),
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

pub(crate) fn availability(stock: &Stock, levels: &[Level]) -> wire::Availability {
    wire::Availability {
        sku: stock.sku.clone(),
        on_hand: stock.on_hand,
        reserved: stock.reserved,
        allocated: stock.allocated,
        backordered: stock.backordered,
        atp: stock.available_to_promise(),
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
        kind: match movement.kind {
            Kind::Received => wire::MovementKind::Received,
            Kind::Adjusted => wire::MovementKind::Adjusted,
            Kind::Counted => wire::MovementKind::Counted,
            Kind::Reserved => wire::MovementKind::Reserved,
            Kind::Released => wire::MovementKind::Released,
            Kind::Allocated => wire::MovementKind::Allocated,
            Kind::Deallocated => wire::MovementKind::Deallocated,
            Kind::Shipped => wire::MovementKind::Shipped,
            Kind::Restocked => wire::MovementKind::Restocked,
        }
        .into(),
        on_hand_delta: movement.on_hand_delta,
        reserved_delta: movement.reserved_delta,
        allocated_delta: movement.allocated_delta,
        reference: movement.reference.clone(),
        note: movement.note.clone(),
        occur_time: Some(timestamp(movement.occur_time)),
    }
}

/// Line numbers are 1 to 5,000 wherever they come from.
pub(crate) fn line_number(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
