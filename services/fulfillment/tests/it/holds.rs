//! Under a hold no node is asked for anything new, and what nodes do is recorded.

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        CreateNodeRequest, FulfillmentOrder, FulfillmentOrderChanged, GetFulfillmentOrderRequest, RequestState,
        RetryRoutingRequest,
    },
};
use testkit::{each, partner, units};

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
async fn what_was_planned_before_the_hold_waits_at_its_node() {
    each(open, async |world| {
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        world.hold(ORDER, 1, &[]);
        world.clock.advance(Duration::from_secs(60));
        world.drain().await;
        assert_eq!(hold_numbers(&world.fulfillment_order(ORDER).await), [1]);
        world.release_hold(ORDER, 1, &[]);
        world.drain().await;
        assert_eq!(hold_numbers(&world.fulfillment_order(ORDER).await), [0; 0]);
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 4)]);
        assert_eq!(world.inventory.reservation(ORDER, 1).allocated, 4);
        assert_eq!(world.count(EventType::FulfillmentRequested).await, 1);
    })
    .await;
}

/// A hold of line 2 comes after both lines are planned, and before inventory's answer is known.
async fn held_after_the_plan(world: &World) {
    world.inventory.fail("Allocate", Outage::After);
    world.release(ORDER, 1, &[(1, "A", 4), (2, "B", 2)]);
    world.drain().await;
    world.hold(ORDER, 1, &[2]);
    world.drain().await;
    assert!(fulfillment_orders(world).await.is_empty());
}

async fn later(world: &World) {
    world.clock.advance(Duration::from_secs(60));
    world.drain().await;
}

#[tokio::test]
async fn lines_that_were_planned_with_a_held_one_do_not_wait_for_it() {
    each(open, async |world| {
        held_after_the_plan(&world).await;
        later(&world).await;
        let lines = async || {
            let orders = world.fulfillment_orders(ORDER).await;
            let lines = orders.iter().map(|order| (order.lines[0].line_number, order.lines.len(), hold_numbers(order)));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(fulfillment_orders(&world).await, ["nod_a", "nod_a"]);
        assert_eq!(lines().await, [(1, 1, vec![]), (2, 1, vec![1])]);
        assert_eq!(world.count(EventType::FulfillmentHoldPlaced).await, 0, "it is held from the start");
        for _ in 0..2 {
            world.release_hold(ORDER, 1, &[2]);
            later(&world).await;
        }
        assert_eq!(lines().await, [(1, 1, vec![]), (2, 1, vec![])]);
        assert_eq!(world.count(EventType::FulfillmentHoldReleased).await, 1);
        for (line, units) in [(1, 4), (2, 2)] {
            assert_eq!(world.inventory.reservation(ORDER, line).allocated, units);
        }
        assert_eq!((world.count(EventType::FulfillmentRequested).await, world.workers.look().await), (2, Ok(0)));
    })
    .await;
}

#[tokio::test]
async fn units_that_no_node_has_are_cancelled_at_once_whatever_is_held() {
    each(open, async |world| {
        held_after_the_plan(&world).await;
        // All of them are planned: inventory may have allocated them, so that its answer is needed.
        world.cancel_units(ORDER, &[units(1, 1), units(2, 1)]);
        world.drain().await;
        later(&world).await;
        let released = |line| world.inventory.reservation(ORDER, line).released;
        assert_eq!((released(1), released(2)), (1, 1));
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 3)]);
        assert_eq!(world.open_units(ORDER, 2).await, [("nod_a".to_owned(), 1)]);
        // The node that was not asked loses what it has; the rest waits for the end of the hold.
        let held = world.fulfillment_orders(ORDER).await.pop().unwrap();
        world.reject(&held).await;
        world.drain().await;
        assert!(world.open_units(ORDER, 2).await.is_empty());
        world.cancel_units(ORDER, &[units(2, 1)]);
        world.drain().await;
        assert_eq!((released(1), released(2)), (1, 2));
        world.release_hold(ORDER, 1, &[2]);
        world.drain().await;
        assert!(world.open_units(ORDER, 2).await.is_empty());
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 3)]);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_time_to_accept_of_what_is_held_from_the_start_begins_with_the_end_of_the_hold() {
    each(World::open, async |world| {
        let accept_within = Some(prost_types::Duration { seconds: 600, nanos: 0 });
        world.create(CreateNodeRequest { accept_within, ..node("nod_a", 0) }).await;
        for sku in ["A", "B"] {
            world.inventory.stock(sku, "nod_a", 5);
        }
        held_after_the_plan(&world).await;
        later(&world).await;
        world.accept(&world.fulfillment_orders(ORDER).await[0]).await;
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        assert_eq!((world.count(EventType::FulfillmentTimedOut).await, world.workers.look().await), (0, Ok(0)));
        world.release_hold(ORDER, 1, &[2]);
        world.drain().await;
        world.clock.advance(Duration::from_secs(600));
        world.drain().await;
        assert_eq!(world.count(EventType::FulfillmentTimedOut).await, 1);
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
