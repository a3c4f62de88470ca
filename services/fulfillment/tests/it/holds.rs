//! Under a hold no node is asked for anything new, and what nodes do is recorded.

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        CreateNodeRequest, FulfillmentOrder, FulfillmentOrderChanged, GetFulfillmentOrderRequest, RequestState,
        RetryRoutingRequest,
    },
};
use testkit::{each, partner};

use crate::{
    inventory::Outage,
    world::{ORDER, World, node, pick},
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

/// As [`open`], with ten minutes to accept at the first node, and an order at it.
async fn asked(options: store::Options) -> World {
    let world = World::open(options).await;
    let accept_within = Some(prost_types::Duration { seconds: 600, nanos: 0 });
    world.create(CreateNodeRequest { accept_within, ..node("nod_a", 0) }).await;
    world.node("nod_b", 1).await;
    for sku in ["A", "B"] {
        world.inventory.stock(sku, "nod_a", 5);
        world.inventory.stock(sku, "nod_b", 5);
    }
    world.release(ORDER, 1, &[(1, "A", 4), (2, "B", 2)]);
    world.drain().await;
    world
}

fn hold_numbers(order: &FulfillmentOrder) -> Vec<i32> {
    order.holds.iter().map(|hold| hold.hold_number).collect()
}

#[tokio::test]
async fn a_fulfillment_order_shows_the_holds_that_block_it() {
    each(asked, async |world| {
        world.hold(ORDER, 1, &[]);
        world.hold(ORDER, 2, &[2, 7]);
        world.hold(ORDER, 3, &[7]);
        world.hold(ORDER, 1, &[]);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((hold_numbers(&order), &order.holds[1].line_numbers), (vec![1, 2], &vec![2, 7]));
        let events = world.events().await;
        let placed = events.payloads::<FulfillmentOrderChanged>(EventType::FulfillmentHoldPlaced);
        let placed: Vec<_> = placed.iter().map(|one| hold_numbers(one.fulfillment_order.as_ref().unwrap())).collect();
        assert_eq!(placed, [vec![1], vec![1, 2]]);
        let partner = world.client(&partner(&order.partner_id));
        let request = GetFulfillmentOrderRequest { fulfillment_order_id: order.fulfillment_order_id.clone() };
        assert_eq!(hold_numbers(&partner.clone().get_fulfillment_order(request).await.unwrap().into_inner()), [1, 2]);
        for number in 1..=3 {
            world.release_hold(ORDER, number, &[]);
        }
        world.drain().await;
        assert_eq!(hold_numbers(&world.fulfillment_order(ORDER).await), [0; 0]);
        assert_eq!(world.count(EventType::FulfillmentHoldReleased).await, 2);
    })
    .await;
}

#[tokio::test]
async fn the_time_to_accept_does_not_run_under_a_hold() {
    each(asked, async |world| {
        world.clock.advance(Duration::from_secs(599));
        world.hold(ORDER, 1, &[2]);
        world.hold(ORDER, 2, &[]);
        world.drain().await;
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        assert_eq!((world.count(EventType::FulfillmentTimedOut).await, world.workers.look().await), (0, Ok(0)));
        world.release_hold(ORDER, 1, &[2]);
        world.drain().await;
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        assert_eq!(world.count(EventType::FulfillmentTimedOut).await, 0, "the other hold lasts");
        // The node may not have been asked until now.
        world.release_hold(ORDER, 2, &[]);
        world.drain().await;
        world.clock.advance(Duration::from_secs(599));
        world.drain().await;
        assert_eq!((world.count(EventType::FulfillmentTimedOut).await, world.workers.look().await), (0, Ok(0)));
        world.clock.advance(Duration::from_secs(1));
        world.drain().await;
        assert_eq!(world.count(EventType::FulfillmentTimedOut).await, 1);
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 4)]);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_accepts_under_a_hold_is_taken_at_its_word() {
    each(asked, async |world| {
        world.hold(ORDER, 1, &[]);
        world.drain().await;
        let accepted = world.accept(&world.fulfillment_order(ORDER).await).await;
        assert_eq!((accepted.request_state(), hold_numbers(&accepted)), (RequestState::Accepted, vec![1]));
        world.release_hold(ORDER, 1, &[]);
        world.drain().await;
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.request_state(), order.holds.len()), (RequestState::Accepted, 0));
    })
    .await;
}
