//! Requests about partners, and reports in their names.

use serde_json::{Value, json};

use super::{
    Attempt, CARRIER, CLERK, FOREMAN,
    Outcome::{Hidden, Kept, NotFound, Nothing, Rejected},
    WAREHOUSE, attempt,
};
use crate::access::parties::{Party, milestone, shipped};

/// A report in the name of a partner.
fn report(partner: &str, reference: &str, mut report: Value) -> Value {
    report["partnerId"] = json!(partner);
    report["controlNumber"] = json!(reference);
    report
}

/// A control number that is used for one target only.
fn about(reference: &str, of: &Party) -> String {
    format!("{reference} {}", of.account)
}

pub(super) fn messages() -> Vec<Attempt> {
    let mut attempts = vec![
        attempt("GetPartner", WAREHOUSE, |_, of| json!({"partnerId": of.warehouse_id()}), NotFound),
        attempt("GetPartner", CARRIER, |_, of| json!({"partnerId": of.carrier_id()}), NotFound),
        attempt("GetMessage", WAREHOUSE, |_, of| json!({"messageId": of.warehouse_message}), NotFound),
        attempt("GetMessage", CARRIER, |_, of| json!({"messageId": of.carrier_message}), NotFound),
        attempt("ListMessages", WAREHOUSE, |_, of| json!({"partnerId": of.warehouse_id()}), Nothing),
        attempt("ListMessages", CARRIER, |_, of| json!({"partnerId": of.carrier_id()}), Nothing),
        attempt("ListMessages", WAREHOUSE, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("GetMessage", CLERK, |_, of| json!({"messageId": of.warehouse_message}), NotFound),
        attempt("GetMessage", CLERK, |_, of| json!({"messageId": of.carrier_message}), NotFound),
        attempt("ListMessages", CLERK, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("ListMessages", CLERK, |_, of| json!({"partnerId": of.warehouse_id()}), Nothing),
        attempt("ListMessages", CLERK, |_, _| json!({}), Nothing),
        attempt("ReplayMessage", FOREMAN, |_, of| json!({"messageId": of.warehouse_message}), Hidden),
        // Whoever sees some accounts only reports for no partner.
        attempt(
            "SubmitReport",
            FOREMAN,
            |_, of| {
                let accepted = json!({"fulfillmentOrderId": of.open_fulfillment_order});
                report(of.warehouse_id(), "as-3", json!({"accepted": accepted}))
            },
            Hidden,
        ),
        // In the name of another partner.
        attempt(
            "SubmitReport",
            WAREHOUSE,
            |_, of| {
                report(
                    of.warehouse_id(),
                    "as-1",
                    json!({"accepted": {"fulfillmentOrderId": of.open_fulfillment_order}}),
                )
            },
            NotFound,
        ),
        attempt(
            "SubmitReport",
            CARRIER,
            |_, of| report(of.carrier_id(), "as-2", milestone(&of.tracking, "MILESTONE_CODE_DELAYED")),
            NotFound,
        ),
        // In its own name, about another party's data.
        attempt(
            "SubmitReport",
            WAREHOUSE,
            |own, of| {
                let picked = json!([{"lineNumber": 1, "quantity": 4}]);
                let picked = json!({"fulfillmentOrderId": of.open_fulfillment_order, "picked": picked});
                report(own.warehouse_id(), &about("on-1", of), json!({"picked": picked}))
            },
            Rejected,
        ),
        attempt(
            "SubmitReport",
            WAREHOUSE,
            |own, of| {
                let left = shipped(&of.open_fulfillment_order, own.carrier_id(), "TRACK-NEW");
                report(own.warehouse_id(), &about("on-2", of), json!({"shipped": left}))
            },
            Rejected,
        ),
        attempt(
            "SubmitReport",
            WAREHOUSE,
            |own, of| {
                let items = json!([{"sku": of.sku, "quantity": 100}]);
                let counted = json!({"locationId": of.node, "countTime": "2026-05-28T00:00:00Z", "items": items});
                report(own.warehouse_id(), &about("on-3", of), json!({"snapshot": counted}))
            },
            Rejected,
        ),
    ];
    // Partners use the same control numbers.
    attempts.extend([
        attempt("ListMessages", WAREHOUSE, |_, _| json!({}), Nothing),
        attempt("ListMessages", CARRIER, |_, _| json!({}), Nothing),
        attempt("ListMessages", WAREHOUSE, |_, _| json!({"controlNumber": "ship-1"}), Nothing),
        attempt("ListMessages", CARRIER, |_, _| json!({"controlNumber": "deliver-1"}), Nothing),
    ]);
    // Only the reports of a package's own carrier and warehouse are authoritative; others are buffered without effect.
    attempts.push(attempt(
        "SubmitReport",
        CARRIER,
        |own, of| report(own.carrier_id(), &about("on-4", of), milestone(&of.tracking, "MILESTONE_CODE_LOST")),
        Kept,
    ));
    attempts.push(attempt(
        "SubmitReport",
        WAREHOUSE,
        |own, of| report(own.warehouse_id(), &about("on-5", of), milestone(&of.tracking, "MILESTONE_CODE_LOST")),
        Kept,
    ));
    attempts.push(attempt(
        "SubmitReport",
        CARRIER,
        |own, of| {
            let proof = json!({"signedBy": "nobody", "signTime": "2026-05-28T20:27:00Z"});
            let proof = json!({"trackingNumber": of.tracking, "proofOfDelivery": proof});
            report(own.carrier_id(), &about("on-6", of), json!({"proofOfDelivery": proof}))
        },
        Kept,
    ));
    attempts
}
