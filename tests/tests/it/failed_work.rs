//! What a service refused is applied once a person has removed the cause.

use serde_json::{Value, json};
use waybill::sandbox::Chances;
use waybill_e2e::{World, each, number};

async fn on_hand(world: &World) -> i64 {
    number(&world.get("/v1/availability?skus=TEA").await["availability"][0]["onHand"])
}

/// The exception about a failed reaction to an event of the order.
async fn failed(world: &World, order_id: &str) -> Value {
    let mut found = world
        .rest
        .list(&format!("/v1/exceptions?type=REACTION_FAILED&orderId={order_id}"), "exceptions")
        .await
        .unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Units of an order come back to a node that inventory does not know, and are fit to be sold again.
async fn returned_to_nowhere(world: &World, order_id: &str) {
    let lines = json!([{"lineNumber": 1, "quantity": 2}]);
    let authorized =
        world.post("/v1/returns", &json!({"orderId": order_id, "nodeId": "nod_new", "lines": lines})).await;
    let path = format!("/v1/returns/{}", authorized["returnId"].as_str().unwrap());
    world.post(&format!("{path}:receive"), &json!({"lines": lines})).await;
    let dispositions = json!([{"kind": "DISPOSITION_KIND_RESTOCK", "quantity": 2}]);
    let inspected = json!({"lines": [{"lineNumber": 1, "dispositions": dispositions}]});
    world.post(&format!("{path}:inspect"), &inspected).await;
    world.drain().await;
}

#[tokio::test]
async fn units_restocked_at_an_unknown_location_find_their_way_when_it_is_created() {
    each(|world| async move {
        world.furnish().await;
        world.receive("nod_hamburg", "TEA", 10).await;
        let node = json!({
            "nodeId": "nod_new", "name": "New", "partnerId": "par_hanse", "country": "DE",
            "handlingClasses": ["HANDLING_CLASS_AMBIENT"], "serviceAreas": [{"rank": 9, "countries": ["FR"]}],
        });
        world.post("/v1/nodes", &node).await;
        let orders = [world.order("PO-1", &[("TEA", 4)]).await, world.order("PO-2", &[("TEA", 4)]).await];
        world.settle(1, Chances::NONE).await;
        for order_id in &orders {
            returned_to_nowhere(&world, order_id).await;
        }
        let found = failed(&world, &orders[0]).await;
        assert_eq!(found["supportedActions"], json!(["assign", "resolve", "dismiss", "retry"]));
        assert_eq!(on_hand(&world).await, 2);

        // Tried again before the cause is gone, it is refused again.
        let retry = format!("/v1/exceptions/{}:retry", found["exceptionId"].as_str().unwrap());
        world.post(&retry, &json!({})).await;
        world.drain().await;
        assert_eq!((number(&failed(&world, &orders[0]).await["occurrences"]), on_hand(&world).await), (2, 2));

        world.post("/v1/locations", &json!({"locationId": "nod_new", "name": "New"})).await;
        world.post(&retry, &json!({})).await;
        world.drain().await;
        assert_eq!(on_hand(&world).await, 4);
        let all = json!({"type": "REACTION_FAILED", "limit": 1});
        let second = failed(&world, &orders[1]).await["exceptionId"].clone();
        assert_eq!(world.post("/v1/exceptions:retry", &all).await, json!({"exceptionIds": [second], "more": false}));
        world.drain().await;
        assert_eq!(on_hand(&world).await, 6);
        for order_id in &orders {
            assert_eq!(failed(&world, order_id).await["state"], "EXCEPTION_STATE_AUTO_RESOLVED");
        }

        // A repeat applies nothing twice, and a closed exception has nothing to try again.
        assert_eq!(world.post("/v1/exceptions:retry", &all).await, json!({"exceptionIds": [], "more": false}));
        assert_eq!(world.refused(&retry, &json!({})).await.reason, "ACTION_NOT_SUPPORTED");
        world.drain().await;
        assert_eq!(on_hand(&world).await, 6);
        world.check_laws().await;
    })
    .await;
}
