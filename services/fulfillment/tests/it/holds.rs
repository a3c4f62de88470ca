//! Under a hold no node is asked for anything new, and what nodes do is recorded.

use std::time::Duration;

use proto::{events::EventType, fulfillment::v1::RetryRoutingRequest};
use testkit::each;

use crate::{
    inventory::Outage,
    world::{ORDER, World, pick},
};

async fn open(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.node("nod_b", 1).await;
    for sku in ["A", "B"] {
        world.inventory.stock(sku, "nod_a", 5);
        world.inventory.stock(sku, "nod_b", 5);
    }
    world
}

async fn fulfillment_orders(world: &World) -> Vec<String> {
    world.fulfillment_orders(ORDER).await.into_iter().map(|order| order.node_id).collect()
}

#[tokio::test]
async fn units_of_a_node_that_rejects_wait_until_the_last_hold_is_released() {
    each(open, async |world| {
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        world.hold(ORDER, 1, &[]);
        world.hold(ORDER, 2, &[1]);
        world.drain().await;
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.drain().await;
        assert_eq!(fulfillment_orders(&world).await, ["nod_a"]);
        let retry = RetryRoutingRequest { order_id: ORDER.to_owned(), ..Default::default() };
        let retried = world.api().retry_routing(retry).await;
        assert!(retried.unwrap().into_inner().lines.is_empty(), "nor does a person route them");
        world.release_hold(ORDER, 1, &[]);
        world.drain().await;
        assert_eq!(fulfillment_orders(&world).await, ["nod_a"]);
        world.release_hold(ORDER, 2, &[1]);
        world.drain().await;
        assert_eq!(fulfillment_orders(&world).await, ["nod_a", "nod_b"]);
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 4)]);
        assert!(world.events().await.open_exceptions().is_empty(), "waiting for a hold needs no person");
        assert_eq!(world.inventory.reservation(ORDER, 1).allocated, 4);
    })
    .await;
}

#[tokio::test]
async fn a_hold_of_a_line_leaves_the_other_lines_alone() {
    each(open, async |world| {
        world.release(ORDER, 1, &[(1, "A", 4), (2, "B", 2)]);
        world.drain().await;
        world.hold(ORDER, 1, &[2]);
        world.drain().await;
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 4)]);
        assert!(world.open_units(ORDER, 2).await.is_empty());
        // The other line comes back too, and is routed under a key of its own.
        let second = world.fulfillment_orders(ORDER).await.pop().unwrap();
        world.record_pick(pick(&second, 3, 1)).await;
        world.drain().await;
        world.release_hold(ORDER, 1, &[2]);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 2).await, [("nod_b".to_owned(), 2)]);
        let keys = world.inventory.calls("Allocate");
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), keys.len(), "{keys:?}");
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_was_made_before_the_hold_asks_the_node_after_it() {
    each(open, async |world| {
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        world.hold(ORDER, 1, &[]);
        world.clock.advance(Duration::from_secs(60));
        world.drain().await;
        assert!(fulfillment_orders(&world).await.is_empty());
        world.release_hold(ORDER, 1, &[]);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 4)]);
        assert_eq!(world.inventory.reservation(ORDER, 1).allocated, 4);
        assert_eq!(world.count(EventType::FulfillmentRequested).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_cancelled_under_a_hold_does_not_wait_for_it() {
    each(open, async |world| {
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 4), (2, "B", 9)]);
        world.drain().await;
        world.hold(ORDER, 1, &[]);
        world.clock.advance(Duration::from_secs(60));
        world.drain().await;
        world.cancel(ORDER);
        world.drain().await;
        for (line, units) in [(1, 4), (2, 9)] {
            let reservation = world.inventory.reservation(ORDER, line);
            assert_eq!((reservation.reserved, reservation.allocated, reservation.released), (0, 0, units));
        }
        let open = world.fulfillment_orders(ORDER).await;
        assert!(world.open_units(ORDER, 1).await.is_empty() && world.open_units(ORDER, 2).await.is_empty(), "{open:?}");
    })
    .await;
}
