//! Requests about shipments and fulfillment orders.

use serde_json::{Value, json};

use super::{
    Asks, Attempt, CARRIER, CLERK, CUSTOMER, FOREMAN,
    Outcome::{Hidden, NotFound, Nothing},
    WAREHOUSE, attempt,
};
use crate::access::parties::shipped;

pub(super) fn shipments() -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for by in [CUSTOMER, CLERK, WAREHOUSE, CARRIER] {
        attempts.extend([
            attempt("GetShipment", by, |_, of| json!({"shipmentId": of.shipment}), NotFound),
            attempt("ListMilestones", by, |_, of| json!({"shipmentId": of.shipment}), NotFound),
            attempt("ListShipments", by, |_, _| json!({}), Nothing),
            attempt("ListShipments", by, |_, of| json!({"orderId": of.order}), Nothing),
            attempt("ListShipments", by, |_, of| json!({"carrierId": of.carrier_id()}), Nothing),
            attempt("ListShipments", by, |_, of| json!({"trackingNumber": of.tracking}), Nothing),
        ]);
    }
    attempts
}

pub(super) fn fulfillment_orders() -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for by in [WAREHOUSE, CLERK] {
        attempts.extend([
            attempt("GetFulfillmentOrder", by, |_, of| json!({"fulfillmentOrderId": of.fulfillment_order}), NotFound),
            attempt("ListFulfillmentOrders", by, |_, _| json!({}), Nothing),
            attempt("ListFulfillmentOrders", by, |_, of| json!({"partnerId": of.warehouse_id()}), Nothing),
            attempt("ListFulfillmentOrders", by, |_, of| json!({"nodeId": of.node}), Nothing),
            attempt("ListFulfillmentOrders", by, |_, of| json!({"orderId": of.order}), Nothing),
        ]);
    }
    attempts
}

/// What operations do about fulfillment orders and routing.
pub(super) fn work() -> Vec<Attempt> {
    let mut attempts = vec![
        attempt("ListRoutingDecisions", CLERK, |_, of| json!({"orderId": of.divided_order}), Nothing),
        attempt("RetryRouting", FOREMAN, |_, of| json!({"orderId": of.open_order}), Hidden),
    ];
    let about_work: [(&'static str, Asks); 13] = [
        ("AcceptFulfillmentOrder", |_, of| json!({"fulfillmentOrderId": of.open_fulfillment_order})),
        ("RejectFulfillmentOrder", |_, of| json!({"fulfillmentOrderId": of.open_fulfillment_order, "reason": "full"})),
        ("RecordPick", |_, of| {
            let picked = json!([{"lineNumber": 1, "quantity": 4}]);
            json!({"fulfillmentOrderId": of.open_fulfillment_order, "picked": picked})
        }),
        ("RecordLabels", |own, of| shipped(&of.open_fulfillment_order, own.carrier_id(), "TRACK-NEW")),
        ("RecordShipment", |own, of| shipped(&of.open_fulfillment_order, own.carrier_id(), "TRACK-NEW")),
        ("RequestCancellation", |_, of| json!({"fulfillmentOrderId": of.open_fulfillment_order})),
        ("VoidLabels", |_, of| of_shipment(&of.open_fulfillment_order)),
        ("RetractShipment", |_, of| of_shipment(&of.open_fulfillment_order)),
        ("CorrectShipment", |own, of| {
            let mut corrected = shipped(&of.open_fulfillment_order, own.carrier_id(), "TRACK-NEW");
            corrected.as_object_mut().map(|corrected| corrected.remove("carrierId"));
            corrected["reason"] = json!("wrong");
            corrected
        }),
        ("RetractPick", |_, of| {
            let picked = json!([{"lineNumber": 1, "quantity": 4}]);
            json!({"fulfillmentOrderId": of.open_fulfillment_order, "picked": picked, "reason": "wrong"})
        }),
        ("WriteOffPackage", |_, of| json!({"packageId": of.package, "remedy": "WRITE_OFF_REMEDY_CANCEL"})),
        (
            "AnswerCancellation",
            |_, of| json!({"fulfillmentOrderId": of.open_fulfillment_order, "answer": "CANCELLATION_ANSWER_ACCEPTED"}),
        ),
        ("AnswerShipToChange", |_, of| {
            let answer = "SHIP_TO_CHANGE_ANSWER_ACCEPTED";
            json!({"fulfillmentOrderId": of.open_fulfillment_order, "changeNumber": 1, "answer": answer})
        }),
    ];
    attempts.extend(about_work.map(|(method, request)| attempt(method, FOREMAN, request, Hidden)));
    attempts
}

/// What takes a report about a shipment back.
fn of_shipment(fulfillment_order: &str) -> Value {
    json!({"fulfillmentOrderId": fulfillment_order, "shipmentReference": "S-1", "reason": "wrong"})
}
