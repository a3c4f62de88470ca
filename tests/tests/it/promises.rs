//! What is promised can be kept: stock that reaches the customer, and nothing new for nodes under a hold.

use serde_json::{Value, json};
use waybill_e2e::{World, address, each, number};

/// Places an order of TEA to a country; returns it once everything is done.
async fn order_to(world: &World, country: &str, quantity: i64, fill_policy: &str) -> Value {
    let body = json!({
        "accountId": "acc_ACME", "customerPo": format!("PO-{country}"), "shipToAddress": address(country),
        "fillPolicy": fill_policy, "lines": [{"sku": "TEA", "quantity": quantity}],
    });
    let placed = world.post("/v1/orders", &body).await;
    world.drain().await;
    world.get(&format!("/v1/orders/{}", placed["orderId"].as_str().unwrap())).await
}

async fn available_to(world: &World, country: &str) -> i64 {
    let stock = world.get(&format!("/v1/availability?skus=TEA&shipToCountry={country}")).await;
    number(&stock["availability"][0]["atp"])
}

#[tokio::test]
async fn ten_units_that_only_serve_the_united_states_are_not_promised_to_germany() {
    each(|world| async move {
        world.furnish().await;
        world.post("/v1/locations", &json!({"locationId": "nod_dallas", "name": "Dallas"})).await;
        let node = json!({
            "nodeId": "nod_dallas", "name": "Dallas", "partnerId": "par_gulf", "country": "US",
            "handlingClasses": ["HANDLING_CLASS_AMBIENT"], "serviceAreas": [{"rank": 1, "countries": ["US"]}],
        });
        world.post("/v1/nodes", &node).await;
        world.receive("nod_dallas", "TEA", 10).await;
        world.drain().await;
        assert_eq!((available_to(&world, "DE").await, available_to(&world, "US").await), (0, 10));
        let killed = order_to(&world, "DE", 1, "FILL_POLICY_FILL_OR_KILL").await;
        assert_eq!(killed["state"], "ORDER_STATE_REJECTED", "routing could not either");
        let waits = order_to(&world, "DE", 2, "FILL_POLICY_FILL_AVAILABLE_BACKORDER").await;
        assert_eq!(waits["status"], "ORDER_STATUS_BACKORDERED");
        let american = order_to(&world, "US", 10, "FILL_POLICY_FILL_OR_KILL").await;
        assert_eq!(american["status"], "ORDER_STATUS_RELEASED");
        let work = world.fulfillment_orders(american["orderId"].as_str().unwrap()).await;
        assert_eq!(work[0]["nodeId"], "nod_dallas");
        // Units that reach the order that waits are its own.
        world.receive("nod_hamburg", "TEA", 3).await;
        world.drain().await;
        let work = world.fulfillment_orders(waits["orderId"].as_str().unwrap()).await;
        assert_eq!((work[0]["nodeId"].as_str(), available_to(&world, "DE").await), (Some("nod_hamburg"), 1));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn units_that_a_node_gives_back_under_a_hold_wait_for_its_end() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        world.receive("nod_houston", "TEA", 4).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.drain().await;
        let first = world.fulfillment_orders(&order_id).await.remove(0);
        let hold = json!({"reason": "HOLD_REASON_CREDIT", "fulfillmentOrderId": first["fulfillmentOrderId"]});
        let held = world.post(&format!("/v1/orders/{order_id}:placeHold"), &hold).await;
        assert_eq!(
            (held["status"].as_str(), &held["holds"][0]["lineNumbers"]),
            (Some("ORDER_STATUS_ON_HOLD"), &json!([1]))
        );
        world.drain().await;
        let rejected = json!({"fulfillmentOrderId": first["fulfillmentOrderId"], "reason": "full"});
        world.report("par_hanse", "reject", json!({ "rejected": rejected })).await;
        world.drain().await;
        assert_eq!(world.fulfillment_orders(&order_id).await.len(), 1);
        world.post(&format!("/v1/orders/{order_id}:releaseHold"), &json!({"holdNumber": 1})).await;
        world.drain().await;
        let second = world.fulfillment_orders(&order_id).await.pop().unwrap();
        assert_eq!(second["nodeId"], "nod_houston");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_not_sent_yet_waits_for_the_end_of_a_hold() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.drain_only(&["order", "inventory"]).await;
        world.drain_only(&["order", "inventory", "fulfillment"]).await;
        let requested = world.fulfillment_orders(&order_id).await.remove(0);
        assert_eq!(requested["holds"], json!([]));
        let hold = json!({"reason": "HOLD_REASON_CREDIT", "note": "overdue"});
        world.post(&format!("/v1/orders/{order_id}:placeHold"), &hold).await;
        world.drain().await;
        let sent = async || {
            let path = "/v1/messages?partnerId=par_hanse&direction=MESSAGE_DIRECTION_OUT";
            let messages = world.rest.list(path, "messages").await.unwrap();
            messages.iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(sent().await, ["MESSAGE_STATE_HELD"]);
        let work = async || world.fulfillment_orders(&order_id).await.remove(0);
        let shown = &work().await["holds"][0];
        assert_eq!((&shown["holdNumber"], &shown["reason"]), (&json!(1), &json!("HOLD_REASON_CREDIT")));
        world.post(&format!("/v1/orders/{order_id}:releaseHold"), &json!({"holdNumber": 1})).await;
        world.drain().await;
        assert_eq!((sent().await, &work().await["holds"]), (vec!["MESSAGE_STATE_PENDING".to_owned()], &json!([])));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_wanted_at_a_time_is_released_in_time_for_the_slowest_node_that_may_ship_it() {
    each(|world| async move {
        world.furnish().await;
        for (id, hours) in [("nod_fast", 2), ("nod_slow", 48)] {
            world.post("/v1/locations", &json!({"locationId": id, "name": id})).await;
            let node = json!({
                "nodeId": id, "name": id, "partnerId": "par_gulf", "country": "DE",
                "handlingClasses": ["HANDLING_CLASS_AMBIENT"], "serviceAreas": [{"rank": 1, "countries": ["DE"]}],
                "handlingTime": format!("{}s", hours * 3_600),
            });
            assert_eq!(world.post("/v1/nodes", &node).await["handlingTime"], node["handlingTime"]);
        }
        world.drain().await;
        world.receive("nod_hamburg", "TEA", 9).await;
        let body = json!({
            "accountId": "acc_ACME", "customerPo": "PO-1", "shipToAddress": address("DE"),
            "requestedShipTime": "2026-06-10T12:00:00Z", "lines": [{"sku": "TEA", "quantity": 4}],
        });
        let placed = world.post("/v1/orders", &body).await;
        assert_eq!(placed["releaseTime"], "2026-06-08T12:00:00Z");
    })
    .await;
}
