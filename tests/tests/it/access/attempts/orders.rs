//! Requests about accounts, orders and returns.

use mesh::Principal;
use serde_json::json;
use waybill_e2e::address;

use super::{
    Attempt, CLERK, FOREMAN,
    Outcome::{Hidden, NotFound, Nothing, Uncounted, Wrong},
    PROGRAM, attempt,
};
use crate::access::parties::Party;

pub(super) fn orders(by: fn(&Party) -> &Principal) -> Vec<Attempt> {
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

pub(super) fn returns(by: fn(&Party) -> &Principal) -> Vec<Attempt> {
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

pub(super) fn of_staff() -> Vec<Attempt> {
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
