//! Journeys without contradictions: orders, shortages, returns.

use proto::events::EventType;
use serde_json::json;
use waybill::sandbox::Chances;
use waybill_e2e::{each, number};

#[tokio::test]
async fn an_order_travels_from_the_portal_to_proof_of_delivery() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.settle(1, Chances::NONE).await;

        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(order["status"], "ORDER_STATUS_DELIVERED", "{order}");
        assert_eq!(order["state"], "ORDER_STATE_CLOSED");
        assert_eq!(order["invoiceReadyTotal"], json!({"currency": "USD", "minorUnits": "4000"}));
        let shipments = world.get(&format!("/v1/orders/{order_id}/shipments")).await;
        assert_eq!(shipments["shipments"][0]["state"], "SHIPMENT_STATE_DELIVERED");
        assert_eq!(shipments["shipments"][0]["packages"][0]["proofOfDelivery"]["signedBy"], "goods inward");
        let timeline = world.get(&format!("/v1/orders/{order_id}/timeline")).await;
        let types: Vec<&str> = timeline["entries"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|entry| entry["event"]["type"].as_str())
            .collect();
        for event_type in [
            EventType::OrderSubmitted,
            EventType::InventoryReserved,
            EventType::OrderConfirmed,
            EventType::OrderReleased,
            EventType::FulfillmentRouted,
            EventType::FulfillmentRequested,
            EventType::FulfillmentAccepted,
            EventType::FulfillmentPicked,
            EventType::ShipmentShipped,
            EventType::InventoryConsumed,
            EventType::ShipmentDelivered,
            EventType::ShipmentPodCaptured,
            EventType::OrderInvoiceReady,
            EventType::OrderClosed,
        ] {
            assert!(types.contains(&event_type.as_str()), "{event_type} is not in {types:?}");
        }
        let stock = world.get("/v1/availability?skus=TEA").await;
        assert_eq!(number(&stock["availability"][0]["onHand"]), 6);
        assert_eq!(number(&stock["availability"][0]["atp"]), 6);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn one_order_is_one_connected_trace() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        // Stock that comes while a release waits for a node would route it in the trace of the receipt.
        world.drain().await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.drain().await;
        let timeline = world.get(&format!("/v1/orders/{order_id}/timeline")).await;
        let traces: std::collections::BTreeSet<String> = timeline["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                entry["event"]["traceParent"].as_str().unwrap().split('-').nth(1).unwrap_or_default().to_owned()
            })
            .collect();
        assert_eq!(traces.len(), 1, "from submission to the request for fulfillment: {timeline}");
        assert_eq!(traces.first().unwrap().len(), 32);
    })
    .await;
}

#[tokio::test]
async fn stock_that_no_single_node_has_is_routed_to_two() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 3).await;
        world.receive("nod_houston", "TEA", 4).await;
        let order_id = world.order("PO-1", &[("TEA", 6)]).await;
        world.drain().await;
        let fulfillment_orders = world.fulfillment_orders(&order_id).await;
        assert_eq!(fulfillment_orders.len(), 2, "{fulfillment_orders:?}");
        let units: i64 =
            fulfillment_orders.iter().map(|fulfillment_order| number(&fulfillment_order["lines"][0]["quantity"])).sum();
        assert_eq!(units, 6);
        world.settle(1, Chances::NONE).await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(order["status"], "ORDER_STATUS_DELIVERED");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn an_order_waits_for_stock_and_is_filled_when_it_comes() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 2).await;
        let order_id = world.order("PO-1", &[("TEA", 5)]).await;
        world.settle(1, Chances::NONE).await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(number(&order["lines"][0]["counters"]["backordered"]), 3);
        assert_eq!(number(&order["lines"][0]["counters"]["delivered"]), 2);
        assert_eq!(order["status"], "ORDER_STATUS_PARTIALLY_DELIVERED");

        world.receive("nod_hamburg", "TEA", 10).await;
        world.settle(1, Chances::NONE).await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(order["status"], "ORDER_STATUS_DELIVERED");
        assert_eq!(number(&order["invoiceReadyTotal"]["minorUnits"]), 5_000);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_short_pick_is_found_elsewhere_and_the_rest_waits() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 5).await;
        world.receive("nod_houston", "TEA", 2).await;
        let order_id = world.order("PO-1", &[("TEA", 5)]).await;
        world.drain().await;
        let fulfillment_orders = world.fulfillment_orders(&order_id).await;
        let id = fulfillment_orders[0]["fulfillmentOrderId"].as_str().unwrap();
        assert_eq!(fulfillment_orders[0]["nodeId"], "nod_hamburg");
        let line = |quantity: i64| json!([{"lineNumber": 1, "sku": "TEA", "quantity": quantity}]);
        world.report("par_hanse", "1", json!({"accepted": {"fulfillmentOrderId": id}})).await;
        let picked = json!({"picked": {"fulfillmentOrderId": id, "picked": line(2), "short": line(3)}});
        world.report("par_hanse", "2", picked).await;
        world.drain().await;

        let fulfillment_orders = world.fulfillment_orders(&order_id).await;
        assert_eq!(fulfillment_orders.len(), 2, "two units are found in Houston: {fulfillment_orders:?}");
        assert_eq!(
            (&fulfillment_orders[1]["nodeId"], number(&fulfillment_orders[1]["lines"][0]["quantity"])),
            (&json!("nod_houston"), 2)
        );
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(number(&order["lines"][0]["counters"]["backordered"]), 1, "{order}");
        let stock = world.get("/v1/availability?skus=TEA").await;
        assert_eq!(number(&stock["availability"][0]["backordered"]), 1, "shorted demand stays demand");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_return_puts_units_back_on_the_shelf_at_inspection_and_proposes_a_credit() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.settle(1, Chances::NONE).await;

        let ask = |quantity: i64| json!({"orderId": order_id, "lines": [{"lineNumber": 1, "quantity": quantity}]});
        let refused = world.refused("/v1/returns", &ask(5)).await;
        assert_eq!(refused.reason, "NO_RETURNABLE_QUANTITY");
        let authorized = world.post("/v1/returns", &ask(3)).await;
        let path = format!("/v1/returns/{}", authorized["returnId"].as_str().unwrap());
        assert_eq!(world.refused("/v1/returns", &ask(2)).await.reason, "NO_RETURNABLE_QUANTITY");

        world.post(&format!("{path}:receive"), &json!({"lines": [{"lineNumber": 1, "quantity": 3}]})).await;
        world.drain().await;
        let on_hand = || async { number(&world.get("/v1/availability?skus=TEA").await["availability"][0]["onHand"]) };
        assert_eq!(on_hand().await, 6, "not at receipt");
        let dispositions = json!([
            {"kind": "DISPOSITION_KIND_RESTOCK", "quantity": 2}, {"kind": "DISPOSITION_KIND_SCRAP", "quantity": 1},
        ]);
        let inspected = json!({"lines": [{"lineNumber": 1, "dispositions": dispositions}]});
        let inspected = world.post(&format!("{path}:inspect"), &inspected).await;
        assert_eq!(inspected["creditState"], "CREDIT_STATE_PENDING", "the order decides");
        world.drain().await;
        let credited = world.get(&path).await;
        assert_eq!(credited["creditState"], "CREDIT_STATE_PROPOSED");
        assert_eq!(credited["credit"], json!({"currency": "USD", "minorUnits": "3000"}));
        let credits = world.get(&format!("/v1/orders/{order_id}/proposed-credits")).await;
        assert_eq!(credits["credits"][0]["amount"], credited["credit"]);
        assert_eq!(on_hand().await, 8, "at inspection");
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(number(&order["lines"][0]["counters"]["returnReceived"]), 3);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_portal_that_waits_gets_the_promised_ship_time() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        let body = json!({
            "accountId": "acc_ACME", "customerPo": "PO-1", "shipToAddress": waybill_e2e::address("DE"),
            "lines": [{"sku": "TEA", "quantity": 1}, {"sku": "TEA", "quantity": 20}], "wait": true,
        });
        let placed = world.working(world.post("/v1/orders", &body)).await;
        assert_eq!(placed["state"], "ORDER_STATE_CONFIRMED", "{placed}");
        assert!(placed["lines"][0]["promisedShipTime"].is_string(), "{placed}");
        assert_eq!(number(&placed["lines"][1]["counters"]["backordered"]), 11, "{placed}");
    })
    .await;
}
