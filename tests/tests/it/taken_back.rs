//! Partners take back and correct their reports by their own numbers, over the whole mesh.

use std::time::Duration;

use serde_json::{Value, json};
use waybill_e2e::{World, each, number};

async fn on_hand(world: &World) -> i64 {
    number(&world.get("/v1/availability?skus=TEA").await["availability"][0]["onHand"])
}

async fn counters<const N: usize>(world: &World, order_id: &str, names: [&str; N]) -> [i64; N] {
    let order = world.get(&format!("/v1/orders/{order_id}")).await;
    names.map(|name| number(&order["lines"][0]["counters"][name]))
}

/// The types of the open exceptions.
async fn open_exceptions(world: &World) -> Vec<String> {
    let open = world.rest.list("/v1/exceptions?states=EXCEPTION_STATE_OPEN", "exceptions").await.unwrap();
    open.iter().map(|exception| exception["type"].as_str().unwrap().to_owned()).collect()
}

/// Hamburg has so many units, and an order of 4; returns the order and its fulfillment order.
async fn at_hamburg(world: &World, units: i64) -> (String, String) {
    world.furnish().await;
    world.receive("nod_hamburg", "TEA", units).await;
    let order_id = world.order("PO-1", &[("TEA", 4)]).await;
    world.drain().await;
    world.clock.advance(Duration::from_secs(60));
    let id = world.fulfillment_orders(&order_id).await[0]["fulfillmentOrderId"].as_str().unwrap().to_owned();
    (order_id, id)
}

fn units(quantity: i64) -> Value {
    json!([{"lineNumber": 1, "quantity": quantity}])
}

/// Two of four units are not found.
async fn picks(world: &World, id: &str) {
    let picked = json!({"picked": {"fulfillmentOrderId": id, "picked": units(2), "short": units(2)}});
    let message = world.report("par_hanse", "pick", picked).await;
    assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
    world.drain().await;
}

fn shipped(id: &str, quantity: i64) -> Value {
    json!({"shipped": {
        "fulfillmentOrderId": id, "shipmentReference": "S-1", "carrierId": "par_parcel",
        "packages": [{"trackingNumber": "T-1", "lines": units(quantity)}],
    }})
}

fn retracted(control_number: &str) -> Value {
    json!({"retracted": {"controlNumber": control_number, "reason": "another order's"}})
}

#[tokio::test]
async fn a_pick_that_is_taken_back_gives_the_node_its_short_units_again() {
    each(|world| async move {
        let (order_id, id) = at_hamburg(&world, 10).await;
        picks(&world, &id).await;
        assert_eq!((on_hand(&world).await, open_exceptions(&world).await), (8, vec!["UNASSIGNED".to_owned()]));
        assert_eq!(counters(&world, &order_id, ["picked", "short"]).await, [2, 2]);
        world.clock.advance(Duration::from_secs(60));
        let message = world.report("par_hanse", "no pick", retracted("pick")).await;
        assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["picked", "short", "released"]).await, [0, 0, 4]);
        assert_eq!((on_hand(&world).await, open_exceptions(&world).await), (10, Vec::new()));

        world.report("par_hanse", "ship", shipped(&id, 4)).await;
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["shipped", "overShipped"]).await, [4, 0]);
        assert_eq!((on_hand(&world).await, open_exceptions(&world).await), (6, Vec::new()), "the units were there");
        assert_eq!(world.fulfillment_orders(&order_id).await.len(), 1);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_pick_that_is_taken_back_at_once_leaves_the_units_with_the_node() {
    each(|world| async move {
        let (order_id, id) = at_hamburg(&world, 4).await;
        let picked = json!({"picked": {"fulfillmentOrderId": id, "picked": units(2), "short": units(2)}});
        world.report("par_hanse", "pick", picked).await;
        world.report("par_hanse", "no pick", retracted("pick")).await;
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["short", "released", "backordered"]).await, [0, 4, 0]);
        assert_eq!((on_hand(&world).await, open_exceptions(&world).await), (4, Vec::new()));
        world.report("par_hanse", "ship", shipped(&id, 4)).await;
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["shipped", "overShipped"]).await, [4, 0]);
        assert_eq!((on_hand(&world).await, open_exceptions(&world).await), (0, Vec::new()));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn short_units_that_the_order_waits_for_are_found_by_a_count() {
    each(|world| async move {
        let (order_id, id) = at_hamburg(&world, 4).await;
        picks(&world, &id).await;
        let message = world.report("par_hanse", "no pick", retracted("pick")).await;
        assert_eq!(message["state"], "MESSAGE_STATE_REJECTED", "{message}");
        assert!(message["outcome"].as_str().unwrap().contains("with the order, which waits for stock"), "{message}");
        world.clock.advance(Duration::from_secs(60));
        let counted = json!({"snapshot": {
            "locationId": "nod_hamburg", "items": [{"sku": "TEA", "quantity": 4}], "countTime": message["createTime"],
        }});
        world.report("par_hanse", "count", counted).await;
        world.drain().await;
        let again = world.fulfillment_orders(&order_id).await.remove(1);
        assert_eq!((&again["nodeId"], number(&again["lines"][0]["quantity"])), (&json!("nod_hamburg"), 2));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_is_corrected_and_taken_back_by_its_numbers() {
    each(|world| async move {
        let (order_id, id) = at_hamburg(&world, 10).await;
        let first = world.report("par_hanse", "ship", shipped(&id, 4)).await;
        world.drain().await;
        assert_eq!(on_hand(&world).await, 6);
        let mut correction = shipped(&id, 3);
        correction["corrects"] = json!("ship");
        let corrected = world.report("par_hanse", "ship again", correction).await;
        assert_eq!(
            (&corrected["state"], &corrected["recordedAs"]),
            (&json!("MESSAGE_STATE_APPLIED"), &first["recordedAs"])
        );
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["shipped", "released"]).await, [3, 1]);
        assert_eq!(on_hand(&world).await, 7);

        world.report("par_hanse", "not shipped", retracted("ship again")).await;
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["shipped", "released"]).await, [0, 4]);
        assert_eq!((on_hand(&world).await, open_exceptions(&world).await), (10, Vec::new()));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_delivery_and_a_count_are_taken_back_by_their_numbers() {
    each(|world| async move {
        let (order_id, id) = at_hamburg(&world, 10).await;
        let shipped = world.report("par_hanse", "ship", shipped(&id, 4)).await;
        world.clock.advance(Duration::from_secs(60));
        let delivered = |time: &Value| {
            json!({"milestone": {"milestone": {
                "trackingNumber": "T-1", "code": "MILESTONE_CODE_DELIVERED", "rawCode": "D1", "occurTime": time,
            }}})
        };
        // The retraction overtakes the report.
        world.report("par_parcel", "no D1", retracted("D1")).await;
        world.report("par_parcel", "D1", delivered(&shipped["createTime"])).await;
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["delivered"]).await, [4]);
        world.clock.advance(Duration::from_secs(300));
        world.drain().await;
        assert_eq!(counters(&world, &order_id, ["shipped", "delivered"]).await, [4, 0]);

        let counted = json!({"snapshot": {
            "locationId": "nod_hamburg", "items": [{"sku": "TEA", "quantity": 60}], "countTime": shipped["createTime"],
        }});
        world.report("par_hanse", "count", counted).await;
        world.drain().await;
        assert_eq!(on_hand(&world).await, 60);
        world.report("par_hanse", "no count", retracted("count")).await;
        world.drain().await;
        assert_eq!(on_hand(&world).await, 6);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_correction_that_is_refused_leaves_the_earlier_report_as_it_was_and_a_right_one_takes_its_place() {
    each(|world| async move {
        let (order_id, id) = at_hamburg(&world, 10).await;
        let counted = |units: i64, time: Option<&str>| {
            let items = json!([{"sku": "TEA", "quantity": units}]);
            json!({"snapshot": {"locationId": "nod_hamburg", "items": items, "countTime": time}})
        };
        let corrects = |mut report: Value, number: &str| {
            report["corrects"] = json!(number);
            report
        };
        world.report("par_hanse", "count", counted(60, Some("2026-05-28T20:27:00Z"))).await;
        let refused = world.report("par_hanse", "no time", corrects(counted(50, None), "count")).await;
        assert_eq!((&refused["state"], on_hand(&world).await), (&json!("MESSAGE_STATE_REJECTED"), 60), "{refused}");
        let again = corrects(counted(50, Some("2026-05-28T20:27:00Z")), "count");
        assert_eq!(world.report("par_hanse", "recount", again).await["state"], "MESSAGE_STATE_APPLIED");
        assert_eq!(on_hand(&world).await, 50);

        world.report("par_hanse", "ship", shipped(&id, 4)).await;
        world.drain().await;
        let mut other = shipped(&id, 4);
        other["shipped"]["packages"] = json!([{"trackingNumber": "T-2", "lines": [{"lineNumber": 8, "quantity": 1}]}]);
        let refused = world.report("par_hanse", "line 8", corrects(other, "ship")).await;
        assert_eq!(refused["state"], "MESSAGE_STATE_REJECTED", "{refused}");
        world.drain().await;
        assert_eq!((counters(&world, &order_id, ["shipped"]).await, on_hand(&world).await), ([4], 46));
        let path = format!("/v1/messages/{}:replay", refused["messageId"].as_str().unwrap());
        assert_eq!(world.post(&path, &json!({})).await["state"], "MESSAGE_STATE_REJECTED");
        world.drain().await;
        assert_eq!((counters(&world, &order_id, ["shipped"]).await, on_hand(&world).await), ([4], 46));
        let earlier = world.get("/v1/messages?controlNumber=ship").await;
        assert_eq!(earlier["messages"][0]["state"], "MESSAGE_STATE_APPLIED");

        let mut fewer = shipped(&id, 3);
        fewer["shipped"]["packages"][0]["trackingNumber"] = json!("T-3");
        assert_eq!(world.report("par_hanse", "three", corrects(fewer, "ship")).await["state"], "MESSAGE_STATE_APPLIED");
        world.drain().await;
        assert_eq!((counters(&world, &order_id, ["shipped"]).await, on_hand(&world).await), ([3], 47));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_promise_is_as_before_when_the_carrier_takes_back_what_it_estimated() {
    each(|world| async move {
        let (order_id, id) = at_hamburg(&world, 10).await;
        let shipped = world.report("par_hanse", "ship", shipped(&id, 4)).await;
        world.drain().await;
        let promised = async || {
            let order = world.get(&format!("/v1/orders/{order_id}")).await;
            let line = &order["lines"][0];
            ["promisedShipTime", "promisedDeliveryTime", "promiseConfidence", "promiseSource"].map(|name| line[name].clone())
        };
        let own = promised().await;
        let estimated = |estimate: &str, corrects: &str| {
            json!({"corrects": corrects, "milestone": {"milestone": {
                "trackingNumber": "T-1", "code": "MILESTONE_CODE_ESTIMATED", "rawCode": estimate, "occurTime": shipped["createTime"],
                "estimatedDeliveryTime": estimate,
            }}})
        };
        let (first, second) = ("2026-06-20T10:00:00Z", "2026-06-25T10:00:00Z");
        world.report("par_parcel", "AG 1", estimated(first, "")).await;
        world.drain().await;
        assert_eq!(promised().await[1], first);
        let corrected = world.report("par_parcel", "AG 2", estimated(second, "AG 1")).await;
        assert_eq!(corrected["state"], "MESSAGE_STATE_APPLIED", "{corrected}");
        world.drain().await;
        assert_eq!(promised().await[1], second);
        let retraction = world.report("par_parcel", "no AG", retracted("AG 2")).await;
        assert_eq!(retraction["state"], "MESSAGE_STATE_APPLIED", "{retraction}");
        world.drain().await;
        assert_eq!(promised().await, own);
        let order = world.get(&format!("/v1/orders/{order_id}")).await;
        assert_eq!(order["lines"][0]["promiseReason"], "PROMISE_REASON_ESTIMATE_RETRACTED");
        world.check_laws().await;
    })
    .await;
}
