//! A tracking report, from its record to the package that it is about; and one that matches no package, or comes from a reporter
//! that is not authoritative for its package.
//!
//! 1. `RecordMilestone` or `RecordProofOfDelivery` (`report/tracking.rs`): [`record`] buffers the report
//!    (`buffered_reports.rs`). One that it corrects is retracted; `RetractTrackingReport` retracts one alone ([`retract`]).
//! 2. Of the packages that the report may name, its carrier and time decide which it is about (`assignment.rs`). None:
//!    `shipment.unmatched_milestone_recorded`.
//! 3. A node reports the package (`report/packages.rs`): its buffered reports are applied (`aggregate/tracking.rs`), and each
//!    emits `shipment.milestone_recorded` or `shipment.pod_captured` after the package's own events.
//! 4. The reporter of a report is neither the distributor, nor the package's carrier, nor the partner of its node: the report
//!    stays buffered, and opens the exception FOREIGN_REPORT (`doubts.rs`). One whose time cannot be right does not count and opens
//!    IMPLAUSIBLE_TIME; one that may be about packages of several carriers, AMBIGUOUS_REPORT.
//! 5. A later report names the carrier, or corrects it: all buffered reports of the shipment's packages are folded again, and the
//!    exception is resolved when no report is doubtful any more.
//! 6. A report is retracted: the package is folded again without it. What was delivered or had left by it is not any more:
//!    `shipment.delivery_retracted`, `shipment.departure_retracted`.

use std::collections::BTreeSet;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{ShipmentMilestoneRecorded, TrackingReportRetracted},
};
use store::{Context, Needs, NewEvent, Rows};
use types::{Fault, FulfillmentOrderId, TrackingReportId};

use crate::{
    aggregate::{FulfillmentOrderAggregate, ReportChange, open_implausible},
    assignment::{Candidate, Relation, relation},
    buffered_reports::{self, REPORT_ID},
    package::Package,
    shipment::Shipment,
    tracking_report::{ReportDoubt, TrackingReport},
    wire::{self, milestone_code},
};

/// Requests everything that is known of a key.
pub(crate) fn needs(key: &str, rows: &Rows, needs: &mut Needs) {
    buffered_reports::needs(key, rows, needs);
    for package in buffered_reports::packages(key, rows).into_iter().flatten() {
        let id = &package.fulfillment_order_id;
        FulfillmentOrderAggregate::needs(id, rows, needs);
        let is_followed = |package: &Package, shipment: &Shipment| {
            shipment.carrier_id.is_empty() || package.keys().iter().any(|one| one == key)
        };
        FulfillmentOrderAggregate::needs_reports(id, is_followed, rows, needs);
    }
}

/// Requests a report by its id, and everything that is known of its key.
pub(crate) fn needs_report(report_id: &TrackingReportId, rows: &Rows, needs: &mut Needs) {
    needs.by::<TrackingReport>(REPORT_ID, report_id);
    if let Ok(Some(report)) = buffered_reports::find(report_id, rows) {
        self::needs(&report.package_key, rows, needs);
    }
}

/// Buffers a report as it is recorded now, in the place of one that it corrects, and applies it to the packages that it is about. The same report again
/// changes nothing.
pub(crate) fn record(
    report: TrackingReport,
    corrects: Option<&TrackingReportId>,
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    let corrected = match corrects {
        Some(corrects) if *corrects == report.report_id => {
            return Err(Fault::invalid("corrects", "is this report: what differs has to be its time, code or package"));
        }
        Some(corrects) => {
            let known = owned(corrects, &report.reporter_id, rows).map_err(|fault| fault_of("corrects", fault))?;
            take_back(known, &format!("corrected by {}", report.report_id), rows, cx)?
        }
        None => None,
    };
    let new = buffered_reports::buffer(report, rows)?;
    follow(ReportChange { new: new.as_ref(), retracted: corrected.as_ref() }, rows, cx)
}

/// Retracts a report for its reporter, or for the distributor. Again it changes nothing.
pub(crate) fn retract(
    report_id: &TrackingReportId,
    reporter_id: &str,
    reason: &str,
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    let known = owned(report_id, reporter_id, rows)?;
    let retracted = take_back(known, reason, rows, cx)?;
    follow(ReportChange { new: None, retracted: retracted.as_ref() }, rows, cx)
}

/// A report of this reporter; the distributor may name any.
fn owned(report_id: &TrackingReportId, reporter_id: &str, rows: &Rows) -> Result<TrackingReport, Fault> {
    let known = buffered_reports::find(report_id, rows)?;
    let known = known.filter(|known| reporter_id.is_empty() || known.reporter_id == reporter_id);
    known.ok_or_else(|| Fault::not_found("tracking report", report_id))
}

fn fault_of(field: &str, fault: Fault) -> Fault {
    Fault::invalid(field, fault.message)
}

/// Marks a report as retracted; returns it unless it was before.
fn take_back(
    known: TrackingReport,
    reason: &str,
    rows: &mut Rows,
    cx: &Context<'_>,
) -> Result<Option<TrackingReport>, Fault> {
    if known.retract_time.is_some() {
        return Ok(None);
    }
    buffered_reports::write_key(&known.package_key, rows)?;
    let retract_time = Some(cx.now());
    Ok(Some(rows.put(TrackingReport { retract_time, retract_reason: reason.to_owned(), ..known })))
}

/// Applies a change of reports to the packages that they may be about.
fn follow(change: ReportChange<'_>, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
    let changed = change.new.into_iter().chain(change.retracted);
    let keys: BTreeSet<String> = changed.map(|report| report.package_key.clone()).collect();
    let mut orders = BTreeSet::<FulfillmentOrderId>::new();
    for key in &keys {
        orders.extend(buffered_reports::packages(key, rows)?.into_iter().map(|one| one.fulfillment_order_id.clone()));
    }
    let (mut matched, mut retracted, mut carrier_named) = (false, false, false);
    for order in &orders {
        let mut aggregate = FulfillmentOrderAggregate::load(order, rows)?;
        let followed = aggregate.follow_reports(&keys, change, rows)?;
        aggregate.save(rows, cx)?;
        matched |= followed.matched;
        retracted |= followed.retracted;
        carrier_named |= followed.carrier_named;
    }
    // Which package a report is about depends on the carriers of all that it may be about.
    if carrier_named && orders.len() > 1 {
        for order in &orders {
            let mut aggregate = FulfillmentOrderAggregate::load(order, rows)?;
            aggregate.follow_reports(&keys, ReportChange::default(), rows)?;
            aggregate.save(rows, cx)?;
        }
    }
    if let Some(new) = change.new.filter(|_| !matched) {
        emit_unmatched(new, rows, cx)?;
    }
    if let Some(report) = change.retracted.filter(|_| !retracted) {
        emit_retracted(report, cx);
    }
    Ok(())
}

/// Emits a report that is about no package yet. The event of a proof is that of the delivery that it proves.
fn emit_unmatched(report: &TrackingReport, rows: &Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
    let status = match report.proof {
        None => buffered_reports::status_by(&report.reporter_id, &report.package_key, rows)?,
        Some(_) => report.code,
    };
    let payload = ShipmentMilestoneRecorded {
        milestone: Some(wire::milestone(report)),
        status: milestone_code(status),
        ..ShipmentMilestoneRecorded::default()
    };
    let payload = FulfillmentEvent::ShipmentUnmatchedMilestoneRecorded(payload);
    let offset = report.milestone.0.occur_offset_minutes;
    let event = NewEvent::new(payload, report.package_name(), 0, &report.report_id);
    cx.emit(event.occurred(report.occur_time, offset));
    if report.doubt != ReportDoubt::None {
        open_implausible(report, cx);
    }
    Ok(())
}

/// Emits that a report about no package is retracted.
fn emit_retracted(report: &TrackingReport, cx: &mut Context<'_>) {
    let milestone = Some(wire::milestone(report));
    let payload = TrackingReportRetracted { milestone, ..TrackingReportRetracted::default() };
    let payload = FulfillmentEvent::ShipmentReportRetracted(payload);
    let name = report.package_name();
    let retracted = cx.event_id(EventType::ShipmentUnmatchedMilestoneRecorded, &name, &report.report_id);
    cx.emit(NewEvent::new(payload, name, 0, &report.report_id).retracts(retracted));
}

/// The oldest package that a report is about, and its shipment, when its reporter is authoritative.
pub(crate) fn package_of<'r>(report: &TrackingReport, rows: &'r Rows) -> Result<Option<Candidate<'r>>, Fault> {
    let candidates = buffered_reports::candidates(&report.package_key, rows)?;
    let is_about =
        |one: &&Candidate<'_>| relation(report, &one.package.package_id, &candidates) == Relation::Authoritative;
    Ok(candidates.iter().find(is_about).copied())
}
