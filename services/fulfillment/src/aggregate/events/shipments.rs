//! Events of shipments and packages.

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{
        ProofOfDeliveryCaptured, ShipmentDelivered, ShipmentLabelled, ShipmentMilestoneRecorded, ShipmentOverShipped,
        ShipmentShipped,
    },
};
use store::{Context, NewEvent};
use types::{PackageId, ShipmentId, Timestamp};

use super::{Movement, SavedFulfillmentOrder};
use crate::{
    buffered_reports::TrackingReport,
    fulfillment_order::FulfillmentOrder,
    package::Package,
    shipment::{Shipment, ShipmentState},
    wire,
};

impl SavedFulfillmentOrder {
    pub(super) fn emit_labelled(&self, shipment_id: &ShipmentId, at: Timestamp, cx: &mut Context<'_>) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let payload = ShipmentLabelled { shipment: Some(self.snapshot_of(shipment)) };
        cx.emit(event(shipment, FulfillmentEvent::ShipmentLabelled(payload), shipment.version).occurred(at, 0));
    }

    /// Emits what moved: the node's implied answer, one event for each time at which units left, units beyond what was to be
    /// shipped, deliveries, and the end of the fulfillment order.
    pub(super) fn emit_movement(
        &self,
        shipment_id: &ShipmentId,
        movement: Movement,
        loaded: &FulfillmentOrder,
        cx: &mut Context<'_>,
    ) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let Movement { left, cancellation_lost, over_shipped, delivered, deliver_time } = movement;
        let last_departure = left.last_key_value().map(|(at, _)| *at).unwrap_or_default();
        if !left.is_empty() {
            self.emit_implied_answer(loaded, last_departure, cx);
        }
        for (number, (at, lines)) in left.into_iter().enumerate() {
            let key = match number {
                0 => shipment.version.to_string(),
                _ => format!("{}/{number}", shipment.version),
            };
            let payload = ShipmentShipped { shipment: Some(self.snapshot_of(shipment)), lines, cancellation_lost };
            cx.emit(event(shipment, FulfillmentEvent::ShipmentShipped(payload), key).occurred(at, 0));
        }
        if !over_shipped.is_empty() {
            let payload = ShipmentOverShipped {
                shipment_id: shipment.shipment_id.to_string(),
                order_id: shipment.order_id.to_string(),
                lines: over_shipped.clone(),
            };
            let over = event(shipment, FulfillmentEvent::ShipmentOverShipped(payload), shipment.version);
            cx.emit(over.occurred(last_departure, 0));
            Self::open_over_shipped(shipment, &over_shipped, cx);
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
        self.emit_end(loaded, last_departure, cx);
    }

    /// Emits a report that is applied to a package.
    pub(super) fn emit_report(&self, package_id: &PackageId, report: &TrackingReport, cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let (shipment_id, package_id) = (shipment.shipment_id.to_string(), package.package_id.to_string());
        cx.emit(match report {
            TrackingReport::Milestone(milestone) => {
                let payload = ShipmentMilestoneRecorded {
                    shipment_id,
                    package_id,
                    milestone: Some(wire::milestone(milestone)),
                    status: wire::milestone_code(package.status),
                };
                let event =
                    event(shipment, FulfillmentEvent::ShipmentMilestoneRecorded(payload), milestone.event_key());
                event.occurred(milestone.occur_time, wire::count(milestone.occur_offset_minutes))
            }
            TrackingReport::Proof(proof) => {
                let key = format!("{package_id}/{}", proof.sign_time.as_micros());
                let proof_of_delivery = package.proof.as_ref().map(|proof| proof.0.clone());
                let payload = ProofOfDeliveryCaptured { shipment_id, package_id, proof_of_delivery };
                event(shipment, FulfillmentEvent::ShipmentPodCaptured(payload), key).occurred(proof.sign_time, 0)
            }
        });
    }

    pub(super) fn shipment(&self, shipment_id: &ShipmentId) -> Option<&Shipment> {
        self.shipments.iter().find(|shipment| shipment.shipment_id == *shipment_id)
    }

    pub(super) fn package(&self, package_id: &PackageId) -> Option<(&Shipment, &Package)> {
        let package = self.packages.iter().find(|package| package.package_id == *package_id)?;
        Some((self.shipment(&package.shipment_id)?, package))
    }
}

fn event(shipment: &Shipment, payload: FulfillmentEvent, key: impl ToString) -> NewEvent {
    NewEvent::new(payload, &shipment.shipment_id, shipment.version, key)
        .order(&shipment.order_id)
        .account(&shipment.account_id)
}
