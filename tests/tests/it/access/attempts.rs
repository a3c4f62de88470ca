//! For every method in account or partner scope, requests about another party's data.
//!
//! A request is made by one party about a target: with itself as the target it is answered, with another party it must be
//! refused or show nothing of that party.

use mesh::Principal;
use serde_json::{Value, json};
use waybill_e2e::address;

use super::parties::{Party, milestone, shipped};

/// A request by one party about another.
#[derive(Clone, Copy)]
pub(super) struct Attempt {
    pub(super) method: &'static str,
    pub(super) by: fn(&Party) -> &Principal,
    pub(super) request: Asks,
    pub(super) outsider: Outcome,
}

/// The outcome of a request about another party's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// NOT_FOUND, as if it did not exist.
    NotFound,
    /// The same. The caller's own is not tried, as it is not permitted, or would change what other requests need.
    Hidden,
    /// A refusal that names this field.
    Wrong(&'static str),
    /// An answer without data of the other party.
    Nothing,
    /// A summary that counts nothing of the other party.
    Uncounted,
    /// A stored report that was refused.
    Rejected,
    /// A stored report that has no effect on the other's package.
    Kept,
}

use Outcome::{Hidden, Kept, NotFound, Nothing, Rejected, Uncounted, Wrong};

fn attempt(method: &'static str, by: fn(&Party) -> &Principal, request: Asks, outsider: Outcome) -> Attempt {
    Attempt { method, by, request, outsider }
}

/// Makes a request of one party about the data of another.
pub(super) type Asks = fn(&Party, &Party) -> Value;

const CUSTOMER: fn(&Party) -> &Principal = |party| &party.customer;
const CLERK: fn(&Party) -> &Principal = |party| &party.clerk;
const FOREMAN: fn(&Party) -> &Principal = |party| &party.foreman;
const PROGRAM: fn(&Party) -> &Principal = |party| &party.program;
const WAREHOUSE: fn(&Party) -> &Principal = |party| &party.warehouse;
const CARRIER: fn(&Party) -> &Principal = |party| &party.carrier;

pub(super) fn attempts() -> Vec<Attempt> {
    let mut attempts = [CUSTOMER, CLERK].map(|by| [orders(by), returns(by)].concat()).concat();
    attempts.extend([of_staff(), shipments(), fulfillment_orders(), messages(), timelines()].concat());
    attempts.extend([logs(), work(), stock(), exceptions(), api_clients()].concat());
    attempts
}

fn orders(by: fn(&Party) -> &Principal) -> Vec<Attempt> {
    vec![
        attempt("GetAccount", by, |_, of| json!({"accountId": of.account}), NotFound),
        attempt("ListAccounts", by, |_, _| json!({}), Nothing),
        attempt("CreateShipTo", by, |_, of| json!({"accountId": of.account, "address": address("DE")}), NotFound),
        attempt("ListShipTos", by, |_, of| json!({"accountId": of.account}), NotFound),
        attempt(
            "PlaceOrder",
            by,
            |_, of| {
                let lines = json!([{"sku": of.sku, "quantity": 1}]);
                json!({"accountId": of.account, "customerPo": "NEW-1", "shipToAddress": address("DE"), "lines": lines})
            },
            Wrong("account_id"),
        ),
        attempt(
            "PlaceOrder",
            by,
            |own, of| {
                let lines = json!([{"sku": own.sku, "quantity": 1}]);
                json!({"accountId": own.account, "customerPo": "NEW-2", "shipToId": of.ship_to, "lines": lines})
            },
            Wrong("ship_to_id"),
        ),
        attempt(
            "ValidateOrder",
            by,
            |own, of| {
                let lines = json!([{"sku": own.sku, "quantity": 1}]);
                json!({"order": {"accountId": own.account, "customerPo": "NEW-3", "shipToId": of.ship_to, "lines": lines}})
            },
            Wrong("ship_to_id"),
        ),
        attempt(
            "QuoteOrder",
            by,
            |own, of| {
                let lines = json!([{"sku": own.sku, "quantity": 1}]);
                json!({"accountId": of.account, "shipToAddress": address("DE"), "lines": lines})
            },
            NotFound,
        ),
        attempt(
            "QuoteOrder",
            by,
            |own, of| {
                let lines = json!([{"sku": own.sku, "quantity": 1}]);
                json!({"accountId": own.account, "shipToId": of.ship_to, "lines": lines})
            },
            Wrong("ship_to_id"),
        ),
        attempt("ListAccountPrices", by, |_, of| json!({"accountId": of.account}), NotFound),
        attempt("GetOrder", by, |_, of| json!({"orderId": of.order}), NotFound),
        attempt("ListOrders", by, |_, _| json!({}), Nothing),
        attempt("ListOrders", by, |_, of| json!({"accountId": of.account}), Nothing),
        attempt("ListOrders", by, |_, of| json!({"customerPo": of.po}), Nothing),
        attempt("ListOrders", by, |_, _| json!({"states": ["ORDER_STATE_CONFIRMED", "ORDER_STATE_CLOSED"]}), Nothing),
        attempt("ListOrderChanges", by, |_, of| json!({"orderId": of.changing_order}), NotFound),
        attempt("GetOrderChange", by, |_, of| json!({"orderId": of.changing_order, "changeNumber": 1}), NotFound),
        attempt(
            "ProposeOrderChange",
            by,
            |_, of| {
                let line = json!({"sku": of.sku, "quantity": 1});
                json!({"orderId": of.open_order, "addedLines": [{"line": line}], "validateOnly": true})
            },
            NotFound,
        ),
        attempt(
            "ConfirmOrderChange",
            by,
            |_, of| json!({"orderId": of.changing_order, "changeNumber": 2, "etag": "0"}),
            Hidden,
        ),
        attempt("WithdrawOrderChange", by, |_, of| json!({"orderId": of.changing_order, "changeNumber": 2}), Hidden),
        attempt("CancelOrder", by, |_, of| json!({"orderId": of.open_order}), NotFound),
        attempt("ListInvoices", by, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("ListInvoices", by, |_, of| json!({"accountId": of.account}), Nothing),
        attempt("ListInvoices", by, |_, _| json!({}), Nothing),
    ]
}

fn returns(by: fn(&Party) -> &Principal) -> Vec<Attempt> {
    vec![
        attempt(
            "AuthorizeReturn",
            by,
            |_, of| json!({"orderId": of.order, "lines": [{"lineNumber": 1, "quantity": 1}]}),
            NotFound,
        ),
        attempt("GetReturn", by, |_, of| json!({"returnId": of.return_id}), NotFound),
        attempt("ListReturns", by, |_, _| json!({}), Nothing),
        attempt("ListReturns", by, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("ListReturns", by, |_, of| json!({"accountId": of.account}), Nothing),
        attempt("CancelReturn", by, |_, of| json!({"returnId": of.second_return}), NotFound),
        attempt("GetReturnableQuantity", by, |_, of| json!({"orderId": of.order}), NotFound),
    ]
}

fn of_staff() -> Vec<Attempt> {
    vec![
        attempt("ListAccounts", CLERK, |_, _| json!({}), Nothing),
        attempt("UpdateAccount", CLERK, |_, of| json!({"accountId": of.account, "contact": "Ann"}), NotFound),
        attempt(
            "UpdateShipTo",
            CLERK,
            |_, of| json!({"accountId": of.account, "shipToId": of.ship_to, "state": "SHIP_TO_STATE_DELIVERABLE"}),
            NotFound,
        ),
        attempt(
            "SetAccountPrices",
            CLERK,
            |_, of| json!({"accountId": of.account, "prices": [{"sku": of.sku}]}),
            NotFound,
        ),
        attempt("GetAccountCredit", CLERK, |_, of| json!({"accountId": of.account}), NotFound),
        attempt(
            "RecordReceivables",
            PROGRAM,
            |_, of| {
                let amount = json!({"currency": "USD", "minorUnits": 1});
                json!({"accountId": of.account, "amount": amount, "asOf": "2020-01-01T00:00:00Z"})
            },
            NotFound,
        ),
        attempt(
            "PlaceHold",
            CLERK,
            |_, of| json!({"orderId": of.open_order, "reason": "HOLD_REASON_OPERATOR"}),
            NotFound,
        ),
        attempt("ReleaseHold", CLERK, |_, of| json!({"orderId": of.open_order, "holdNumber": 1}), NotFound),
        attempt("GetOrder", CLERK, |_, of| json!({"orderId": of.order}), NotFound),
        attempt("ListOrders", CLERK, |_, of| json!({"accountId": of.account}), Nothing),
        attempt("ListInvoiceReadiness", CLERK, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("ListInvoiceReadiness", CLERK, |_, of| json!({"accountId": of.account}), Nothing),
        attempt("ListInvoiceReadiness", CLERK, |_, _| json!({}), Nothing),
        attempt("ListProposedCredits", CLERK, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("ListProposedCredits", CLERK, |_, of| json!({"accountId": of.account}), Nothing),
        attempt("ListProposedCredits", CLERK, |_, _| json!({}), Nothing),
        attempt(
            "RecordInvoice",
            CLERK,
            |_, of| {
                let lines = json!([{"lineNumber": 1, "quantity": "1", "amountMinor": "1"}]);
                json!({
                    "orderId": of.order, "invoiceNumber": "INV-1", "issueTime": "2026-01-01T00:00:00Z", "lines": lines,
                })
            },
            Hidden,
        ),
        attempt("SummarizeOrders", CLERK, |_, of| json!({"accountId": of.account}), Uncounted),
        attempt(
            "ReceiveReturn",
            FOREMAN,
            |_, of| json!({"returnId": of.return_id, "lines": [{"lineNumber": 1, "quantity": 1}]}),
            NotFound,
        ),
        attempt(
            "InspectReturn",
            FOREMAN,
            |_, of| {
                let fate = json!([{"kind": "DISPOSITION_KIND_SCRAP", "quantity": 1}]);
                json!({"returnId": of.return_id, "lines": [{"lineNumber": 1, "dispositions": fate}]})
            },
            NotFound,
        ),
        attempt(
            "RetractReceipt",
            FOREMAN,
            |_, of| {
                let lines = json!([{"lineNumber": 1, "quantity": 1}]);
                json!({"returnId": of.return_id, "lines": lines, "reason": "wrong"})
            },
            Hidden,
        ),
        attempt("CloseReturn", CLERK, |_, of| json!({"returnId": of.return_id}), NotFound),
    ]
}

fn shipments() -> Vec<Attempt> {
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

fn fulfillment_orders() -> Vec<Attempt> {
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

fn messages() -> Vec<Attempt> {
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

fn timelines() -> Vec<Attempt> {
    vec![
        attempt("ListTimeline", CUSTOMER, |_, of| json!({"orderId": of.order}), NotFound),
        attempt("ListTimeline", CLERK, |_, of| json!({"orderId": of.order}), NotFound),
        attempt("FollowTimeline", CUSTOMER, |_, of| json!({"orderId": of.order}), NotFound),
        attempt("FollowTimeline", CLERK, |_, of| json!({"orderId": of.order}), NotFound),
    ]
}

fn logs() -> Vec<Attempt> {
    vec![
        attempt("ListEvents", FOREMAN, |_, of| json!({"correlationId": of.order}), Nothing),
        attempt("ListEvents", FOREMAN, |_, _| json!({"pageSize": 1000}), Nothing),
        attempt("FollowEvents", FOREMAN, |_, _| json!({"untilHead": true}), Nothing),
    ]
}

/// What operations do about fulfillment orders and routing.
fn work() -> Vec<Attempt> {
    let mut attempts = vec![
        attempt("ListRoutingDecisions", CLERK, |_, of| json!({"orderId": of.order}), Nothing),
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

fn stock() -> Vec<Attempt> {
    vec![
        attempt("ListReservations", CLERK, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("ListMovements", CLERK, |_, of| json!({"reference": of.order}), Nothing),
        attempt("ListMovements", CLERK, |_, of| json!({"sku": of.sku}), Nothing),
        attempt("ListMovements", CLERK, |_, _| json!({}), Nothing),
        attempt("ListBackorders", CLERK, |_, of| json!({"orderId": of.changing_order}), Nothing),
        attempt("ListBackorders", CLERK, |_, of| json!({"accountId": of.account}), Nothing),
        attempt("ListBackorders", CLERK, |_, _| json!({}), Nothing),
    ]
}

fn exceptions() -> Vec<Attempt> {
    vec![
        attempt("GetException", CLERK, |_, of| json!({"exceptionId": of.exception}), NotFound),
        attempt("ListExceptions", CLERK, |_, of| json!({"orderId": of.order}), Nothing),
        attempt("ListExceptions", CLERK, |_, _| json!({}), Nothing),
        attempt("SummarizeExceptions", CLERK, |_, _| json!({}), Nothing),
        attempt("AssignException", CLERK, |_, of| json!({"exceptionId": of.exception, "assignee": "Ann"}), NotFound),
        attempt(
            "ResolveException",
            CLERK,
            |_, of| json!({"exceptionId": of.exception, "resolution": "done"}),
            NotFound,
        ),
        attempt(
            "DismissException",
            CLERK,
            |_, of| json!({"exceptionId": of.second_exception, "resolution": "nothing to do"}),
            NotFound,
        ),
        // Its own is about a decision, and not about work.
        attempt("RetryException", CLERK, |_, of| json!({"exceptionId": of.exception}), Hidden),
        attempt("RetryExceptions", CLERK, |_, of| json!({"type": "TASK_FAILED", "orderId": of.order}), Nothing),
    ]
}

fn api_clients() -> Vec<Attempt> {
    vec![
        attempt(
            "CreateApiClient",
            FOREMAN,
            |_, of| {
                let access = json!({"accountIds": [of.account]});
                json!({"name": "portal", "kind": "API_CLIENT_KIND_CUSTOMER", "access": access})
            },
            Wrong("access.account_ids"),
        ),
        attempt("GetApiClient", FOREMAN, |_, of| json!({"apiClientId": of.api_client}), NotFound),
        attempt("ListApiClients", FOREMAN, |_, _| json!({}), Nothing),
        attempt("UpdateApiClient", FOREMAN, |_, of| json!({"apiClientId": of.api_client, "contact": "Ann"}), NotFound),
        attempt("CreateApiKey", FOREMAN, |_, of| json!({"apiClientId": of.second_api_client}), NotFound),
        attempt("ListApiKeys", FOREMAN, |_, of| json!({"apiClientId": of.api_client}), NotFound),
        attempt(
            "RevokeApiKey",
            FOREMAN,
            |_, of| json!({"apiClientId": of.api_client, "apiKeyId": of.api_key}),
            NotFound,
        ),
    ]
}
