//! The kinds of reports that can be taken back.

use proto::{
    fulfillment::v1::{
        Milestone, ProofOfDelivery, RecordLabelsRequest, RecordMilestoneRequest, RecordPickRequest,
        RecordProofOfDeliveryRequest, RecordShipmentRequest, ReportedPackage,
    },
    inventory::v1::{ItemQuantity, ReportSnapshotRequest},
    partner::v1::{SubmitReportRequest, submit_report_request::Report},
};
use testkit::{START, units};

use crate::world::report;

/// A kind of report that can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Milestone,
    Proof,
    Labels,
    Shipment,
    Pick,
    Count,
}

pub(crate) const KINDS: [Kind; 6] =
    [Kind::Milestone, Kind::Proof, Kind::Labels, Kind::Shipment, Kind::Pick, Kind::Count];

impl Kind {
    /// The call that records it.
    pub(crate) fn records(self) -> &'static str {
        match self {
            Self::Milestone => "milestone",
            Self::Proof => "proof",
            Self::Labels => "labels",
            Self::Shipment => "shipment",
            Self::Pick => "pick",
            Self::Count => "snapshot",
        }
    }

    /// The call that takes it back.
    pub(crate) fn undoes(self) -> &'static str {
        match self {
            Self::Milestone | Self::Proof => "retraction",
            Self::Labels => "void",
            Self::Shipment => "retract_shipment",
            Self::Pick => "retract_pick",
            Self::Count => "retract_count",
        }
    }

    /// A report of the warehouse `par_a` with so many units, where it has units.
    pub(crate) fn report(self, control_number: &str, quantity: i64) -> SubmitReportRequest {
        report("par_a", control_number, self.content("T1", quantity))
    }

    /// Its content, for a package with this number.
    pub(crate) fn content(self, number: &str, quantity: i64) -> Report {
        let (fulfillment_order_id, tracking_number) = ("ful_1".to_owned(), number.to_owned());
        let lines = vec![units(1, quantity)];
        let packages = vec![ReportedPackage { tracking_number: number.to_owned(), lines, ..Default::default() }];
        let shipment_reference = "S1".to_owned();
        match self {
            Self::Milestone => Report::Milestone(RecordMilestoneRequest {
                milestone: Some(Milestone { tracking_number, code: 3, ..Default::default() }),
                ..Default::default()
            }),
            Self::Proof => Report::ProofOfDelivery(RecordProofOfDeliveryRequest {
                tracking_number,
                proof_of_delivery: Some(ProofOfDelivery { signed_by: "Ada".to_owned(), ..Default::default() }),
                ..Default::default()
            }),
            Self::Labels => Report::Labelled(RecordLabelsRequest {
                fulfillment_order_id,
                shipment_reference,
                packages,
                ..Default::default()
            }),
            Self::Shipment => Report::Shipped(RecordShipmentRequest {
                fulfillment_order_id,
                shipment_reference,
                packages,
                ..Default::default()
            }),
            Self::Pick => Report::Picked(RecordPickRequest {
                fulfillment_order_id,
                picked: vec![units(1, quantity)],
                short: vec![units(1, 2), units(2, 0)],
                ..Default::default()
            }),
            Self::Count => Report::Snapshot(ReportSnapshotRequest {
                location_id: "nod_a".to_owned(),
                items: vec![ItemQuantity { sku: "A".to_owned(), quantity }],
                count_time: Some(started(-60)),
                ..Default::default()
            }),
        }
    }
}

/// Seconds after the start.
pub(crate) fn started(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: START.as_micros() / 1_000_000 + seconds, nanos: 0 }
}
