//! Exceptions of a fulfillment order and its shipments.

use std::collections::BTreeMap;

use proto::{event::v1::ExceptionType, types::v1::LineQuantity};
use store::{Context, Exception};
use types::{PackageId, ShipmentId, Timestamp};

use super::SavedFulfillmentOrder;
use crate::{
    aggregate::doubts,
    doubts::{Doubt, Doubts},
    shipment::Shipment,
    tracking_report::{ReportDoubt, TrackingReport},
};

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

    /// The contents of the package stay as they are, because inventory and the order have counted them. The same report again
    /// is the same event.
    pub(super) fn open_contents_differ(&self, package_id: &PackageId, reported: &[LineQuantity], cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let number = package.name();
        let (recorded, reported) = (text(package.lines()), text(reported));
        let key = format!("{number}/{reported}");
        let facts = [
            ("tracking_number", number.to_owned()),
            ("fulfillment_order_id", shipment.fulfillment_order_id.to_string()),
            ("node_id", shipment.node_id.to_string()),
            ("recorded", recorded),
            ("reported", reported),
        ];
        let summary = format!("package {number} left {} with other contents than are reported now", shipment.node_id);
        exception(ExceptionType::ContentsDiffer, shipment, key).open(cx, summary, facts);
    }

    pub(super) fn resolve_contents_differ(&self, shipment_id: &ShipmentId, cx: &mut Context<'_>) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let exception = exception(ExceptionType::ContentsDiffer, shipment, shipment.version);
        exception.resolve(cx, "the contents are corrected");
    }

    /// The goods are labelled or left all the same: at the time at which the report was recorded.
    pub(super) fn open_implausibly_timed(&self, shipment_id: &ShipmentId, claimed: Timestamp, cx: &mut Context<'_>) {
        let Some(shipment) = self.shipment(shipment_id) else { return };
        let is_old = claimed < self.order.header.create_time;
        let what = if is_old { "is long before it was requested" } else { "lies in the future" };
        let claimed = mesh::wire::timestamp(claimed).to_string();
        let summary = format!("{} is reported for {claimed}, which {what}", shipment.shipment_reference);
        let facts = [("occur_time", claimed.clone()), ("node_id", shipment.node_id.to_string())];
        exception(ExceptionType::ImplausibleTime, shipment, claimed).open(cx, summary, facts);
    }

    /// The same report of a shipment with the same carrier is the same event: another report opens the exception again.
    pub(super) fn open_doubt(
        &self,
        package_id: &PackageId,
        carrier_id: &str,
        doubt: Doubt,
        report: &TrackingReport,
        cx: &mut Context<'_>,
    ) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let name = package.name();
        let reporter = match report.reporter_id.as_str() {
            "" => "the distributor",
            reporter => reporter,
        };
        let summary = match doubt {
            Doubt::Foreign if carrier_id.is_empty() => {
                format!("{reporter} reported on package {name}, but no carrier is named")
            }
            Doubt::Foreign => format!("{reporter} reported on package {name}, but {carrier_id} carries it"),
            Doubt::Ambiguous => {
                format!("{reporter} reported on package {name} without its carrier, and several have one")
            }
            Doubt::Implausible => implausible(report),
        };
        let facts = [
            ("tracking_number", package.tracking_number.clone()),
            ("package_id", package_id.to_string()),
            ("report_id", report.report_id.to_string()),
            ("reporter_id", report.reporter_id.clone()),
            ("carrier_id", carrier_id.to_owned()),
            ("occur_time", mesh::wire::timestamp(report.occur_time).to_string()),
        ];
        let key = format!("{}/{carrier_id}", report.report_id);
        exception(doubt.exception_type(), shipment, key).open(cx, summary, facts);
    }

    /// Resolves the exceptions of shipments whose reports are no longer doubtful.
    pub(in crate::aggregate) fn resolve_doubts(&self, before: &BTreeMap<ShipmentId, Doubts>, cx: &mut Context<'_>) {
        if before.is_empty() {
            return;
        }
        let after = doubts(&self.packages);
        for (shipment_id, before) in before {
            let after = after.get(shipment_id).copied().unwrap_or_default();
            for doubt in Doubt::ALL.into_iter().filter(|doubt| before.has(*doubt) && !after.has(*doubt)) {
                let Some(shipment) = self.shipment(shipment_id) else { continue };
                let summary = match doubt {
                    Doubt::Foreign => "every report is by its carrier or node",
                    Doubt::Ambiguous => "every report names its carrier",
                    Doubt::Implausible => {
                        "no report with a time that cannot be right is left, or the package is delivered"
                    }
                };
                let own = self.packages.iter().filter(|package| package.shipment_id == *shipment_id);
                let key: i64 = own.map(|package| package.version).sum();
                exception(doubt.exception_type(), shipment, key).resolve(cx, summary);
            }
        }
    }
}

/// Opens the exception of a report whose time cannot be right, while no package has it.
pub(crate) fn open_implausible(report: &TrackingReport, cx: &mut Context<'_>) {
    let facts = [("report_id", report.report_id.to_string()), ("reporter_id", report.reporter_id.clone())];
    let exception = Exception::new(ExceptionType::ImplausibleTime, report.package_name(), &report.report_id);
    exception.open(cx, implausible(report), facts);
}

fn implausible(report: &TrackingReport) -> String {
    let (name, at) = (report.package_name(), mesh::wire::timestamp(report.occur_time));
    let what = match report.doubt {
        ReportDoubt::Future => "lies in the future",
        ReportDoubt::TooOld => "is more than a year ago",
        ReportDoubt::None => "is before the package left",
    };
    format!("{} of package {name} at {at}, which {what}, does not count", report.code.as_str())
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
