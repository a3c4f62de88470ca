//! Converts a submitted report to its stored form.

use mesh::wire::{Checks, checked};
use prost::Message as _;
use proto::partner::v1::{SubmitReportRequest, submit_report_request::Report};
use types::{Fault, PartnerId, limits::MAX_TEXT};

use crate::{message, report_kind, retraction};

/// Media type of a stored report: the encoded request.
pub(crate) const CONTENT_TYPE: &str = "application/x-protobuf; messageType=\"waybill.partner.v1.SubmitReportRequest\"";

/// A report as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    /// The partner that reports.
    pub partner_id: PartnerId,
    /// The partner's own number of the message.
    pub control_number: String,
    /// The type of the message.
    pub message_type: &'static str,
    /// Id of what is reported on.
    pub subject: String,
    /// Control number of the earlier report that it corrects; empty when it corrects none.
    pub corrects: String,
    /// The report.
    pub report: Report,
    /// The encoded request with its texts in their one form, without request ids: repeats are recognized by the control number.
    pub content: Vec<u8>,
    /// SHA-256 of the content, hexadecimal.
    pub content_hash: String,
}

impl Submission {
    /// Checks what a report needs to be stored; the service that is called checks whether it can be applied.
    pub(crate) fn parse(mut request: SubmitReportRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let partner_id = checks.id("partner_id", &request.partner_id);
        let control_number = checks.text("control_number", &request.control_number, 128);
        let kind = request.report.as_ref().map(report_kind::of);
        let subject = match &kind {
            Some(kind) => checks.text(kind.subject_field, kind.subject, 128),
            None => {
                checks.wrong("report", "is required");
                None
            }
        };
        let message_type = kind.map(|kind| kind.message_type);
        check_corrected(&request, &mut checks);
        checks.done()?;
        request.report.iter_mut().for_each(report_kind::clear_request_id);
        let content = request.encode_to_vec();
        Ok(Self {
            partner_id: checked(partner_id)?,
            control_number: checked(control_number)?,
            message_type: checked(message_type)?,
            subject: checked(subject)?,
            corrects: request.corrects,
            report: checked(request.report)?,
            content_hash: message::hash(&content),
            content,
        })
    }
}

/// Checks what names an earlier report of the partner.
fn check_corrected(request: &SubmitReportRequest, checks: &mut Checks) {
    let SubmitReportRequest { control_number, corrects, report, .. } = request;
    let is_own = |named: &String| !named.is_empty() && named == control_number;
    if let Some(Report::Retracted(retraction)) = report {
        checks.text("retracted.reason", &retraction.reason, MAX_TEXT);
        if is_own(&retraction.control_number) {
            checks.wrong("retracted.control_number", "must be the number of an earlier report, not of this one");
        }
    }
    if corrects.is_empty() {
        return;
    }
    checks.optional_text("corrects", corrects, 128);
    let named_twice = match report {
        Some(Report::Milestone(milestone)) => !milestone.corrects.is_empty(),
        Some(Report::ProofOfDelivery(proof)) => !proof.corrects.is_empty(),
        _ => false,
    };
    if is_own(corrects) {
        checks.wrong("corrects", "must be the number of an earlier report, not of this one");
    } else if named_twice {
        checks.wrong("corrects", "must be empty when the report names what it corrects");
    } else if report.as_ref().is_some_and(|report| !retraction::is_possible(report)) {
        checks.wrong("corrects", "must be empty for a report of this kind");
    }
}

/// The report that was stored as this content, and the control number of what it corrects.
pub(crate) fn decode(content: &[u8]) -> Result<(Report, String), Fault> {
    let unreadable = || Fault::internal("a stored report cannot be read");
    let request = SubmitReportRequest::decode(content).map_err(|_| unreadable())?;
    Ok((request.report.ok_or_else(unreadable)?, request.corrects))
}

#[cfg(test)]
mod tests {
    use proto::fulfillment::v1::AcceptFulfillmentOrderRequest;

    use super::*;

    fn accepted(request_id: &str, fulfillment_order_id: &str) -> SubmitReportRequest {
        SubmitReportRequest {
            partner_id: "par_a".to_owned(),
            control_number: "1".to_owned(),
            report: Some(Report::Accepted(AcceptFulfillmentOrderRequest {
                request_id: request_id.to_owned(),
                fulfillment_order_id: fulfillment_order_id.to_owned(),
                occur_time: None,
            })),
            ..Default::default()
        }
    }

    #[test]
    fn a_request_id_inside_a_report_does_not_make_it_another() {
        let hash = |request_id| Submission::parse(accepted(request_id, "ful_1")).unwrap().content_hash;
        assert_eq!(hash("a"), hash("b"));
        let other = Submission::parse(accepted("a", "ful_2")).unwrap();
        assert_ne!(hash("a"), other.content_hash);
    }

    #[test]
    fn a_stored_report_is_read_back() {
        let stored = Submission::parse(accepted("", "ful_1")).unwrap();
        assert_eq!((stored.message_type, stored.subject.as_str()), ("report.accepted", "ful_1"));
        assert_eq!(decode(&stored.content).ok().map(|(report, _)| report), accepted("", "ful_1").report);
    }

    #[test]
    fn a_report_about_nothing_is_refused_naming_the_field() {
        let fault = Submission::parse(accepted("", "")).unwrap_err();
        assert_eq!(fault.violations[0].field, "accepted.fulfillment_order_id");
    }
}
