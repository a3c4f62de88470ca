//! Pending events of a fulfillment order, and what is emitted for them when it is saved.

mod exceptions;
mod problems;
mod shipments;

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{
        FulfillmentCancelled, FulfillmentOrderChanged, FulfillmentPickRetracted, FulfillmentPicked,
        FulfillmentShipToChange,
    },
    types::v1::LineQuantity,
};
use store::{Context, NewEvent};
use types::{PackageId, ShipmentId, Timestamp};

pub(crate) use exceptions::open_implausible;

use super::{SavedFulfillmentOrder, destination::ShipToEvent, packages::Movement};
use crate::{
    doubts::Doubt,
    fulfillment_order::{ExecutionState, FulfillmentLine, FulfillmentOrder, LateAcceptance, RequestState, Stopped},
    tracking_report::TrackingReport,
    wire::count,
};

/// An event that is emitted when the fulfillment order is saved, with the snapshots and versions that it then has.
#[derive(Debug)]
pub(super) enum PendingEvent {
    /// The fulfillment order changed.
    Changed(fn(FulfillmentOrderChanged) -> FulfillmentEvent, Timestamp),
    /// These open units are withdrawn from the node.
    Withdrawn(fn(FulfillmentOrderChanged) -> FulfillmentEvent, Vec<LineQuantity>, Timestamp),
    /// The node is asked to stop units.
    AskedToStop(Timestamp),
    /// The node does not stop these units that it was asked to stop.
    NotStopped(Vec<LineQuantity>, Timestamp),
    /// The node is asked for another destination, or the request ends.
    ShipTo(Box<ShipToEvent>),
    /// Units were picked, or are short.
    Picked(fn(FulfillmentPicked) -> FulfillmentEvent, Vec<LineQuantity>, Timestamp),
    /// The node works on units no more.
    Stopped(Stopped, Timestamp),
    /// The fulfillment order may have ended, or a late acceptance been resolved.
    Ended(Timestamp),
    /// Packages of a shipment are labelled.
    Labelled(ShipmentId, Timestamp),
    /// Packages of a shipment left or were delivered.
    Moved(ShipmentId, Movement),
    /// A report is applied to a package, which may correct another one.
    Reported(PackageId, Box<TrackingReport>, Option<Box<TrackingReport>>),
    /// A report of a package is retracted.
    Retracted(PackageId, Box<TrackingReport>),
    /// The node accepted after the fulfillment order was withdrawn.
    LateAcceptance,
    /// A tracking report of a package, whose shipment has this carrier, is doubtful.
    Doubted { package_id: PackageId, carrier_id: String, doubt: Doubt, report: Box<TrackingReport> },
    /// Labels of a shipment are void.
    Voided(ShipmentId, Vec<LineQuantity>, Timestamp),
    /// Units were not picked after all.
    PickRetracted { lines: Vec<LineQuantity>, found: Vec<LineQuantity>, at: Timestamp },
    /// A package is written off, with the number of the claim or why.
    WrittenOff(PackageId, String),
    /// A written-off package is delivered.
    DeliveredAfterWriteOff(PackageId),
    /// A package left under a voided label.
    VoidedLabelUsed(PackageId),
    /// A shipment is reported for a time in the future, or long before its node was asked to ship.
    ImplausiblyTimed(ShipmentId, Timestamp),
    /// The contents of packages of a shipment are corrected.
    ContentsCorrected(ShipmentId),
    /// A package left with other contents than are reported now.
    ContentsDiffer(PackageId, Vec<LineQuantity>),
}

impl PendingEvent {
    /// Emits what it means for the saved fulfillment order. `loaded` is the fulfillment order before the command.
    pub(super) fn emit(self, saved: &SavedFulfillmentOrder, loaded: &FulfillmentOrder, cx: &mut Context<'_>) {
        match self {
            Self::Changed(event, at) => saved.emit_changed(event, Vec::new(), at, cx),
            Self::Withdrawn(event, lines, at) => saved.emit_changed(event, lines, at, cx),
            Self::AskedToStop(at) => {
                let asked = saved.order.asked();
                saved.emit_changed(FulfillmentEvent::FulfillmentCancellationRequested, asked, at, cx);
            }
            Self::NotStopped(lines, at) => {
                saved.emit_changed(FulfillmentEvent::FulfillmentCancellationRejected, lines, at, cx);
            }
            Self::ShipTo(change) => {
                let ShipToEvent { event, change_number, ship_to, reason, lines, at } = *change;
                let payload = event(FulfillmentShipToChange {
                    fulfillment_order: Some(saved.snapshot()),
                    change_number: count(change_number),
                    ship_to: Some(ship_to),
                    reason,
                    lines,
                });
                let header = &saved.order.header;
                let key = format!("{}/ship-to-{change_number}", header.version);
                cx.emit(saved.event_with(payload, key, at));
            }
            Self::Picked(event, lines, at) => {
                let payload = event(FulfillmentPicked { fulfillment_order: Some(saved.snapshot()), lines });
                cx.emit(saved.event(payload, at));
            }
            Self::Stopped(Stopped { cancelled: lines, superseded, reassigned }, at) => {
                let fulfillment_order = Some(saved.snapshot());
                let payload = FulfillmentCancelled { fulfillment_order, lines, superseded, reassigned };
                cx.emit(saved.event(FulfillmentEvent::FulfillmentCancelled(payload), at));
            }
            Self::Ended(at) => saved.emit_end(loaded, at, cx),
            Self::Labelled(shipment_id, at) => saved.emit_labelled(&shipment_id, at, cx),
            Self::Moved(shipment_id, movement) => saved.emit_movement(&shipment_id, movement, loaded, cx),
            Self::Reported(package_id, report, corrected) => {
                saved.emit_report(&package_id, &report, corrected.as_deref(), cx);
            }
            Self::LateAcceptance => saved.open_late_acceptance(cx),
            Self::Retracted(package_id, report) => saved.emit_retraction(&package_id, &report, cx),
            Self::Doubted { package_id, carrier_id, doubt, report } => {
                saved.open_doubt(&package_id, &carrier_id, doubt, &report, cx);
            }
            Self::Voided(shipment_id, lines, at) => saved.emit_voided(&shipment_id, lines, at, cx),
            Self::PickRetracted { lines, found, at } => {
                let payload = FulfillmentPickRetracted { fulfillment_order: Some(saved.snapshot()), lines, found };
                cx.emit(saved.event(FulfillmentEvent::FulfillmentPickRetracted(payload), at));
            }
            Self::WrittenOff(package_id, claim) => saved.emit_write_off(&package_id, &claim, cx),
            Self::DeliveredAfterWriteOff(package_id) => saved.open_delivered_after_write_off(&package_id, cx),
            Self::VoidedLabelUsed(package_id) => saved.open_voided_label_used(&package_id, cx),
            Self::ImplausiblyTimed(shipment_id, claimed) => saved.open_implausibly_timed(&shipment_id, claimed, cx),
            Self::ContentsCorrected(shipment_id) => saved.resolve_contents_differ(&shipment_id, cx),
            Self::ContentsDiffer(package_id, reported) => saved.open_contents_differ(&package_id, &reported, cx),
        }
    }
}

impl SavedFulfillmentOrder {
    fn emit_changed(
        &self,
        event: fn(FulfillmentOrderChanged) -> FulfillmentEvent,
        lines: Vec<LineQuantity>,
        at: Timestamp,
        cx: &mut Context<'_>,
    ) {
        let payload = event(FulfillmentOrderChanged { fulfillment_order: Some(self.snapshot()), lines });
        cx.emit(self.event(payload, at));
    }

    /// Emits the answer that a departure implies.
    fn emit_implied_answer(&self, loaded: &FulfillmentOrder, at: Timestamp, cx: &mut Context<'_>) {
        let state = self.order.header.request_state;
        if loaded.header.request_state == state {
            // The node is still asked for others. Nobody is to wait for those that left.
            let lines = unstopped(loaded, &self.order);
            if state == RequestState::CancellationRequested && !lines.is_empty() {
                self.emit_changed(FulfillmentEvent::FulfillmentCancellationRejected, lines, at, cx);
            }
            return;
        }
        if state == RequestState::Accepted {
            self.emit_changed(FulfillmentEvent::FulfillmentAccepted, Vec::new(), at, cx);
        } else if state == RequestState::CancellationRejected {
            let lines = unstopped(loaded, &self.order);
            self.emit_changed(FulfillmentEvent::FulfillmentCancellationRejected, lines, at, cx);
        }
    }

    fn emit_end(&self, loaded: &FulfillmentOrder, at: Timestamp, cx: &mut Context<'_>) {
        let state = self.order.header.execution_state;
        // No other event says that a fulfillment order has ended when all of it is short.
        let all_short = || self.order.lines.iter().all(|line| line.short == line.quantity);
        let changed = loaded.header.execution_state != state;
        if changed && state == ExecutionState::Completed {
            self.emit_changed(FulfillmentEvent::FulfillmentCompleted, Vec::new(), at, cx);
        } else if changed && (state == ExecutionState::Incomplete || state == ExecutionState::Cancelled && all_short())
        {
            self.emit_changed(FulfillmentEvent::FulfillmentIncomplete, Vec::new(), at, cx);
        }
        let resolved = self.order.header.late_acceptance == LateAcceptance::Resolved;
        if resolved && loaded.header.late_acceptance == LateAcceptance::Open {
            self.resolve_late_acceptance(cx);
        }
    }

    fn event(&self, payload: FulfillmentEvent, at: Timestamp) -> NewEvent {
        self.event_with(payload, self.order.header.version.to_string(), at)
    }

    fn event_with(&self, payload: FulfillmentEvent, key: String, at: Timestamp) -> NewEvent {
        let header = &self.order.header;
        NewEvent::new(payload, &header.fulfillment_order_id, header.version, key)
            .order(&header.order_id)
            .account(&header.account_id)
            .occurred(at, 0)
    }
}

/// Units that were stopped or to be stopped, and left.
fn unstopped(loaded: &FulfillmentOrder, now: &FulfillmentOrder) -> Vec<LineQuantity> {
    let to_stop = |line: &FulfillmentLine| line.asked() + line.cancelled + line.withdrawn;
    let left = |(before, now): (&FulfillmentLine, &FulfillmentLine)| {
        let quantity = (to_stop(before) - to_stop(now)).min(now.shipped - before.shipped);
        (quantity > 0).then(|| now.units(quantity))
    };
    loaded.lines.iter().zip(&now.lines).filter_map(left).collect()
}
