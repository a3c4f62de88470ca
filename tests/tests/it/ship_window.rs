//! Orders that are to be shipped at a time and not after another: under holds, after a restart, and when goods are lost or did
//! not leave.

use std::time::Duration;

use serde_json::{Value, json};
use waybill_e2e::{World, address, each, number};

/// When the world begins.
const START: &str = "2026-05-28T20:26:40Z";
/// A day later.
const DAY_LATER: &str = "2026-05-29T20:26:40Z";

const DAY: Duration = Duration::from_secs(86_400);

/// Places an order of TEA to Germany with further fields, and returns its id.
async fn place(world: &World, quantity: i64, fields: Value) -> String {
    let mut body = json!({
        "accountId": "acc_ACME", "customerPo": "PO-1", "shipToAddress": address("DE"),
        "lines": [{"sku": "TEA", "quantity": quantity}],
    });
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    world.post("/v1/orders", &body).await["orderId"].as_str().unwrap().to_owned()
}

async fn order(world: &World, order_id: &str) -> Value {
    world.get(&format!("/v1/orders/{order_id}")).await
}

fn counters(order: &Value) -> [i64; 4] {
    ["shipped", "released", "reserved", "cancelled"].map(|name| number(&order["lines"][0]["counters"][name]))
}

/// The only fulfillment order of an order.
async fn work(world: &World, order_id: &str) -> Value {
    let mut all = world.fulfillment_orders(order_id).await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Units that can be promised, and those allocated.
async fn stock(world: &World) -> [i64; 2] {
    let availability = world.get("/v1/availability?skus=TEA").await;
    ["atp", "allocated"].map(|name| number(&availability["availability"][0][name]))
}

async fn reports(world: &World, control_number: &str, kind: &str, report: Value) {
    let message = world.report("par_hanse", control_number, json!({ kind: report })).await;
    assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
    world.drain().await;
}

async fn ships(world: &World, id: &Value, packages: &[&str]) {
    let package = |number: &&str| json!({"trackingNumber": number, "lines": [{"lineNumber": 1, "quantity": 2}]});
    let left = json!({
        "fulfillmentOrderId": id, "shipmentReference": "S-1", "carrierId": "par_parcel", "occurTime": START,
        "packages": packages.iter().map(package).collect::<Vec<_>>(),
    });
    reports(world, "ship", "shipped", left).await;
}

async fn stops(world: &World, id: &Value, control_number: &str) {
    let answer = json!({"fulfillmentOrderId": id, "answer": "CANCELLATION_ANSWER_ACCEPTED"});
    reports(world, control_number, "cancellation", answer).await;
}

async fn scan(world: &World, tracking: &str, code: &str) {
    let milestone = json!({
        "trackingNumber": tracking, "code": format!("MILESTONE_CODE_{code}"), "rawCode": code, "occurTime": START,
    });
    world.report("par_parcel", &format!("{code}-{tracking}"), json!({"milestone": {"milestone": milestone}})).await;
    world.drain().await;
}

#[tokio::test]
async fn an_order_whose_time_is_over_after_a_restart_is_cancelled_and_asked_of_no_node() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        let window = json!({"shipNotBefore": "2026-05-28T22:00:00Z", "cancelAfter": DAY_LATER});
        let order_id = place(&world, 4, window).await;
        world.drain().await;
        assert_eq!(counters(&order(&world, &order_id).await), [0, 0, 4, 0]);
        world.clock.advance(2 * DAY);
        let world = world.restart().await;
        world.drain().await;
        let cancelled = order(&world, &order_id).await;
        assert_eq!((&cancelled["state"], counters(&cancelled)), (&json!("ORDER_STATE_CANCELLED"), [0, 0, 0, 4]));
        assert!(world.fulfillment_orders(&order_id).await.is_empty());
        assert_eq!(stock(&world).await, [4, 0]);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_held_request_is_withdrawn_when_the_time_of_its_order_is_over() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        let order_id = place(&world, 4, json!({"cancelAfter": DAY_LATER})).await;
        world.drain_only(&["order", "inventory"]).await;
        world.drain_only(&["order", "inventory", "fulfillment"]).await;
        world.post(&format!("/v1/orders/{order_id}:placeHold"), &json!({"reason": "HOLD_REASON_CREDIT"})).await;
        world.drain().await;
        let messages = async || {
            let path = "/v1/messages?partnerId=par_hanse&direction=MESSAGE_DIRECTION_OUT";
            let messages = world.rest.list(path, "messages").await.unwrap();
            messages.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(messages().await, ["MESSAGE_STATE_HELD"]);
        world.clock.advance(DAY);
        world.drain().await;
        assert_eq!(messages().await, ["MESSAGE_STATE_FAILED"]);
        assert_eq!(work(&world, &order_id).await["executionState"], "EXECUTION_STATE_CANCELLED");
        assert_eq!(order(&world, &order_id).await["state"], "ORDER_STATE_CANCELLED");
        assert_eq!(stock(&world).await, [4, 0]);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn units_stay_reserved_until_their_order_may_be_shipped_however_late_that_is() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        let order_id = place(&world, 4, json!({"shipNotBefore": "2026-07-27T20:26:40Z"})).await;
        world.drain().await;
        // A reservation lives for thirty days.
        world.clock.advance(45 * DAY);
        let world = world.restart().await;
        world.drain().await;
        assert_eq!((counters(&order(&world, &order_id).await), stock(&world).await), ([0, 0, 4, 0], [0, 0]));
        world.clock.advance(15 * DAY);
        world.drain().await;
        assert_eq!((counters(&order(&world, &order_id).await), stock(&world).await), ([0, 4, 0, 0], [0, 4]));
        assert_eq!(work(&world, &order_id).await["nodeId"], "nod_hamburg");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn fill_or_kill_is_cancelled_as_far_as_possible_when_a_lost_package_cannot_be_replaced() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 6).await;
        let order_id = place(&world, 6, json!({"fillPolicy": "FILL_POLICY_FILL_OR_KILL"})).await;
        world.drain().await;
        let id = work(&world, &order_id).await["fulfillmentOrderId"].clone();
        ships(&world, &id, &["T-1", "T-2"]).await;
        scan(&world, "T-1", "LOST").await;
        scan(&world, "T-2", "DELIVERED").await;
        let shipments = world.get(&format!("/v1/orders/{order_id}/shipments")).await;
        let packages = shipments["shipments"][0]["packages"].as_array().unwrap();
        let lost = packages.iter().find(|one| one["trackingNumber"] == "T-1").unwrap();
        let path = format!("/v1/packages/{}:writeOff", lost["packageId"].as_str().unwrap());
        world.post(&path, &json!({"remedy": "WRITE_OFF_REMEDY_REPLACE"})).await;
        world.drain().await;
        assert_eq!(work(&world, &order_id).await["requestState"], "REQUEST_STATE_CANCELLATION_REQUESTED");
        assert_eq!(counters(&order(&world, &order_id).await), [2, 2, 0, 2]);
        stops(&world, &id, "stop").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counters(&closed)), (&json!("ORDER_STATE_CLOSED"), [2, 0, 0, 4]));
        assert_eq!(number(&closed["lines"][0]["counters"]["invoiceReady"]), 2);
        assert_eq!(stock(&world).await, [2, 0]);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_shipped_against_a_cancellation_and_takes_it_back_is_asked_to_stop_again() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        let order_id = place(&world, 4, json!({})).await;
        world.drain().await;
        let id = work(&world, &order_id).await["fulfillmentOrderId"].clone();
        reports(&world, "accept", "accepted", json!({ "fulfillmentOrderId": id })).await;
        world.post(&format!("/v1/orders/{order_id}:cancel"), &json!({"reason": "changed their mind"})).await;
        world.drain().await;
        ships(&world, &id, &["T-1", "T-2"]).await;
        assert_eq!(work(&world, &order_id).await["requestState"], "REQUEST_STATE_CANCELLATION_REJECTED");
        let retracted = json!({"fulfillmentOrderId": id, "shipmentReference": "S-1", "reason": "dock"});
        reports(&world, "back", "shipmentRetracted", retracted).await;
        assert_eq!(work(&world, &order_id).await["requestState"], "REQUEST_STATE_CANCELLATION_REQUESTED");
        stops(&world, &id, "stop").await;
        let cancelled = order(&world, &order_id).await;
        assert_eq!((&cancelled["state"], counters(&cancelled)), (&json!("ORDER_STATE_CANCELLED"), [0, 0, 0, 4]));
        assert_eq!(stock(&world).await, [4, 0]);
        world.check_laws().await;
    })
    .await;
}
