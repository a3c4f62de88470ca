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
    let open = world.rest.list("/v1/exceptions?states=EXCEPTION_STATE_OPEN", "exceptions").await.unwrap();
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
async fn a_node_that_is_asked_for_a_part_and_ships_all_of_it_ships_too_many() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships_units(&world, &order_id, 0, "par_hanse", "T-1", 1).await;
        assert_eq!(work(&world, &order_id, 1).await["requestState"], "REQUEST_STATE_CANCELLATION_REQUESTED");
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

/// The same as a report says: the first node's shipment never left.
async fn takes_back(world: &World, partner: &str, tracking: &str) {
    let retracted = json!({"controlNumber": format!("ship {tracking}"), "reason": "it never left"});
    let message = world.report(partner, &format!("retract {tracking}"), json!({ "retracted": retracted })).await;
    assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
    world.drain().await;
}

async fn answers(world: &World, order_id: &str, answer: &str) {
    let fulfillment_order_id = work(world, order_id, 1).await["fulfillmentOrderId"].clone();
    let answer = json!({"fulfillmentOrderId": fulfillment_order_id, "answer": answer});
    world.report("par_gulf", "answer", json!({ "cancellation": answer })).await;
    world.drain().await;
}

/// Units on hand, allocated and available to promise, of all nodes.
async fn stock(world: &World) -> [i64; 3] {
    let stock = world.get("/v1/availability?skus=TEA").await;
    ["onHand", "allocated", "atp"].map(|name| number(&stock["availability"][0][name]))
}

async fn ended(world: &World, order_id: &str, index: usize) -> bool {
    let state = work(world, order_id, index).await["executionState"].clone();
    ["EXECUTION_STATE_COMPLETED", "EXECUTION_STATE_CANCELLED"].contains(&state.as_str().unwrap())
}

#[tokio::test]
async fn units_that_the_first_node_takes_back_are_shipped_by_the_second_one_that_could_not_stop() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        takes_back(&world, "par_hanse", "T-1").await;
        assert!(ended(&world, &order_id, 0).await, "Hamburg had rejected them");
        assert_eq!(counters(&order(&world, &order_id).await), [0, 0, 0, 4, 0]);
        answers(&world, &order_id, "CANCELLATION_ANSWER_REJECTED").await;
        ships(&world, &order_id, 1, "par_gulf", "T-2").await;
        is_delivered(&world, "T-2").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counters(&closed)), (&json!("ORDER_STATE_CLOSED"), [4, 0, 0, 0, 4]));
        assert_eq!((stock(&world).await, world.fulfillment_orders(&order_id).await.len()), ([4, 0, 4], 2));
        world.check_laws().await;
        world.check_nobody_waits_in_vain().await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_that_is_taken_back_after_the_second_node_shipped_leaves_nothing_to_ship() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        ships(&world, &order_id, 1, "par_gulf", "T-2").await;
        takes_back(&world, "par_hanse", "T-1").await;
        assert!(ended(&world, &order_id, 0).await);
        assert_eq!(exceptions(&world).await, Vec::<String>::new(), "nothing is over any more");
        is_delivered(&world, "T-2").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counters(&closed)), (&json!("ORDER_STATE_CLOSED"), [4, 0, 0, 0, 4]));
        assert_eq!(stock(&world).await, [4, 0, 4]);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn units_that_are_taken_back_before_the_second_node_stops_are_routed_again_with_their_stock() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        takes_back(&world, "par_hanse", "T-1").await;
        answers(&world, &order_id, "CANCELLATION_ANSWER_ACCEPTED").await;
        assert_eq!((ended(&world, &order_id, 0).await, ended(&world, &order_id, 1).await), (true, true));
        assert_eq!(counters(&order(&world, &order_id).await), [0, 0, 0, 4, 0]);
        assert_eq!(work(&world, &order_id, 2).await["nodeId"], "nod_houston", "Hamburg had rejected them");
        assert_eq!(stock(&world).await, [8, 4, 4]);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn units_that_are_taken_back_after_the_second_node_stopped_are_reserved_and_released_again() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        answers(&world, &order_id, "CANCELLATION_ANSWER_ACCEPTED").await;
        assert_eq!(stock(&world).await, [4, 0, 4]);
        takes_back(&world, "par_hanse", "T-1").await;
        assert_eq!((ended(&world, &order_id, 0).await, ended(&world, &order_id, 1).await), (true, true));
        assert_eq!(counters(&order(&world, &order_id).await), [0, 0, 0, 4, 0]);
        assert_eq!((stock(&world).await, world.fulfillment_orders(&order_id).await.len()), ([8, 4, 4], 3));
        world.check_laws().await;
        world.check_nobody_waits_in_vain().await;
    })
    .await;
}

#[tokio::test]
async fn a_correction_to_fewer_units_frees_the_others_from_the_second_node_alone() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships(&world, &order_id, 0, "par_hanse", "T-1").await;
        let corrected = json!({
            "fulfillmentOrderId": work(&world, &order_id, 0).await["fulfillmentOrderId"],
            "shipmentReference": "S-1", "carrierId": "par_parcel", "occurTime": "2026-05-28T20:26:40Z",
            "packages": [{"trackingNumber": "T-1", "lines": [{"lineNumber": 1, "quantity": 1}]}],
        });
        let message =
            world.report("par_hanse", "correct", json!({ "shipped": corrected, "corrects": "ship T-1" })).await;
        assert_eq!(message["state"], "MESSAGE_STATE_APPLIED", "{message}");
        world.drain().await;
        assert!(work(&world, &order_id, 0).await["executionState"] != "EXECUTION_STATE_IN_PROGRESS");
        answers(&world, &order_id, "CANCELLATION_ANSWER_ACCEPTED").await;
        assert_eq!(counters(&order(&world, &order_id).await), [1, 0, 0, 3, 0]);
        let third = work(&world, &order_id, 2).await;
        assert_eq!(number(&third["lines"][0]["quantity"]), 3);
        assert_eq!(stock(&world).await, [7, 3, 4]);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_part_that_is_taken_back_is_shipped_by_the_second_node_that_went_on() {
    each(|world| async move {
        let order_id = at_the_second_node(&world).await;
        ships_units(&world, &order_id, 0, "par_hanse", "T-1", 1).await;
        takes_back(&world, "par_hanse", "T-1").await;
        assert!(ended(&world, &order_id, 0).await);
        ships(&world, &order_id, 1, "par_gulf", "T-2").await;
        is_delivered(&world, "T-2").await;
        let closed = order(&world, &order_id).await;
        assert_eq!((&closed["state"], counters(&closed)), (&json!("ORDER_STATE_CLOSED"), [4, 0, 0, 0, 4]));
        assert_eq!((exceptions(&world).await, stock(&world).await), (vec![], [4, 0, 4]));
        world.check_laws().await;
    })
    .await;
}
