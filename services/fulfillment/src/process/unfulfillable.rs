//! No node has some units: they are returned to the order.
//!
//! 1. A node comes up short and inventory has no other units for the order: the reservation is backordered
//!    (`deallocate_short`, `process/short_pick.rs`).
//! 2. [`units_returned_to_order`] decides which deallocated units the order waits for; the release counts them as returned to the order
//!    (`release/aggregate.rs`).
//! 3. Saving the release emits `fulfillment.unfulfillable` with the units and the reservations
//!    (`release/aggregate/events.rs`).
//! 4. The order service takes the units back as backordered (`services/order/src/process/release.rs`).
//! 5. Stock comes in: inventory fills the backorder, the order releases the units under a new release number, and they are
//!    routed as any release (`AcceptRelease`, `process/routing.rs`).

use proto::{fulfillment::v1::FulfillmentUnfulfillable, types::v1::LineQuantity};

use super::deallocation::RecordDeallocation;
use crate::release::Release;

/// Of deallocated units, those that the order waits for, and the key of their event. A cancelled order waits for none.
///
/// Inventory fills backorders first from whatever is free. So when a line has backordered units, nothing was free for those
/// that were deallocated: the lesser of both is backordered because of them. If that were ever too many, the order would find
/// units reserved that it has back, and release them again.
pub(crate) fn units_returned_to_order(
    deallocated: &[LineQuantity],
    deallocation: &RecordDeallocation,
    release: &Release,
) -> Option<(FulfillmentUnfulfillable, String)> {
    let reservations = deallocation.reservations_after_short.as_ref().filter(|_| release.cancel_time.is_none())?;
    let returned = |unit: &LineQuantity| {
        let reservation = reservations.iter().find(|reservation| reservation.line_number == unit.line_number);
        let quantity = unit.quantity.min(reservation.map_or(0, |reservation| reservation.backordered));
        (quantity > 0).then(|| LineQuantity { quantity, ..unit.clone() })
    };
    let lines: Vec<_> = deallocated.iter().filter_map(returned).collect();
    let (order_id, reservations) = (release.order_id.to_string(), reservations.clone());
    let payload = FulfillmentUnfulfillable { order_id, lines, reservations };
    (!payload.lines.is_empty()).then(|| (payload, deallocation.event_id.clone()))
}
