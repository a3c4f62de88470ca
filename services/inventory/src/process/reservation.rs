//! Units of an order line, from the reservation to the shipment.
//!
//! 1. **Reserve** (`reserve.rs`): the order service calls it for `order.submitted`
//!    (`services/order/src/process/confirmation.rs`). Available units are reserved over all locations; the others are
//!    backordered, or the call is refused with `INSUFFICIENT_STOCK`. A repeat with other totals or other countries changes what
//!    is there (`ledger/redirection.rs`). Emits `inventory.reserved`.
//! 2. **Fill backorders** (`ledger/backorders.rs`): every command that frees units reserves them for backorders, those
//!    of short picks first, then by the rules (`backorder.rs`), by default in the order in which they began; or they wait for
//!    a release (`release_backorders.rs`). Emits `inventory.reserved` for each of these orders. What scheduled receipts are
//!    expected to fill is dated (`scheduled_receipt.rs`): `inventory.backorder_dated`.
//! 3. **Expire** (`expire.rs`): a task at the expire time releases reserved units, or backorders them at the end of the
//!    queue. They stay reserved while the order is on hold (`record_open_holds.rs`, for `order.hold_placed` and
//!    `order.hold_released`) or has allocated units. Emits `inventory.reservation_expired`.
//! 4. **Release** (`release.rs`): order and fulfillment call it for cancelled units that are not allocated. Emits
//!    `inventory.reservation_released`.
//! 5. **Allocate** (`allocate.rs`): fulfillment calls it for a routing decision
//!    (`services/fulfillment/src/process/routing.rs`), under an allocation key that has one answer. Reserved units
//!    become allocated units of locations. Emits `inventory.allocated`.
//! 6. **Deallocate** (`deallocate.rs`): fulfillment calls it when a node rejects, runs out of time, is cancelled or
//!    does not find units (`services/fulfillment/src/process/deallocation.rs`). The policy says whether the units are
//!    released, reserved again or missing (`process/short_pick.rs`). Emits `inventory.deallocated`.
//! 7. **Consume** (`consume.rs`): follows `shipment.shipped` (`reactions.rs`), and can be called. Nothing is refused:
//!    the units have left. Emits `inventory.consumed`; units that were not on hand are drift (`events.rs`).
//!
//! `Ledger::save` (`ledger/save.rs`) writes and emits all of it. This file decides which event carries a changed
//! reservation.

use std::collections::{BTreeMap, BTreeSet};

use proto::{events::InventoryEvent, inventory::v1::ReservationsChanged};
use store::{Context, NewEvent};
use types::OrderId;

use crate::{
    ledger::{Cause, Change},
    reservation::{Allocation, LineKey, Reservation},
    wire,
};

/// An event with reservations of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ReservationEvent {
    Allocated,
    Deallocated,
    Expired,
    Released,
    Reserved,
    /// Priority or promise of a line changed.
    Updated,
    /// Units are expected at another time.
    Dated,
}

impl ReservationEvent {
    fn event(self) -> fn(ReservationsChanged) -> InventoryEvent {
        match self {
            Self::Allocated => InventoryEvent::InventoryAllocated,
            Self::Deallocated => InventoryEvent::InventoryDeallocated,
            Self::Expired => InventoryEvent::InventoryReservationExpired,
            Self::Released => InventoryEvent::InventoryReservationReleased,
            Self::Reserved => InventoryEvent::InventoryReserved,
            Self::Updated => InventoryEvent::InventoryBackorderUpdated,
            Self::Dated => InventoryEvent::InventoryBackorderDated,
        }
    }

    /// Whether followers read from it that a backorder was reduced; see `ReservationsChanged` in the contract.
    fn reports_backorders(self) -> bool {
        matches!(self, Self::Expired | Self::Released | Self::Reserved)
    }
}

/// Emits the changed reservations, in one event of each type for each order: in that of their own order's command, if
/// it has one, and in `inventory.reserved` when another order's command changed them, or when their own event does not
/// report that their backorder was reduced. Those that are expected at another time are in an event of their own too.
pub(crate) fn emit_reservations(
    cause: &Cause<'_>,
    reservations: &[Change<Reservation>],
    allocations: &[Allocation],
    filled: &BTreeSet<LineKey>,
    cx: &mut Context<'_>,
) {
    let own_event = match cause {
        Cause::Reservation(_, event) => Some(*event),
        Cause::Stock | Cause::Count(_) | Cause::Restock(..) | Cause::Shipment(..) => None,
    };
    let mut events: BTreeMap<(&OrderId, ReservationEvent), Vec<&Reservation>> = BTreeMap::new();
    for Change { before, after } in reservations {
        let expected = before.as_ref().and_then(|before| before.backorder_expect_time);
        if after.backordered > 0 && expected != after.backorder_expect_time {
            events.entry((&after.order_id, ReservationEvent::Dated)).or_default().push(after);
        }
        if before.as_ref().is_some_and(|before| before.is_told_as(after)) {
            continue;
        }
        let is_own = cause.order_id() == Some(&after.order_id);
        let reduced = before.as_ref().is_some_and(|before| before.backordered > after.backordered);
        let reduced = reduced || filled.contains(&after.key());
        let own_event = own_event.filter(|_| is_own);
        let reported = own_event.is_some_and(ReservationEvent::reports_backorders);
        let reserved = !is_own || (reduced && !reported);
        for event in own_event.into_iter().chain(reserved.then_some(ReservationEvent::Reserved)) {
            events.entry((&after.order_id, event)).or_default().push(after);
        }
    }
    for ((order_id, event), reservations) in events {
        let changed = allocations.iter().filter(|allocation| allocation.order_id == *order_id);
        let payload = ReservationsChanged {
            order_id: order_id.to_string(),
            reservations: reservations.iter().map(|reservation| wire::reservation(reservation)).collect(),
            allocations: changed.map(wire::allocation).collect(),
        };
        let Some(first) = reservations.first() else { continue };
        let key = format!("{}:{}", first.line_number, first.version);
        cx.emit(
            NewEvent::new(event.event()(payload), order_id, first.version, key)
                .order(order_id)
                .account(&first.account_id),
        );
    }
}
