//! A node gives units up and ships them after all, while a second node has them.

use serde_json::{Value, json};
use waybill_e2e::{World, each, number};

/// An order of 4 that Hamburg rejected, and Houston has accepted.
async fn at_the_second_node(world: &World) -> String {
    world.furnish().await;
    world.receive("nod_hamburg", "TEA", 4).await;
    world.receive("nod_houston", "TEA", 4).await;
    let order_id = world.order("PO-1", &[("TEA", 4)]).await;
    world.drain().await;
    let rejected =
        json!({"fulfillmentOrderId": work(world, &order_id, 0).await["fulfillmentOrderId"], "reason": "full"});
    world.report("par_hanse", "reject", json!({ "rejected": rejected })).await;
    world.drain().await;
    let second = work(world, &order_id, 1).await;
    assert_eq!(second["nodeId"], "nod_houston");
    let accepted = json!({"fulfillmentOrderId": second["fulfillmentOrderId"]});
    world.report("par_gulf", "accept", json!({ "accepted": accepted })).await;
    world.drain().await;
    order_id
}

async fn work(world: &World, order_id: &str, index: usize) -> Value {
    world.fulfillment_orders(order_id).await.remove(index)
}

async fn ships(world: &World, order_id: &str, index: usize, partner: &str, tracking: &str) {
    ships_units(world, order_id, index, partner, tracking, 4).await;
}

async fn ships_units(world: &World, order_id: &str, index: usize, partner: &str, tracking: &str, quantity: i64) {
    let shipped = json!({
        "fulfillmentOrderId": work(world, order_id, index).await["fulfillmentOrderId"],
        "shipmentReference": "S-1", "carrierId": "par_parcel", "occurTime": "2026-05-28T20:26:40Z",
        "packages": [{"trackingNumber": tracking, "lines": [{"lineNumber": 1, "quantity": quantity}]}],
    });
    let message = world.report(partner, &format!("ship {tracking}"), json!({ "shipped": shipped })).await;
    assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
    world.drain().await;
}

async fn is_delivered(world: &World, tracking: &str) {
    let milestone = json!({
        "trackingNumber": tracking, "code": "MILESTONE_CODE_DELIVERED", "rawCode": "D1",
        "occurTime": "2026-05-28T20:26:40Z",
    });
    world.report("par_parcel", tracking, json!({"milestone": {"milestone": milestone}})).await;
    world.drain().await;
}

async fn order(world: &World, order_id: &str) -> Value {
    world.get(&format!("/v1/orders/{order_id}")).await
}

fn counters(order: &Value) -> [i64; 5] {
    ["shipped", "overShipped", "cancelled", "released", "invoiceReady"]
        .map(|name| number(&order["lines"][0]["counters"][name]))
}

async fn exceptions(world: &World) -> Vec<String> {
    let open = world.rest.list("/v1/exceptions", "exceptions").await.unwrap();
    open.iter().map(|exception| exception["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_second_node_is_stopped_and_its_units_are_free() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        let second = work(&world, &order_id, 1).await;
        assert_eq!(second["requestState"], "REQUEST_STATE_CANCELLATION_REQUESTED");
        let asked =
            world.rest.list("/v1/messages?partnerId=par_gulf&direction=MESSAGE_DIRECTION_OUT", "messages").await;
        let asked = asked.unwrap();
        assert!(asked.iter().any(|one| one["type"] == "fulfillment.cancellation_requested"), "{asked:?}");
        let answer =
            json!({"fulfillmentOrderId": second["fulfillmentOrderId"], "answer": "CANCELLATION_ANSWER_ACCEPTED"});
        world.report("par_gulf", "stop", json!({ "cancellation": answer })).await;
        is_delivered(&world, "T-1").await;

        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counters(&closed)), (&json!("ORDER_STATE_CLOSED"), [4, 0, 0, 0, 4]));
        let stock = world.get("/v1/availability?skus=TEA").await;
        let stock = &stock["availability"][0];
        assert_eq!((number(&stock["onHand"]), number(&stock["allocated"]), number(&stock["atp"])), (4, 0, 4));
        assert!(world.fulfillment_orders(&order_id).await.iter().all(|work| {
            ["EXECUTION_STATE_COMPLETED", "EXECUTION_STATE_CANCELLED"]
                .contains(&work["executionState"].as_str().unwrap())
        }));
        assert_eq!((exceptions(&world).await, world.fulfillment_orders(&order_id).await.len()), (vec![], 2));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn when_it_cannot_stop_only_what_is_really_over_is_an_exception() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        assert_eq!(exceptions(&world).await, Vec::<String>::new(), "nothing is over yet");
        ships(&world, &order_id, 1, "par_gulf", "T-2").await;
        assert_eq!(exceptions(&world).await, ["OVER_SHIPPED"]);
        is_delivered(&world, "T-1").await;
        is_delivered(&world, "T-2").await;
        assert_eq!(counters(&order(&world, &order_id).await), [8, 4, 0, 0, 4], "what is over is not invoiced");
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_release_that_the_order_made_before_it_knew_of_the_shipment_is_asked_of_no_node() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        let order_id = world.order("PO-1", &[("TEA", 4)]).await;
        world.drain().await;
        let first = work(&world, &order_id, 0).await;
        let short = json!([{"lineNumber": 1, "quantity": 4}]);
        let picked = json!({"fulfillmentOrderId": first["fulfillmentOrderId"], "short": short});
        let message = world.report("par_hanse", "pick", json!({ "picked": picked })).await;
        assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
        world.drain().await;
        assert_eq!(order(&world, &order_id).await["status"], "ORDER_STATUS_BACKORDERED");
        // Stock comes, and the order releases the units again. Then the node finds and ships them.
        world.receive("nod_houston", "TEA", 4).await;
        world.drain_only(&["inventory", "order"]).await;
        assert_eq!(counters(&order(&world, &order_id).await), [0, 0, 0, 4, 0]);
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        assert_eq!(world.fulfillment_orders(&order_id).await.len(), 1, "Houston is asked for nothing");
        is_delivered(&world, "T-1").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counters(&closed)), (&json!("ORDER_STATE_CLOSED"), [4, 0, 0, 0, 4]));
        let stock = world.get("/v1/availability?skus=TEA").await;
        let stock = &stock["availability"][0];
        assert_eq!((number(&stock["allocated"]), number(&stock["atp"])), (0, 4));
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn what_another_node_has_of_the_same_line_is_shipped_and_not_counted_as_cancelled() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 4).await;
        world.receive("nod_houston", "TEA", 6).await;
        let order_id = world.order("PO-1", &[("TEA", 10)]).await;
        world.drain().await;
        world.receive("nod_houston", "TEA", 4).await;
        let of = async |partner: &str| {
            let all = world.fulfillment_orders(&order_id).await;
            all.into_iter().enumerate().filter(|(_, one)| one["partnerId"] == partner).collect::<Vec<_>>()
        };
        let (first, rejected) = of("par_hanse").await.remove(0);
        let rejected = json!({"fulfillmentOrderId": rejected["fulfillmentOrderId"], "reason": "full"});
        world.report("par_hanse", "reject", json!({ "rejected": rejected })).await;
        world.drain().await;
        let houston = of("par_gulf").await;
        assert_eq!(houston.len(), 2);
        for (index, one) in &houston {
            let accepted = json!({"fulfillmentOrderId": one["fulfillmentOrderId"]});
            world.report("par_gulf", &format!("accept {index}"), json!({ "accepted": accepted })).await;
        }
        ships(&world, &order_id, first, "par_hanse", "T-1").await;
        let (_, asked) = of("par_gulf").await.remove(1);
        assert_eq!(asked["requestState"], "REQUEST_STATE_CANCELLATION_REQUESTED");
        let stopped =
            json!({"fulfillmentOrderId": asked["fulfillmentOrderId"], "answer": "CANCELLATION_ANSWER_ACCEPTED"});
        world.report("par_gulf", "stop", json!({ "cancellation": stopped })).await;
        world.drain().await;
        assert_eq!(counters(&order(&world, &order_id).await), [4, 0, 0, 6, 0]);
        ships_units(&world, &order_id, houston[0].0, "par_gulf", "T-2", 6).await;
        is_delivered(&world, "T-1").await;
        is_delivered(&world, "T-2").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counters(&closed)), (&json!("ORDER_STATE_CLOSED"), [10, 0, 0, 0, 10]));
        assert_eq!(exceptions(&world).await, Vec::<String>::new());
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn an_accepted_fulfillment_order_is_shipped_whole_when_a_part_of_it_left_with_another_node() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships_units(&world, &order_id, 0, "par_hanse", "T-1", 1).await;
        assert_eq!(work(&world, &order_id, 1).await["requestState"], "REQUEST_STATE_ACCEPTED");
        assert_eq!(exceptions(&world).await, Vec::<String>::new());
        ships(&world, &order_id, 1, "par_gulf", "T-2").await;
        assert_eq!(exceptions(&world).await, ["OVER_SHIPPED"]);
        is_delivered(&world, "T-1").await;
        is_delivered(&world, "T-2").await;
        assert_eq!(counters(&order(&world, &order_id).await), [5, 1, 0, 0, 4], "what is over is not invoiced");
        world.check_laws().await;
    })
    .await;
}
