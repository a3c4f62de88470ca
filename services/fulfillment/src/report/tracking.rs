//! A carrier reports where a package is, or that it was delivered.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::fulfillment::v1::{
    self, ProofOfDelivery, RecordMilestoneRequest, RecordMilestoneResponse, RecordProofOfDeliveryRequest,
    RecordProofOfDeliveryResponse,
};
use store::{Command, Context, Needs, Proto, Rows};
use types::{
    Fault, PartnerId, Timestamp,
    limits::{MAX_NAME, MAX_OUTSIDE_NUMBER, MAX_TEXT},
};

use crate::{
    buffered_reports::{BufferedReports, TrackingReport},
    milestone::{Milestone, MilestoneCode, Proof},
    process::unmatched_report::{self, authoritative_package},
    wire::milestone_code,
};

/// Records a milestone. The same one again changes nothing.
#[derive(Debug)]
pub struct RecordMilestone(pub Milestone);

/// Records a proof of delivery, which is a delivery. The same one again changes nothing.
#[derive(Debug)]
pub struct RecordProofOfDelivery(pub Proof);

impl RecordMilestone {
    /// Reads the request.
    pub(crate) fn parse(request: &RecordMilestoneRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let carrier_id = partner("carrier_id", &request.carrier_id, &mut checks);
        let reporter_id = partner("reporter_id", &request.reporter_id, &mut checks);
        let Some(reported) = &request.milestone else {
            checks.wrong("milestone", "is required");
            return checks.done().and_then(|()| checked(None));
        };
        let tracking_number = checks.text("milestone.tracking_number", &reported.tracking_number, MAX_OUTSIDE_NUMBER);
        let code = checks.optional_choice::<v1::MilestoneCode>("milestone.code", reported.code);
        let raw_code = checks.optional_text("milestone.raw_code", &reported.raw_code, MAX_OUTSIDE_NUMBER);
        let occur_time = checks.time("milestone.occur_time", reported.occur_time.as_ref());
        let estimate = reported.estimated_delivery_time.as_ref();
        let estimated_delivery_time = checks.optional_time("milestone.estimated_delivery_time", estimate);
        let place = checks.optional_text("milestone.place", &reported.place, MAX_TEXT);
        if reported.occur_offset_minutes.unsigned_abs() > 18 * 60 {
            checks.wrong("milestone.occur_offset_minutes", "must be -1,080 to 1,080");
        }
        checks.done()?;
        Ok(Self(Milestone {
            tracking_number: checked(tracking_number)?,
            reporter_id,
            code: MilestoneCode::from_contract(checked(code)?).unwrap_or(MilestoneCode::Unspecified),
            occur_time: checked(occur_time)?,
            raw_code: checked(raw_code)?,
            occur_offset_minutes: i64::from(reported.occur_offset_minutes),
            place: checked(place)?,
            estimated_delivery_time: checked(estimated_delivery_time)?,
            carrier_id,
            record_time: Timestamp::default(),
            version: 0,
        }))
    }
}

impl Command for RecordMilestone {
    type Reply = RecordMilestoneResponse;
    const NAME: &'static str = "RecordMilestone";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        unmatched_report::needs(&self.0.tracking_number, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RecordMilestoneResponse, Fault> {
        let Milestone { tracking_number, reporter_id, .. } = &self.0;
        let milestone = Milestone { record_time: cx.now(), ..self.0.clone() };
        unmatched_report::record(TrackingReport::Milestone(milestone), rows, cx)?;
        let Some((shipment, package)) = authoritative_package(tracking_number, reporter_id, rows)? else {
            let status = BufferedReports::load(tracking_number, rows)?.status_by(reporter_id);
            return Ok(RecordMilestoneResponse { status: milestone_code(status), ..Default::default() });
        };
        Ok(RecordMilestoneResponse {
            shipment_id: package.shipment_id.to_string(),
            package_id: package.package_id.to_string(),
            status: milestone_code(package.status),
            order_id: shipment.order_id.to_string(),
            account_id: shipment.account_id.to_string(),
        })
    }
}

impl RecordProofOfDelivery {
    /// Reads the request.
    pub(crate) fn parse(request: &RecordProofOfDeliveryRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let carrier_id = partner("carrier_id", &request.carrier_id, &mut checks);
        let reporter_id = partner("reporter_id", &request.reporter_id, &mut checks);
        let tracking_number = checks.text("tracking_number", &request.tracking_number, MAX_OUTSIDE_NUMBER);
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
        Ok(Self(Proof {
            tracking_number: checked(tracking_number)?,
            reporter_id,
            sign_time: checked(sign_time)?,
            proof: Proto(checked(request.proof_of_delivery.clone())?),
            carrier_id,
            record_time: Timestamp::default(),
            version: 0,
        }))
    }
}

impl Command for RecordProofOfDelivery {
    type Reply = RecordProofOfDeliveryResponse;
    const NAME: &'static str = "RecordProofOfDelivery";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        unmatched_report::needs(&self.0.tracking_number, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RecordProofOfDeliveryResponse, Fault> {
        let Proof { tracking_number, reporter_id, .. } = &self.0;
        let proof = Proof { record_time: cx.now(), ..self.0.clone() };
        unmatched_report::record(TrackingReport::Proof(proof), rows, cx)?;
        let Some((shipment, package)) = authoritative_package(tracking_number, reporter_id, rows)? else {
            return Ok(RecordProofOfDeliveryResponse::default());
        };
        Ok(RecordProofOfDeliveryResponse {
            shipment_id: package.shipment_id.to_string(),
            package_id: package.package_id.to_string(),
            order_id: shipment.order_id.to_string(),
            account_id: shipment.account_id.to_string(),
        })
    }
}

/// A partner as text; empty when not known.
fn partner(field: &str, text: &str, checks: &mut Checks) -> String {
    let partner = checks.optional_id::<PartnerId>(field, text).flatten();
    partner.map(|partner| partner.to_string()).unwrap_or_default()
}
