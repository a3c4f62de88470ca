//! No kept answer is told to a caller that no longer sees what it is about.

use std::collections::BTreeSet;

use mesh::{Accounts, Principal};
use prost_reflect::MethodDescriptor;
use serde_json::json;
use tonic::Code;
use waybill_e2e::each;

use super::{
    attempts::{Outcome, attempts},
    calls,
    isolation::is_scoped,
    parties::Party,
};

/// Methods that are refused on a party's data as it is, so that no answer is kept: its messages are applied, its work has
/// ended and none of it failed, what came back is inspected, its packages are delivered, a change is confirmed as it is shown, and no node
/// is asked to ship elsewhere.
const REFUSED: [&str; 7] = [
    "AnswerShipToChange",
    "ConfirmOrderChange",
    "ReplayMessage",
    "RequestCancellation",
    "RetractReceipt",
    "RetryException",
    "WriteOffPackage",
];

fn is_repeatable(method: &MethodDescriptor) -> bool {
    method.input().get_field_by_name("request_id").is_some()
}

#[tokio::test]
async fn a_repeat_by_a_caller_that_sees_the_account_no_longer_is_refused() {
    each(|world| async move {
        let party = Party::settle(&world, "A").await;
        let (mut tried, mut refusals, mut done) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for (number, attempt) in attempts().into_iter().enumerate() {
            let (caller, method) = ((attempt.by)(&party), calls::method(attempt.method));
            if !is_repeatable(&method) {
                continue;
            }
            let mut request = (attempt.request)(&party, &party);
            // What one caller has done another cannot repeat.
            if !done.insert((attempt.method, request.to_string())) {
                continue;
            }
            request["requestId"] = json!(format!("kept-{number}"));
            let context = format!("{} {request}", attempt.method);
            let first = calls::grpc(&world, caller, &method, &request).await;
            match first {
                Ok(mut first) => {
                    // The secret of a key is told once.
                    if first.get("secret").is_some() {
                        first["secret"] = json!("");
                    }
                    let again = calls::grpc(&world, caller, &method, &request).await.unwrap();
                    assert_eq!(again, first, "{context}");
                }
                Err(refusal) => {
                    assert_eq!(attempt.outsider, Outcome::Hidden, "{context}: {refusal:?}");
                    refusals.insert(attempt.method.to_owned());
                }
            }

            let elsewhere = Principal {
                accounts: Accounts::Only(vec!["acc_ELSEWHERE".parse().unwrap()]),
                partner: caller.partner.as_ref().map(|_| "par_elsewhere".parse().unwrap()),
                ..caller.clone()
            };
            let refused = calls::grpc(&world, &elsewhere, &method, &request).await.unwrap_err();
            assert!(matches!(refused.code(), Code::NotFound | Code::InvalidArgument), "{context}: {refused:?}");
            let (asked, words) = (request.to_string(), format!("{refused:?}"));
            for mark in &party.marks {
                assert!(asked.contains(mark.as_str()) || !words.contains(mark.as_str()), "{mark}: {context}: {words}");
            }
            tried.insert(attempt.method.to_owned());
        }
        let scoped = calls::methods().into_iter().filter(|method| is_scoped(method) && is_repeatable(method));
        assert_eq!(
            tried,
            scoped.map(|method| method.name().to_owned()).collect(),
            "every repeatable method in account or partner scope"
        );
        assert_eq!(refusals, REFUSED.map(str::to_owned).into(), "an answer has to be kept");
    })
    .await;
}
