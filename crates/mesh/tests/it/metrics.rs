use mesh::Config;
use types::Fault;

use crate::{
    probe::{Probe, ask_with, both, question, server},
    replica::Replica,
};

/// The recorder is the process's and tests share it: what a test counts must be its own.
fn lines(parts: &[&str]) -> Vec<String> {
    let text = mesh::metrics::render();
    text.lines().filter(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned).collect()
}

#[tokio::test]
async fn calls_are_measured_by_method_and_status_at_both_ends() {
    mesh::install_process_defaults();
    // A method that no other test calls.
    let path = "/waybill.order.v1.OrderService/GetAccount";
    let replica = Replica::new(|number, _| async move {
        if number.is_multiple_of(2) { Ok(()) } else { Err(mesh::status(Fault::invalid("account_id", "must be one"))) }
    });
    for channel in both(replica.server(&Config::default())).await {
        ask_with(&channel, question(""), path).await.unwrap();
        ask_with(&channel, question(""), path).await.unwrap_err();
    }
    for side in ["server", "client"] {
        let count = format!("rpc_{side}_call_duration_seconds_count");
        let method = r#"rpc_service="waybill.order.v1.OrderService",rpc_method="GetAccount""#;
        for status in ["OK", "INVALID_ARGUMENT"] {
            let status = format!(r#"rpc_response_status_code="{status}""#);
            let found = lines(&[&count, method, &status]);
            let [line] = found.as_slice() else { panic!("{count} {status}: {found:?}\n{}", mesh::metrics::render()) };
            let value: u64 = line.rsplit(' ').next().unwrap().parse().unwrap();
            assert_eq!(value, 2, "{line}");
        }
        assert!(!lines(&[&format!("rpc_{side}_calls_in_flight"), method]).is_empty());
        assert!(!lines(&[&format!("rpc_{side}_call_duration_seconds_bucket"), method, "le="]).is_empty());
    }
}

#[tokio::test]
async fn methods_a_caller_made_up_are_measured_as_one() {
    let [_, channel] = both(server(&Config::default(), Probe::default())).await;
    ask_with(&channel, question("echo"), "/made.up.Service/Method").await.unwrap_err();
    let status = r#"rpc_response_status_code="UNIMPLEMENTED""#;
    assert!(!lines(&["rpc_server_call_duration_seconds_count", r#"rpc_method="_OTHER""#, status]).is_empty());
    assert!(lines(&["rpc_server_", "made.up"]).is_empty());
}
