//! `kill -9` at seeded moments: nothing acknowledged is lost, nothing is doubled.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use waybill::{
    demo, northwind,
    rest::Rest,
    sandbox::{Chances, Sandbox},
};

use crate::process::Process;

/// How many orders the portal places.
const ORDERS: usize = 40;
/// How often the mesh is killed.
const KILLS: usize = 12;

/// Places one order after another and notes what was acknowledged. Ends by being dropped, or when all are placed.
async fn portal(rest: &Rest, acknowledged: &mut BTreeMap<String, String>) {
    for number in 1..=ORDERS {
        let po = format!("PO-{number}");
        if acknowledged.contains_key(&po) {
            continue;
        }
        let body = json!({
            "accountId": "acc_K", "customerPo": po, "shipToAddress": waybill_e2e::address("DE"),
            "lines": [{"sku": "TEA", "quantity": number}, {"sku": "COFFEE", "quantity": 2}],
        });
        let placed = rest.post("/v1/orders", Some(&format!("key-{number}")), &body).await.unwrap().unwrap();
        acknowledged.insert(po, placed["orderId"].as_str().unwrap().to_owned());
    }
}

pub(crate) async fn furnish(rest: &Rest) {
    let data = northwind::load().unwrap();
    demo::load::company(rest, &data, &[], true).await.unwrap();
    for sku in ["TEA", "COFFEE"] {
        let price = json!({"currency": "USD", "minorUnits": "100"});
        let item = json!({"sku": sku, "name": sku, "handlingClass": "HANDLING_CLASS_AMBIENT", "listPrice": price});
        rest.ensure("/v1/items", sku, &item).await.unwrap();
        let stock = json!({"items": [{"sku": sku, "quantity": 2_000}]});
        rest.ensure("/v1/locations/nod_hamburg:receive", &format!("stock-{sku}"), &stock).await.unwrap();
    }
    let account = json!({"accountId": "acc_K", "name": "K", "currency": "USD", "billTo": waybill_e2e::address("DE")});
    rest.ensure("/v1/accounts", "acc_K", &account).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_many_moments_the_mesh_loses_nothing_it_acknowledged_and_doubles_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(42);
    let mut acknowledged = BTreeMap::new();
    let chances = Chances { conflict: 0, reject: 0, short: 0, ..Chances::USUAL };

    let (process, rest) = Process::up(directory.path()).await;
    furnish(&rest).await;
    process.kill().await;
    for _ in 0..KILLS {
        let (mut process, rest) = Process::up(directory.path()).await;
        let partners = Sandbox::new(rest.clone(), 1, chances);
        let moment = Duration::from_millis(rng.random_range(5..400));
        tokio::select! {
            biased;
            ended = process.ended_within(moment) => assert!(ended.is_none(), "it ends only when killed"),
            () = async { portal(&rest, &mut acknowledged).await; std::future::pending().await } => {}
            ended = partners.play() => ended.unwrap(),
        }
        process.kill().await;
    }

    let (process, rest) = Process::up(directory.path()).await;
    portal(&rest, &mut acknowledged).await;
    let partners = Sandbox::new(rest.clone(), 1, chances);
    let (data, bar) = (northwind::load().unwrap(), demo::no_bar());
    tokio::select! {
        settled = demo::watch::until_settled(&rest, &data, &bar) => settled.unwrap(),
        ended = partners.play() => ended.unwrap(),
    }
    let orders = rest.list("/v1/orders", "orders").await.unwrap();
    let kept: BTreeMap<String, String> = orders
        .iter()
        .map(|order| {
            assert_eq!(order["status"], "ORDER_STATUS_DELIVERED", "{order}");
            let text = |name: &str| order[name].as_str().unwrap().to_owned();
            (text("customerPo"), text("orderId"))
        })
        .collect();
    assert_eq!(orders.len(), ORDERS, "no order twice");
    assert_eq!(kept, acknowledged, "every acknowledged order under the id that was told");
    waybill_e2e::laws(&rest).await.unwrap();
    let summary = rest.get("/v1/orders:summary").await.unwrap();
    let units: usize = (1..=ORDERS).map(|number| number + 2).sum();
    assert_eq!(summary["invoiceReady"][0]["minorUnits"], (units * 100).to_string());
    process.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_killed_goes_on_to_the_same_end() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let ports = ["--http-port", "0", "--grpc-port", "0", "--admin-port", "0"];
    let arguments = [&["demo", "--data", data, "--orders", "30", "--ample"][..], &ports[..]].concat();
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..6 {
        let mut process = Process::start(&arguments);
        let moment = Duration::from_millis(rng.random_range(200..1_500));
        // A fast machine may be done by then; going over it again changes nothing either.
        process.ended_within(moment).await;
        process.kill().await;
    }
    let mut last = Process::start(&arguments);
    let ready = last.line_with("Ready to invoice").await;
    let exact: i64 = northwind::load().unwrap().orders[..30]
        .iter()
        .flat_map(|order| &order.lines)
        .map(|line| {
            let discount = types::BasisPoints::new(line.discount_bp).unwrap();
            types::line_amount(line.quantity, line.unit_price_minor, discount).unwrap()
        })
        .sum();
    assert!(ready.replace([',', '.'], "").contains(&exact.to_string()), "{ready} is not {exact}");
    assert!(last.ended().await.success());
}
