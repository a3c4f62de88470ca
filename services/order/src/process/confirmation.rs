//! From a submitted order to a confirmed or rejected one.
//!
//! 1. `PlaceOrder` (`place.rs`) stores a valid order, SUBMITTED, and emits `order.submitted`. With `wait`, the answer is
//!    delayed until step 4 or 5 (`rpc/wait.rs`).
//! 2. The service follows its own log (`reactions.rs`): [`reserve`] calls inventory's `Reserve` for all goods. A call that
//!    fails is repeated until inventory answers; a repeat returns the first answer. An order without goods goes on with step 5.
//! 3. Inventory reserves what is available and backorders the rest (`services/inventory/src/process/reservation.rs`). For
//!    a FILL_OR_KILL order it refuses a shortage instead.
//! 4. Refused: [`ChangingOrder::reject`] cancels all units, `order.rejected`.
//! 5. Reserved: [`ChangingOrder::apply_reservations`] counts reserved and backordered units, and
//!    [`ChangingOrder::confirm`] confirms the order, `order.confirmed`. [`ChangingOrder::report_backorders`] emits
//!    `order.backordered`. What lines are promised follows (`process/promise.rs`).
//! 6. When stock arrives or a reservation expires, inventory emits `inventory.reserved` or
//!    `inventory.reservation_expired` with a newer version of the reservation: step 5 again.
//! 7. Units without stock are kept or cancelled as the fill policy says (`process/fill_policy.rs`).
//! 8. Reserved units are released (`process/release.rs`): a FILL_ALL order waits for all its units, others do not.

use std::{collections::HashMap, time::Duration};

use mesh::Channel;
use proto::{
    inventory::v1::{LineCountry, ReserveRequest, ShortagePolicy, inventory_service_client::InventoryServiceClient},
    order::v1::{
        FillPolicy, Order, OrderChangeConfirmed, OrderChangeEnded, OrderLine as OrderLineContract, OrderSubmitted,
    },
    types::v1::{ItemKind, LineQuantity},
};
use store::AnyCommand;
use types::{Fault, Reason, Timestamp};

use crate::{
    aggregate::ChangingOrder,
    events::PendingEvent,
    order::{OrderState, UnitTotals},
    order_line::{LineUnits, OrderLine},
    record::record,
    report::{OrderReport, ReservationSnapshot, read_reservations},
};

/// The longest time for which inventory reserves: ten years.
const MAX_EXPIRE_AFTER: Duration = Duration::from_secs(3_650 * 24 * 60 * 60);

/// Reserves the units of a submitted order for as long as `expire_after`; returns the command that records the answer.
pub(crate) async fn reserve(
    mut inventory: InventoryServiceClient<Channel>,
    expire_after: Duration,
    event_id: &str,
    submitted: OrderSubmitted,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let order = submitted.order.ok_or_else(|| Fault::internal("an event without its order"))?;
    let request = reserve_request(order, expire_after, event_id);
    let order_id = request.order_id.clone();
    if request.lines.is_empty() {
        return record(&order_id, OrderReport::Reserved(Vec::new()));
    }
    let report = match inventory.reserve(request).await.map_err(|status| mesh::fault(&status)) {
        Ok(reserved) => OrderReport::Reserved(read_reservations(&reserved.into_inner().reservations)),
        Err(fault) if fault.reason == Reason::InsufficientStock => OrderReport::ReservationRefused(fault.message),
        Err(fault) => return Err(fault),
    };
    record(&order_id, report)
}

/// Reserves what a change has added to an order, and for the places that it now goes to, for as long as its times ask for:
/// the totals of its lines are requested, so that a repeat reserves nothing twice.
pub(crate) async fn reserve_changed(
    inventory: InventoryServiceClient<Channel>,
    expire_after: Duration,
    event_id: &str,
    confirmed: OrderChangeConfirmed,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let change = confirmed.change.ok_or_else(|| Fault::internal("an event without its change"))?;
    let order = confirmed.order.ok_or_else(|| Fault::internal("an event without its order"))?;
    let is_goods = |number: i32| !order.lines.iter().any(|line| line.line_number == number && is_service(line));
    let mut grown = change.lines.iter().filter(|line| line.quantity_after > line.quantity_before);
    let grows = grown.any(|line| is_goods(line.line_number));
    if (!grows && change.ship_tos.is_empty() && change.times.is_none()) || order.lines.iter().all(is_service) {
        return Ok(Vec::new());
    }
    reserve_again(inventory, expire_after, event_id, order, !change.ship_tos.is_empty()).await
}

/// Reserves for the places that the order has once nodes have answered: the one before, or after a late acceptance the new one.
pub(crate) async fn reserve_for_place(
    inventory: InventoryServiceClient<Channel>,
    expire_after: Duration,
    event_id: &str,
    ended: OrderChangeEnded,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    match ended.order {
        Some(order) => reserve_again(inventory, expire_after, event_id, order, true).await,
        None => Ok(Vec::new()),
    }
}

async fn reserve_again(
    mut inventory: InventoryServiceClient<Channel>,
    expire_after: Duration,
    event_id: &str,
    order: Order,
    redirects: bool,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let mut request = reserve_request(order, expire_after, event_id);
    if request.lines.is_empty() {
        return Ok(Vec::new());
    }
    if redirects {
        // A FILL_OR_KILL order does not grow, and keeps what it has.
        request.set_shortage_policy(ShortagePolicy::Backorder);
    }
    let order_id = request.order_id.clone();
    let reserved = inventory.reserve(request).await.map_err(|status| mesh::fault(&status))?;
    record(&order_id, OrderReport::Reserved(read_reservations(&reserved.into_inner().reservations)))
}

fn is_service(line: &OrderLineContract) -> bool {
    line.item_kind() == ItemKind::Service
}

/// Asks for the units of all goods of an order, each for the place that it goes to.
fn reserve_request(mut order: Order, expire_after: Duration, event_id: &str) -> ReserveRequest {
    let shortage_policy = match order.fill_policy() {
        FillPolicy::FillOrKill => ShortagePolicy::Refuse,
        FillPolicy::Unspecified
        | FillPolicy::FillAll
        | FillPolicy::FillAllAvailable
        | FillPolicy::FillAvailableBackorder => ShortagePolicy::Backorder,
    };
    order.lines.retain(|line| !is_service(line));
    // The time to live of the reservation begins when its units may be released.
    let expire_after = (expire_after + until_release(&order)).min(MAX_EXPIRE_AFTER);
    let countries: HashMap<i32, String> = order
        .ship_to_groups
        .into_iter()
        .filter_map(|group| Some((group.ship_to_group, group.ship_to?.address?.country)))
        .collect();
    let elsewhere = order.lines.iter().filter_map(|line| {
        let country = countries.get(&line.ship_to_group)?.clone();
        Some(LineCountry { line_number: line.line_number, country })
    });
    let line_countries = elsewhere.collect();
    let lines = order.lines.into_iter().map(|line| LineQuantity {
        line_number: line.line_number,
        sku: line.sku,
        quantity: line.counters.unwrap_or_default().ordered,
    });
    ReserveRequest {
        request_id: format!("{event_id}:reserve"),
        order_id: order.order_id,
        account_id: order.account_id,
        ship_to_country: order.ship_to.and_then(|ship_to| ship_to.address).unwrap_or_default().country,
        lines: lines.collect(),
        shortage_policy: shortage_policy.into(),
        expire_after: Some(mesh::wire::duration(expire_after)),
        line_countries,
        priority: order.priority,
        promise_time: order.requested_ship_time,
    }
}

/// From the placing of an order, or its change, to the time from which its units may be released.
fn until_release(order: &Order) -> Duration {
    let [release_time, update_time] =
        [&order.release_time, &order.update_time].map(|time| time.as_ref().and_then(mesh::wire::from_timestamp));
    match (release_time, update_time) {
        (Some(release_time), Some(update_time)) => release_time.since(update_time),
        _ => Duration::ZERO,
    }
}

impl ChangingOrder {
    /// Counts the units that inventory reserved and backordered.
    pub(crate) fn apply_reservations(&mut self, reservations: &[ReservationSnapshot]) {
        for reservation in reservations {
            self.with_line(reservation.line_number, |line| line.apply_reservation(reservation));
        }
    }

    /// Rejects an order whose fill policy could not be met.
    pub(crate) fn reject(&mut self, reason: &str, now: Timestamp) {
        if self.order.state != OrderState::Submitted {
            return;
        }
        self.order.state = OrderState::Rejected;
        self.order.close_time = Some(now);
        reason.clone_into(&mut self.order.reason);
        for line in &mut self.lines {
            line.cancel_unreleased();
        }
        self.pending.push(PendingEvent::Rejected);
    }

    /// Confirms an order whose goods are all reserved or backordered.
    pub(crate) fn confirm(&mut self) {
        let is_decided = UnitTotals::of_goods(&self.lines).unallocated == 0;
        let is_wanted = !UnitTotals::of(&self.lines).all_cancelled();
        // An order without goods has nothing to wait for, but it is stored as it was placed.
        if self.order.state == OrderState::Submitted && self.order.version > 0 && is_decided && is_wanted {
            self.order.state = OrderState::Confirmed;
            self.pending.push(PendingEvent::Confirmed);
        }
    }

    /// Reports all backordered units of a confirmed order when a line has more of them than before.
    pub(crate) fn report_backorders(&mut self, before: &HashMap<i64, i64>) {
        let before = |line: &OrderLine| before.get(&line.line_number).copied().unwrap_or_default();
        let grown = self.lines.iter().any(|line| line.backordered > before(line));
        if grown && self.order.state == OrderState::Confirmed {
            let backordered = self.lines.iter().filter(|line| line.backordered > 0);
            let units = |line: &OrderLine| LineUnits { line_number: line.line_number, quantity: line.backordered };
            self.pending.push(PendingEvent::Backordered(backordered.map(units).collect()));
        }
    }
}
