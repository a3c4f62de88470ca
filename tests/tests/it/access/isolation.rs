//! No party reaches another's data: by id, by filter, by page token, by report, over gRPC and over REST.

use std::collections::BTreeSet;

use mesh::Principal;
use prost_reflect::MethodDescriptor;
use serde_json::{Value, json};
use tonic::{Code, Status};
use waybill_e2e::{World, each};

use super::{
    attempts::{Attempt, Outcome, attempts},
    calls::{self, Gateway},
    parties::Party,
};

/// An answer, or the code and the texts of a refusal.
type Reply = Result<Value, (Code, Value)>;

/// The answers over gRPC and over every route of REST.
async fn everywhere(
    world: &World,
    gateway: &Gateway,
    caller: &Principal,
    method: &MethodDescriptor,
    request: &Value,
) -> Vec<Reply> {
    let mut replies = vec![calls::grpc(world, caller, method, request).await.map_err(|status| texts(&status))];
    replies.extend(gateway.call(method, request).await);
    replies
}

fn texts(status: &Status) -> (Code, Value) {
    let fault = mesh::fault(status);
    let violations: Vec<_> = fault.violations.iter().map(|violation| json!({"field": violation.field})).collect();
    (status.code(), json!({"detail": status.message(), "facts": fault.facts, "violations": violations}))
}

/// Checks the reply to a request about another party's data.
fn check(attempt: &Attempt, them: &Party, request: &Value, reply: &Reply) {
    let context = format!("{} {request}: {reply:?}", attempt.method);
    match (attempt.outsider, reply) {
        (Outcome::NotFound | Outcome::Hidden, Err((Code::NotFound, _))) | (Outcome::Nothing, Ok(_)) => {}
        (Outcome::Wrong(field), Err((Code::InvalidArgument, words))) => {
            assert!(words.to_string().contains(&format!("\"{field}\"")), "{context}");
        }
        (Outcome::Uncounted, Ok(answer)) => {
            assert_eq!((&answer["lineCount"], &answer["statuses"]), (&json!("0"), &json!([])), "{context}");
        }
        (Outcome::Rejected, Ok(answer)) => {
            assert_eq!(answer["state"], "MESSAGE_STATE_REJECTED", "{context}");
            assert!(answer["outcome"].as_str().unwrap().starts_with("NOT_FOUND"), "{context}");
        }
        (Outcome::Kept, Ok(answer)) => assert!(answer["outcome"].as_str().unwrap().starts_with("kept"), "{context}"),
        _ => panic!("{context}"),
    }
    let words = match reply {
        Ok(answer) | Err((_, answer)) => answer.to_string(),
    };
    let asked = request.to_string();
    for mark in &them.marks {
        assert!(asked.contains(mark.as_str()) || !words.contains(mark.as_str()), "{mark} was disclosed: {context}");
    }
}

/// All data of a party, as an administrator sees it.
async fn seen(world: &World, party: &Party) -> Vec<Value> {
    let mut seen = Vec::new();
    for path in [
        format!("/v1/orders/{}", party.order),
        format!("/v1/orders/{}", party.open_order),
        format!("/v1/shipments/{}", party.shipment),
        format!("/v1/fulfillment-orders/{}", party.open_fulfillment_order),
        format!("/v1/returns/{}", party.return_id),
        format!("/v1/accounts/{}/ship-tos", party.account),
        format!("/v1/returns?accountId={}", party.account),
        format!("/v1/orders?accountId={}", party.account),
        format!("/v1/availability?skus={}", party.sku),
    ] {
        seen.push(world.get(&path).await);
    }
    seen
}

/// A gateway for each caller of a party.
async fn gateways(world: &World, party: &Party) -> Vec<(String, Gateway)> {
    let mut gateways = Vec::new();
    let Party { customer, clerk, foreman, program, warehouse, carrier, .. } = party;
    for caller in [customer, clerk, foreman, program, warehouse, carrier] {
        gateways.push((caller.subject.clone(), Gateway::of(world, caller).await));
    }
    gateways
}

fn gateway<'a>(gateways: &'a [(String, Gateway)], caller: &Principal) -> &'a Gateway {
    gateways.iter().find(|(subject, _)| *subject == caller.subject).map(|(_, gateway)| gateway).unwrap()
}

#[test]
fn every_scoped_method_is_tried() {
    let tried: BTreeSet<_> = attempts().iter().map(|attempt| attempt.method.to_owned()).collect();
    let scoped: BTreeSet<_> =
        calls::methods().iter().filter(|method| is_scoped(method)).map(|method| method.name().to_owned()).collect();
    assert_eq!(tried, scoped, "access/attempts.rs needs an attempt for each scoped method");
}

/// Whether a method narrows its rows to accounts or a partner. One for the whole distributor has no rows of others: whoever
/// sees some accounts only is refused, as `table.md` shows.
pub(super) fn is_scoped(method: &MethodDescriptor) -> bool {
    ["SCOPE_ACCOUNT", "SCOPE_PARTNER"].contains(&calls::scope(method).as_str())
}

#[test]
fn a_method_without_a_scope_only_reads() {
    for method in calls::methods().into_iter().filter(|method| calls::scope(method) == "SCOPE_NONE") {
        let name = method.name();
        assert!(is_read(&method) || ["BatchGetItems", "PreviewRouting"].contains(&name), "{name} changes something");
    }
}

#[tokio::test]
async fn every_scoped_method_is_tried_by_staff_of_some_accounts() {
    each(|world| async move {
        let a = Party::settle(&world, "A").await;
        let of_some = |caller: &Principal| caller.is_staff() && !caller.sees_all();
        let tried: BTreeSet<_> = attempts()
            .iter()
            .filter(|attempt| of_some((attempt.by)(&a)))
            .map(|attempt| attempt.method.to_owned())
            .collect();
        let mut scoped: BTreeSet<_> =
            calls::methods().iter().filter(|method| is_scoped(method)).map(|method| method.name().to_owned()).collect();
        // A partner belongs to no account: staff see every partner.
        scoped.remove("GetPartner");
        assert_eq!(tried, scoped, "access/attempts.rs needs an attempt by staff for each scoped method");
    })
    .await;
}

#[tokio::test]
async fn no_party_reaches_anothers_data() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let before = (seen(&world, &a).await, seen(&world, &b).await);
        for (own, other) in [(&a, &b), (&b, &a)] {
            let gateways = gateways(&world, own).await;
            // Reports last: they are stored as their sender's own, with the ids that they name.
            let (reports, others): (Vec<_>, Vec<_>) =
                attempts().into_iter().partition(|attempt| attempt.method == "SubmitReport");
            for attempt in others.into_iter().chain(reports) {
                let (caller, method) = ((attempt.by)(own), calls::method(attempt.method));
                let request = (attempt.request)(own, other);
                for reply in everywhere(&world, gateway(&gateways, caller), caller, &method, &request).await {
                    check(&attempt, other, &request, &reply);
                }
            }
        }
        world.drain().await;
        assert_eq!((seen(&world, &a).await, seen(&world, &b).await), before, "no data has changed");

        // The same requests about the caller's own data are answered, so only the owner was the reason for the refusals.
        let gateways = gateways(&world, &a).await;
        let mut done = BTreeSet::new();
        for attempt in attempts().into_iter().filter(|attempt| attempt.outsider != Outcome::Hidden) {
            let (caller, method) = ((attempt.by)(&a), calls::method(attempt.method));
            let request = (attempt.request)(&a, &a);
            let reads = !matches!(attempt.outsider, Outcome::Wrong(_)) && is_read(&method);
            // What one caller has done another need not repeat.
            if !reads && !done.insert((attempt.method, request.to_string())) {
                continue;
            }
            let replies = match reads {
                true => everywhere(&world, gateway(&gateways, caller), caller, &method, &request).await,
                false => vec![calls::grpc(&world, caller, &method, &request).await.map_err(|status| texts(&status))],
            };
            for reply in replies {
                let context = format!("{} {request}", attempt.method);
                let answer = reply.unwrap_or_else(|refusal| panic!("{context}: {refusal:?}"));
                own_answer(&attempt, &method, &a, &answer);
            }
        }
    })
    .await;
}

/// Methods whose answers name no party.
const NAMES_NOBODY: [&str; 5] =
    ["GetReturnableQuantity", "QuoteOrder", "SetAccountPrices", "RetryExceptions", "SummarizeExceptions"];

fn is_read(method: &MethodDescriptor) -> bool {
    ["Get", "List", "Follow", "Summarize"].iter().any(|verb| method.name().starts_with(verb))
}

fn own_answer(attempt: &Attempt, method: &MethodDescriptor, own: &Party, answer: &Value) {
    let words = answer.to_string();
    let context = format!("{}: {words}", attempt.method);
    match attempt.outsider {
        Outcome::Uncounted => assert_ne!(answer["lineCount"], "0", "{context}"),
        Outcome::Rejected | Outcome::Kept => assert_eq!(answer["state"], "MESSAGE_STATE_APPLIED", "{context}"),
        Outcome::NotFound | Outcome::Wrong(_) | Outcome::Nothing
            if method.is_server_streaming() || NAMES_NOBODY.contains(&method.name()) => {}
        Outcome::NotFound | Outcome::Hidden | Outcome::Wrong(_) | Outcome::Nothing => {
            assert!(own.marks.iter().any(|mark| words.contains(mark.as_str())), "{context}")
        }
    }
    if attempt.outsider == Outcome::Kept {
        assert!(!answer["outcome"].as_str().unwrap().starts_with("kept"), "{context}");
    }
}

#[tokio::test]
async fn a_page_token_is_of_no_use_to_another_caller() {
    each(|world| async move {
        let (a, b) = (Party::settle(&world, "A").await, Party::settle(&world, "B").await);
        let mut tried = BTreeSet::new();
        let gateways = (gateways(&world, &a).await, gateways(&world, &b).await);
        for attempt in attempts() {
            let method = calls::method(attempt.method);
            if method.input().get_field_by_name("page_token").is_none() {
                continue;
            }
            let mut request = (attempt.request)(&a, &a);
            request["pageSize"] = json!(1);
            let (own, other) = ((attempt.by)(&a), (attempt.by)(&b));
            let first = calls::grpc(&world, own, &method, &request).await.unwrap();
            request["pageToken"] = first["nextPageToken"].clone();
            if request["pageToken"] == "" {
                continue;
            }
            tried.insert(method.name().to_owned());
            for reply in everywhere(&world, gateway(&gateways.0, own), own, &method, &request).await {
                assert!(reply.is_ok(), "{} {request}: {reply:?}", attempt.method);
            }
            // With the filter it was made for, and with one that suits the other caller.
            let mut right = (attempt.request)(&b, &b);
            (right["pageSize"], right["pageToken"]) = (json!(1), request["pageToken"].clone());
            for request in [request, right] {
                for reply in everywhere(&world, gateway(&gateways.1, other), other, &method, &request).await {
                    let (code, words) = reply.unwrap_err();
                    let named = code == Code::InvalidArgument && words.to_string().contains("\"page_token\"");
                    assert!(named || code == Code::NotFound, "{} {request}: {code} {words}", attempt.method);
                }
            }
        }
        let lists = calls::methods()
            .into_iter()
            .filter(|method| is_scoped(method) && method.input().get_field_by_name("page_token").is_some());
        assert_eq!(tried, lists.map(|method| method.name().to_owned()).collect(), "each list has to have two pages");
    })
    .await;
}
