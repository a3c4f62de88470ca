//! Reports of which some parts are wrong: the rest takes effect, and each wrong part waits until it can.

use std::time::Duration;

use serde_json::{Value, json};
use waybill_e2e::{World, each, number};

async fn on_hand(world: &World, sku: &str) -> i64 {
    number(&world.get(&format!("/v1/availability?skus={sku}")).await["availability"][0]["onHand"])
}

async fn message(world: &World, submitted: &Value) -> Value {
    world.get(&format!("/v1/messages/{}", submitted["messageId"].as_str().unwrap())).await
}

/// The states of the exceptions about reports that are incomplete.
async fn incomplete(world: &World) -> Vec<Value> {
    let found = world.rest.list("/v1/exceptions?type=REPORT_INCOMPLETE", "exceptions").await.unwrap();
    found.into_iter().map(|exception| exception["state"].clone()).collect()
}

fn counted(skus: &[&str]) -> Value {
    let items: Vec<_> = skus.iter().map(|sku| json!({"sku": sku, "quantity": 7})).collect();
    json!({"snapshot": {"locationId": "nod_hamburg", "items": items, "countTime": "2026-05-28T20:00:00Z"}})
}

#[tokio::test]
async fn unknown_items_of_a_count_wait_and_are_counted_when_they_are_known() {
    each(|world| async move {
        world.furnish().await;
        world.item("MATE", "HANDLING_CLASS_AMBIENT").await;
        let submitted = world.report("par_hanse", "1", counted(&["NEW1", "TEA", "NEW2", "MATE"])).await;
        assert_eq!(submitted["state"], "MESSAGE_STATE_PARTIALLY_APPLIED", "{submitted}");
        world.drain().await;
        assert_eq!((on_hand(&world, "TEA").await, on_hand(&world, "MATE").await), (7, 7));
        let parts = &message(&world, &submitted).await["parts"];
        let fields: Vec<_> = parts.as_array().unwrap().iter().map(|part| part["field"].clone()).collect();
        assert_eq!(fields, ["items[0]", "items[2]"]);
        assert!(parts[0]["problem"].as_str().unwrap().contains("sku"), "{parts}");
        assert_eq!(incomplete(&world).await, ["EXCEPTION_STATE_OPEN"]);

        // The same report again is the same message, and changes nothing.
        let again = world.report("par_hanse", "1", counted(&["NEW1", "TEA", "NEW2", "MATE"])).await;
        assert_eq!(again["messageId"], submitted["messageId"]);

        // One part is replayed by a person, the other applies itself.
        let replay = format!("/v1/messages/{}:replay", submitted["messageId"].as_str().unwrap());
        let wrong = world.refused(&replay, &json!({"partNumbers": [1, 3]})).await;
        assert!(wrong.detail.contains("part_numbers[1]"), "{wrong:?}");
        world.item("NEW1", "HANDLING_CLASS_AMBIENT").await;
        world.item("NEW2", "HANDLING_CLASS_AMBIENT").await;
        let replayed = world.post(&replay, &json!({"partNumbers": [1]})).await;
        assert_eq!(replayed["state"], "MESSAGE_STATE_PARTIALLY_APPLIED", "{replayed}");
        let states: Vec<_> = replayed["parts"].as_array().unwrap().iter().map(|part| part["state"].clone()).collect();
        assert_eq!(states, ["REPORT_PART_STATE_APPLIED", "REPORT_PART_STATE_WAITING"]);
        assert_eq!((on_hand(&world, "NEW1").await, on_hand(&world, "NEW2").await), (7, 0));
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        assert_eq!(on_hand(&world, "NEW2").await, 7);
        assert_eq!(message(&world, &submitted).await["state"], "MESSAGE_STATE_APPLIED");
        assert_eq!(incomplete(&world).await, ["EXCEPTION_STATE_AUTO_RESOLVED"]);
        assert_eq!(world.refused(&replay, &json!({})).await.reason, "ACTION_NOT_SUPPORTED");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_line_of_a_pick_and_a_wrong_package_of_a_shipment_do_not_stop_the_others() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.drain().await;
        let id = world.fulfillment_orders(&order_id).await[0]["fulfillmentOrderId"].as_str().unwrap().to_owned();
        world.report("par_hanse", "1", json!({"accepted": {"fulfillmentOrderId": id}})).await;
        let line = |line_number: i32, quantity: i64| json!({"lineNumber": line_number, "quantity": quantity});
        let picked = json!({"picked": {"fulfillmentOrderId": id, "picked": [line(1, 4), line(9, 1)]}});
        let submitted = world.report("par_hanse", "2", picked).await;
        assert_eq!(submitted["state"], "MESSAGE_STATE_PARTIALLY_APPLIED", "{submitted}");
        let package = |tracking: &str, line: Value| json!({"trackingNumber": tracking, "lines": [line]});
        let packages = json!([package("T-1", line(1, -3)), package("T-2", line(1, 4)), package("T-3", line(9, 1))]);
        let shipped = json!({"shipped": {
            "fulfillmentOrderId": id, "shipmentReference": "S-1", "carrierId": "par_parcel", "packages": packages,
        }});
        let submitted = world.report("par_hanse", "3", shipped).await;
        assert_eq!(submitted["state"], "MESSAGE_STATE_PARTIALLY_APPLIED", "{submitted}");
        world.drain().await;
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        let counters = &order["lines"][0]["counters"];
        assert_eq!((number(&counters["picked"]), number(&counters["shipped"])), (4, 4), "{order}");
        let parts = message(&world, &submitted).await["parts"].clone();
        let fields: Vec<_> = parts.as_array().unwrap().iter().map(|part| part["field"].clone()).collect();
        assert_eq!(fields, ["packages[0]", "packages[2]"], "{parts}");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn what_makes_a_report_useless_is_refused_by_field() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.drain().await;
        let id = world.fulfillment_orders(&order_id).await[0]["fulfillmentOrderId"].as_str().unwrap().to_owned();
        let package = json!([{"trackingNumber": "T-1", "lines": [{"lineNumber": 1, "quantity": 4}]}]);
        for (kind, carrier) in [("shipped", "par_nobody"), ("labelled", "par_hanse"), ("shipped", "not an id")] {
            let report = json!({kind: {
                "fulfillmentOrderId": id, "shipmentReference": "S-1", "carrierId": carrier, "packages": package,
            }, "controlNumber": "1"});
            let refused = world.refused("/v1/partners/par_hanse/reports", &report).await;
            assert!(refused.detail.contains(&format!("{kind}.carrier_id")), "{refused:?}");
        }
        // Nothing of it was kept: the control number is free.
        let accepted = world.report("par_hanse", "1", json!({"accepted": {"fulfillmentOrderId": id}})).await;
        assert_eq!(accepted["state"], "MESSAGE_STATE_APPLIED");

        let proof = |proof: Value| json!({"proofOfDelivery": {"trackingNumber": "T-1", "proofOfDelivery": proof}});
        let empty =
            world.report("par_parcel", "2", proof(json!({"signTime": "2026-05-28T20:00:00Z", "remark": " "}))).await;
        assert_eq!(empty["state"], "MESSAGE_STATE_REJECTED");
        assert!(empty["outcome"].as_str().unwrap().contains("proof_of_delivery"), "{empty}");
        let beyond = json!({"picked": {
            "fulfillmentOrderId": id, "picked": [{"lineNumber": 1, "quantity": "9223372036854775807"}],
        }});
        let beyond = world.report("par_hanse", "3", beyond).await;
        assert_eq!(beyond["state"], "MESSAGE_STATE_REJECTED");
        assert!(beyond["outcome"].as_str().unwrap().contains("picked[0].quantity"), "{beyond}");
    })
    .await;
}
