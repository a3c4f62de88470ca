//! A tracking report names a tracking number that no package has yet, or comes from a reporter that is not authoritative for
//! its package.
//!
//! 1. `RecordMilestone` or `RecordProofOfDelivery` (`report/tracking.rs`): [`record`] buffers the report
//!    (`buffered_reports.rs`).
//! 2. It looks for packages with the tracking number. None: `shipment.unmatched_milestone_recorded`.
//! 3. A node reports the package (`report/packages.rs`): its buffered reports are applied (`aggregate/tracking.rs`), and each
//!    emits `shipment.milestone_recorded` or `shipment.pod_captured` after the package's own events.
//! 4. The reporter of a report is neither the distributor, nor the package's carrier, nor the partner of its node: the report
//!    stays buffered, and opens the exception FOREIGN_REPORT (`aggregate/events/exceptions.rs`).
//! 5. A later report names the carrier of a shipment that had none: all buffered reports of its packages by that carrier are
//!    applied, and the exception is resolved when no other reporter is left (`aggregate/tracking.rs`).

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{self, ShipmentMilestoneRecorded},
};
use store::{Context, Needs, NewEvent, Rows};
use types::Fault;

use crate::{
    aggregate::FulfillmentOrderAggregate,
    buffered_reports::{self, BufferedReports, TrackingReport},
    milestone::{Milestone, MilestoneCode, Proof},
    package::Package,
    shipment::Shipment,
    wire::{self, milestone_code},
};

/// Requests everything that is known of a tracking number.
pub(crate) fn needs(tracking_number: &str, rows: &Rows, needs: &mut Needs) {
    BufferedReports::needs(tracking_number, rows, needs);
    buffered_reports::needs_packages(tracking_number, rows, needs);
    for package in buffered_reports::packages(tracking_number, rows).into_iter().flatten() {
        FulfillmentOrderAggregate::needs(&package.fulfillment_order_id, rows, needs);
        FulfillmentOrderAggregate::needs_reports_without_carrier(&package.fulfillment_order_id, rows, needs);
    }
}

/// Buffers a report and applies it to every package with its tracking number. The same report again changes nothing.
pub(crate) fn record(report: TrackingReport, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
    let Some(new) = buffered_reports::buffer(report, rows)? else { return Ok(()) };
    let packages = buffered_reports::packages(new.report().tracking_number(), rows)?;
    if packages.is_empty() {
        cx.emit(match new.report() {
            TrackingReport::Milestone(milestone) => unmatched_milestone(milestone, rows)?,
            TrackingReport::Proof(proof) => unmatched_proof(proof),
        });
    }
    for package in packages {
        let mut aggregate = FulfillmentOrderAggregate::load(&package.fulfillment_order_id, rows)?;
        aggregate.apply_report(&package.package_id, &new, rows)?;
        aggregate.save(rows, cx)?;
    }
    Ok(())
}

fn unmatched_milestone(milestone: &Milestone, rows: &Rows) -> Result<NewEvent, Fault> {
    let reports = BufferedReports::load(&milestone.tracking_number, rows)?;
    let status = milestone_code(reports.status_by(&milestone.reporter_id));
    let event = unmatched(wire::milestone(milestone), status, milestone.event_key());
    Ok(event.occurred(milestone.occur_time, wire::count(milestone.occur_offset_minutes)))
}

/// The event of a proof is that of the delivery that it proves.
fn unmatched_proof(proof: &Proof) -> NewEvent {
    let code = milestone_code(MilestoneCode::Delivered);
    let milestone = v1::Milestone {
        tracking_number: proof.tracking_number.clone(),
        code,
        raw_code: "POD".to_owned(),
        occur_time: Some(mesh::wire::timestamp(proof.sign_time)),
        ..v1::Milestone::default()
    };
    let key = format!("{}/POD/{}/{}", proof.tracking_number, proof.sign_time.as_micros(), proof.reporter_id);
    unmatched(milestone, code, key).occurred(proof.sign_time, 0)
}

fn unmatched(milestone: v1::Milestone, status: i32, key: String) -> NewEvent {
    let tracking_number = milestone.tracking_number.clone();
    let payload =
        ShipmentMilestoneRecorded { milestone: Some(milestone), status, ..ShipmentMilestoneRecorded::default() };
    NewEvent::new(FulfillmentEvent::ShipmentUnmatchedMilestoneRecorded(payload), tracking_number, 0, key)
}

/// The oldest package with a tracking number for which a reporter is authoritative, and its shipment.
pub(crate) fn authoritative_package(
    tracking_number: &str,
    reporter_id: &str,
    rows: &Rows,
) -> Result<Option<(Shipment, Package)>, Fault> {
    for package in buffered_reports::packages(tracking_number, rows)? {
        let shipment = rows.get::<Shipment>(&package.shipment_id)?;
        if let Some(shipment) = shipment.filter(|shipment| shipment.is_authoritative(reporter_id)) {
            return Ok(Some((shipment.clone(), package)));
        }
    }
    Ok(None)
}
