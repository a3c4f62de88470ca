//! No kept answer is told to a caller that no longer sees what it is about.

use std::collections::BTreeSet;

use mesh::{Accounts, Principal};
use prost_reflect::MethodDescriptor;
use serde_json::json;
use tonic::Code;
use waybill_e2e::each;

use super::{attempts::attempts, calls, parties::Party};

fn is_repeatable(method: &MethodDescriptor) -> bool {
    method.input().get_field_by_name("request_id").is_some()
}

#[tokio::test]
async fn a_repeat_by_a_caller_that_sees_the_account_no_longer_is_refused() {
    each(|world| async move {
        let party = Party::settle(&world, "A").await;
        let mut tried = BTreeSet::new();
        for (number, attempt) in attempts().into_iter().enumerate() {
            let (caller, method) = ((attempt.by)(&party), calls::method(attempt.method));
            if !is_repeatable(&method) {
                continue;
            }
            let mut request = (attempt.request)(&party, &party);
            request["requestId"] = json!(format!("kept-{number}"));
            let context = format!("{} {request}", attempt.method);
            let first = calls::grpc(&world, caller, &method, &request).await;
            let first = first.unwrap_or_else(|refusal| panic!("{context}: {refusal:?}"));
            let again = calls::grpc(&world, caller, &method, &request).await.unwrap();
            assert_eq!(again, first, "{context}");

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
        let scoped = calls::methods().into_iter().filter(|method| calls::scope(method) != "SCOPE_NONE");
        let scoped = scoped.filter(is_repeatable).map(|method| method.name().to_owned());
        assert_eq!(tried, scoped.collect(), "every repeatable method in account or partner scope");
    })
    .await;
}
