//! `kill -9` at seeded moments: nothing acknowledged is lost or duplicated.

use std::{collections::BTreeMap, time::Duration};

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tokio::sync::watch;
use waybill::{
    demo, northwind,
    rest::Rest,
    sandbox::{Chances, Sandbox},
};

use crate::process::{Process, rest_client};

/// How many orders the portal places.
const ORDERS: usize = 40;
/// How often the mesh is killed.
const KILLS: usize = 12;

/// Orders that were acknowledged: purchase order and id.
type Acknowledged = watch::Sender<BTreeMap<String, String>>;

/// Places one order after another up to number `last`, and records those acknowledged.
async fn portal(rest: &Rest, last: usize, acknowledged: &Acknowledged) {
    for number in 1..=last {
        let po = format!("PO-{number}");
        if acknowledged.borrow().contains_key(&po) {
            continue;
        }
        let body = json!({
            "accountId": "acc_K", "customerPo": po, "shipToAddress": waybill_e2e::address("DE"),
            "lines": [{"sku": "TEA", "quantity": number}, {"sku": "COFFEE", "quantity": 2}],
        });
        let placed = rest.post("/v1/orders", Some(&format!("key-{number}")), &body).await.unwrap().unwrap();
        let id = placed["orderId"].as_str().unwrap().to_owned();
        acknowledged.send_modify(|orders| drop(orders.insert(po, id)));
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
async fn killed_at_many_moments_the_mesh_loses_and_duplicates_nothing_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(42);
    let acknowledged = watch::Sender::new(BTreeMap::new());
    let chances = Chances { conflict: 0, reject: 0, short: 0, ..Chances::USUAL };

    let (process, rest) = Process::up(directory.path()).await;
    furnish(&rest).await;
    process.kill().await;
    for _ in 0..KILLS {
        let (mut process, rest) = Process::up(directory.path()).await;
        let partners = Sandbox::new(rest.clone(), 1, chances);
        // The process is killed a moment after so many orders are acknowledged, while one more is placed.
        let enough = acknowledged.borrow().len() + rng.random_range(0..=2);
        let moment = Duration::from_millis(rng.random_range(0..150));
        let mut seen = acknowledged.subscribe();
        let begun = async { drop(seen.wait_for(|orders| orders.len() >= enough).await.unwrap()) };
        let working = async {
            tokio::join!(portal(&rest, enough + 1, &acknowledged), partners.play()).1.unwrap();
        };
        tokio::select! {
            biased;
            ended = async { begun.await; process.ended_within(moment).await } => {
                assert!(ended.is_none(), "it ends only when killed");
            }
            () = working => unreachable!("partners play on"),
        }
        process.kill().await;
    }
    let meanwhile = acknowledged.borrow().len();
    assert!((KILLS / 2..ORDERS).contains(&meanwhile), "most runs had orders: {meanwhile} were acknowledged");

    let (process, rest) = Process::up(directory.path()).await;
    portal(&rest, ORDERS, &acknowledged).await;
    let partners = Sandbox::new(rest.clone(), 1, chances);
    let (data, bar) = (northwind::load().unwrap(), demo::hidden_bar());
    tokio::select! {
        settled = demo::watch::until_settled(&rest, &data, &partners, &bar) => drop(settled.unwrap()),
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
    assert_eq!(kept, *acknowledged.borrow(), "every acknowledged order under its acknowledged id");
    waybill_e2e::laws(&rest).await.unwrap();
    let summary = rest.get("/v1/orders:summary").await.unwrap();
    let credits = rest.list("/v1/proposed-credits", "credits").await.unwrap();
    let credited: i64 = credits.iter().map(|credit| waybill_e2e::number(&credit["amount"]["minorUnits"])).sum();
    let units: i64 = (1..=ORDERS).map(|number| number as i64 + 2).sum();
    assert_eq!(waybill_e2e::number(&summary["invoiceReady"][0]["minorUnits"]) - credited, units * 100);
    process.kill().await;
}

/// How many orders a summary counts, in a status or in any.
fn orders(summary: &Value, status: &str) -> i64 {
    let counts = summary["statuses"].as_array().into_iter().flatten();
    let of_status = counts.filter(|count| status.is_empty() || count["status"] == status);
    of_status.map(|count| waybill_e2e::number(&count["orderCount"])).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_killed_goes_on_to_the_same_end() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let http = waybill_e2e::free_address();
    let port = http.port().to_string();
    let ports = ["--http-port", &port, "--grpc-port", "0", "--admin-port", "0"];
    let arguments = [&["demo", "--data", data, "--orders", "30", "--ample"][..], &ports[..]].concat();
    let mut rng = StdRng::seed_from_u64(7);
    let rest = rest_client(format!("http://{http}"));
    let mut interrupted = 0;
    // At the start, while orders are placed, and while they are delivered.
    for (placed, delivered) in [(0, 0), (1, 0), (12, 0), (30, 1), (30, 10), (30, 20)] {
        let mut process = Process::start(&arguments);
        let moment = Duration::from_millis(rng.random_range(0..150));
        let begun = async {
            loop {
                // It may not listen yet.
                let Ok(summary) = rest.get("/v1/orders:summary").await else { continue };
                if orders(&summary, "") >= placed && orders(&summary, "ORDER_STATUS_DELIVERED") >= delivered {
                    break;
                }
            }
        };
        let ended = tokio::select! {
            ended = process.ended_within(Duration::MAX) => ended,
            () = begun => None,
        };
        // A fast machine may have finished by then; running the demo again changes nothing.
        let ended = if ended.is_none() { process.ended_within(moment).await } else { ended };
        interrupted += usize::from(ended.is_none());
        process.kill().await;
    }
    assert!(interrupted >= 3, "only {interrupted} moments were within a demo");
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
