//! Starts on an existing data directory.

use crate::process::{Addresses, Process};

#[tokio::test(flavor = "multi_thread")]
async fn a_mesh_that_is_told_to_stop_is_not_ready_and_takes_calls_until_the_delay_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
    let data = ["up", "--data", directory.path().to_str().unwrap(), "--shutdown-delay", "60m"];
    let mut process = Process::start(&[&data[..], &ports[..]].concat());
    let Addresses { rest, metrics, .. } = process.addresses().await;
    let ready = metrics.replace("/metrics", "/readyz");
    let status = async |url: &str| reqwest::get(url).await.unwrap().status().as_u16();
    while status(&ready).await != 200 {
        tokio::task::yield_now().await;
    }
    process.terminate().await;
    while status(&ready).await != 503 {
        tokio::task::yield_now().await;
    }
    assert_eq!(status(&format!("{rest}/v1/orders")).await, 200);
    // A second signal ends the wait.
    process.terminate().await;
    assert!(process.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (process, rest) = Process::up(directory.path()).await;
    let account = serde_json::json!({
        "accountId": "acc_A", "name": "A", "currency": "USD", "billTo": waybill_e2e::address("DE"),
    });
    rest.ensure("/v1/accounts", "key", &account).await.unwrap();
    process.terminate().await;
    let mut process = process;
    assert!(process.ended().await.success());
    let (_process, rest) = Process::up(directory.path()).await;
    assert_eq!(rest.get("/v1/accounts/acc_A").await.unwrap()["name"], "A");
}
