//! Every service in a process of its own, over the network.

use std::net::SocketAddr;

use mesh::{Channel, Principal, Secret};
use proto::event::v1::{ListEventsRequest, event_service_client::EventServiceClient};
use serde_json::json;
use waybill::{
    compose::service_names,
    demo, northwind,
    rest::Rest,
    sandbox::{Chances, Sandbox},
};

use crate::{
    credentials::{Tokens, status},
    process::{Process, rest_client},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_mesh_runs_as_separate_processes_and_drains_when_asked_to_stop() {
    run(&[], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn separate_processes_that_check_credentials_accept_each_other() {
    let tokens = Tokens::make();
    let [admin, mesh] = tokens.settings();
    run(&[&admin[..], &mesh[..]].concat(), Some(tokens.admin())).await;
}

/// Delivers a few orders through seven processes with these settings, calling the gateway with the credential.
async fn run(settings: &[String], credential: Option<Secret>) {
    let directory = tempfile::tempdir().unwrap();
    let services = service_names();
    let addresses: Vec<_> = services.iter().map(|_| waybill_e2e::free_address()).collect();
    let peers: Vec<String> = services
        .iter()
        .zip(&addresses)
        .flat_map(|(role, address)| [format!("--{role}-url"), format!("http://{address}")])
        .collect();
    let start = |role: &str, own: &[String]| {
        let all = [&["serve".to_owned(), role.to_owned()][..], own, &peers[..], settings].concat();
        Process::start(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let mut processes = Vec::new();
    for (role, address) in services.iter().zip(&addresses) {
        let database = format!("sqlite:{}/{role}.db", directory.path().display());
        let own = [
            "--listen".to_owned(),
            address.to_string(),
            "--admin-listen".to_owned(),
            "127.0.0.1:0".to_owned(),
            "--database-url".to_owned(),
            database,
        ];
        processes.push(start(role, &own));
    }
    let http = waybill_e2e::free_address();
    let own = [
        "--listen".to_owned(),
        "127.0.0.1:0".to_owned(),
        "--admin-listen".to_owned(),
        "127.0.0.1:0".to_owned(),
        "--http-listen".to_owned(),
        http.to_string(),
    ];
    processes.push(start("gateway", &own));
    for (process, address) in processes.iter_mut().zip(addresses.iter().chain([&http])) {
        process.listens(*address).await;
    }

    let rest = rest_client(format!("http://{http}")).with_credential(credential.clone());
    let data = northwind::load().unwrap();
    let orders = &data.orders[..5];
    demo::load::company(&rest, &data, orders, true).await.unwrap();
    let partners = Sandbox::new(rest.clone(), 1, Chances::NONE);
    let options = demo::Options { seed: 1, orders: 5, ample: true, keep: false };
    let bar = demo::hidden_bar();
    tokio::select! {
        journey = async {
            demo::portal::submit(&rest, &data, orders, &bar, &options).await?;
            demo::watch::until_settled(&rest, &data, &partners, &bar).await
        } => drop(journey.unwrap()),
        ended = partners.play() => ended.unwrap(),
    }
    let summary = rest.get("/v1/orders:summary").await.unwrap();
    assert_eq!(summary["statuses"], json!([{"status": "ORDER_STATUS_DELIVERED", "orderCount": "5"}]));
    waybill_e2e::laws(&rest).await.unwrap();
    if credential.is_some() {
        strangers_are_refused(&rest, &addresses).await;
    }

    for process in &mut processes {
        process.terminate().await;
    }
    for mut process in processes {
        assert!(process.ended().await.success(), "asked to stop, it ends successfully");
    }
}

/// A claimed identity is refused at the gateway and at every service; an API key is accepted.
async fn strangers_are_refused(rest: &Rest, addresses: &[SocketAddr]) {
    assert_eq!(status(rest.base(), "/v1/orders", None).await, 401);
    for address in addresses {
        let channel = Channel::connect(&format!("http://{address}")).unwrap();
        for claimed in [Principal::local_administrator(), Principal::service("order")] {
            let mut log = EventServiceClient::new(channel.for_principal(&claimed));
            let refused = log.list_events(ListEventsRequest::default()).await.unwrap_err();
            assert_eq!(mesh::fault(&refused).reason, types::Reason::Unauthenticated, "{address}");
        }
    }
    let api_client = json!({
        "apiClientId": "cli_a", "name": "A", "kind": "API_CLIENT_KIND_APPLICATION", "access": {"accountIds": ["*"]},
    });
    rest.ensure("/v1/api-clients", "cli_a", &api_client).await.unwrap();
    let made = rest.post("/v1/api-clients/cli_a/api-keys", None, &json!({})).await.unwrap().unwrap();
    assert_eq!(
        status(rest.base(), "/v1/orders", made["secret"].as_str()).await,
        200,
        "the gateway asks the partner service"
    );
}
