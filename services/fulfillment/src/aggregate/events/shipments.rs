//! Events of shipments and packages.

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{
        ProofOfDeliveryCaptured, ShipmentDelivered, ShipmentLabelled, ShipmentMilestoneRecorded, ShipmentOverShipped,
        ShipmentShipped, ShipmentVoided, TrackingReportRetracted,
    },
    types::v1::LineQuantity,
};
use store::{Context, NewEvent};
use types::{PackageId, ShipmentId, Timestamp};

use super::{Movement, SavedFulfillmentOrder};
use crate::{
    fulfillment_order::FulfillmentOrder,
    package::Package,
    shipment::{Shipment, ShipmentState},
    tracking_report::TrackingReport,
    wire,
};

impl SavedFulfillmentOrder {
    pub(super) fn emit_labelled(&self, shipment_id: &ShipmentId, at: Timestamp, cx: &mut Context<'_>) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let payload = ShipmentLabelled { shipment: Some(self.snapshot_of(shipment)) };
        cx.emit(event(shipment, FulfillmentEvent::ShipmentLabelled(payload), shipment.version).occurred(at, 0));
    }

    pub(super) fn emit_voided(
        &self,
        shipment_id: &ShipmentId,
        lines: Vec<LineQuantity>,
        at: Timestamp,
        cx: &mut Context<'_>,
    ) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let payload = ShipmentVoided { shipment: Some(self.snapshot_of(shipment)), lines };
        cx.emit(event(shipment, FulfillmentEvent::ShipmentVoided(payload), shipment.version).occurred(at, 0));
    }

    /// Emits what moved: what did not move after all, the node's implied answer, one event for each time at which units left,
    /// units beyond what was to be shipped, deliveries, and the end of the fulfillment order.
    pub(super) fn emit_movement(
        &self,
        shipment_id: &ShipmentId,
        movement: Movement,
        loaded: &FulfillmentOrder,
        cx: &mut Context<'_>,
    ) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let Movement { left, cancellation_lost, over_shipped, delivered, deliver_time, undelivered, stayed, .. } =
            movement;
        let (mut elsewhere, mut free) = (movement.elsewhere, movement.free);
        if !undelivered.is_empty() {
            let payload = ShipmentDelivered {
                shipment: Some(self.snapshot_of(shipment)),
                lines: undelivered,
                deliver_time: None,
            };
            let payload = FulfillmentEvent::ShipmentDeliveryRetracted(payload);
            cx.emit(event(shipment, payload, shipment.version));
        }
        for (at, lines) in stayed {
            let shipment_snapshot = Some(self.snapshot_of(shipment));
            let over_shipped = take(&mut elsewhere, &lines);
            let free = take(&mut free, &over_shipped);
            let payload =
                ShipmentShipped { shipment: shipment_snapshot, lines, cancellation_lost: false, over_shipped, free };
            let payload = FulfillmentEvent::ShipmentDepartureRetracted(payload);
            let key = format!("{}/{}", shipment.version, at.as_micros());
            cx.emit(event(shipment, payload, key).occurred(at, 0));
        }
        let last_departure = left.last_key_value().map(|(at, _)| *at).unwrap_or_default();
        if !left.is_empty() {
            self.emit_implied_answer(loaded, last_departure, cx);
        }
        let mut beyond = over_shipped.clone();
        for (number, (at, lines)) in left.into_iter().enumerate() {
            let key = match number {
                0 => shipment.version.to_string(),
                _ => format!("{}/{number}", shipment.version),
            };
            let over_shipped = take(&mut beyond, &lines);
            let shipment_snapshot = Some(self.snapshot_of(shipment));
            let payload = ShipmentShipped {
                shipment: shipment_snapshot,
                lines,
                cancellation_lost,
                over_shipped,
                free: Vec::new(),
            };
            cx.emit(event(shipment, FulfillmentEvent::ShipmentShipped(payload), key).occurred(at, 0));
        }
        if !over_shipped.is_empty() {
            let payload = ShipmentOverShipped {
                shipment_id: shipment.shipment_id.to_string(),
                order_id: shipment.order_id.to_string(),
                lines: over_shipped,
            };
            let over = event(shipment, FulfillmentEvent::ShipmentOverShipped(payload), shipment.version);
            cx.emit(over.occurred(last_departure, 0));
        }
        if !delivered.is_empty() {
            let payload = ShipmentDelivered {
                shipment: Some(self.snapshot_of(shipment)),
                lines: delivered,
                deliver_time: Some(mesh::wire::timestamp(deliver_time)),
            };
            let payload = if shipment.state == ShipmentState::Delivered {
                FulfillmentEvent::ShipmentDelivered(payload)
            } else {
                FulfillmentEvent::ShipmentPartiallyDelivered(payload)
            };
            cx.emit(event(shipment, payload, shipment.version).occurred(deliver_time, 0));
        }
        self.emit_end(loaded, if last_departure == Timestamp::default() { cx.now() } else { last_departure }, cx);
    }

    /// Emits a report that is applied to a package.
    pub(super) fn emit_report(
        &self,
        package_id: &PackageId,
        report: &TrackingReport,
        corrected: Option<&TrackingReport>,
        cx: &mut Context<'_>,
    ) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let (shipment_id, package_id) = (shipment.shipment_id.to_string(), package.package_id.to_string());
        let shown = wire::milestone(report);
        let offset = shown.occur_offset_minutes;
        let event = match &report.proof {
            None => {
                let status = wire::milestone_code(package.status);
                let payload = ShipmentMilestoneRecorded {
                    shipment_id,
                    package_id,
                    milestone: Some(shown),
                    status,
                    lines: package.lines().to_vec(),
                    estimated_delivery_time: package.estimated_delivery_time.map(mesh::wire::timestamp),
                };
                let payload = FulfillmentEvent::ShipmentMilestoneRecorded(payload);
                event(shipment, payload, &report.report_id)
            }
            Some(proof) => {
                let proof_of_delivery = Some(proof.0.clone());
                let snapshot = Some(self.snapshot_of(shipment));
                let payload =
                    ProofOfDeliveryCaptured { shipment_id, package_id, proof_of_delivery, shipment: snapshot };
                event(shipment, FulfillmentEvent::ShipmentPodCaptured(payload), &report.report_id)
            }
        };
        let event = event.occurred(report.occur_time, offset);
        // One that is about another package is retracted only.
        let corrected = corrected.filter(|corrected| corrected.package_key == report.package_key);
        cx.emit(match corrected {
            Some(corrected) => event.corrects(Self::event_id(shipment, corrected, cx)),
            None => event,
        });
    }

    /// The id of the event that a report emitted.
    fn event_id(shipment: &Shipment, report: &TrackingReport, cx: &Context<'_>) -> String {
        let event_type = match report.proof {
            None => EventType::ShipmentMilestoneRecorded,
            Some(_) => EventType::ShipmentPodCaptured,
        };
        cx.event_id(event_type, &shipment.shipment_id, &report.report_id)
    }

    /// Emits that a report of a package is retracted. It retracts the event that the report emitted.
    pub(super) fn emit_retraction(&self, package_id: &PackageId, report: &TrackingReport, cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let payload = TrackingReportRetracted {
            shipment_id: shipment.shipment_id.to_string(),
            package_id: package.package_id.to_string(),
            milestone: Some(wire::milestone(report)),
            status: wire::milestone_code(package.status),
            shipment: Some(self.snapshot_of(shipment)),
        };
        let payload = FulfillmentEvent::ShipmentReportRetracted(payload);
        let retracted = Self::event_id(shipment, report, cx);
        cx.emit(event(shipment, payload, &report.report_id).retracts(retracted));
    }

    pub(super) fn shipment(&self, shipment_id: &ShipmentId) -> Option<&Shipment> {
        self.shipments.iter().find(|shipment| shipment.shipment_id == *shipment_id)
    }

    pub(super) fn package(&self, package_id: &PackageId) -> Option<(&Shipment, &Package)> {
        let package = self.packages.iter().find(|package| package.package_id == *package_id)?;
        Some((self.shipment(&package.shipment_id)?, package))
    }
}

/// Takes those of the units that are among the lines.
fn take(units: &mut [LineQuantity], lines: &[LineQuantity]) -> Vec<LineQuantity> {
    let mut taken = Vec::new();
    for line in lines {
        let Some(unit) = units.iter_mut().find(|unit| unit.line_number == line.line_number) else { continue };
        let quantity = unit.quantity.min(line.quantity);
        unit.quantity -= quantity;
        if quantity > 0 {
            taken.push(LineQuantity { quantity, ..line.clone() });
        }
    }
    taken
}

pub(super) fn event(shipment: &Shipment, payload: FulfillmentEvent, key: impl ToString) -> NewEvent {
    NewEvent::new(payload, &shipment.shipment_id, shipment.version, key)
        .order(&shipment.order_id)
        .account(&shipment.account_id)
}
