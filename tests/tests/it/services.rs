//! Services on orders, through all services of the mesh: ordered with goods, shipped with them, and invoiced.

use serde_json::{Value, json};
use waybill::sandbox::Chances;
use waybill_e2e::{World, each, number};

use crate::parties::array;

/// Tea at a node, and an installation for 10.00 USD.
async fn furnished(world: &World) {
    world.furnish().await;
    world.receive("nod_hamburg", "TEA", 40).await;
    let price = json!({"currency": "USD", "minorUnits": "1000"});
    let service = json!({"sku": "INSTALL", "name": "Installation", "kind": "ITEM_KIND_SERVICE", "listPrice": price});
    world.post("/v1/items", &service).await;
    world.drain().await;
}

async fn order(world: &World, order_id: &str) -> Value {
    world.get(&format!("/v1/orders/{order_id}")).await
}

fn counter(order: &Value, line: usize, name: &str) -> i64 {
    number(&order["lines"][line]["counters"][name])
}

#[tokio::test]
async fn a_service_is_ordered_with_goods_and_invoiced_when_they_arrive_and_does_not_come_back() {
    each(|world| async move {
        furnished(&world).await;
        let no_stock = json!({"items": [{"sku": "INSTALL", "quantity": 1}]});
        let refused = world.refused("/v1/locations/nod_hamburg:receive", &no_stock).await;
        assert_eq!((refused.status, refused.detail.contains("INSTALL")), (400, true), "{}", refused.detail);

        let order_id = world.order("PO-1", &[("TEA", 10), ("INSTALL", 2)]).await;
        world.drain().await;
        let work = world.fulfillment_orders(&order_id).await;
        let lines: Vec<_> =
            work.iter().flat_map(|it| array(&it["lines"])).map(|it| number(&it["lineNumber"])).collect();
        assert_eq!(lines, [1]);
        world.check_nobody_waits_in_vain().await;
        world.settle(1, Chances::NONE).await;
        let closed = order(&world, &order_id).await;
        assert_eq!(
            (&closed["state"], &closed["status"]),
            (&json!("ORDER_STATE_CLOSED"), &json!("ORDER_STATUS_DELIVERED"))
        );
        assert_eq!((counter(&closed, 1, "shipped"), counter(&closed, 1, "delivered")), (2, 2));
        assert_eq!(closed["invoiceReadyTotal"], closed["total"]);
        let ready = world.get(&format!("/v1/invoice-readiness?orderId={order_id}")).await;
        let last = array(&ready["readiness"]).last().unwrap();
        assert!(array(&last["lines"]).iter().any(|line| number(&line["lineNumber"]) == 2), "{ready}");

        let back =
            |line: i64| json!({"orderId": order_id, "lines": [{"lineNumber": line, "quantity": 1}], "reason": "no"});
        assert_eq!(world.refused("/v1/returns", &back(2)).await.reason, "NO_RETURNABLE_QUANTITY");
        world.post("/v1/returns", &back(1)).await;
        world.drain().await;
        world.check_laws().await;
        world.check_nobody_waits_in_vain().await;
    })
    .await;
}

#[tokio::test]
async fn a_mesh_that_ends_between_any_two_steps_performs_a_service_once() {
    each(|world| async move {
        furnished(&world).await;
        let mixed = world.order("PO-1", &[("TEA", 4), ("INSTALL", 1)]).await;
        let alone = world.order("PO-2", &[("INSTALL", 3)]).await;
        let cancelled = world.order("PO-3", &[("TEA", 2), ("INSTALL", 1)]).await;
        let world = world.drain_with_crashes().await;
        let cancel = format!("/v1/orders/{cancelled}:cancel");
        world.post(&cancel, &json!({"reason": "changed their mind"})).await;
        let world = world.drain_with_crashes().await;
        world.settle(1, Chances::NONE).await;
        let world = world.drain_with_crashes().await;
        for (order_id, line, units) in [(&mixed, 1, 1), (&alone, 0, 3)] {
            let order = order(&world, order_id).await;
            assert_eq!(order["state"], "ORDER_STATE_CLOSED", "{order}");
            let counters = ["shipped", "delivered", "invoiceReady"].map(|name| counter(&order, line, name));
            assert_eq!(counters, [units; 3]);
        }
        let order = order(&world, &cancelled).await;
        assert_eq!((&order["state"], counter(&order, 1, "cancelled")), (&json!("ORDER_STATE_CANCELLED"), 1), "{order}");
        world.check_laws().await;
        world.check_nobody_waits_in_vain().await;
    })
    .await;
}
