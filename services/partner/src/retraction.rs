//! Which report takes back each kind of report. The process is in `process/report/take_back.rs`.
//!
//! Three groups cannot be taken back: an answer, since others have acted on it; a retraction, since reporting the fact again undoes
//! it; and a correction, since another one corrects it.

use proto::{
    fulfillment::v1::{
        ReportedPackage, RetractPickRequest, RetractShipmentRequest, RetractTrackingReportRequest, VoidLabelsRequest,
    },
    inventory::v1::RetractCountRequest,
    partner::v1::submit_report_request::Report,
    types::v1::LineQuantity,
};

use crate::report_kind;

/// What is known of a report that was applied.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    /// What it was recorded as.
    pub(crate) recorded_as: String,
    /// The reference of the shipment that it was recorded as; that of the report unless its packages were known before.
    pub(crate) shipment_reference: String,
    /// When it was received.
    pub(crate) receive_time: Option<prost_types::Timestamp>,
}

/// What takes a report back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Retraction {
    /// This report, which is one of the public API.
    By(Box<Report>),
    /// Nothing: the report says nothing.
    Nothing,
    /// Reports of its kind cannot be taken back.
    Impossible,
}

/// The retraction of a report.
pub(crate) fn of(report: &Report, recorded: &Recorded, reason: &str) -> Retraction {
    let reason = reason.to_owned();
    let takes_back = match report {
        Report::Milestone(_) | Report::ProofOfDelivery(_) => {
            let report_id = recorded.recorded_as.clone();
            Report::Retraction(RetractTrackingReportRequest { report_id, reason, ..Default::default() })
        }
        Report::Labelled(request) => Report::Voided(VoidLabelsRequest {
            fulfillment_order_id: request.fulfillment_order_id.clone(),
            shipment_reference: recorded.shipment_reference.clone(),
            package_names: names(&request.packages),
            reason,
            ..Default::default()
        }),
        Report::Shipped(request) => Report::ShipmentRetracted(RetractShipmentRequest {
            fulfillment_order_id: request.fulfillment_order_id.clone(),
            shipment_reference: recorded.shipment_reference.clone(),
            package_names: names(&request.packages),
            reason,
            ..Default::default()
        }),
        Report::Picked(request) => {
            let (picked, short) = (units(&request.picked), units(&request.short));
            if picked.is_empty() && short.is_empty() {
                return Retraction::Nothing;
            }
            Report::PickRetracted(RetractPickRequest {
                fulfillment_order_id: request.fulfillment_order_id.clone(),
                picked,
                short,
                occur_time: request.occur_time.or(recorded.receive_time),
                reason,
                ..Default::default()
            })
        }
        Report::Snapshot(request) => Report::CountRetracted(RetractCountRequest {
            location_id: request.location_id.clone(),
            skus: request.items.iter().map(|item| item.sku.clone()).collect(),
            count_time: report_kind::counted_by(request.count_time, recorded.receive_time),
            reason,
            ..Default::default()
        }),
        Report::Accepted(_)
        | Report::Rejected(_)
        | Report::Cancellation(_)
        | Report::ShipToChange(_)
        | Report::Retracted(_)
        | Report::Retraction(_)
        | Report::Voided(_)
        | Report::ShipmentRetracted(_)
        | Report::ShipmentCorrected(_)
        | Report::PickRetracted(_)
        | Report::CountRetracted(_) => return Retraction::Impossible,
    };
    Retraction::By(Box::new(takes_back))
}

/// Whether reports of the kind can be taken back.
pub(crate) fn is_possible(report: &Report) -> bool {
    of(report, &Recorded::default(), "") != Retraction::Impossible
}

/// What names each package. None when a package has no name, which means all packages of the shipment: it is the only one.
pub(crate) fn names(packages: &[ReportedPackage]) -> Vec<String> {
    let name = |package: &ReportedPackage| {
        let name = if package.tracking_number.is_empty() { &package.sscc } else { &package.tracking_number };
        Some(name.clone()).filter(|name| !name.is_empty())
    };
    packages.iter().map(name).collect::<Option<_>>().unwrap_or_default()
}

fn units(lines: &[LineQuantity]) -> Vec<LineQuantity> {
    lines.iter().filter(|line| line.quantity > 0).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proto::fulfillment::v1::{AcceptFulfillmentOrderRequest, RecordPickRequest, RecordShipmentRequest};

    use super::*;

    fn package(tracking_number: &str, sscc: &str) -> ReportedPackage {
        let (tracking_number, sscc) = (tracking_number.to_owned(), sscc.to_owned());
        ReportedPackage { tracking_number, sscc, lines: Vec::new() }
    }

    #[test]
    fn a_shipment_is_taken_back_by_the_names_of_its_packages() {
        let packages = vec![package("T1", "3401"), package("", "3402")];
        let shipped = Report::Shipped(RecordShipmentRequest { packages, ..Default::default() });
        let recorded = Recorded { shipment_reference: "S-0".to_owned(), ..Recorded::default() };
        let Retraction::By(takes_back) = of(&shipped, &recorded, "never left") else { panic!("it is possible") };
        let Report::ShipmentRetracted(request) = *takes_back else { panic!("another kind") };
        assert_eq!((request.package_names, request.shipment_reference.as_str()), (names_of(&["T1", "3402"]), "S-0"));
        assert!(names(&[package("", "")]).is_empty(), "the only package of its shipment");
    }

    fn names_of(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_pick_of_nothing_is_taken_back_by_nothing_and_an_answer_never() {
        let line = LineQuantity { line_number: 1, sku: "A".to_owned(), quantity: 0 };
        let picked = Report::Picked(RecordPickRequest { picked: vec![line], ..Default::default() });
        assert_eq!(of(&picked, &Recorded::default(), ""), Retraction::Nothing);
        assert!(is_possible(&picked));
        assert!(!is_possible(&Report::Accepted(AcceptFulfillmentOrderRequest::default())));
    }
}
