//! All faults together: duplicated, reordered, late and wrong reports, packages that do not arrive, and a mesh that is restarted between any two steps.

use serde_json::json;
use waybill::sandbox::{Chances, Sandbox, people};
use waybill_e2e::{World, each, number};

const ROUGH: Chances = Chances {
    reject: 150,
    short: 150,
    duplicate: 400,
    reorder: 400,
    delay: 100,
    drop: 150,
    conflict: 30,
    skew: 150,
    misdeliver: 150,
    send_back: 100,
    lose: 100,
    void: 150,
    unload: 150,
};
const ORDERS: i64 = 12;

async fn furnished(world: &World) {
    world.furnish().await;
    for sku in ["COFFEE", "COCOA"] {
        world.item(sku, "HANDLING_CLASS_AMBIENT").await;
    }
    for sku in ["TEA", "COFFEE", "COCOA"] {
        world.receive("nod_hamburg", sku, 40).await;
        world.receive("nod_houston", sku, 30).await;
    }
}

async fn place_orders(world: &World) {
    for number in 1..=ORDERS {
        world.order(&format!("PO-{number}"), &[("TEA", number), ("COFFEE", 3), ("COCOA", 13 - number)]).await;
    }
}

/// Delivers what orders wait for, and sends again what does not arrive, until every unit is delivered.
async fn finish(world: &World, seed: u64) {
    for _ in 0..50 {
        world.settle(seed, ROUGH).await;
        let summary = world.get("/v1/orders:summary").await;
        let units = &summary["units"];
        if number(&units["delivered"]) == number(&units["ordered"]) {
            return;
        }
        people::receive_returns(&world.rest).await.unwrap();
        people::write_off(&world.rest, 0).await.unwrap();
        for sku in ["TEA", "COFFEE", "COCOA"] {
            world.receive("nod_hamburg", sku, 20).await;
            world.receive("nod_houston", sku, 20).await;
        }
        for order in world.rest.list("/v1/orders", "orders").await.unwrap() {
            world.post(&format!("/v1/orders/{}:retryRouting", order["orderId"].as_str().unwrap()), &json!({})).await;
        }
    }
    let summary = world.get("/v1/orders:summary").await;
    unreachable!("units are still open: {summary}");
}

#[tokio::test]
async fn duplicated_reordered_and_contradicting_reports_leave_every_unit_delivered_once() {
    each(|world| async move {
        furnished(&world).await;
        place_orders(&world).await;
        finish(&world, 11).await;
        let summary = world.get("/v1/orders:summary").await;
        assert_eq!(number(&summary["units"]["overShipped"]), 0, "{summary}");
        let credits = world.rest.list("/v1/proposed-credits", "credits").await.unwrap();
        let credited: i64 = credits.iter().map(|credit| number(&credit["amount"]["minorUnits"])).sum();
        assert_eq!(number(&summary["invoiceReady"][0]["minorUnits"]) - credited, ORDERS * 16 * 1_000);
        world.check_laws().await;
    })
    .await;
}

#[tokio::test]
async fn a_mesh_that_is_restarted_between_any_two_steps_goes_on() {
    each(|world| async move {
        furnished(&world).await;
        place_orders(&world).await;
        let mut world = world;
        for step in 0..12 {
            // The workers of one service run, then the mesh is restarted.
            let (_, workers) = &world.mesh.workers[step % world.mesh.workers.len()];
            workers.drain().await.unwrap();
            if step % 4 == 3 {
                let partners = Sandbox::new(world.rest.clone(), 5, ROUGH);
                partners.settle().await.unwrap();
            }
            world = world.restart().await;
        }
        finish(&world, 5).await;
        let orders = world.rest.list("/v1/orders", "orders").await.unwrap();
        assert_eq!(orders.len(), usize::try_from(ORDERS).unwrap());
        world.check_laws().await;
    })
    .await;
}
