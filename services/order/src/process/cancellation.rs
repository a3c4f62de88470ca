//! Cancellation of an order, at any time until all of it is shipped.
//!
//! 1. `CancelOrder` (`cancel.rs`): [`ChangingOrder::cancel`] stores the time of the request and cancels units that are not
//!    at nodes at once, `order.line_cancelled`. Of some lines or quantities: [`ChangingOrder::cancel_lines`] counts the units that
//!    nodes are to stop, and the rest of the order goes on. A change of the order does the same (`process/change.rs`).
//! 2. The service follows its own log (`reactions.rs`): [`release_reservation`] calls inventory's `Release`, and inventory
//!    emits what is left of the reservations, `inventory.reservation_released`.
//! 3. Units at nodes: `order.cancel_requested`. Fulfillment asks the nodes to cancel what they did not ship
//!    (`services/fulfillment/src/process/cancellation.rs`).
//! 4. Cancelled in time: `fulfillment.cancelled`, and the units count as cancelled. Refused by a node: the units stay
//!    released, `fulfillment.cancellation_rejected`. Returned to the order (`fulfillment.unfulfillable`): cancelled as in 1,
//!    because the request stays; of a line of which some units were to be stopped, those that nodes cannot stop any more.
//! 5. Shipped all the same (`services/fulfillment/src/process/shipment_after_cancellation.rs`): the units count as
//!    shipped, and [`ChangingOrder::lose_cancellation`] emits `order.cancel_lost` and opens the exception CANCEL_LOST.
//!    The goods may come back as a return.
//! 6. A shipment is taken back: its node has the units again, and is asked again as in 3 (`process/closing.rs`).
//! 7. When every unit is cancelled and none is shipped, the order is CANCELLED, `order.cancelled` (`process/closing.rs`).
//!    A later shipment of such an order reopens it as in 5.

use mesh::Channel;
use proto::{
    event::v1::ExceptionType,
    inventory::v1::{ReleaseRequest, inventory_service_client::InventoryServiceClient},
    order::v1::OrderLinesCancelled,
};
use types::{Fault, Reason, ShipmentId, Timestamp};

use crate::{
    aggregate::ChangingOrder,
    events::{PendingEvent, ShipmentException},
    order::UnitTotals,
    order_line::{LineUnits, OrderLine},
};

/// Releases the reservations of cancelled units.
pub(crate) async fn release_reservation(
    mut inventory: InventoryServiceClient<Channel>,
    event_id: &str,
    cancelled: OrderLinesCancelled,
) -> Result<(), Fault> {
    let OrderLinesCancelled { order_id, lines, .. } = cancelled;
    let request = ReleaseRequest { request_id: format!("{event_id}:release"), order_id, lines };
    match inventory.release(request).await.map_err(|status| mesh::fault(&status)) {
        // Units that were never reserved have no reservation to release.
        Err(fault) if fault.reason != Reason::NotFound => Err(fault),
        Ok(_) | Err(_) => Ok(()),
    }
}

impl ChangingOrder {
    /// Cancels what is open: units that are not at nodes at once, the others if their nodes can still stop them.
    pub(crate) fn cancel(&mut self, reason: &str, now: Timestamp) {
        reason.clone_into(&mut self.order.reason);
        self.order.cancel_time = Some(now);
        self.cancel_services();
        self.cancel_unreleased();
        if UnitTotals::of(&self.lines).released > 0 {
            self.pending.push(PendingEvent::CancelRequested(Vec::new()));
        }
    }

    /// Cancels units of some lines: those that are not at nodes at once, the others if their nodes can still stop them. At most what
    /// is open and was not asked for before.
    pub(crate) fn cancel_lines(&mut self, units: &[LineUnits], reason: &str) {
        reason.clone_into(&mut self.order.reason);
        let (mut cancelled, mut requested) = (Vec::new(), Vec::new());
        for LineUnits { line_number, quantity } in units.iter().copied() {
            self.with_line(line_number, |line| {
                let units = line.cancel(quantity);
                cancelled.push(LineUnits { line_number, quantity: units.at_once });
                requested.push(LineUnits { line_number, quantity: units.requested });
            });
        }
        self.report_cancelled(cancelled, requested);
    }

    /// Emits which units of lines are cancelled, and which nodes are to stop.
    pub(crate) fn report_cancelled(&mut self, mut cancelled: Vec<LineUnits>, mut requested: Vec<LineUnits>) {
        for units in [&mut cancelled, &mut requested] {
            units.retain(|units| units.quantity > 0);
        }
        if !cancelled.is_empty() {
            self.pending.push(PendingEvent::LinesCancelled(cancelled));
        }
        if !requested.is_empty() {
            self.pending.push(PendingEvent::CancelRequested(requested));
        }
    }

    /// Cancels the units of goods that are not at nodes.
    pub(crate) fn cancel_unreleased(&mut self) {
        let cancelled =
            self.units_of_each(|line| if line.is_service() { 0 } else { OrderLine::cancel_unreleased(line) });
        if !cancelled.is_empty() {
            self.pending.push(PendingEvent::LinesCancelled(cancelled));
        }
    }

    /// Reports units that were shipped although their cancellation had been requested.
    pub(crate) fn lose_cancellation(&mut self, shipment_id: &ShipmentId, units: &[LineUnits]) {
        self.pending.push(PendingEvent::CancelLost(shipment_id.clone(), units.to_vec()));
        self.open_exception(ShipmentException {
            exception_type: ExceptionType::CancelLost,
            subject: self.order.order_id.to_string(),
            summary: "shipped although its cancellation had been requested",
            shipment_id: shipment_id.clone(),
            units: units.to_vec(),
        });
    }
}
