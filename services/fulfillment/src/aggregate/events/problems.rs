//! Exceptions and events of packages that may not reach the customer.

use std::collections::{BTreeMap, BTreeSet};

use proto::{
    event::v1::ExceptionType,
    events::FulfillmentEvent,
    fulfillment::v1::{ShipmentUndelivered, ShipmentWrittenOff},
};
use store::{Context, Exception};
use types::PackageId;

use super::{SavedFulfillmentOrder, shipments::event};
use crate::{package::Package, problem::Problem, shipment::Shipment};

impl SavedFulfillmentOrder {
    /// Opens the exceptions of problems that packages have now, and resolves those of problems that they had.
    pub(in crate::aggregate) fn emit_problems(&self, before: &BTreeMap<PackageId, Problem>, cx: &mut Context<'_>) {
        for package in &self.packages {
            let before = before.get(&package.package_id).copied();
            if before == package.problem {
                continue;
            }
            let Some(shipment) = self.shipment(&package.shipment_id) else { continue };
            if let Some(problem) = before {
                let what = if package.remedy.is_some() {
                    "the package is written off"
                } else if package.deliver_time.is_some() {
                    "the package is delivered"
                } else {
                    "the package has another status"
                };
                exception(problem.exception_type(), shipment, package).resolve(cx, what);
            }
            if let Some(problem) = package.problem {
                let summary = format!("package {} {}", package.name(), problem.text());
                let facts = [
                    ("shipment_id", shipment.shipment_id.to_string()),
                    ("tracking_number", package.tracking_number.clone()),
                    ("carrier_id", shipment.carrier_id.clone()),
                    ("owner", "customer service".to_owned()),
                    ("next_actions", problem.next_actions().to_owned()),
                ];
                exception(problem.exception_type(), shipment, package).open(cx, summary, facts);
            }
        }
    }

    /// Emits which packages come back to their sender now, and which do not any more. A package that is written off comes back as
    /// any other does.
    pub(in crate::aggregate) fn emit_returning(&self, before: &BTreeSet<PackageId>, cx: &mut Context<'_>) {
        for package in &self.packages {
            let change: fn(_) -> _ = match (before.contains(&package.package_id), package.is_returning()) {
                (false, true) => FulfillmentEvent::ShipmentReturnedToSender,
                (true, false) => FulfillmentEvent::ShipmentRecovered,
                (false, false) | (true, true) => continue,
            };
            let Some(shipment) = self.shipment(&package.shipment_id) else { continue };
            let payload = change(ShipmentUndelivered {
                shipment: Some(self.snapshot_of(shipment)),
                package_id: package.package_id.to_string(),
                lines: package.lines().to_vec(),
            });
            cx.emit(event(shipment, payload, format!("{}/{}", package.package_id, package.version)));
        }
    }

    /// Emits that a package is written off.
    pub(super) fn emit_write_off(&self, package_id: &PackageId, claim: &str, cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let Some(remedy) = package.remedy else { return };
        let payload = ShipmentWrittenOff {
            shipment: Some(self.snapshot_of(shipment)),
            package_id: package_id.to_string(),
            lines: package.lines().to_vec(),
            remedy: proto::fulfillment::v1::WriteOffRemedy::from(remedy).into(),
            claim_reference: claim.to_owned(),
        };
        cx.emit(event(shipment, FulfillmentEvent::ShipmentWrittenOff(payload), package_id));
    }

    /// A written-off package is delivered all the same.
    pub(super) fn open_delivered_after_write_off(&self, package_id: &PackageId, cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let summary = format!("package {} is delivered although it was written off", package.name());
        let facts = [("shipment_id", shipment.shipment_id.to_string())];
        exception(ExceptionType::DeliveredAfterWriteOff, shipment, package).open(cx, summary, facts);
    }

    /// Goods left under a label that had been voided.
    pub(super) fn open_voided_label_used(&self, package_id: &PackageId, cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.package(package_id) else { return };
        let summary = format!("package {} left although its label had been voided", package.name());
        let facts = [("shipment_id", shipment.shipment_id.to_string())];
        exception(ExceptionType::VoidedLabelUsed, shipment, package).open(cx, summary, facts);
    }
}

fn exception(exception_type: ExceptionType, shipment: &Shipment, package: &Package) -> Exception {
    let exception = Exception::new(exception_type, &package.package_id, package.version).version(package.version);
    exception.order(&shipment.order_id).account(&shipment.account_id)
}
