//! From the shipment of units to a closed order, and reopening.
//!
//! 1. `shipment.shipped`: [`ChangingOrder::ship`] counts the units as shipped, first those at nodes, then others that
//!    are wanted. The rest is over-shipped: exception OVER_SHIPPED. When the order was cancelled, what is
//!    within the ordered units is CANCEL_LOST instead (`process/cancellation.rs`), and the rest OVER_SHIPPED. When a node
//!    ships what it was no longer to ship, and the units are released to be shipped by another one: `order.release_superseded`,
//!    and fulfillment stops the other one (`services/fulfillment/src/process/faster_node.rs`).
//! 2. `shipment.partially_delivered` and `shipment.delivered`: [`ChangingOrder::deliver`] counts the units as
//!    delivered. Units delivered before they are reported shipped are kept until they are.
//!    `shipment.departure_retracted` and `shipment.delivery_retracted` take such units back: [`ChangingOrder::unship`],
//!    [`ChangingOrder::undeliver`].
//!    `shipment.written_off` cancels units that do not reach the customer: [`ChangingOrder::write_off`];
//!    `inventory.replacement_reserved` ships others for them: [`ChangingOrder::replace`].
//!    When nothing is over-shipped any more, OVER_SHIPPED is resolved.
//! 3. All of them change what the customer owes (`process/settlement.rs`).
//! 4. [`ChangingOrder::close_or_reopen`] after every change: CANCELLED when every unit is cancelled and none is
//!    shipped, `order.cancelled`; CLOSED when nothing is open and all shipped units are delivered, `order.closed`.
//! 5. A later shipment, or one that is taken back, makes a closed or cancelled order CONFIRMED again; it is closed again as in 4.
//! 6. A return does not reopen an order: it moves the counters of returned units (`process/returned_units.rs`).

use proto::event::v1::ExceptionType;
use types::{ShipmentId, Timestamp};

use crate::{
    aggregate::ChangingOrder,
    events::{PendingEvent, ShipmentException},
    order::{OrderState, UnitTotals},
    order_line::{LineUnits, OrderLine},
    process::settlement::Cause,
    report::ReservationSnapshot,
};

impl ChangingOrder {
    /// Counts shipped units. `beyond` of them were not to be shipped by their node any more; `cancellation_lost`: the order had
    /// been cancelled.
    pub(crate) fn ship(
        &mut self,
        shipment_id: &ShipmentId,
        units: &[LineUnits],
        beyond: &[LineUnits],
        cancellation_lost: bool,
        now: Timestamp,
    ) {
        // The request for cancellation counts, even when it had not reached the node. Of lines of which only some units were to be
        // stopped, those count.
        let asked_by_line = self.lines.iter().any(|line| line.cancel_requested > 0);
        let cancelled = (cancellation_lost && !asked_by_line) || self.order.cancel_time.is_some();
        let (mut over_shipped, mut lost, mut superseded) = (Vec::new(), Vec::new(), Vec::new());
        for LineUnits { line_number, quantity } in units.iter().copied() {
            let beyond = beyond.iter().find(|beyond| beyond.line_number == line_number);
            let beyond = beyond.map_or(0, |beyond| beyond.quantity);
            self.with_line(line_number, |line| {
                let shipped = line.ship(quantity, beyond);
                let too_many =
                    if cancelled { (line.shipped - line.ordered).clamp(0, quantity) } else { shipped.over_shipped };
                over_shipped.push(LineUnits { line_number, quantity: too_many });
                let quantity = if cancelled { quantity - too_many } else { shipped.cancel_lost };
                lost.push(LineUnits { line_number, quantity });
                superseded.push(LineUnits { line_number, quantity: shipped.superseded });
            });
        }
        for units in [&mut over_shipped, &mut lost, &mut superseded] {
            units.retain(|units| units.quantity > 0);
        }
        if !superseded.is_empty() {
            self.pending.push(PendingEvent::ReleaseSuperseded(shipment_id.clone(), superseded));
        }
        if !lost.is_empty() {
            self.lose_cancellation(shipment_id, &lost);
        }
        if !over_shipped.is_empty() {
            self.open_exception(ShipmentException {
                exception_type: ExceptionType::OverShipped,
                subject: self.order.order_id.to_string(),
                summary: "more units were shipped than were wanted",
                shipment_id: shipment_id.clone(),
                units: over_shipped,
            });
        }
        self.settle(Cause::Shipment(shipment_id), now);
    }

    /// Counts delivered units.
    pub(crate) fn deliver(&mut self, shipment_id: &ShipmentId, units: &[LineUnits], now: Timestamp) {
        self.each_of(units, OrderLine::deliver);
        self.settle(Cause::Shipment(shipment_id), now);
    }

    /// Takes back units that were counted as shipped: they are at their nodes again. Those of a cancelled order can be stopped now.
    pub(crate) fn unship(&mut self, shipment_id: &ShipmentId, units: &[LineUnits], now: Timestamp) {
        self.each_of_shipped(units, OrderLine::unship);
        if self.order.cancel_time.is_some() {
            self.pending.push(PendingEvent::CancelRequested(Vec::new()));
        }
        self.settle(Cause::Shipment(shipment_id), now);
    }

    /// Units that were shipped do not reach the customer: they are cancelled.
    pub(crate) fn write_off(&mut self, shipment_id: &ShipmentId, units: &[LineUnits], now: Timestamp) {
        self.each_of_shipped(units, OrderLine::write_off);
        self.settle(Cause::WriteOff(shipment_id), now);
    }

    /// Units that were shipped do not reach the customer: they are reserved again, as the snapshots say, and released.
    pub(crate) fn replace(
        &mut self,
        shipment_id: &ShipmentId,
        units: &[LineUnits],
        reservations: &[ReservationSnapshot],
        now: Timestamp,
    ) {
        self.each_of_shipped(units, OrderLine::replace);
        self.apply_reservations(reservations);
        self.settle(Cause::WriteOff(shipment_id), now);
    }

    /// Takes back units that were counted as delivered.
    pub(crate) fn undeliver(&mut self, shipment_id: &ShipmentId, units: &[LineUnits], now: Timestamp) {
        self.each_of(units, OrderLine::undeliver);
        self.settle(Cause::Shipment(shipment_id), now);
    }

    /// Takes shipped units back. When none is too many any more, OVER_SHIPPED is resolved.
    fn each_of_shipped(&mut self, units: &[LineUnits], step: impl Fn(&mut OrderLine, i64)) {
        let were_too_many = self.any_too_many();
        self.each_of(units, step);
        if were_too_many && !self.any_too_many() {
            self.pending.push(PendingEvent::OverShippedResolved);
        }
    }

    /// Whether OVER_SHIPPED is open: what a cancelled order did not want any more is CANCEL_LOST.
    fn any_too_many(&self) -> bool {
        let cancelled = self.order.cancel_time.is_some();
        self.lines.iter().any(|line| line.over_shipped > 0 && (!cancelled || line.shipped > line.ordered))
    }

    /// Opens an exception.
    pub(crate) fn open_exception(&mut self, exception: ShipmentException) {
        self.pending.push(PendingEvent::Exception(exception));
    }

    /// Closes or cancels an order of which nothing is open, and reopens one of which units are open or under way.
    pub(crate) fn close_or_reopen(&mut self, now: Timestamp) {
        let totals = UnitTotals::of(&self.lines);
        let before = self.order.state;
        self.order.state = match before {
            OrderState::Rejected => OrderState::Rejected,
            _ if totals.all_cancelled() => OrderState::Cancelled,
            OrderState::Submitted => OrderState::Submitted,
            _ if totals.all_delivered() => OrderState::Closed,
            OrderState::Confirmed | OrderState::Closed | OrderState::Cancelled => OrderState::Confirmed,
        };
        if self.order.state == before {
            return;
        }
        self.order.close_time = if self.order.state.is_open() { None } else { Some(now) };
        match self.order.state {
            OrderState::Cancelled => self.pending.push(PendingEvent::Cancelled),
            OrderState::Closed => self.pending.push(PendingEvent::Closed),
            OrderState::Submitted | OrderState::Confirmed | OrderState::Rejected => {}
        }
    }
}
