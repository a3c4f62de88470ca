//! Pending events of a fulfillment order, and what is emitted for them when it is saved.

mod exceptions;
mod shipments;

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{FulfillmentCancelled, FulfillmentOrderChanged, FulfillmentPicked},
    types::v1::LineQuantity,
};
use store::{Context, NewEvent};
use types::{PackageId, ShipmentId, Timestamp};

use super::{SavedFulfillmentOrder, packages::Movement};
use crate::{
    buffered_reports::TrackingReport,
    fulfillment_order::{ExecutionState, FulfillmentOrder, LateAcceptance, RequestState},
};

/// An event that is emitted when the fulfillment order is saved, with the snapshots and versions that it then has.
#[derive(Debug)]
pub(super) enum PendingEvent {
    /// The fulfillment order changed.
    Changed(fn(FulfillmentOrderChanged) -> FulfillmentEvent, Timestamp),
    /// Units were picked, or are short.
    Picked(fn(FulfillmentPicked) -> FulfillmentEvent, Vec<LineQuantity>, Timestamp),
    /// Units are cancelled.
    Cancelled(Vec<LineQuantity>, Timestamp),
    /// The fulfillment order may have ended, or a late acceptance been resolved.
    Ended(Timestamp),
    /// Packages of a shipment are labelled.
    Labelled(ShipmentId, Timestamp),
    /// Packages of a shipment left or were delivered.
    Moved(ShipmentId, Movement),
    /// A report is applied to a package.
    Reported(PackageId, TrackingReport),
    /// The node accepted after the fulfillment order was withdrawn.
    LateAcceptance,
    /// A reporter that is not authoritative reported on a package.
    ForeignReport(PackageId, String),
    /// Every reporter on packages of a shipment is authoritative now.
    ForeignReportsResolved(ShipmentId),
    /// A package left with other contents than are reported now.
    ContentsDiffer(PackageId, Vec<LineQuantity>),
}

impl PendingEvent {
    /// Emits what it means for the saved fulfillment order. `loaded` is the fulfillment order before the command.
    pub(super) fn emit(self, saved: &SavedFulfillmentOrder, loaded: &FulfillmentOrder, cx: &mut Context<'_>) {
        match self {
            Self::Changed(event, at) => saved.emit_changed(event, at, cx),
            Self::Picked(event, lines, at) => {
                let payload = event(FulfillmentPicked { fulfillment_order: Some(saved.snapshot()), lines });
                cx.emit(saved.event(payload, at));
            }
            Self::Cancelled(lines, at) => {
                let payload = FulfillmentCancelled { fulfillment_order: Some(saved.snapshot()), lines };
                cx.emit(saved.event(FulfillmentEvent::FulfillmentCancelled(payload), at));
            }
            Self::Ended(at) => saved.emit_end(loaded, at, cx),
            Self::Labelled(shipment_id, at) => saved.emit_labelled(&shipment_id, at, cx),
            Self::Moved(shipment_id, movement) => saved.emit_movement(&shipment_id, movement, loaded, cx),
            Self::Reported(package_id, report) => saved.emit_report(&package_id, &report, cx),
            Self::LateAcceptance => saved.open_late_acceptance(cx),
            Self::ForeignReport(package_id, reporter_id) => saved.open_foreign_report(&package_id, &reporter_id, cx),
            Self::ForeignReportsResolved(shipment_id) => saved.resolve_foreign_reports(&shipment_id, cx),
            Self::ContentsDiffer(package_id, reported) => saved.open_contents_differ(&package_id, &reported, cx),
        }
    }
}

impl SavedFulfillmentOrder {
    fn emit_changed(
        &self,
        event: fn(FulfillmentOrderChanged) -> FulfillmentEvent,
        at: Timestamp,
        cx: &mut Context<'_>,
    ) {
        let payload = event(FulfillmentOrderChanged { fulfillment_order: Some(self.snapshot()) });
        cx.emit(self.event(payload, at));
    }

    /// Emits the answer that a departure implies.
    fn emit_implied_answer(&self, loaded: &FulfillmentOrder, at: Timestamp, cx: &mut Context<'_>) {
        let state = self.order.header.request_state;
        if loaded.header.request_state == state {
            return;
        }
        if state == RequestState::Accepted {
            self.emit_changed(FulfillmentEvent::FulfillmentAccepted, at, cx);
        } else if state == RequestState::CancellationRejected {
            self.emit_changed(FulfillmentEvent::FulfillmentCancellationRejected, at, cx);
        }
    }

    fn emit_end(&self, loaded: &FulfillmentOrder, at: Timestamp, cx: &mut Context<'_>) {
        let state = self.order.header.execution_state;
        // No other event says that a fulfillment order has ended when all of it is short.
        let all_short = || self.order.lines.iter().all(|line| line.short == line.quantity);
        let changed = loaded.header.execution_state != state;
        if changed && state == ExecutionState::Completed {
            self.emit_changed(FulfillmentEvent::FulfillmentCompleted, at, cx);
        } else if changed && (state == ExecutionState::Incomplete || state == ExecutionState::Cancelled && all_short())
        {
            self.emit_changed(FulfillmentEvent::FulfillmentIncomplete, at, cx);
        }
        let resolved = self.order.header.late_acceptance == LateAcceptance::Resolved;
        if resolved && loaded.header.late_acceptance == LateAcceptance::Open {
            self.resolve_late_acceptance(cx);
        }
    }

    fn event(&self, payload: FulfillmentEvent, at: Timestamp) -> NewEvent {
        let header = &self.order.header;
        NewEvent::new(payload, &header.fulfillment_order_id, header.version, header.version)
            .order(&header.order_id)
            .account(&header.account_id)
            .occurred(at, 0)
    }
}
