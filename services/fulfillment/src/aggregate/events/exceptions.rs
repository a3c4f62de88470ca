//! Exceptions of a fulfillment order and its shipments.

use proto::{event::v1::ExceptionType, types::v1::LineQuantity};
use store::{Context, Exception};
use types::{PackageId, ShipmentId};

use super::SavedFulfillmentOrder;
use crate::shipment::Shipment;

impl SavedFulfillmentOrder {
    pub(super) fn open_late_acceptance(&self, cx: &mut Context<'_>) {
        let facts = [("node_id", self.order.header.node_id.to_string())];
        let summary = "a node accepted a fulfillment order that was withdrawn from it; it is asked to stop";
        self.late_acceptance().open(cx, summary, facts);
    }

    pub(super) fn resolve_late_acceptance(&self, cx: &mut Context<'_>) {
        self.late_acceptance().resolve(cx, "the node has stopped or shipped");
    }

    fn late_acceptance(&self) -> Exception {
        let header = &self.order.header;
        Exception::new(ExceptionType::LateAcceptance, &header.fulfillment_order_id, header.version)
            .order(&header.order_id)
            .account(&header.account_id)
    }

    pub(super) fn open_over_shipped(shipment: &Shipment, lines: &[LineQuantity], cx: &mut Context<'_>) {
        let units = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.quantity));
        let facts = [
            ("fulfillment_order_id", shipment.fulfillment_order_id.to_string()),
            ("node_id", shipment.node_id.to_string()),
            ("units", units.to_string()),
        ];
        let summary = format!("{units} units beyond the fulfillment order left {}", shipment.node_id);
        exception(ExceptionType::OverShipped, shipment, shipment.version).open(cx, summary, facts);
    }

    /// The contents of the package stay as they are, because inventory and the order have counted them. The same report again
    /// is the same event.
    pub(super) fn open_contents_differ(&self, package_id: &PackageId, reported: &[LineQuantity], cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let number = &package.tracking_number;
        let (recorded, reported) = (text(package.lines()), text(reported));
        let key = format!("{number}/{reported}");
        let facts = [
            ("tracking_number", number.clone()),
            ("fulfillment_order_id", shipment.fulfillment_order_id.to_string()),
            ("node_id", shipment.node_id.to_string()),
            ("recorded", recorded),
            ("reported", reported),
        ];
        let summary = format!("package {number} left {} with other contents than are reported now", shipment.node_id);
        exception(ExceptionType::ContentsDiffer, shipment, key).open(cx, summary, facts);
    }

    pub(super) fn open_foreign_report(&self, package_id: &PackageId, reporter_id: &str, cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let number = &package.tracking_number;
        let carrier = match shipment.carrier_id.as_str() {
            "" => "no carrier is named".to_owned(),
            carrier => format!("{carrier} carries it"),
        };
        let facts = [
            ("tracking_number", number.clone()),
            ("reporter_id", reporter_id.to_owned()),
            ("carrier_id", shipment.carrier_id.clone()),
        ];
        let summary = format!("{reporter_id} reported on package {number}, but {carrier}");
        let key = format!("{number}/{reporter_id}");
        exception(ExceptionType::ForeignReport, shipment, key).open(cx, summary, facts);
    }

    pub(super) fn resolve_foreign_reports(&self, shipment_id: &ShipmentId, cx: &mut Context<'_>) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let exception = exception(ExceptionType::ForeignReport, shipment, &shipment.carrier_id);
        exception.resolve(cx, "the shipment names its carrier");
    }
}

fn exception(exception_type: ExceptionType, shipment: &Shipment, key: impl ToString) -> Exception {
    let exception = Exception::new(exception_type, &shipment.shipment_id, key);
    exception.order(&shipment.order_id).account(&shipment.account_id)
}

/// Units by line, for people: `1: 10 A, 2: 3 B`.
fn text(units: &[LineQuantity]) -> String {
    let mut units: Vec<_> = units.iter().collect();
    units.sort_by_key(|unit| unit.line_number);
    let one = |unit: &LineQuantity| format!("{}: {} {}", unit.line_number, unit.quantity, unit.sku);
    units.into_iter().map(one).collect::<Vec<_>>().join(", ")
}
