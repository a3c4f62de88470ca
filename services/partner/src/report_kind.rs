//! The kinds of reports: one table with everything in which they differ.
//!
//! A new kind is a field of the `report` oneof of `SubmitReportRequest` and a row of [`report_kinds!`] below; it does not
//! build without the row, nor without what takes it back (`retraction.rs`). Whatever the kind, a refused report opens REPORT_REJECTED, and one that cannot be applied for
//! long REPORT_DELAYED (`process/report.rs`).

use mesh::{Channel, wire::from_timestamp};
use proto::{
    fulfillment::v1::{
        FulfillmentOrder, RecordMilestoneResponse, RecordProofOfDeliveryResponse, ReportDoubt,
        RetractTrackingReportResponse, Shipment, fulfillment_service_client::FulfillmentServiceClient,
    },
    inventory::v1::{ReportSnapshotResponse, RetractCountResponse, inventory_service_client::InventoryServiceClient},
    partner::v1::submit_report_request::Report,
};
use types::{Fault, limits::CLOCK_SKEW};

use crate::{
    partner::{Partner, PartnerKind},
    process::report::Effect,
};

/// What reports of a kind are about, which decides who may report it (`reporter.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubjectType {
    /// A fulfillment order, reported on by the partner that it was requested of.
    FulfillmentOrder,
    /// A location, reported on by the partner that runs its node.
    Location,
    /// A package by what names it, reported on by carriers and warehouses.
    Package,
    /// A tracking report, taken back by the carrier or warehouse that reported it.
    TrackingReport,
    /// An earlier report of the partner, by its control number.
    Report,
}

/// A row of the table, for one report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReportKind<'r> {
    /// Type of the message.
    pub message_type: &'static str,
    /// What it is about.
    pub subject_type: SubjectType,
    /// The field of the request that names the subject.
    pub subject_field: &'static str,
    /// Id of the subject.
    pub subject: &'r str,
}

/// Clients of the services that record reports.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    /// Records reports on fulfillment orders and packages.
    pub fulfillment: FulfillmentServiceClient<Channel>,
    /// Records counts.
    pub inventory: InventoryServiceClient<Channel>,
}

macro_rules! report_kinds {
    ($(
        $report:ident($request:ident): $message_type:literal, $subject_type:ident $field:literal = $subject:expr,
        $service:ident.$call:ident;
    )+) => {
        /// The row of a report.
        pub(crate) fn of(report: &Report) -> ReportKind<'_> {
            match report {
                $(Report::$report($request) => ReportKind {
                    message_type: $message_type,
                    subject_type: SubjectType::$subject_type,
                    subject_field: $field,
                    subject: $subject,
                },)+
                // It becomes the call that takes the earlier report back (`process/report/take_back.rs`).
                Report::Retracted(request) => ReportKind {
                    message_type: "report.retracted",
                    subject_type: SubjectType::Report,
                    subject_field: "retracted.control_number",
                    subject: &request.control_number,
                },
            }
        }

        /// Removes the request id that a partner may have set.
        pub(crate) fn clear_request_id(report: &mut Report) {
            match report {
                $(Report::$report(request) => request.request_id.clear(),)+
                Report::Retracted(_) => {}
            }
        }

        impl Services {
            /// Makes the call that a report becomes. Its request id follows from the message id, so that a report takes effect
            /// once however often it is applied.
            pub(crate) async fn record(
                &self,
                report: Report,
                request_id: String,
                receive_time: Option<prost_types::Timestamp>,
                reporter: &Partner,
            ) -> Result<Effect, Fault> {
                match report {
                    $(Report::$report(mut request) => {
                        request.request_id = request_id;
                        report_kinds!(@complete $subject_type request, receive_time, reporter);
                        let reply = self.$service.clone().$call(request).await;
                        reply.map(|reply| reply.into_inner().into()).map_err(|status| mesh::fault(&status))
                    })+
                    Report::Retracted(_) => Err(Fault::internal("a retraction is no call of its own")),
                }
            }
        }
    };
    // A report without a time occurred when it was received, also when it is applied later.
    (@complete FulfillmentOrder $request:ident, $receive_time:expr, $reporter:ident) => {
        $request.occur_time = $request.occur_time.or($receive_time);
    };
    (@complete Location $request:ident, $receive_time:expr, $reporter:ident) => {
        $request.count_time = counted_by($request.count_time, $receive_time);
    };
    (@complete TrackingReport $request:ident, $receive_time:expr, $reporter:ident) => {
        $request.reporter_id = $reporter.partner_id.to_string();
    };
    (@complete Package $request:ident, $receive_time:expr, $reporter:ident) => {
        $request.reporter_id = $reporter.partner_id.to_string();
        if $reporter.kind == PartnerKind::Carrier {
            $request.carrier_id = $reporter.partner_id.to_string();
        }
    };
}

// report(request): type of the message, subject's type, field and id, the call that it becomes
report_kinds! {
    Accepted(r): "report.accepted", FulfillmentOrder "accepted.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.accept_fulfillment_order;
    Rejected(r): "report.rejected", FulfillmentOrder "rejected.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.reject_fulfillment_order;
    Picked(r): "report.picked", FulfillmentOrder "picked.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.record_pick;
    Labelled(r): "report.labelled", FulfillmentOrder "labelled.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.record_labels;
    Shipped(r): "report.shipped", FulfillmentOrder "shipped.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.record_shipment;
    Cancellation(r): "report.cancellation",
        FulfillmentOrder "cancellation.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.answer_cancellation;
    ShipToChange(r): "report.ship_to_change",
        FulfillmentOrder "ship_to_change.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.answer_ship_to_change;
    Snapshot(r): "report.snapshot", Location "snapshot.location_id" = &r.location_id,
        inventory.report_snapshot;
    Milestone(r): "report.milestone",
        Package "milestone.milestone.tracking_number" = r.milestone.as_ref().map_or("", |milestone| {
            name([&milestone.tracking_number, &milestone.sscc, &milestone.shipment_reference])
        }),
        fulfillment.record_milestone;
    ProofOfDelivery(r): "report.proof_of_delivery",
        Package "proof_of_delivery.tracking_number" = name([&r.tracking_number, &r.sscc, &r.shipment_reference]),
        fulfillment.record_proof_of_delivery;
    Voided(r): "report.voided", FulfillmentOrder "voided.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.void_labels;
    ShipmentRetracted(r): "report.shipment_retracted",
        FulfillmentOrder "shipment_retracted.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.retract_shipment;
    ShipmentCorrected(r): "report.shipment_corrected",
        FulfillmentOrder "shipment_corrected.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.correct_shipment;
    PickRetracted(r): "report.pick_retracted",
        FulfillmentOrder "pick_retracted.fulfillment_order_id" = &r.fulfillment_order_id,
        fulfillment.retract_pick;
    CountRetracted(r): "report.count_retracted", Location "count_retracted.location_id" = &r.location_id,
        inventory.retract_count;
    Retraction(r): "report.retraction", TrackingReport "retraction.report_id" = &r.report_id,
        fulfillment.retract_tracking_report;
}

/// When a count was taken. One for a time after its receipt was taken by then, as far as clocks differ: so every attempt to
/// record it, and to take it back, names the same time.
pub(crate) fn counted_by(
    count_time: Option<prost_types::Timestamp>,
    receive_time: Option<prost_types::Timestamp>,
) -> Option<prost_types::Timestamp> {
    let instants = count_time.as_ref().and_then(from_timestamp).zip(receive_time.as_ref().and_then(from_timestamp));
    let is_ahead =
        instants.is_some_and(|(counted, received)| counted > received && counted <= received.after(CLOCK_SKEW));
    if is_ahead { receive_time } else { count_time }
}

/// The first name that a package has.
fn name(names: [&String; 3]) -> &str {
    names.into_iter().find(|name| !name.is_empty()).map_or("", |name| name)
}

/// The field that names the carrier of goods that leave, and the carrier, if the report names one.
pub(crate) fn carrier(report: &Report) -> Option<(&'static str, &str)> {
    let (field, carrier_id) = match report {
        Report::Labelled(request) => ("labelled.carrier_id", &request.carrier_id),
        Report::Shipped(request) => ("shipped.carrier_id", &request.carrier_id),
        Report::Accepted(_)
        | Report::Rejected(_)
        | Report::Picked(_)
        | Report::Cancellation(_)
        | Report::ShipToChange(_)
        | Report::Snapshot(_)
        | Report::Milestone(_)
        | Report::ProofOfDelivery(_)
        | Report::Voided(_)
        | Report::ShipmentRetracted(_)
        | Report::ShipmentCorrected(_)
        | Report::PickRetracted(_)
        | Report::CountRetracted(_)
        | Report::Retracted(_)
        | Report::Retraction(_) => return None,
    };
    Some((field, carrier_id.as_str())).filter(|(_, carrier_id)| !carrier_id.is_empty())
}

/// The warehouse's number of the shipment that a report records, if it records one.
pub(crate) fn shipment_reference(report: &Report) -> Option<&str> {
    if let Report::Labelled(request) = report {
        return Some(&request.shipment_reference);
    }
    if let Report::Shipped(request) = report { Some(&request.shipment_reference) } else { None }
}

impl From<FulfillmentOrder> for Effect {
    fn from(order: FulfillmentOrder) -> Self {
        let outcome = format!("recorded for fulfillment order {}", order.fulfillment_order_id);
        Self { outcome, order_id: order.order_id, account_id: order.account_id, ..Self::default() }
    }
}

impl From<Shipment> for Effect {
    fn from(shipment: Shipment) -> Self {
        let outcome = format!("recorded as shipment {}", shipment.shipment_id);
        let recorded_as = shipment.shipment_id;
        Self { outcome, order_id: shipment.order_id, account_id: shipment.account_id, recorded_as }
    }
}

impl From<ReportSnapshotResponse> for Effect {
    fn from(counted: ReportSnapshotResponse) -> Self {
        let outcome = if counted.superseded {
            "a newer count was known already".to_owned()
        } else {
            format!("{} levels were counted", counted.levels.len())
        };
        Self { outcome, ..Self::default() }
    }
}

impl From<RetractCountResponse> for Effect {
    fn from(retracted: RetractCountResponse) -> Self {
        Self { outcome: format!("the count of {} levels is retracted", retracted.levels.len()), ..Self::default() }
    }
}

impl From<RecordMilestoneResponse> for Effect {
    fn from(recorded: RecordMilestoneResponse) -> Self {
        let (shipment_id, package_id) = (&recorded.shipment_id, &recorded.package_id);
        let effect = Self::of_package(&recorded.report_id, shipment_id, package_id);
        let doubt = recorded.doubt();
        Self { order_id: recorded.order_id, account_id: recorded.account_id, ..effect }.doubted(doubt)
    }
}

impl From<RecordProofOfDeliveryResponse> for Effect {
    fn from(recorded: RecordProofOfDeliveryResponse) -> Self {
        let (shipment_id, package_id) = (&recorded.shipment_id, &recorded.package_id);
        let effect = Self::of_package(&recorded.report_id, shipment_id, package_id);
        let doubt = recorded.doubt();
        Self { order_id: recorded.order_id, account_id: recorded.account_id, ..effect }.doubted(doubt)
    }
}

impl From<RetractTrackingReportResponse> for Effect {
    fn from(retracted: RetractTrackingReportResponse) -> Self {
        let outcome = format!("{} is retracted", retracted.report_id);
        Self { outcome, order_id: retracted.order_id, account_id: retracted.account_id, ..Self::default() }
    }
}

impl Effect {
    fn of_package(report_id: &str, shipment_id: &str, package_id: &str) -> Self {
        let outcome = if shipment_id.is_empty() {
            format!("kept as {report_id} until a shipment of the reporter has the package")
        } else {
            format!("recorded as {report_id} for package {package_id} of shipment {shipment_id}")
        };
        Self { outcome, recorded_as: report_id.to_owned(), ..Self::default() }
    }

    fn doubted(self, doubt: ReportDoubt) -> Self {
        let why = match doubt {
            ReportDoubt::Unspecified => return self,
            ReportDoubt::Future => "lies in the future",
            ReportDoubt::TooOld => "is more than a year ago",
            ReportDoubt::BeforeDeparture => "is before the package left",
        };
        Self { outcome: format!("{}; it does not count, because its time {why}", self.outcome), ..self }
    }
}
