//! Reports that contradict what the mesh has decided.

use serde_json::{Value, json};
use waybill_e2e::{World, each, number};

fn line(quantity: i64) -> Value {
    json!([{"lineNumber": 1, "sku": "TEA", "quantity": quantity}])
}

fn shipment(fulfillment_order_id: &str, tracking: &[(&str, i64)]) -> Value {
    let packages: Vec<Value> =
        tracking.iter().map(|(number, units)| json!({"trackingNumber": number, "lines": line(*units)})).collect();
    json!({
        "fulfillmentOrderId": fulfillment_order_id, "shipmentReference": "S-1", "carrierId": "par_parcel",
        "packages": packages,
    })
}

fn delivered(tracking: &str, time: &str) -> Value {
    let milestone =
        json!({"trackingNumber": tracking, "code": "MILESTONE_CODE_DELIVERED", "rawCode": "D1", "occurTime": time});
    json!({"milestone": {"milestone": milestone}})
}

async fn accepted_fulfillment_order(world: &World, units: i64) -> (String, String) {
    world.furnish().await;
    world.receive("nod_hamburg", "TEA", units).await;
    let order_id = world.order("PO-1", &[("TEA", units)]).await;
    world.drain().await;
    let fulfillment_order_id =
        world.fulfillment_orders(&order_id).await[0]["fulfillmentOrderId"].as_str().unwrap().to_owned();
    world.report("par_hanse", "accept", json!({"accepted": {"fulfillmentOrderId": fulfillment_order_id}})).await;
    world.drain().await;
    (order_id, fulfillment_order_id)
}

async fn exceptions(world: &World) -> Vec<String> {
    let exceptions = world.rest.list("/v1/exceptions", "exceptions").await.unwrap();
    exceptions.iter().map(|exception| exception["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn goods_that_leave_after_the_cancel_request_are_recorded_and_the_cancel_is_lost() {
    each(|world| async move {
        let (order_id, fulfillment_order_id) = accepted_fulfillment_order(&world, 4).await;
        world.post(&format!("/v1/orders/{order_id}:cancel"), &json!({"reason": "changed our mind"})).await;
        world.drain().await;
        assert_eq!(
            world.fulfillment_orders(&order_id).await[0]["requestState"],
            "REQUEST_STATE_CANCELLATION_REQUESTED"
        );

        world.report("par_hanse", "ship", json!({"shipped": shipment(&fulfillment_order_id, &[("T-1", 4)])})).await;
        world.drain().await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(number(&order["lines"][0]["counters"]["shipped"]), 4, "{order}");
        assert_eq!(number(&order["lines"][0]["counters"]["cancelled"]), 0, "{order}");
        assert!(exceptions(&world).await.contains(&"CANCEL_LOST".to_owned()));

        world.report("par_parcel", "D1", delivered("T-1", "2026-05-28T20:27:00Z")).await;
        world.drain().await;
        let back = json!({"orderId": order_id, "lines": [{"lineNumber": 1, "quantity": 4}]});
        assert_eq!(world.post("/v1/returns", &back).await["state"], "RETURN_STATE_AUTHORIZED", "a return is allowed");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_cancel_that_the_warehouse_accepts_returns_all_units_to_stock() {
    each(|world| async move {
        let (order_id, fulfillment_order_id) = accepted_fulfillment_order(&world, 4).await;
        world.post(&format!("/v1/orders/{order_id}:cancel"), &json!({})).await;
        world.drain().await;
        let answer = json!({"fulfillmentOrderId": fulfillment_order_id, "answer": "CANCELLATION_ANSWER_ACCEPTED"});
        world.report("par_hanse", "stop", json!({ "cancellation": answer })).await;
        world.drain().await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(order["status"], "ORDER_STATUS_CANCELLED", "{order}");
        let stock = world.get("/v1/availability?skus=TEA").await;
        assert_eq!(number(&stock["availability"][0]["atp"]), 4, "{stock}");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn one_delivered_package_of_three_is_a_partial_delivery_and_the_last_completes_it() {
    each(|world| async move {
        let (order_id, fulfillment_order_id) = accepted_fulfillment_order(&world, 6).await;
        let status = || async {
            world.drain().await;
            world.get(&format!("/v1/orders/{order_id}")).await["status"].as_str().unwrap().to_owned()
        };
        let half = shipment(&fulfillment_order_id, &[("T-1", 2)]);
        world.report("par_hanse", "ship-1", json!({ "shipped": half })).await;
        assert_eq!(status().await, "ORDER_STATUS_PARTIALLY_SHIPPED");
        let rest = shipment(&fulfillment_order_id, &[("T-2", 2), ("T-3", 2)]);
        world.report("par_hanse", "ship-2", json!({ "shipped": rest })).await;
        assert_eq!(status().await, "ORDER_STATUS_SHIPPED");
        world.report("par_parcel", "d-1", delivered("T-1", "2026-05-28T20:27:00Z")).await;
        assert_eq!(status().await, "ORDER_STATUS_PARTIALLY_DELIVERED");
        world.report("par_parcel", "d-2", delivered("T-2", "2026-05-28T20:27:00Z")).await;
        assert_eq!(status().await, "ORDER_STATUS_PARTIALLY_DELIVERED");
        world.report("par_parcel", "d-3", delivered("T-3", "2026-05-28T20:27:00Z")).await;
        assert_eq!(status().await, "ORDER_STATUS_DELIVERED");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_rejects_is_excluded_and_when_all_reject_an_exception_is_opened() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        world.receive("nod_houston", "TEA", 4).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.drain().await;
        for (partner, node) in [("par_hanse", "nod_hamburg"), ("par_gulf", "nod_houston")] {
            let fulfillment_order = world.fulfillment_orders(&order_id).await.pop().unwrap();
            assert_eq!(fulfillment_order["nodeId"], node);
            let rejected = json!({"fulfillmentOrderId": fulfillment_order["fulfillmentOrderId"], "reason": "full"});
            world.report(partner, "reject", json!({ "rejected": rejected })).await;
            world.drain().await;
        }
        assert_eq!(world.fulfillment_orders(&order_id).await.len(), 2, "no node is asked twice");
        assert_eq!(exceptions(&world).await, ["UNASSIGNED"]);
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(order["status"], "ORDER_STATUS_EXCEPTION", "whichever service opened it");

        world.item("COFFEE", "HANDLING_CLASS_AMBIENT").await;
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_printed_label_ships_and_invoices_nothing() {
    each(|world| async move {
        let (order_id, fulfillment_order_id) = accepted_fulfillment_order(&world, 4).await;
        world.report("par_hanse", "label", json!({"labelled": shipment(&fulfillment_order_id, &[("T-1", 4)])})).await;
        world.drain().await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(number(&order["lines"][0]["counters"]["shipped"]), 0);
        assert_eq!(number(&order["invoiceReadyTotal"]["minorUnits"]), 0);
        let stock = world.get("/v1/availability?skus=TEA").await;
        assert_eq!(number(&stock["availability"][0]["onHand"]), 4);
    })
    .await;
}

#[tokio::test]
async fn a_late_shipment_report_withdraws_nothing_and_a_second_package_is_added() {
    each(|world| async move {
        let (order_id, fulfillment_order_id) = accepted_fulfillment_order(&world, 4).await;
        world.report("par_hanse", "label", json!({"labelled": shipment(&fulfillment_order_id, &[("T-1", 2)])})).await;
        world.report("par_parcel", "d-1", delivered("T-1", "2026-05-28T20:27:00Z")).await;
        world.drain().await;
        let late = shipment(&fulfillment_order_id, &[("T-1", 2), ("T-2", 2)]);
        world.report("par_hanse", "ship", json!({ "shipped": late })).await;
        world.drain().await;
        let shipments = world.get(&format!("/v1/orders/{order_id}/shipments")).await;
        let packages = shipments["shipments"][0]["packages"].as_array().unwrap();
        assert_eq!(packages.len(), 2, "{shipments}");
        assert_eq!(packages[0]["status"], "MILESTONE_CODE_DELIVERED");
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(number(&order["lines"][0]["counters"]["delivered"]), 2, "{order}");
        assert_eq!(number(&order["lines"][0]["counters"]["shipped"]), 4, "{order}");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_report_that_repeats_earlier_packages_counts_those_that_leave_now() {
    each(|world| async move {
        let (order_id, fulfillment_order_id) = accepted_fulfillment_order(&world, 4).await;
        let labels = |reference: &str, tracking: &str| {
            let mut labels = shipment(&fulfillment_order_id, &[(tracking, 2)]);
            labels["shipmentReference"] = json!(reference);
            json!({ "labelled": labels })
        };
        world.report("par_hanse", "label-1", labels("L-1", "T-1")).await;
        world.report("par_hanse", "label-2", labels("L-2", "T-2")).await;
        world.report("par_hanse", "ship-1", json!({"shipped": shipment(&fulfillment_order_id, &[("T-1", 2)])})).await;
        world
            .report(
                "par_hanse",
                "ship-2",
                json!({"shipped": shipment(&fulfillment_order_id, &[("T-1", 2), ("T-2", 2)])}),
            )
            .await;
        world.drain().await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(number(&order["lines"][0]["counters"]["shipped"]), 4, "{order}");
        let stock = world.get("/v1/availability?skus=TEA").await;
        assert_eq!(number(&stock["availability"][0]["onHand"]), 0, "{stock}");
        world.check_laws().await;
    })
    .await;
}
