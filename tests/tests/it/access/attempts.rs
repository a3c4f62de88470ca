//! For every method in account or partner scope, requests about another party's data.
//!
//! A request is made by one party about a target: with itself as the target it is answered, with another party it must be
//! refused or show nothing of that party.

mod fulfillment;
mod messages;
mod orders;

use mesh::Principal;
use serde_json::{Value, json};

use self::{
    fulfillment::{fulfillment_orders, shipments, work},
    messages::messages,
    orders::{of_staff, orders, returns},
};
use super::parties::Party;

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

use Outcome::{Hidden, NotFound, Nothing, Wrong};

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
