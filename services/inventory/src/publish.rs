//! Saves what a decision on the ledger changed, and tells the facts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proto::{
    event::v1::{ExceptionOpened, ExceptionResolved},
    inventory::v1::{DriftDetected, ReservationsChanged, ShortfallDetected, StockChanged, StockConsumed},
};
use store::{Context, NewEvent, Rows, Task};
use types::{Fault, Id as _, OrderId};

use crate::{
    expire::EXPIRE,
    ledger::{Change, Drift, Lack, LineKey, Outcome},
    movement::{Kind, Movement},
    promise::{Allocation, Reservation},
    stock::{Level, Stock},
    wire,
};

/// What `order` listens to: each image of a reservation that changes what waits has to be in one of them.
const RESERVED: &str = "inventory.reserved";
pub(crate) const RELEASED: &str = "inventory.reservation_released";
pub(crate) const EXPIRED: &str = "inventory.reservation_expired";
pub(crate) const ALLOCATED: &str = "inventory.allocated";
pub(crate) const DEALLOCATED: &str = "inventory.deallocated";

/// What a decision was about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About<'a> {
    /// Stock.
    Stock,
    /// Stock that came back from an order.
    Returned(&'a OrderId),
    /// Promises to an order, told under this type.
    Promises(&'a OrderId, &'static str),
    /// A shipment of an order.
    Shipment(&'a OrderId, &'a str),
}

impl<'a> About<'a> {
    /// A reservation of an order.
    pub(crate) fn reserving(order_id: &'a OrderId) -> Self {
        Self::Promises(order_id, RESERVED)
    }
}

/// Saves the changed rows and tells all that happened.
pub(crate) fn publish(outcome: Outcome, about: About<'_>, rows: &mut Rows, cx: &mut Context<'_>) {
    let Outcome { stock, levels, reservations, allocations, movements, served, lacks, drifts } = outcome;
    let stock: BTreeMap<String, Stock> =
        stock.into_iter().map(|change| rows.put(change.after)).map(|stock| (stock.sku.clone(), stock)).collect();
    let levels: BTreeMap<(String, String), Level> = levels
        .into_iter()
        .map(|change| rows.put(change.after))
        .map(|level| ((level.sku.clone(), level.location_id.to_string()), level))
        .collect();
    let allocations: Vec<Allocation> = allocations.into_iter().map(|change| rows.put(change.after)).collect();
    let reservations: Vec<Change<Reservation>> = reservations
        .into_iter()
        .map(|change| Change { before: change.before, after: rows.put(change.after) })
        .collect();
    for movement in &movements {
        rows.put(movement.clone());
    }

    schedule_expiry(&reservations, cx);
    tell_stock(&movements, &levels, &stock, about, cx);
    tell_promises(&reservations, &allocations, &served, about, cx);
    if let About::Shipment(order_id, shipment_id) = about {
        tell_consumed(order_id, shipment_id, &movements, cx);
        drifts.iter().for_each(|drift| tell_drift(drift, order_id, shipment_id, cx));
    }
    for lack in &lacks {
        let version = stock.get(&lack.sku).map_or(0, |stock| stock.version);
        tell_lack(lack, version, cx);
    }
}

/// One task for all lines of an order that expire together. One that finds nothing due does nothing.
fn schedule_expiry(reservations: &[Change<Reservation>], cx: &mut Context<'_>) {
    for Change { before, after } in reservations {
        if let Some(due) = after.expire_time
            && before.as_ref().and_then(|before| before.expire_time) != Some(due)
        {
            cx.schedule(Task::new(EXPIRE, format!("{}@{}", after.order_id, due.as_micros()), due));
        }
    }
}

fn tell_stock(
    movements: &[Movement],
    levels: &BTreeMap<(String, String), Level>,
    stock: &BTreeMap<String, Stock>,
    about: About<'_>,
    cx: &mut Context<'_>,
) {
    for movement in movements {
        let kind = match movement.kind {
            Kind::Received => "inventory.received",
            Kind::Adjusted => "inventory.adjusted",
            Kind::Restocked => "inventory.restocked",
            // Counts are told together; the others are promises.
            Kind::Counted | Kind::Reserved | Kind::Released | Kind::Allocated | Kind::Deallocated | Kind::Shipped => {
                continue;
            }
        };
        let level = levels.get(&(movement.sku.clone(), movement.location_id.clone()));
        let version = stock.get(&movement.sku).map_or(0, |stock| stock.version);
        let fact = StockChanged { movement: Some(wire::movement(movement)), level: level.map(wire::level) };
        let draft = NewEvent::untyped(kind, &movement.sku, version, movement.movement_number, &fact);
        let order = match about {
            About::Stock => None,
            About::Returned(order_id) | About::Promises(order_id, _) | About::Shipment(order_id, _) => Some(order_id),
        };
        let draft = draft.occurred(movement.occur_time, 0);
        cx.emit(match order {
            Some(order_id) => draft.order(order_id),
            None => draft,
        });
    }
}

/// One event per order, and a second one for the order decided about when its own is not one `order` listens to.
fn tell_promises(
    reservations: &[Change<Reservation>],
    allocations: &[Allocation],
    served: &BTreeSet<LineKey>,
    about: About<'_>,
    cx: &mut Context<'_>,
) {
    let (own, kind) = match about {
        About::Promises(order_id, kind) => (Some(order_id), kind),
        About::Shipment(order_id, _) => (Some(order_id), ""),
        About::Stock | About::Returned(_) => (None, ""),
    };
    let listened = matches!(kind, RESERVED | RELEASED | EXPIRED);
    let mut told: BTreeMap<(&OrderId, &'static str), Vec<&Reservation>> = BTreeMap::new();
    for Change { before, after } in reservations {
        if before.as_ref().is_some_and(|before| same_units(before, after)) {
            continue;
        }
        let is_own = own == Some(&after.order_id);
        if is_own && !kind.is_empty() {
            told.entry((&after.order_id, kind)).or_default().push(after);
        }
        let key = (after.order_id.clone(), after.line_number);
        let waits_less = before.as_ref().is_some_and(|before| before.backordered > after.backordered);
        if !is_own || (!listened && (served.contains(&key) || (kind.is_empty() && waits_less))) {
            told.entry((&after.order_id, RESERVED)).or_default().push(after);
        }
    }
    for ((order_id, kind), reservations) in told {
        let changed = allocations.iter().filter(|allocation| allocation.order_id == *order_id);
        let fact = ReservationsChanged {
            order_id: order_id.to_string(),
            reservations: reservations.iter().map(|reservation| wire::reservation(reservation)).collect(),
            allocations: changed.map(wire::allocation).collect(),
        };
        let Some(first) = reservations.first() else { continue };
        let key = format!("{}:{}", first.line_number, first.version);
        cx.emit(NewEvent::untyped(kind, order_id, first.version, key, &fact).order(order_id));
    }
}

fn same_units(one: &Reservation, other: &Reservation) -> bool {
    let units = |of: &Reservation| (of.requested, of.reserved, of.allocated, of.consumed, of.backordered, of.released);
    units(one) == units(other)
}

fn tell_consumed(order_id: &OrderId, shipment_id: &str, movements: &[Movement], cx: &mut Context<'_>) {
    let shipped: Vec<&Movement> = movements.iter().filter(|movement| movement.kind == Kind::Shipped).collect();
    let Some(first) = shipped.first() else { return };
    let fact = StockConsumed {
        order_id: order_id.to_string(),
        shipment_id: shipment_id.to_owned(),
        movements: shipped.iter().map(|movement| wire::movement(movement)).collect(),
    };
    let key = format!("{}:{}", first.sku, first.movement_number);
    let draft = NewEvent::untyped("inventory.consumed", shipment_id, 1, key, &fact);
    cx.emit(draft.order(order_id).occurred(first.occur_time, 0));
}

fn tell_drift(drift: &Drift, order_id: &OrderId, shipment_id: &str, cx: &mut Context<'_>) {
    let Drift { sku, location_id, quantity } = drift;
    let fact = DriftDetected {
        sku: sku.clone(),
        location_id: location_id.to_string(),
        quantity: *quantity,
        shipment_id: shipment_id.to_owned(),
    };
    let key = format!("{shipment_id}:{location_id}:{}", cx.now().as_micros());
    cx.emit(NewEvent::untyped("inventory.drift_detected", sku, 1, &key, &fact).order(order_id));
    let opened = ExceptionOpened {
        r#type: "STOCK_DRIFT".to_owned(),
        subject: shipment_id.to_owned(),
        order_id: order_id.to_string(),
        summary: format!("shipment {shipment_id} took {quantity} units of {sku} that {location_id} did not have"),
        facts: facts([("sku", sku), ("location_id", &location_id.to_string()), ("quantity", &quantity.to_string())]),
    };
    cx.emit(
        NewEvent::untyped("exception.opened", shipment_id, 1, format!("STOCK_DRIFT:{sku}:{key}"), &opened)
            .order(order_id),
    );
}

/// A lack that grows is a fact; its beginning opens an exception, its end resolves it.
fn tell_lack(lack: &Lack, version: i64, cx: &mut Context<'_>) {
    let Lack { sku, location_id, before, after, orders } = lack;
    let location = location_id.as_ref().map(|location_id| location_id.as_str().to_owned()).unwrap_or_default();
    let subject = if location.is_empty() { sku.clone() } else { format!("{sku}@{location}") };
    let key = format!("STOCK_SHORTFALL:{version}");
    if after > before {
        let fact = ShortfallDetected {
            sku: sku.clone(),
            location_id: location.clone(),
            shortfall: *after,
            order_ids: orders.iter().map(ToString::to_string).collect(),
        };
        let key = format!("{location}:{version}");
        cx.emit(NewEvent::untyped("inventory.shortfall_detected", sku, version, key, &fact));
    }
    if *before == 0 {
        let opened = ExceptionOpened {
            r#type: "STOCK_SHORTFALL".to_owned(),
            subject: subject.clone(),
            order_id: String::new(),
            summary: format!("{after} promised units of {subject} are not there"),
            facts: facts([("sku", sku), ("location_id", &location), ("shortfall", &after.to_string())]),
        };
        cx.emit(NewEvent::untyped("exception.opened", &subject, version, key, &opened));
    } else if *after == 0 {
        let resolved = ExceptionResolved {
            r#type: "STOCK_SHORTFALL".to_owned(),
            subject: subject.clone(),
            order_id: String::new(),
            summary: format!("all promised units of {subject} are there again"),
        };
        cx.emit(NewEvent::untyped("exception.resolved", &subject, version, key, &resolved));
    }
}

fn facts<const N: usize>(facts: [(&str, &str); N]) -> HashMap<String, String> {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The reservations of these lines as they are now; those that do not exist are absent.
pub(crate) fn images(
    rows: &Rows,
    lines: impl IntoIterator<Item = LineKey>,
) -> Result<Vec<proto::inventory::v1::Reservation>, Fault> {
    let mut images = Vec::new();
    for line in lines {
        images.extend(rows.get::<Reservation>(&line)?.map(wire::reservation));
    }
    Ok(images)
}
