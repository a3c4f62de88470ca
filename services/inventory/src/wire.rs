//! Converts domain types to contract types.

use mesh::wire::timestamp;
use proto::{inventory::v1 as wire, types::v1 as values};
use store::Rows;
use types::{Fault, NodeId, Timestamp};

use crate::{
    backorder::{BackorderRules, Share},
    item::{Item, ItemKind},
    movement::Movement,
    quantity::ItemQuantity,
    reach::Reach,
    reservation::{Allocation, LineKey, Reservation, SHORT_PICK_RANK},
    scheduled_receipt::{Arrivals, DatedSupply, ScheduledReceipt, dated_supply},
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
        kind,
        handling_class,
        base_uom,
        units,
        list_price_minor,
        list_price_currency,
        state,
        base_decimals,
        order_multiple,
        minimum_quantity,
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
        kind: values::ItemKind::from(*kind).into(),
        handling_class: match kind {
            ItemKind::Goods => values::HandlingClass::from(*handling_class).into(),
            ItemKind::Service => values::HandlingClass::Unspecified.into(),
        },
        base_uom: base_uom.clone(),
        units: units.0.iter().map(unit).collect(),
        list_price: price.map(|(minor_units, currency)| values::Money { currency: currency.to_string(), minor_units }),
        state: wire::ItemState::from(*state).into(),
        etag: version.to_string(),
        create_time: Some(timestamp(*create_time)),
        update_time: Some(timestamp(*update_time)),
        base_decimals: decimals(*base_decimals),
        order_multiple: *order_multiple,
        minimum_quantity: *minimum_quantity,
    }
}

fn unit(unit: &Unit) -> wire::UnitConversion {
    let Unit { uom, numerator, denominator, rules } = unit;
    wire::UnitConversion {
        uom: uom.clone(),
        numerator: *numerator,
        denominator: *denominator,
        decimals: decimals(rules.decimals),
        order_multiple: rules.order_multiple,
        minimum_quantity: rules.minimum_quantity,
    }
}

fn decimals(decimals: i64) -> i32 {
    i32::try_from(decimals).unwrap_or_default()
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

/// The availability of an item, of which some receipts are expected; for a destination when a country is given.
pub(crate) fn availability(
    stock: &Stock,
    levels: &[Level],
    receipts: &[&ScheduledReceipt],
    reach: Option<&Reach>,
    country: &str,
) -> wire::Availability {
    let dated = |dated: DatedSupply| wire::DatedSupply {
        expect_time: Some(timestamp(dated.expect_time)),
        quantity: dated.quantity,
        available_to_promise: dated.available_to_promise,
    };
    let dated_supply = dated_supply(Arrivals::new(stock, levels), reach, country, receipts);
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
        dated_supply: dated_supply.into_iter().map(dated).collect(),
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
        backorder_expect_time: reservation.backorder_expect_time.map(timestamp),
        priority: i32::try_from(reservation.priority).unwrap_or(i32::MAX),
        promise_time: reservation.promise_time.map(timestamp),
        ship_to_country: reservation.ship_to_country.clone(),
    }
}

/// A line that waits.
pub(crate) fn backorder(waiting: &Reservation) -> wire::Backorder {
    wire::Backorder {
        reservation: Some(reservation(waiting)),
        wait_time: waiting.backorder_time.map(timestamp),
        had_units: waiting.backorder_rank == SHORT_PICK_RANK,
    }
}

pub(crate) fn backorder_rules(rules: &BackorderRules) -> wire::BackorderRules {
    let BackorderRules { name: _, criteria, max_account_share_percent, hold_for_release: _, update_time, version } =
        rules;
    wire::BackorderRules {
        criteria: criteria.0.iter().map(|criterion| wire::BackorderCriterion::from(*criterion).into()).collect(),
        max_account_share_percent: max_account_share_percent
            .and_then(|percent| i32::try_from(percent).ok())
            .unwrap_or(0),
        hold_for_release: rules.hold_units(),
        etag: version.to_string(),
        update_time: (*version > 0).then(|| timestamp(*update_time)),
    }
}

/// Who gets the free units of an item.
pub(crate) fn backorder_release(sku: &str, free: i64, shares: &[Share]) -> wire::BackorderRelease {
    let share = |share: &Share| wire::BackorderShare {
        place: i32::try_from(share.place).unwrap_or(i32::MAX),
        order_id: share.waiting.key.0.to_string(),
        line_number: line_number(share.waiting.key.1),
        account_id: share.waiting.account_id.to_string(),
        waiting: share.waiting.units,
        released: share.units,
        had_units: share.waiting.had_units(),
        decided_by: share.decided_by.map_or(wire::BackorderCriterion::Unspecified, Into::into).into(),
        obstacle: share.obstacle.map_or(wire::BackorderObstacle::Unspecified, Into::into).into(),
    };
    wire::BackorderRelease { sku: sku.to_owned(), free, shares: shares.iter().map(share).collect() }
}

pub(crate) fn receipt(receipt: &ScheduledReceipt, now: Timestamp) -> wire::ScheduledReceipt {
    wire::ScheduledReceipt {
        receipt_number: receipt.receipt_number.clone(),
        sku: receipt.sku.clone(),
        location_id: receipt.location_id.to_string(),
        quantity: receipt.quantity,
        received: receipt.received,
        open: receipt.open(),
        expect_time: Some(timestamp(receipt.expect_time)),
        overdue: receipt.is_overdue(now),
        create_time: Some(timestamp(receipt.create_time)),
        update_time: Some(timestamp(receipt.update_time)),
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
        uncovers: movement.uncovers.unwrap_or_default(),
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
