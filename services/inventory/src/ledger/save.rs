//! Writes the rows that a decision changed, and emits their events.

use std::collections::BTreeMap;

use store::{Context, Rows, Task};
use types::{Fault, OrderId};

use super::{Change, Ledger, outcome::Outcome};
use crate::{
    events,
    expire::EXPIRE,
    process::reservation::{ReservationEvent, emit_reservations},
    reservation::{Allocation, Reservation},
    stock::{Level, Location, Stock},
};

/// Why the ledger changes; it decides which events are emitted.
#[derive(Debug)]
pub(crate) enum Cause<'a> {
    /// Units on hand were received or corrected.
    Stock,
    /// A location was counted; the location has the time of the count.
    Count(Location),
    /// Units of a return of the order can be sold again.
    Restock(&'a OrderId),
    /// Reservations of the order change.
    Reservation(&'a OrderId, ReservationEvent),
    /// Units left with a shipment of the order.
    Shipment(&'a OrderId, &'a str),
}

impl Cause<'_> {
    /// The order that the change is about.
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::Stock | Self::Count(_) => None,
            Self::Restock(order_id) | Self::Reservation(order_id, _) | Self::Shipment(order_id, _) => Some(order_id),
        }
    }
}

impl Ledger {
    /// Fills backorders, writes all changed rows, schedules the expiry of reservations and emits all events.
    pub(crate) fn save(self, cause: &Cause<'_>, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Outcome { stock, levels, reservations, allocations, movements, filled, shortfalls, drifts } =
            self.finish()?;
        for change in stock {
            rows.put(change.after);
        }
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
        if let Cause::Count(location) = cause {
            events::emit_snapshot(&rows.put(location.clone()), &movements, cx);
        }
        for movement in &movements {
            let level = levels.get(&(movement.sku.clone(), movement.location_id.clone()));
            let version = rows.get::<Stock>(&movement.sku)?.map_or(0, |stock| stock.version);
            events::emit_stock_change(movement, level, version, cause.order_id(), cx);
        }
        emit_reservations(cause, &reservations, &allocations, &filled, cx);
        if let Cause::Shipment(order_id, shipment_id) = cause {
            events::emit_consumed(order_id, shipment_id, &movements, cx);
            for ((sku, location_id), quantity) in &drifts {
                events::emit_drift(sku, location_id, *quantity, (order_id, shipment_id), cx);
            }
        }
        for shortfall in &shortfalls {
            shortfall.emit(rows.get::<Stock>(&shortfall.sku)?.map_or(0, |stock| stock.version), cx);
        }
        Ok(())
    }
}

/// Schedules one task for all lines of an order that expire together.
fn schedule_expiry(reservations: &[Change<Reservation>], cx: &mut Context<'_>) {
    for Change { before, after } in reservations {
        if let Some(due) = after.expire_time
            && before.as_ref().and_then(|before| before.expire_time) != Some(due)
        {
            cx.schedule(Task::new(EXPIRE, format!("{}@{}", after.order_id, due.as_micros()), due));
        }
    }
}
