//! A node ships units that it is no longer to ship: after its cancellation was asked for, after it rejected, or beyond the
//! quantity. Goods that left have left, so the shipment always wins.
//!
//! 1. `RecordShipment` (`report/packages.rs`), or a tracking report that implies a departure (`report/tracking.rs`), makes
//!    packages leave (`aggregate/packages.rs`).
//! 2. [`ship`] counts the units as shipped; the request state becomes ACCEPTED, or CANCELLATION_REJECTED after a cancellation
//!    was asked for (`fulfillment_order.rs`): `fulfillment.accepted` or `fulfillment.cancellation_rejected`. A node that ships a
//!    part has not answered yet: it stays CANCELLATION_REQUESTED, and may stop the rest.
//! 3. Units that were withdrawn or short are reclaimed: from the pending deallocation, else from the unrouted, planned or
//!    cancelled units of the release (`fulfillment_order/line.rs`, `release.rs`). Those that are assigned to another node, or were
//!    returned to the order, are too many here.
//!    Units that the order had cancelled without cancelling all of it are too many as well.
//! 4. `shipment.shipped` says `cancellation_lost` when the order had been cancelled. Inventory consumes the units. The order
//!    service counts them as shipped, emits `order.cancel_lost` and opens the exception CANCEL_LOST
//!    (`services/order/src/process/cancellation.rs`).
//! 5. Units that are too many: `shipment.shipped` and `shipment.over_shipped` say so (`aggregate/events/shipments.rs`), and other
//!    nodes are stopped from shipping them again (`process/faster_node.rs`).

use proto::types::v1::LineQuantity;
use types::Timestamp;

use crate::{fulfillment_order::FulfillmentOrder, release::ReleaseAggregate, wire::count};

/// What is unexpected about units that left.
#[derive(Debug)]
pub(crate) struct ShipmentOutcome {
    /// Whether they left against the order's cancellation.
    pub(crate) cancellation_lost: bool,
    /// Units beyond what was to be shipped.
    pub(crate) over_shipped: Vec<LineQuantity>,
}

/// Counts units that left their node.
pub(crate) fn ship(
    order: &mut FulfillmentOrder,
    release: &mut ReleaseAggregate,
    left: &[LineQuantity],
    at: Timestamp,
) -> ShipmentOutcome {
    let cancellation_lost = release.is_cancelled();
    order.header.accept_time.get_or_insert(at);
    let mut over_shipped = Vec::new();
    for reclaimed in order.ship(left) {
        let from_release = release.reclaim(reclaimed.line_number, reclaimed.deallocated, reclaimed.beyond);
        // The order has counted these as cancelled: it has others instead, or has none too many.
        let cancelled = if cancellation_lost { 0 } else { reclaimed.cancelled };
        let beyond = reclaimed.deallocated - from_release + reclaimed.beyond;
        order.lose(reclaimed.line_number, cancelled);
        order.ship_beyond(reclaimed.line_number, beyond);
        if beyond + cancelled > 0 {
            let (line_number, quantity) = (count(reclaimed.line_number), beyond + cancelled);
            over_shipped.push(LineQuantity { line_number, sku: reclaimed.sku, quantity });
        }
    }
    ShipmentOutcome { cancellation_lost, over_shipped }
}
