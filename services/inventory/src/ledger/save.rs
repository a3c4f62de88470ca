//! Writes the rows that a decision changed, and emits their events.

use std::collections::BTreeMap;

use store::{Context, Rows};
use types::{AccountId, Fault, Id as _, OrderId};

use super::{Change, Ledger, outcome::Outcome};
use crate::{
    events,
    expire::expiry,
    movement::{Movement, MovementKind},
    process::reservation::{ReservationEvent, emit_reservations},
    reservation::{Allocation, Reservation},
    scheduled_receipt::{ScheduledReceipt, overdue},
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
    Restock(&'a OrderId, &'a AccountId),
    /// Reservations of the order change.
    Reservation(&'a OrderId, ReservationEvent),
    /// Units left with a shipment of the order, of this account where it is known.
    Shipment(&'a OrderId, &'a str, Option<&'a AccountId>),
}

impl Cause<'_> {
    /// The order that the change is about.
    pub(crate) fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::Stock | Self::Count(_) => None,
            Self::Restock(order_id, _) | Self::Reservation(order_id, _) | Self::Shipment(order_id, ..) => {
                Some(order_id)
            }
        }
    }

    /// The account that a movement is of: that of the order whose reservation it changes, or that of the change.
    fn account_of(&self, movement: &Movement, accounts: &BTreeMap<&str, &AccountId>) -> Option<AccountId> {
        let of_order = |order_id: &str| accounts.get(order_id).copied();
        let account = match (movement.kind, self) {
            (MovementKind::Received | MovementKind::Counted, _) | (MovementKind::Adjusted, Self::Stock) => None,
            (_, Self::Restock(_, account_id)) if movement.kind == MovementKind::Restocked => Some(*account_id),
            (_, Self::Shipment(order_id, _, account_id)) if movement.kind == MovementKind::Shipped => {
                account_id.or_else(|| of_order(order_id.as_str()))
            }
            _ => of_order(&movement.reference),
        };
        account.cloned()
    }
}

impl Ledger {
    /// Fills and dates backorders, writes all changed rows, schedules the expiry of reservations and emits all events.
    pub(crate) fn save(self, cause: &Cause<'_>, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let outcome = self.finish()?;
        let Outcome { stock, levels, reservations, allocations, receipts, mut movements, .. } = outcome;
        let Outcome { filled, shortfalls, drifts, .. } = outcome;
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
        let accounts = reservations.iter().map(|change| (change.after.order_id.as_str(), &change.after.account_id));
        let accounts: BTreeMap<&str, &AccountId> = accounts.collect();
        for movement in &mut movements {
            movement.account_id = cause.account_of(movement, &accounts);
            rows.put(movement.clone());
        }

        schedule_expiry(&reservations, cx);
        for change in receipts {
            save_receipt(change, rows, cx);
        }
        if let Cause::Count(location) = cause {
            events::emit_snapshot(&rows.put(location.clone()), &movements, cx);
        }
        for movement in &movements {
            let level = levels.get(&(movement.sku.clone(), movement.location_id.clone()));
            let version = rows.get::<Stock>(&movement.sku)?.map_or(0, |stock| stock.version);
            events::emit_stock_change(movement, level, version, cause.order_id(), cx);
        }
        emit_reservations(cause, &reservations, &allocations, &filled, cx);
        if let Cause::Shipment(order_id, shipment_id, _) = cause {
            let account_id = movements.iter().find_map(|movement| movement.account_id.as_ref());
            let of = events::OfShipment { order_id, shipment_id, account_id };
            events::emit_consumed(of, &movements, cx);
            for ((sku, location_id), quantity) in &drifts {
                events::emit_drift(sku, location_id, *quantity, of, cx);
            }
        }
        for shortfall in &shortfalls {
            shortfall.emit(rows.get::<Stock>(&shortfall.sku)?.map_or(0, |stock| stock.version), cx);
        }
        Ok(())
    }
}

/// Writes a receipt, schedules the task for when it is overdue, and emits what was scheduled.
fn save_receipt(Change { before, after }: Change<ScheduledReceipt>, rows: &mut Rows, cx: &mut Context<'_>) {
    let receipt = rows.put(after);
    let scheduled = |receipt: &ScheduledReceipt| (receipt.quantity, receipt.expect_time);
    let known = before.as_ref().filter(|before| before.expected_sku.is_some()).map(|before| before.expect_time);
    if receipt.expected_sku.is_some() && known != Some(receipt.expect_time) {
        cx.schedule(overdue(&receipt));
    }
    let unscheduled = (0, receipt.expect_time);
    if before.as_ref().map_or(unscheduled, scheduled) != scheduled(&receipt) {
        events::emit_receipt(&receipt, cx);
    }
}

/// Schedules one task for all lines of an order that expire together.
fn schedule_expiry(reservations: &[Change<Reservation>], cx: &mut Context<'_>) {
    for Change { before, after } in reservations {
        if let Some(due) = after.expire_time
            && before.as_ref().and_then(|before| before.expire_time) != Some(due)
        {
            cx.schedule(expiry(after, due));
        }
    }
}
