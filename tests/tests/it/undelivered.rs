//! What is taken back, and what does not reach the customer, across the mesh.

use serde_json::{Value, json};
use waybill_e2e::{World, each, number};

const LEFT: &str = "2026-05-28T20:26:40Z";

/// An order of 4 units that left in two packages of 2.
async fn shipped(world: &World) -> (String, String) {
    world.furnish().await;
    world.receive("nod_hamburg", "TEA", 6).await;
    let order_id = world.order("PO-1", &[("TEA", 4)]).await;
    world.drain().await;
    let id = world.fulfillment_orders(&order_id).await[0]["fulfillmentOrderId"].as_str().unwrap().to_owned();
    let package = |number: &str| json!({"trackingNumber": number, "lines": [{"lineNumber": 1, "quantity": 2}]});
    let left = json!({
        "fulfillmentOrderId": id, "shipmentReference": "S-1", "carrierId": "par_parcel", "occurTime": LEFT,
        "packages": [package("T-1"), package("T-2")],
    });
    world.report("par_hanse", "ship", json!({ "shipped": left })).await;
    world.drain().await;
    (order_id, id)
}

async fn scan(world: &World, tracking: &str, code: &str) -> Value {
    let milestone = json!({
        "trackingNumber": tracking, "code": format!("MILESTONE_CODE_{code}"), "rawCode": code, "occurTime": LEFT,
    });
    let message =
        world.report("par_parcel", &format!("{code}-{tracking}"), json!({"milestone": {"milestone": milestone}})).await;
    world.drain().await;
    message
}

async fn order(world: &World, order_id: &str) -> Value {
    world.get(&format!("/v1/orders/{order_id}")).await
}

fn counter(order: &Value, name: &str) -> i64 {
    number(&order["lines"][0]["counters"][name])
}

async fn on_hand(world: &World) -> i64 {
    number(&world.get("/v1/availability?skus=TEA").await["availability"][0]["onHand"])
}

#[tokio::test]
async fn a_delivery_that_its_carrier_takes_back_reopens_the_order_and_is_credited() {
    each(|world| async move {
        let (order_id, _) = shipped(&world).await;
        scan(&world, "T-1", "DELIVERED").await;
        let message = scan(&world, "t2", "DELIVERED").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counter(&closed, "invoiceReady")), (&json!("ORDER_STATE_CLOSED"), 4));
        let report_id = message["outcome"].as_str().unwrap().split(' ').find(|word| word.starts_with("trk_")).unwrap();
        let retraction = json!({"retraction": {"reportId": report_id, "reason": "the neighbour's"}});
        let message = world.report("par_parcel", "sorry", retraction).await;
        assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
        world.drain().await;
        let reopened = order(&world, &order_id).await;
        assert_eq!(reopened["status"], "ORDER_STATUS_PARTIALLY_DELIVERED");
        let counted = ["delivered", "invoiceReady", "credited"].map(|name| counter(&reopened, name));
        assert_eq!(counted, [2, 4, 2]);
        let credits = world.get(&format!("/v1/orders/{order_id}/timeline")).await.to_string();
        assert!(credits.contains("proposed for 2 TEA: CORRECTED"), "{credits}");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_that_did_not_leave_is_in_stock_and_at_its_node_again() {
    each(|world| async move {
        let (order_id, fulfillment_order_id) = shipped(&world).await;
        assert_eq!(on_hand(&world).await, 2);
        let retracted =
            json!({"fulfillmentOrderId": fulfillment_order_id, "shipmentReference": "S-1", "reason": "dock"});
        let message = world.report("par_hanse", "back", json!({ "shipmentRetracted": retracted })).await;
        assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
        world.drain().await;
        let again = order(&world, &order_id).await;
        assert_eq!((counter(&again, "shipped"), counter(&again, "released")), (0, 4));
        assert_eq!(on_hand(&world).await, 6);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_lost_package_is_replaced_and_one_that_comes_back_is_received_and_restocked() {
    each(|world| async move {
        let (order_id, _) = shipped(&world).await;
        scan(&world, "T-1", "LOST").await;
        scan(&world, "T-2", "RETURNED_TO_SENDER").await;
        scan(&world, "T-2", "DELIVERED").await;
        let open = world.get(&format!("/v1/exceptions?orderId={order_id}")).await;
        let types: Vec<_> =
            open["exceptions"].as_array().unwrap().iter().map(|one| one["type"].as_str().unwrap()).collect();
        assert!(types.contains(&"PACKAGE_LOST") && types.contains(&"RETURNED_TO_SENDER"), "{types:?}");
        let shipments = world.get(&format!("/v1/orders/{order_id}/shipments")).await;
        let package = |at: usize| shipments["shipments"][0]["packages"][at]["packageId"].as_str().unwrap().to_owned();

        let replace = json!({"remedy": "WRITE_OFF_REMEDY_REPLACE", "claimReference": "C-1"});
        world.post(&format!("/v1/packages/{}:writeOff", package(0)), &replace).await;
        world.drain().await;
        let work = world.fulfillment_orders(&order_id).await;
        assert_eq!(work.len(), 2, "the units are asked of a node again");
        assert_eq!(number(&work[1]["lines"][0]["quantity"]), 2);

        let cancel = json!({"remedy": "WRITE_OFF_REMEDY_CANCEL"});
        world.post(&format!("/v1/packages/{}:writeOff", package(1)), &cancel).await;
        world.drain().await;
        let now = order(&world, &order_id).await;
        assert_eq!((counter(&now, "shipped"), counter(&now, "released"), counter(&now, "cancelled")), (0, 2, 2));
        assert_eq!(counter(&now, "returnAuthorized"), 0, "the customer returns nothing");

        let returns = world.get(&format!("/v1/returns?orderId={order_id}")).await;
        let back = returns["returns"][0]["returnId"].as_str().unwrap().to_owned();
        let lines = json!([{"lineNumber": 1, "quantity": 2}]);
        world.post(&format!("/v1/returns/{back}:receive"), &json!({ "lines": lines })).await;
        let dispositions = json!([{"kind": "DISPOSITION_KIND_RESTOCK", "quantity": 2}]);
        let inspected = json!({"lines": [{"lineNumber": 1, "dispositions": dispositions}]});
        world.post(&format!("/v1/returns/{back}:inspect"), &inspected).await;
        world.drain().await;
        assert_eq!(on_hand(&world).await, 4, "two were never shipped, two came back");

        let id = work[1]["fulfillmentOrderId"].as_str().unwrap();
        let left = json!({
            "fulfillmentOrderId": id, "shipmentReference": "S-2", "carrierId": "par_parcel", "occurTime": LEFT,
            "packages": [{"trackingNumber": "T-9", "lines": lines}],
        });
        world.report("par_hanse", "ship again", json!({ "shipped": left })).await;
        scan(&world, "T-9", "DELIVERED").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counter(&closed, "delivered")), (&json!("ORDER_STATE_CLOSED"), 2));
        assert_eq!(counter(&closed, "invoiceReady"), 2);
    })
    .await;
}
