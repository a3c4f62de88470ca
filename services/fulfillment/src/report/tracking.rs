//! A carrier reports where a package is, or that it was delivered; or takes such a report back.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::fulfillment::v1::{
    self, ProofOfDelivery, RecordMilestoneRequest, RecordMilestoneResponse, RecordProofOfDeliveryRequest,
    RecordProofOfDeliveryResponse, RetractTrackingReportRequest, RetractTrackingReportResponse,
};
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, PartnerId, TrackingReportId,
    limits::{MAX_NAME, MAX_OUTSIDE_NUMBER, MAX_TEXT},
};

use crate::{
    buffered_reports,
    milestone::MilestoneCode,
    package_key::PackageName,
    process::unmatched_report::{self, package_of},
    tracking_report::TrackingReport,
    wire::{milestone_code, report_doubt},
};

/// Records a milestone. The same one again changes nothing.
#[derive(Debug)]
pub struct RecordMilestone {
    /// The milestone.
    pub report: TrackingReport,
    /// An earlier report that it corrects.
    pub corrects: Option<TrackingReportId>,
}

/// Records a proof of delivery, which is a delivery. The same one again changes nothing.
#[derive(Debug)]
pub struct RecordProofOfDelivery {
    /// The proof.
    pub report: TrackingReport,
    /// An earlier report that it corrects.
    pub corrects: Option<TrackingReportId>,
}

/// Retracts a milestone or a proof of delivery.
#[derive(Debug)]
pub(crate) struct RetractTrackingReport {
    report_id: TrackingReportId,
    reporter_id: String,
    reason: String,
}

impl RecordMilestone {
    /// Reads the request.
    pub(crate) fn parse(request: &RecordMilestoneRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let carrier_id = partner("carrier_id", &request.carrier_id, &mut checks);
        let reporter_id = partner("reporter_id", &request.reporter_id, &mut checks);
        let corrects = checks.optional_id("corrects", &request.corrects);
        let Some(reported) = &request.milestone else {
            checks.wrong("milestone", "is required");
            return checks.done().and_then(|()| checked(None));
        };
        PackageName::of(reported).check("milestone.", &mut checks);
        let code = checks.optional_choice::<v1::MilestoneCode>("milestone.code", reported.code);
        checks.optional_text("milestone.raw_code", &reported.raw_code, MAX_OUTSIDE_NUMBER);
        let occur_time = checks.time("milestone.occur_time", reported.occur_time.as_ref());
        checks.optional_time("milestone.estimated_delivery_time", reported.estimated_delivery_time.as_ref());
        checks.optional_text("milestone.place", &reported.place, MAX_TEXT);
        if reported.occur_offset_minutes.unsigned_abs() > 18 * 60 {
            checks.wrong("milestone.occur_offset_minutes", "must be -1,080 to 1,080");
        }
        checks.done()?;
        let code = MilestoneCode::from_contract(checked(code)?).unwrap_or(MilestoneCode::Unspecified);
        let milestone = v1::Milestone {
            raw_code: reported.raw_code.clone(),
            code: reported.code,
            occur_time: reported.occur_time,
            occur_offset_minutes: reported.occur_offset_minutes,
            place: reported.place.clone(),
            estimated_delivery_time: reported.estimated_delivery_time,
            ..PackageName::of(reported).to_milestone()
        };
        let report = TrackingReport::milestone(reporter_id, carrier_id, code, checked(occur_time)?, milestone)?;
        Ok(Self { report, corrects: checked(corrects)? })
    }
}

impl Command for RecordMilestone {
    type Reply = RecordMilestoneResponse;
    const NAME: &'static str = "RecordMilestone";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs_of(&self.report, self.corrects.as_ref(), rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RecordMilestoneResponse, Fault> {
        let report = self.report.clone().recorded(cx.now());
        unmatched_report::record(report.clone(), self.corrects.as_ref(), rows, cx)?;
        let (report_id, doubt) = (report.report_id.to_string(), report_doubt(report.doubt).into());
        let TrackingReport { reporter_id, package_key, .. } = &report;
        let Some(found) = package_of(&report, rows)? else {
            let status = milestone_code(buffered_reports::status_by(reporter_id, package_key, rows)?);
            return Ok(RecordMilestoneResponse { status, report_id, doubt, ..Default::default() });
        };
        Ok(RecordMilestoneResponse {
            shipment_id: found.shipment.shipment_id.to_string(),
            package_id: found.package.package_id.to_string(),
            status: milestone_code(found.package.status),
            order_id: found.shipment.order_id.to_string(),
            account_id: found.shipment.account_id.to_string(),
            report_id,
            doubt,
        })
    }
}

impl RecordProofOfDelivery {
    /// Reads the request.
    pub(crate) fn parse(request: &RecordProofOfDeliveryRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let carrier_id = partner("carrier_id", &request.carrier_id, &mut checks);
        let reporter_id = partner("reporter_id", &request.reporter_id, &mut checks);
        let corrects = checks.optional_id("corrects", &request.corrects);
        let name = PackageName {
            tracking_number: request.tracking_number.clone(),
            sscc: request.sscc.clone(),
            node_id: request.node_id.clone(),
            shipment_reference: request.shipment_reference.clone(),
        };
        name.check("", &mut checks);
        let mut sign_time = None;
        match &request.proof_of_delivery {
            None => checks.wrong("proof_of_delivery", "is required"),
            Some(ProofOfDelivery { signed_by, sign_time: signed, drop_location, image_uri, remark }) => {
                sign_time = checks.time("proof_of_delivery.sign_time", signed.as_ref());
                checks.optional_text("proof_of_delivery.signed_by", signed_by, MAX_NAME);
                checks.optional_text("proof_of_delivery.drop_location", drop_location, MAX_TEXT);
                checks.optional_text("proof_of_delivery.image_uri", image_uri, 2_000);
                checks.optional_text("proof_of_delivery.remark", remark, MAX_TEXT);
                if [signed_by, drop_location, image_uri, remark].iter().all(|text| text.trim().is_empty()) {
                    checks.wrong("proof_of_delivery", "must have who signed, a drop location, a picture or a remark");
                }
            }
        }
        checks.done()?;
        let (sign_time, proof) = (checked(sign_time)?, checked(request.proof_of_delivery.clone())?);
        let report = TrackingReport::proof(reporter_id, carrier_id, sign_time, &name, proof)?;
        Ok(Self { report, corrects: checked(corrects)? })
    }
}

impl Command for RecordProofOfDelivery {
    type Reply = RecordProofOfDeliveryResponse;
    const NAME: &'static str = "RecordProofOfDelivery";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs_of(&self.report, self.corrects.as_ref(), rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RecordProofOfDeliveryResponse, Fault> {
        let report = self.report.clone().recorded(cx.now());
        unmatched_report::record(report.clone(), self.corrects.as_ref(), rows, cx)?;
        let (report_id, doubt) = (report.report_id.to_string(), report_doubt(report.doubt).into());
        let Some(found) = package_of(&report, rows)? else {
            return Ok(RecordProofOfDeliveryResponse { report_id, doubt, ..Default::default() });
        };
        Ok(RecordProofOfDeliveryResponse {
            shipment_id: found.shipment.shipment_id.to_string(),
            package_id: found.package.package_id.to_string(),
            order_id: found.shipment.order_id.to_string(),
            account_id: found.shipment.account_id.to_string(),
            report_id,
            doubt,
        })
    }
}

impl RetractTrackingReport {
    /// Reads the request.
    pub(crate) fn parse(request: &RetractTrackingReportRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let report_id = checks.id("report_id", &request.report_id);
        let reason = checks.text("reason", &request.reason, MAX_TEXT);
        let reporter_id = partner("reporter_id", &request.reporter_id, &mut checks);
        checks.done()?;
        Ok(Self { report_id: checked(report_id)?, reporter_id, reason: checked(reason)? })
    }
}

impl Command for RetractTrackingReport {
    type Reply = RetractTrackingReportResponse;
    const NAME: &'static str = "RetractTrackingReport";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        unmatched_report::needs_report(&self.report_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RetractTrackingReportResponse, Fault> {
        unmatched_report::retract(&self.report_id, &self.reporter_id, &self.reason, rows, cx)?;
        let report_id = self.report_id.to_string();
        let report = buffered_reports::find(&self.report_id, rows)?;
        let Some(found) = report.map(|report| package_of(&report, rows)).transpose()?.flatten() else {
            return Ok(RetractTrackingReportResponse { report_id, ..Default::default() });
        };
        Ok(RetractTrackingReportResponse {
            report_id,
            shipment_id: found.shipment.shipment_id.to_string(),
            package_id: found.package.package_id.to_string(),
            status: milestone_code(found.package.status),
            order_id: found.shipment.order_id.to_string(),
            account_id: found.shipment.account_id.to_string(),
        })
    }
}

fn needs_of(report: &TrackingReport, corrects: Option<&TrackingReportId>, rows: &Rows, needs: &mut Needs) {
    unmatched_report::needs(&report.package_key, rows, needs);
    if let Some(corrects) = corrects {
        unmatched_report::needs_report(corrects, rows, needs);
    }
}

/// A partner as text; empty when not known.
fn partner(field: &str, text: &str, checks: &mut Checks) -> String {
    let partner = checks.optional_id::<PartnerId>(field, text).flatten();
    partner.map(|partner| partner.to_string()).unwrap_or_default()
}
