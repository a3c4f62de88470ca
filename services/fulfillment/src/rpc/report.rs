//! Reading what is reported.

use std::collections::BTreeSet;

use mesh::wire::Checks;
use proto::{
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, AnswerCancellationRequest, CancellationAnswer, MilestoneCode, ProofOfDelivery,
        RecordLabelsRequest, RecordMilestoneRequest, RecordPickRequest, RecordProofOfDeliveryRequest,
        RecordShipmentRequest, RejectFulfillmentOrderRequest, ReportedPackage, RequestCancellationRequest,
        RetryRoutingRequest,
    },
    types::v1::LineQuantity,
};
use store::Proto;
use types::{Fault, PartnerId, Timestamp};

use super::node::unread;
use crate::{
    report::{
        AcceptWork, AnswerCancellation, RecordLabels, RecordMilestone, RecordPick, RecordProof, RecordShipment,
        RejectWork, Report, RequestCancellation, Said,
    },
    route::RetryRouting,
    tracking::{Milestone, Proof},
    wire,
};

/// The most characters of a reason.
const REASON: usize = 500;

/// The most characters of a number somebody else gave.
const NUMBER: usize = 64;

/// The most characters of a text for people.
const NOTE: usize = 500;

/// The most lines or packages of a report.
const MOST: usize = 5_000;

pub(super) fn request_id(text: &str) -> Result<(), Fault> {
    let mut checks = Checks::new();
    checks.request_id(text);
    checks.done()
}

pub(super) fn retry(request: &RetryRoutingRequest) -> Result<RetryRouting, Fault> {
    let mut checks = Checks::new();
    let order_id = checks.id("order_id", &request.order_id);
    checks.done()?;
    Ok(RetryRouting { order_id: order_id.ok_or_else(unread)? })
}

pub(super) fn accept(request: &AcceptFulfillmentOrderRequest) -> Result<AcceptWork, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
    let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref()).flatten();
    checks.done()?;
    Ok(AcceptWork { fulfillment_order_id: id.ok_or_else(unread)?, occur_time })
}

pub(super) fn reject(request: &RejectFulfillmentOrderRequest) -> Result<RejectWork, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
    let reason = checks.optional_text("reason", &request.reason, REASON);
    let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref()).flatten();
    checks.done()?;
    Ok(RejectWork { fulfillment_order_id: id.ok_or_else(unread)?, reason: reason.ok_or_else(unread)?, occur_time })
}

pub(super) fn request_cancellation(request: &RequestCancellationRequest) -> Result<RequestCancellation, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
    let reason = checks.optional_text("reason", &request.reason, REASON);
    checks.done()?;
    Ok(RequestCancellation { fulfillment_order_id: id.ok_or_else(unread)?, reason: reason.ok_or_else(unread)? })
}

pub(super) fn answer_cancellation(request: &AnswerCancellationRequest) -> Result<AnswerCancellation, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
    let answer = checks.choice::<CancellationAnswer>("answer", request.answer);
    let reason = checks.optional_text("reason", &request.reason, REASON);
    let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref()).flatten();
    checks.done()?;
    let said = match answer.ok_or_else(unread)? {
        CancellationAnswer::Accepted => Said::Stopped,
        CancellationAnswer::Rejected | CancellationAnswer::Unspecified => Said::TooLate,
    };
    let fulfillment_order_id = id.ok_or_else(unread)?;
    Ok(AnswerCancellation { fulfillment_order_id, said, reason: reason.ok_or_else(unread)?, occur_time })
}

pub(super) fn pick(request: &RecordPickRequest) -> Result<RecordPick, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
    units("picked", &request.picked, 0, &mut checks);
    units("short", &request.short, 0, &mut checks);
    if request.picked.is_empty() && request.short.is_empty() {
        checks.wrong("picked", "must not be empty when short is");
    }
    let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref()).flatten();
    checks.done()?;
    let (picked, short) = (request.picked.clone(), request.short.clone());
    Ok(RecordPick { fulfillment_order_id: id.ok_or_else(unread)?, picked, short, occur_time })
}

pub(super) fn labels(request: &RecordLabelsRequest) -> Result<RecordLabels, Fault> {
    let RecordLabelsRequest {
        request_id: _,
        fulfillment_order_id,
        shipment_reference,
        carrier_id,
        packages,
        occur_time,
    } = request;
    report(fulfillment_order_id, shipment_reference, carrier_id, packages, occur_time.as_ref()).map(RecordLabels)
}

pub(super) fn shipment(request: &RecordShipmentRequest) -> Result<RecordShipment, Fault> {
    let RecordShipmentRequest {
        request_id: _,
        fulfillment_order_id,
        shipment_reference,
        carrier_id,
        packages,
        occur_time,
    } = request;
    report(fulfillment_order_id, shipment_reference, carrier_id, packages, occur_time.as_ref()).map(RecordShipment)
}

fn report(
    fulfillment_order_id: &str,
    shipment_reference: &str,
    carrier_id: &str,
    packages: &[ReportedPackage],
    occur_time: Option<&prost_types::Timestamp>,
) -> Result<Report, Fault> {
    let mut checks = Checks::new();
    let id = checks.id("fulfillment_order_id", fulfillment_order_id);
    let reference = checks.text("shipment_reference", shipment_reference, NUMBER);
    let carrier_id = checks.optional_id::<PartnerId>("carrier_id", carrier_id).flatten();
    let occur_time = checks.optional_time("occur_time", occur_time).flatten();
    if packages.is_empty() || packages.len() > MOST {
        checks.wrong("packages", "must have 1 to 5,000 packages");
    }
    let mut numbers = BTreeSet::new();
    for (at, package) in packages.iter().enumerate().take(MOST) {
        let field = format!("packages[{at}]");
        let number = checks.text(format!("{field}.tracking_number"), &package.tracking_number, NUMBER);
        if number.is_some_and(|number| !numbers.insert(number)) {
            checks.wrong(format!("{field}.tracking_number"), "is reported twice");
        }
        let sscc = &package.sscc;
        if !sscc.is_empty() && (sscc.len() != 18 || !sscc.bytes().all(|byte| byte.is_ascii_digit())) {
            checks.wrong(format!("{field}.sscc"), "must have 18 digits");
        }
        if package.lines.is_empty() {
            checks.wrong(format!("{field}.lines"), "must not be empty");
        }
        units(&format!("{field}.lines"), &package.lines, 1, &mut checks);
    }
    checks.done()?;
    Ok(Report {
        fulfillment_order_id: id.ok_or_else(unread)?,
        shipment_reference: reference.ok_or_else(unread)?,
        carrier_id,
        packages: packages.to_vec(),
        occur_time,
    })
}

/// Units of lines, each line once.
pub(super) fn units(field: &str, units: &[LineQuantity], least: i64, checks: &mut Checks) {
    if units.len() > MOST {
        checks.wrong(field, "must have at most 5,000 lines");
    }
    let mut numbers = BTreeSet::new();
    for (at, unit) in units.iter().enumerate().take(MOST) {
        let number = checks.line_number(format!("{field}[{at}].line_number"), unit.line_number);
        if number.is_some_and(|number| !numbers.insert(number)) {
            checks.wrong(format!("{field}[{at}].line_number"), "is named twice");
        }
        if !unit.sku.is_empty() {
            checks.sku(format!("{field}[{at}].sku"), &unit.sku);
        }
        checks.quantity(format!("{field}[{at}].quantity"), unit.quantity, least);
    }
}

pub(super) fn milestone(request: &RecordMilestoneRequest) -> Result<RecordMilestone, Fault> {
    let mut checks = Checks::new();
    let carrier_id = partner("carrier_id", &request.carrier_id, &mut checks);
    let reporter_id = partner("reporter_id", &request.reporter_id, &mut checks);
    let Some(said) = &request.milestone else {
        checks.wrong("milestone", "is required");
        return Err(checks.done().err().unwrap_or_else(unread));
    };
    let tracking_number = checks.text("milestone.tracking_number", &said.tracking_number, NUMBER);
    let code = checks.optional_choice::<MilestoneCode>("milestone.code", said.code);
    let raw_code = checks.optional_text("milestone.raw_code", &said.raw_code, NUMBER);
    let occur_time = checks.time("milestone.occur_time", said.occur_time.as_ref());
    let estimate = said.estimated_delivery_time.as_ref();
    let estimated_delivery_time = checks.optional_time("milestone.estimated_delivery_time", estimate).flatten();
    let place = checks.optional_text("milestone.place", &said.place, NOTE);
    if said.occur_offset_minutes.unsigned_abs() > 18 * 60 {
        checks.wrong("milestone.occur_offset_minutes", "must be -1,080 to 1,080");
    }
    checks.done()?;
    let code = code.and_then(|code| wire::named(code.as_str_name(), "MILESTONE_CODE_"));
    Ok(RecordMilestone(Milestone {
        tracking_number: tracking_number.ok_or_else(unread)?,
        reporter_id,
        code: code.ok_or_else(unread)?,
        occur_time: occur_time.ok_or_else(unread)?,
        raw_code: raw_code.ok_or_else(unread)?,
        occur_offset_minutes: i64::from(said.occur_offset_minutes),
        place: place.ok_or_else(unread)?,
        estimated_delivery_time,
        carrier_id,
        record_time: Timestamp::default(),
        version: 0,
    }))
}

pub(super) fn proof(request: &RecordProofOfDeliveryRequest) -> Result<RecordProof, Fault> {
    let mut checks = Checks::new();
    let carrier_id = partner("carrier_id", &request.carrier_id, &mut checks);
    let reporter_id = partner("reporter_id", &request.reporter_id, &mut checks);
    let tracking_number = checks.text("tracking_number", &request.tracking_number, NUMBER);
    let Some(given) = &request.proof_of_delivery else {
        checks.wrong("proof_of_delivery", "is required");
        return Err(checks.done().err().unwrap_or_else(unread));
    };
    let ProofOfDelivery { signed_by, sign_time, drop_location, image_uri, remark } = given;
    let signed = checks.time("proof_of_delivery.sign_time", sign_time.as_ref());
    checks.optional_text("proof_of_delivery.signed_by", signed_by, 200);
    checks.optional_text("proof_of_delivery.drop_location", drop_location, NOTE);
    checks.optional_text("proof_of_delivery.image_uri", image_uri, 2_000);
    checks.optional_text("proof_of_delivery.remark", remark, NOTE);
    checks.done()?;
    Ok(RecordProof(Proof {
        tracking_number: tracking_number.ok_or_else(unread)?,
        reporter_id,
        sign_time: signed.ok_or_else(unread)?,
        proof: Proto(given.clone()),
        carrier_id,
        record_time: Timestamp::default(),
        version: 0,
    }))
}

/// A partner as text; empty when not known.
fn partner(field: &str, text: &str, checks: &mut Checks) -> String {
    let partner = checks.optional_id::<PartnerId>(field, text).flatten();
    partner.map(|partner| partner.to_string()).unwrap_or_default()
}
