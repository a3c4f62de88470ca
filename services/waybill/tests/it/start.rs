//! Starting on what is there already.

use crate::process::Process;

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
