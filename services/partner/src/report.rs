//! What partners report: which kinds there are, and what each is about.

use mesh::wire::Checks;
use prost::Message as _;
use proto::partner::v1::{SubmitReportRequest, submit_report_request::Report};
use types::{Fault, PartnerId};

use crate::message;

/// Media type of a stored report: the encoded request.
pub(crate) const CONTENT_TYPE: &str = "application/x-protobuf; messageType=\"waybill.partner.v1.SubmitReportRequest\"";

/// A report as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    /// The partner that reports.
    pub partner_id: PartnerId,
    /// The partner's own number of the message.
    pub control_number: String,
    /// What it is.
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub report: Report,
    /// The encoded request, without request ids: the control number tells repeats.
    pub content: Vec<u8>,
    /// SHA-256 of the content, hexadecimal.
    pub content_hash: String,
}

impl Submission {
    /// Checks what has to be right for a report to be stored; whether it can be applied is seen later.
    pub(crate) fn parse(request: SubmitReportRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let partner_id = checks.id("partner_id", &request.partner_id);
        let reference = checks.text("control_number", &request.control_number, 128);
        let about = match &request.report {
            Some(report) => {
                let (kind, field, subject) = about(report);
                checks.text(field, subject, 128).map(|subject| (kind, subject))
            }
            None => {
                checks.wrong("report", "is required");
                None
            }
        };
        checks.done()?;
        let (Some(partner_id), Some(control_number), Some((kind, subject))) = (partner_id, reference, about) else {
            return Err(Fault::internal("a checked request can not be read"));
        };
        let request = without_request_ids(request);
        let content = request.encode_to_vec();
        let content_hash = message::hash(&content);
        let report = request.report.ok_or_else(|| Fault::internal("a checked request has no report"))?;
        Ok(Self { partner_id, control_number, kind, subject, report, content, content_hash })
    }
}

/// What a stored report says.
pub(crate) fn read(content: &[u8]) -> Result<Report, Fault> {
    let request = SubmitReportRequest::decode(content).ok();
    request.and_then(|request| request.report).ok_or_else(|| Fault::internal("a stored report can not be read"))
}

/// The kind of a report, the field that says what it is about, and what that says.
fn about(report: &Report) -> (&'static str, &'static str, &str) {
    match report {
        Report::Accepted(r) => ("report.accepted", "accepted.fulfillment_order_id", &r.fulfillment_order_id),
        Report::Rejected(r) => ("report.rejected", "rejected.fulfillment_order_id", &r.fulfillment_order_id),
        Report::Picked(r) => ("report.picked", "picked.fulfillment_order_id", &r.fulfillment_order_id),
        Report::Labelled(r) => ("report.labelled", "labelled.fulfillment_order_id", &r.fulfillment_order_id),
        Report::Shipped(r) => ("report.shipped", "shipped.fulfillment_order_id", &r.fulfillment_order_id),
        Report::Cancellation(r) => {
            ("report.cancellation", "cancellation.fulfillment_order_id", &r.fulfillment_order_id)
        }
        Report::Snapshot(r) => ("report.snapshot", "snapshot.location_id", &r.location_id),
        Report::Milestone(r) => {
            let number = r.milestone.as_ref().map_or("", |milestone| &milestone.tracking_number);
            ("report.milestone", "milestone.milestone.tracking_number", number)
        }
        Report::ProofOfDelivery(r) => {
            ("report.proof_of_delivery", "proof_of_delivery.tracking_number", &r.tracking_number)
        }
    }
}

fn without_request_ids(mut request: SubmitReportRequest) -> SubmitReportRequest {
    let request_id = match &mut request.report {
        Some(Report::Accepted(r)) => &mut r.request_id,
        Some(Report::Rejected(r)) => &mut r.request_id,
        Some(Report::Picked(r)) => &mut r.request_id,
        Some(Report::Labelled(r)) => &mut r.request_id,
        Some(Report::Shipped(r)) => &mut r.request_id,
        Some(Report::Cancellation(r)) => &mut r.request_id,
        Some(Report::Snapshot(r)) => &mut r.request_id,
        Some(Report::Milestone(r)) => &mut r.request_id,
        Some(Report::ProofOfDelivery(r)) => &mut r.request_id,
        None => return request,
    };
    request_id.clear();
    request
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
        assert_eq!((stored.kind, stored.subject.as_str()), ("report.accepted", "ful_1"));
        assert_eq!(read(&stored.content).ok(), accepted("", "ful_1").report);
    }

    #[test]
    fn a_report_about_nothing_is_refused_naming_the_field() {
        let fault = Submission::parse(accepted("", "")).unwrap_err();
        assert_eq!(fault.violations[0].field, "accepted.fulfillment_order_id");
    }
}
