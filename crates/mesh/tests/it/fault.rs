use mesh::Config;
use types::{Fault, Reason};

use crate::{
    probe::{Probe, ask, both, follow, question, server},
    replica::{nobody, to},
};

#[tokio::test]
async fn a_fault_comes_back_with_its_details() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let status = ask(&channel, "invalid").await.unwrap_err();
        assert_eq!(mesh::fault(&status), Fault::invalid("lines[2].quantity", "must be positive"));
        assert!(status.metadata().contains_key("x-request-id"), "a refusal names the call too");
    }
}

#[tokio::test]
async fn an_internal_fault_tells_nothing() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let status = ask(&channel, "internal").await.unwrap_err();
        assert_eq!(mesh::fault(&status), Fault::internal("internal error"));
    }
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_connection_lives_on() {
    for channel in both(server(&Config::default(), Probe::default())).await {
        let status = ask(&channel, "panic").await.unwrap_err();
        assert_eq!((status.code(), status.message()), (tonic::Code::Internal, "internal error"));
        let mut answers = follow(&channel, question("panic")).await.unwrap();
        answers.message().await.unwrap().expect("one answer before the panic");
        assert!(answers.message().await.is_err());
        ask(&channel, "echo").await.unwrap();
    }
}

#[tokio::test]
async fn a_member_that_can_not_be_reached_is_unavailable() {
    let channel = to(&[nobody()]);
    let fault = mesh::fault(&ask(&channel, "echo").await.unwrap_err());
    assert_eq!(fault.reason, Reason::Unavailable);
    assert!(fault.retry_after.is_some());
}
