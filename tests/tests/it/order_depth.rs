//! Orders as distributors write them, through all services: several places, lines and quantities that are cancelled, and changes
//! before and after the release.

use serde_json::{Value, json};
use waybill::sandbox::Chances;
use waybill_e2e::{World, address, each, number};

use crate::parties::array;

/// Tea at a node in Germany and at one in the United States.
async fn furnished(world: &World) {
    world.furnish().await;
    world.item("COFFEE", "HANDLING_CLASS_AMBIENT").await;
    for node in ["nod_hamburg", "nod_houston"] {
        for sku in ["TEA", "COFFEE"] {
            world.receive(node, sku, 40).await;
        }
    }
    world.drain().await;
}

/// Places an order of tea for two stores, ten units each, one in Germany and one in the United States.
async fn place_for_two_stores(world: &World) -> String {
    let body = json!({
        "accountId": "acc_ACME", "customerPo": "PO-1",
        "shipToGroups": [
            {"shipToGroup": 1, "shipToAddress": address("DE")}, {"shipToGroup": 2, "shipToAddress": address("US")},
        ],
        "lines": [{
            "sku": "TEA", "quantity": 20,
            "split": [{"shipToGroup": 1, "quantity": 10}, {"shipToGroup": 2, "quantity": 10}],
        }],
    });
    let order = world.post("/v1/orders", &body).await;
    world.drain().await;
    order["orderId"].as_str().unwrap().to_owned()
}

async fn order(world: &World, order_id: &str) -> Value {
    world.get(&format!("/v1/orders/{order_id}")).await
}

async fn accept(world: &World, work: &Value) {
    let id = work["fulfillmentOrderId"].as_str().unwrap();
    world.post(&format!("/v1/fulfillment-orders/{id}:accept"), &json!({})).await;
    world.drain().await;
}

/// Proposes a change, and confirms it as it was shown.
async fn change(world: &World, order_id: &str, body: &Value) -> Value {
    let shown = world.post(&format!("/v1/orders/{order_id}/changes"), body).await;
    let number = number(&shown["changeNumber"]);
    let confirm = json!({"etag": shown["orderEtag"]});
    let done = world.post(&format!("/v1/orders/{order_id}/changes/{number}:confirm"), &confirm).await;
    for field in ["lines", "totalBefore", "totalAfter"] {
        assert_eq!(shown[field], done[field], "{shown} {done}");
    }
    world.drain().await;
    world.get(&format!("/v1/orders/{order_id}/changes/{number}")).await
}

fn counter(order: &Value, line: usize, name: &str) -> i64 {
    number(&order["lines"][line]["counters"][name])
}

/// Case 25.
#[tokio::test]
async fn an_order_for_several_stores_is_routed_and_shipped_by_store_and_stays_one_order() {
    each(|world| async move {
        furnished(&world).await;
        let order_id = place_for_two_stores(&world).await;
        let work = world.fulfillment_orders(&order_id).await;
        let mut told: Vec<_> = work.iter().map(|it| (number(&it["shipToGroup"]), it["nodeId"].clone())).collect();
        told.sort_by_key(|(group, _)| *group);
        assert_eq!(told, [(1, json!("nod_hamburg")), (2, json!("nod_houston"))]);
        for one in &work {
            let country = if number(&one["shipToGroup"]) == 1 { "DE" } else { "US" };
            assert_eq!(one["shipTo"]["country"], country);
        }
        world.settle(1, Chances::NONE).await;
        let order = order(&world, &order_id).await;
        assert_eq!((&order["state"], &order["customerPo"]), (&json!("ORDER_STATE_CLOSED"), &json!("PO-1")));
        for group in array(&order["shipToGroups"]) {
            assert_eq!(group["status"], "LINE_STATUS_DELIVERED");
            assert_eq!(number(&group["counters"]["delivered"]), 10);
        }
        let shipments = world.get(&format!("/v1/orders/{order_id}/shipments")).await;
        let mut groups: Vec<_> = array(&shipments["shipments"]).iter().map(|it| number(&it["shipToGroup"])).collect();
        groups.sort_unstable();
        assert_eq!(groups, [1, 2]);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn units_of_a_line_are_cancelled_at_a_node_that_goes_on_with_the_others() {
    each(|world| async move {
        furnished(&world).await;
        let order_id = world.order("PO-1", &[("TEA", 10), ("COFFEE", 5)]).await;
        world.drain().await;
        let work = world.fulfillment_orders(&order_id).await;
        accept(&world, &work[0]).await;
        let cancel = format!("/v1/orders/{order_id}:cancel");
        world.post(&cancel, &json!({"lines": [{"lineNumber": 1, "quantity": 4}], "reason": "too many"})).await;
        world.drain().await;
        let asked = order(&world, &order_id).await;
        assert_eq!((counter(&asked, 0, "released"), counter(&asked, 0, "cancelRequested")), (10, 4));
        let work = world.fulfillment_orders(&order_id).await;
        assert_eq!(work[0]["requestState"], "REQUEST_STATE_CANCELLATION_REQUESTED");
        world.settle(1, Chances::NONE).await;
        let order = order(&world, &order_id).await;
        assert_eq!((counter(&order, 0, "cancelled"), counter(&order, 0, "delivered")), (4, 6), "{order}");
        assert_eq!((counter(&order, 1, "delivered"), &order["state"]), (5, &json!("ORDER_STATE_CLOSED")));
        assert_eq!(order["wantedTotal"], order["invoiceReadyTotal"]);
        let stock = world.get("/v1/availability?skus=TEA").await;
        assert_eq!(number(&stock["availability"][0]["atp"]), 74, "what was cancelled is free again");
        world.check_laws().await;
    })
    .await;
}

/// A node does not find eight of ten units while the customer cancels six: whoever learns of it first, six are cancelled.
#[tokio::test]
async fn a_cancellation_that_crosses_units_that_no_node_finds_is_counted_once() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        world.drain().await;
        for learns_first in ["everyone", "order", "fulfillment", "nobody"] {
            let order_id = world.order(learns_first, &[("TEA", 10)]).await;
            world.drain().await;
            let work = world.fulfillment_orders(&order_id).await.remove(0);
            accept(&world, &work).await;
            let picked = json!({"short": [{"lineNumber": 1, "quantity": 8}]});
            let path = format!("/v1/fulfillment-orders/{}:recordPick", work["fulfillmentOrderId"].as_str().unwrap());
            world.post(&path, &picked).await;
            match learns_first {
                "everyone" => world.drain().await,
                "nobody" => {}
                _ => world.drain_only(&["fulfillment"]).await,
            }
            let cancel = json!({"lines": [{"lineNumber": 1, "quantity": 6}], "reason": "too many"});
            world.post(&format!("/v1/orders/{order_id}:cancel"), &cancel).await;
            world.drain_only(&[learns_first]).await;
            world.drain().await;
            let left = order(&world, &order_id).await;
            let counters = ["cancelled", "released", "backordered", "cancelRequested"];
            assert_eq!(counters.map(|name| counter(&left, 0, name)), [6, 2, 2, 0], "{learns_first}: {left}");
            let work = world.fulfillment_orders(&order_id).await.remove(0);
            assert_eq!(number(&work["lines"][0]["cancelRequested"]), 0, "{learns_first}: {work}");
            // What it still waits for, and ten for the next one.
            world.receive("nod_hamburg", "TEA", 12).await;
            world.drain().await;
            assert_eq!(counter(&order(&world, &order_id).await, 0, "released"), 4, "{learns_first}");
            world.check_laws().await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_order_is_changed_before_and_after_its_release() {
    each(|world| async move {
        furnished(&world).await;
        let order_id = world.order("PO-1", &[("TEA", 10)]).await;
        world.drain().await;
        // More of it, and something else: both are reserved and released as if they had been ordered.
        let grown = json!({
            "lines": [{"lineNumber": 1, "quantity": "12"}], "addedLines": [{"line": {"sku": "COFFEE", "quantity": 3}}],
        });
        assert_eq!(change(&world, &order_id, &grown).await["state"], "ORDER_CHANGE_STATE_APPLIED");
        let order_now = order(&world, &order_id).await;
        assert_eq!((counter(&order_now, 0, "released"), counter(&order_now, 1, "released")), (12, 3), "{order_now}");
        for work in world.fulfillment_orders(&order_id).await {
            accept(&world, &work).await;
        }
        // Fewer: the node that has accepted is asked.
        let fewer = change(&world, &order_id, &json!({"lines": [{"lineNumber": 2, "quantity": "1"}]})).await;
        assert_eq!(fewer["state"], "ORDER_CHANGE_STATE_REQUESTED", "{fewer}");
        world.settle(1, Chances::NONE).await;
        let ended = world.get(&format!("/v1/orders/{order_id}/changes/2")).await;
        assert_eq!(ended["state"], "ORDER_CHANGE_STATE_APPLIED", "{ended}");
        let order = order(&world, &order_id).await;
        assert_eq!((counter(&order, 0, "delivered"), counter(&order, 1, "delivered")), (12, 1));
        assert_eq!(
            (&order["state"], &order["wantedTotal"]),
            (&json!("ORDER_STATE_CLOSED"), &order["invoiceReadyTotal"])
        );
        world.check_laws().await;
    })
    .await;
}

/// Case 33: another address after the label is printed.
#[tokio::test]
async fn another_address_after_the_label_voids_it_or_is_declined_with_the_reason() {
    each(|world| async move {
        furnished(&world).await;
        for (answer, state) in [("ACCEPTED", "APPLIED"), ("REJECTED", "DECLINED")] {
            let order_id = world.order(answer, &[("TEA", 2)]).await;
            world.drain().await;
            let work = world.fulfillment_orders(&order_id).await.remove(0);
            accept(&world, &work).await;
            let id = work["fulfillmentOrderId"].as_str().unwrap();
            let package = json!({
                "trackingNumber": format!("1Z-{answer}"), "lines": [{"lineNumber": 1, "quantity": 2}],
            });
            let labels = json!({"shipmentReference": format!("S-{answer}"), "packages": [package]});
            world.post(&format!("/v1/fulfillment-orders/{id}:recordLabels"), &labels).await;
            world.drain().await;
            let mut munich = address("DE");
            munich["city"] = json!("München");
            let to = json!({"shipTos": [{"shipToAddress": munich}]});
            let asked = change(&world, &order_id, &to).await;
            assert_eq!(asked["state"], "ORDER_CHANGE_STATE_REQUESTED", "{asked}");
            let answer = json!({
                "changeNumber": 1, "answer": format!("SHIP_TO_CHANGE_ANSWER_{answer}"), "reason": "on the truck",
            });
            world.post(&format!("/v1/fulfillment-orders/{id}:answerShipToChange"), &answer).await;
            world.drain().await;
            let ended = world.get(&format!("/v1/orders/{order_id}/changes/1")).await;
            assert_eq!(ended["state"], format!("ORDER_CHANGE_STATE_{state}"), "{ended}");
            let is_accepted = state == "APPLIED";
            let shipments = world.get(&format!("/v1/orders/{order_id}/shipments")).await;
            let voided = shipments["shipments"][0]["state"] == "SHIPMENT_STATE_VOIDED";
            assert_eq!(voided, is_accepted, "{shipments}");
            let order = order(&world, &order_id).await;
            let city = order["shipTo"]["address"]["city"].as_str().unwrap();
            assert_eq!(city == "München", is_accepted);
            assert_eq!(ended["endReason"], if is_accepted { "" } else { "on the truck" });
        }
        world.check_laws().await;
    })
    .await;
}
