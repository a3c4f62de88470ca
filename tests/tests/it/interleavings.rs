//! Everything that can happen to orders, in any order: nobody waits in vain, and every order can be ended.
//!
//! What is done follows from the seed; ids, and which of several orders gets scarce units, differ from run to run.

mod acts;

use std::time::Duration;

use serde_json::{Value, json};
use waybill_e2e::{World, address, each, laws, number, waiting_in_vain};

use self::acts::{Acts, NODES, SKUS};
use crate::parties::array;

const SEEDS: std::ops::Range<u64> = 0..2;
const ORDERS: usize = 12;
const STEPS: u64 = 90;
/// After how many steps the laws are checked.
const CHECKED_EVERY: u64 = 15;
/// In how many rounds people end what is open, when each does all that is supported.
const ROUNDS: usize = 6;
const HOUR: Duration = Duration::from_secs(3_600);
const STATES: [&str; 3] = ["ORDER_STATE_CLOSED", "ORDER_STATE_CANCELLED", "ORDER_STATE_REJECTED"];

/// A mesh with a node that runs out of time, and orders of every fill policy.
async fn furnished(world: &World, acts: &mut Acts) {
    world.furnish().await;
    world.item("COFFEE", "HANDLING_CLASS_AMBIENT").await;
    world.post("/v1/locations", &json!({"locationId": "nod_bremen", "name": "Bremen"})).await;
    let node = json!({
        "nodeId": "nod_bremen", "name": "Bremen", "partnerId": "par_hanse", "country": "DE", "acceptWithin": "7200s",
        "handlingClasses": ["HANDLING_CLASS_AMBIENT"], "serviceAreas": [{"rank": 1, "countries": ["DE"]}],
    });
    world.post("/v1/nodes", &node).await;
    for node in NODES {
        for sku in SKUS {
            world.receive(node, sku, 6 + acts.below(6)).await;
        }
    }
    world.drain().await;
    let policies = ["FILL_AVAILABLE_BACKORDER", "FILL_ALL", "FILL_ALL_AVAILABLE", "FILL_AVAILABLE_BACKORDER"];
    for (number, policy) in policies.into_iter().cycle().take(ORDERS).enumerate() {
        let lines: Vec<Value> = SKUS.iter().map(|sku| json!({"sku": sku, "quantity": 1 + acts.below(5)})).collect();
        let body = json!({
            "accountId": "acc_ACME", "customerPo": format!("PO-{number}"), "shipToAddress": address("DE"),
            "fillPolicy": format!("FILL_POLICY_{policy}"), "lines": lines,
        });
        world.post("/v1/orders", &body).await;
    }
}

/// Checks the laws once everything that is due is done.
async fn check(world: &World, seed: u64, acts: &Acts) {
    world.drain().await;
    if let Err(broken) = laws(&world.rest).await {
        panic!("seed {seed}: {broken:#}, after {:#?}", acts.done);
    }
    let found = waiting_in_vain(&world.rest, types::Clock::now(&*world.clock)).await.unwrap();
    assert!(found.is_empty(), "seed {seed}: {found:#?}, after {:#?}", acts.done);
}

/// Time passes, workers of a service run, or the mesh ends and starts again.
async fn interrupt(mut world: World, acts: &mut Acts) -> World {
    match acts.below(20) {
        0 => {
            acts.done.push("a week passes".to_owned());
            world.clock.advance(Duration::from_secs(8 * 24 * 3_600));
        }
        1..3 => {
            acts.done.push("hours pass".to_owned());
            world.clock.advance(3 * HOUR);
        }
        3..9 => {
            let (_, workers) = acts.any(&world.mesh.workers);
            workers.drain().await.unwrap();
        }
        9 => {
            acts.done.push("restart".to_owned());
            world = world.restart().await;
        }
        10..14 => world.drain().await,
        _ => {}
    }
    world
}

/// Does once whatever is supported that ends an order. Returns the orders that are not finished.
async fn end(world: &World, acts: &mut Acts) -> Vec<Value> {
    world.drain().await;
    let mut open = Vec::new();
    for order in world.rest.list("/v1/orders?view=ORDER_VIEW_FULL", "orders").await.unwrap() {
        if STATES.contains(&text(&order["state"])) {
            continue;
        }
        let path = format!("/v1/orders/{}", text(&order["orderId"]));
        let mut order = order;
        if supports(&order, "WithdrawOrderChange") {
            let change = number(&order["openChange"]);
            act(world, acts, &format!("{path}/changes/{change}:withdraw"), json!({})).await;
            order = world.get(&path).await;
        }
        for hold in array(&order["holds"]).iter().filter(|_| supports(&order, "ReleaseHold")) {
            act(world, acts, &format!("{path}:releaseHold"), json!({"holdNumber": hold["holdNumber"]})).await;
        }
        if supports(&order, "CancelOrder") {
            act(world, acts, &format!("{path}:cancel"), json!({})).await;
        }
        world.drain().await;
        for work in world.fulfillment_orders(text(&order["orderId"])).await {
            let path = format!("/v1/fulfillment-orders/{}", text(&work["fulfillmentOrderId"]));
            if supports(&work, "AnswerShipToChange") {
                let change = &work["shipToChange"]["changeNumber"];
                let answer = json!({"changeNumber": change, "answer": "SHIP_TO_CHANGE_ANSWER_REJECTED"});
                act(world, acts, &format!("{path}:answerShipToChange"), answer).await;
            }
            if supports(&work, "AnswerCancellation") {
                let answer = json!({"answer": "CANCELLATION_ANSWER_ACCEPTED"});
                act(world, acts, &format!("{path}:answerCancellation"), answer).await;
            } else if supports(&work, "RequestCancellation") {
                act(world, acts, &format!("{path}:requestCancellation"), json!({})).await;
            }
        }
        let shipments = world.get(&format!("{path}/shipments")).await;
        let packages = array(&shipments["shipments"]).iter().flat_map(|shipment| array(&shipment["packages"]));
        for package in packages.filter(|package| supports(package, "WriteOffPackage")) {
            let path = format!("/v1/packages/{}:writeOff", text(&package["packageId"]));
            act(world, acts, &path, json!({"remedy": "WRITE_OFF_REMEDY_CANCEL"})).await;
        }
        open.push(order);
    }
    for exception in world.rest.list("/v1/exceptions?states=EXCEPTION_STATE_OPEN", "exceptions").await.unwrap() {
        if supports(&exception, "retry") {
            act(world, acts, &format!("/v1/exceptions/{}:retry", text(&exception["exceptionId"])), json!({})).await;
        }
    }
    open
}

/// Does what is supported, so that it may not be refused.
async fn act(world: &World, acts: &mut Acts, path: &str, body: Value) {
    acts.done.push(format!("to end it: {path} {body}"));
    if let Err(problem) = world.rest.post(path, None, &body).await.unwrap() {
        panic!("{path} is supported: {problem:?}, after {:#?}", acts.done);
    }
}

#[tokio::test]
async fn whatever_happens_nobody_waits_in_vain_and_every_order_can_be_ended() {
    for seed in SEEDS {
        each(|world| async move {
            let (mut world, mut acts) = (world, Acts::new(seed));
            furnished(&world, &mut acts).await;
            for step in 1..=STEPS {
                acts.act(&world).await;
                world = interrupt(world, &mut acts).await;
                if step % CHECKED_EVERY == 0 {
                    check(&world, seed, &acts).await;
                }
            }
            check(&world, seed, &acts).await;
            let mut open = Vec::new();
            for _ in 0..ROUNDS {
                open = end(&world, &mut acts).await;
                if open.is_empty() {
                    break;
                }
                world.clock.advance(HOUR);
            }
            assert!(open.is_empty(), "seed {seed}: {open:#?} after {:#?}", acts.done);
            check(&world, seed, &acts).await;
            let kept = kept(&world).await;
            assert!(kept.is_empty(), "seed {seed}: kept for nobody: {kept:#?}, after {:#?}", acts.done);
        })
        .await;
    }
}

/// Reservations that keep units for an order, or wait for them; none when every order is finished.
async fn kept(world: &World) -> Vec<Value> {
    let mut kept = Vec::new();
    for order in world.rest.list("/v1/orders?view=ORDER_VIEW_FULL", "orders").await.unwrap() {
        let reservations = world.get(&format!("/v1/reservations/{}", text(&order["orderId"]))).await;
        let keeps = |one: &&Value| ["reserved", "allocated", "backordered"].iter().any(|name| number(&one[*name]) > 0);
        kept.extend(array(&reservations["reservations"]).iter().filter(keeps).cloned());
    }
    kept
}

fn supports(of: &Value, action: &str) -> bool {
    array(&of["supportedActions"]).iter().any(|one| one == action)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
