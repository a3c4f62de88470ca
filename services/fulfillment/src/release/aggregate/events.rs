//! The events of a release. Only saving it emits them.

use proto::{
    event::v1::ExceptionType,
    events::FulfillmentEvent,
    fulfillment::v1::{ExecutionState, FulfillmentCancelled, FulfillmentLine, FulfillmentOrder, RequestState},
    types::v1::LineQuantity,
};
use store::{Context, Exception, NewEvent};
use types::text::escaped;

use super::{Freed, ReleaseAggregate};
use crate::{package::add, process::faster_node::SHIPPED_ALREADY, release::RoutingState, wire::count};

impl ReleaseAggregate {
    /// Emits the events of the saved release.
    pub(super) fn emit(&self, unassigned_changed: bool, cx: &mut Context<'_>) {
        if !self.cancelled.is_empty() {
            let fulfillment_order = Some(self.unasked(&self.cancelled, "", &self.release.cancel_reason));
            let payload =
                FulfillmentCancelled { fulfillment_order, lines: self.cancelled.clone(), ..Default::default() };
            cx.emit(self.event(FulfillmentEvent::FulfillmentCancelled(payload), self.key()));
        }
        for (node_id, Freed { cancelled, superseded }) in &self.freed {
            let reason = if superseded.is_empty() { &self.release.cancel_reason } else { SHIPPED_ALREADY };
            let mut units = cancelled.clone();
            add(&mut units, superseded.clone());
            let fulfillment_order = Some(self.unasked(&units, node_id, reason));
            let (lines, superseded) = (cancelled.clone(), superseded.clone());
            let payload = FulfillmentCancelled { fulfillment_order, lines, superseded, ..Default::default() };
            let key = format!("{}/{node_id}", self.key());
            cx.emit(self.event(FulfillmentEvent::FulfillmentCancelled(payload), key));
        }
        if unassigned_changed {
            self.emit_unassigned(cx);
        }
        if let Some((payload, key)) = &self.returned_to_order {
            cx.emit(self.event(FulfillmentEvent::FulfillmentUnfulfillable(payload.clone()), key.clone()));
        }
    }

    /// The fulfillment order, without an id, of units that no node was asked for and that nobody is to ship.
    fn unasked(&self, units: &[LineQuantity], node_id: &str, reason: &str) -> FulfillmentOrder {
        let release = &self.release;
        let line = |unit: &LineQuantity| FulfillmentLine {
            line_number: unit.line_number,
            sku: unit.sku.clone(),
            quantity: unit.quantity,
            cancelled: unit.quantity,
            ..FulfillmentLine::default()
        };
        FulfillmentOrder {
            order_id: release.order_id.to_string(),
            account_id: release.account_id.to_string(),
            customer_po: release.customer_po.clone(),
            node_id: node_id.to_owned(),
            release_number: count(release.release_number),
            execution_state: ExecutionState::Cancelled.into(),
            request_state: RequestState::CancellationAccepted.into(),
            lines: units.iter().map(line).collect(),
            ship_to: Some(release.ship_to.0.clone()),
            ship_to_group: count(release.ship_to_group),
            reason: reason.to_owned(),
            ..FulfillmentOrder::default()
        }
    }

    fn emit_unassigned(&self, cx: &mut Context<'_>) {
        let exception = Exception::new(ExceptionType::Unassigned, &self.release.order_id, self.key())
            .order(&self.release.order_id)
            .account(&self.release.account_id);
        if self.release.unassigned_time.is_none() {
            return exception.resolve(cx, "every unit has a node or is cancelled");
        }
        let units = [self.unrouted(), self.planned()].concat();
        let total: i64 = units.iter().fold(0, |sum, unit| sum.saturating_add(unit.quantity));
        let facts = [
            ("release_number", self.release.release_number.to_string()),
            ("attempt", self.release.attempt.to_string()),
            ("units", total.to_string()),
            // A comma in an SKU is percent-encoded.
            ("skus", units.iter().map(|unit| escaped(&unit.sku, &[','])).collect::<Vec<_>>().join(",")),
        ];
        let summary = match self.release.routing_state {
            RoutingState::Waiting => format!("no node may take {total} units of {} lines", units.len()),
            RoutingState::Pending | RoutingState::Settled => {
                format!("{total} units of {} lines wait for a route: inventory does not answer", units.len())
            }
        };
        exception.open(cx, summary, facts);
    }

    fn event(&self, payload: FulfillmentEvent, key: String) -> NewEvent {
        let release = &self.release;
        NewEvent::new(payload, &release.order_id, release.version, key)
            .order(&release.order_id)
            .account(&release.account_id)
    }

    /// Distinguishes this change of the release from others of the order.
    fn key(&self) -> String {
        format!("release-{}/{}", self.release.release_number, self.release.version)
    }
}
