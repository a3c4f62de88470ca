//! An order that is to be shipped at a time, and not after another.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{Node, NodeChanged, NodeState, ServiceArea},
    order::v1::{self as contract, OrderState, OrderStatus},
    types::v1::HandlingClass,
};
use testkit::{START, each, wrong_fields};

use crate::world::{Mood, World, counters, order_of};

const HOUR: u64 = 3_600;

/// So many hours after the start.
fn at(hours: u64) -> Option<prost_types::Timestamp> {
    Some(mesh::wire::timestamp(START.after(Duration::from_secs(hours * HOUR))))
}

async fn wait_hours(world: &World, hours: u64) {
    world.clock.advance(Duration::from_secs(hours * HOUR));
    world.drain().await;
}

#[tokio::test]
async fn nothing_is_released_before_it_may_be_shipped() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { ship_not_before: at(72), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(request).await;
        assert_eq!((order.status(), counters(&order, 0).reserved), (OrderStatus::Reserved, 3));
        assert_eq!((order.ship_not_before, order.release_time), (at(72), at(72)));
        assert_eq!(order.lines[0].promised_ship_time, at(72 + 24), "its node is asked at 72, and needs a day");
        // Its reservation lives for thirty days from then on.
        let lives = world.inventory.reserved()[0].expire_after.unwrap();
        assert_eq!(u64::try_from(lives.seconds).unwrap(), (30 * 24 + 72) * HOUR);
        wait_hours(&world, 71).await;
        assert_eq!(world.get(&order.order_id).await, order);
        wait_hours(&world, 1).await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 3);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_wanted_at_a_time_is_released_when_nodes_need_it() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { requested_ship_time: at(72), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(request).await;
        assert_eq!((order.release_time, counters(&order, 0).released), (at(48), 0));
        wait_hours(&world, 48).await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 3);
        let soon = contract::PlaceOrderRequest { requested_ship_time: at(60), ..order_of("PO-2", &[("TEA", 3)]) };
        let order = world.place(soon).await;
        assert_eq!((order.release_time, counters(&order, 0).released), (None, 3), "there is no time to wait");
    })
    .await;
}

/// A node of fulfillment that needs so many hours and ships to a country.
fn node(id: &str, hours: i64, country: &str) -> Node {
    Node {
        node_id: id.to_owned(),
        handling_classes: vec![HandlingClass::Ambient.into()],
        service_areas: vec![ServiceArea { countries: vec![country.to_owned()], rank: 0 }],
        state: NodeState::Active.into(),
        handling_time: Some(prost_types::Duration { seconds: hours * 3_600, nanos: 0 }),
        etag: "1".to_owned(),
        ..Default::default()
    }
}

async fn node_is(world: &World, node: Node) {
    let changed = NodeChanged { node: Some(node) };
    world.fulfillment_log.emit("", &FulfillmentEvent::NodeUpdated(changed));
    world.drain().await;
}

/// How many hours before the time at which it is wanted an order is released.
async fn lead_hours(world: &World, customer_po: &str) -> i64 {
    let order = order_of(customer_po, &[("TEA", 3)]);
    let order = world.place(contract::PlaceOrderRequest { requested_ship_time: at(1_000), ..order }).await;
    let seconds = |time: Option<prost_types::Timestamp>| time.unwrap().seconds;
    (seconds(order.requested_ship_time) - seconds(order.release_time)) / 3_600
}

#[tokio::test]
async fn of_two_nodes_that_need_2_and_48_hours_the_slower_one_decides_if_it_may_ship_the_order() {
    each(World::furnished, async |world| {
        assert_eq!(lead_hours(&world, "PO-1").await, 24, "no node is known");
        node_is(&world, node("nod_fast", 2, "DE")).await;
        assert_eq!(lead_hours(&world, "PO-2").await, 2);
        node_is(&world, node("nod_slow", 48, "*")).await;
        assert_eq!(lead_hours(&world, "PO-3").await, 48);
        let promised = world.place(order_of("PO-4", &[("TEA", 3)])).await.lines[0].promised_ship_time;
        assert_eq!(promised, at(48), "nor is it promised sooner");
        // It does not ship there, is paused, stores nothing of it, or is reported again as it was before.
        let frozen = vec![HandlingClass::Frozen.into()];
        let slow = |etag: &str| Node { etag: etag.to_owned(), ..node("nod_slow", 48, "DE") };
        node_is(&world, Node { etag: "2".to_owned(), ..node("nod_slow", 48, "US") }).await;
        assert_eq!(lead_hours(&world, "PO-5").await, 2);
        node_is(&world, slow("1")).await;
        assert_eq!(lead_hours(&world, "PO-6").await, 2);
        node_is(&world, Node { state: NodeState::Paused.into(), ..slow("3") }).await;
        assert_eq!(lead_hours(&world, "PO-7").await, 2);
        node_is(&world, Node { handling_classes: frozen, ..slow("4") }).await;
        assert_eq!(lead_hours(&world, "PO-8").await, 2);
        node_is(&world, slow("5")).await;
        assert_eq!(lead_hours(&world, "PO-9").await, 48);
    })
    .await;
}

#[tokio::test]
async fn a_hold_blocks_beyond_the_time_and_is_not_released_by_it() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { ship_not_before: at(2), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(request).await;
        let hold = contract::PlaceHoldRequest {
            order_id: order.order_id.clone(),
            reason: contract::HoldReason::AwaitingAmendment.into(),
            ..Default::default()
        };
        world.orders.clone().place_hold(hold).await.unwrap();
        wait_hours(&world, 3).await;
        assert_eq!(world.get(&order.order_id).await.status(), OrderStatus::OnHold);
        let release =
            contract::ReleaseHoldRequest { order_id: order.order_id.clone(), hold_number: 1, ..Default::default() };
        let order = world.orders.clone().release_hold(release).await.unwrap().into_inner();
        assert_eq!(counters(&order, 0).released, 3);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_shipped_in_time_is_cancelled_as_far_as_possible() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 4);
        let request = contract::PlaceOrderRequest { cancel_after: at(24), ..order_of("PO-1", &[("TEA", 5)]) };
        let order = world.place(request).await;
        let order = world.ships(&order, "shm_1", &[(1, 1)]).await;
        wait_hours(&world, 23).await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).cancelled, 0);
        wait_hours(&world, 1).await;
        let order = world.get(&order.order_id).await;
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.cancelled, units.released, units.backordered), (1, 1, 3, 0));
        assert_eq!(order.reason, "not shipped in time");
        let types = world.events_of(&order.order_id).await.types();
        assert_eq!(types.last(), Some(&EventType::OrderCancelRequested));
        assert_eq!(world.inventory.released().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_done_in_time_is_not_cancelled() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { cancel_after: at(24), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(request).await;
        world.ships(&order, "shm_1", &[(1, 3)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(order.state(), OrderState::Closed);
        wait_hours(&world, 25).await;
        assert_eq!(world.get(&order.order_id).await, order);
    })
    .await;
}

#[tokio::test]
async fn times_that_contradict_each_other_are_refused() {
    each(World::furnished, async |world| {
        let order = || order_of("PO-1", &[("TEA", 3)]);
        let past = contract::PlaceOrderRequest { cancel_after: at(0), ..order() };
        let before = contract::PlaceOrderRequest { cancel_after: at(24), ship_not_before: at(24), ..order() };
        let unwanted = contract::PlaceOrderRequest { cancel_after: at(24), requested_ship_time: at(30), ..order() };
        for request in [past, before, unwanted] {
            assert_eq!(wrong_fields(world.try_place(request).await), ["cancel_after"]);
        }
        let wrong = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
        let unreadable = contract::PlaceOrderRequest { cancel_after: wrong, ship_not_before: wrong, ..order() };
        assert_eq!(wrong_fields(world.try_place(unreadable).await), ["ship_not_before", "cancel_after"]);
    })
    .await;
}

fn hold_of(order: &contract::Order) -> contract::PlaceHoldRequest {
    contract::PlaceHoldRequest {
        order_id: order.order_id.clone(),
        reason: contract::HoldReason::AwaitingCustomer.into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn what_is_not_shipped_in_time_is_cancelled_under_a_hold_too() {
    each(World::furnished, async |world| {
        let request = |customer_po| contract::PlaceOrderRequest {
            ship_not_before: at(10),
            cancel_after: at(24),
            ..order_of(customer_po, &[("TEA", 3)])
        };
        let (waiting, at_node) = (world.place(request("PO-1")).await, world.place(request("PO-2")).await);
        world.orders.clone().place_hold(hold_of(&waiting)).await.unwrap();
        wait_hours(&world, 10).await;
        world.orders.clone().place_hold(hold_of(&at_node)).await.unwrap();
        wait_hours(&world, 14).await;
        let waiting = world.get(&waiting.order_id).await;
        assert_eq!((waiting.state(), waiting.reason.as_str()), (OrderState::Cancelled, "not shipped in time"));
        assert_eq!(counters(&world.get(&at_node.order_id).await, 0).released, 3);
        let types = world.events_of(&at_node.order_id).await.types();
        assert_eq!(types.last(), Some(&EventType::OrderCancelRequested), "its node is asked to stop");
    })
    .await;
}

#[tokio::test]
async fn a_service_that_stood_still_until_it_was_too_late_releases_nothing() {
    each(World::furnished, async |world| {
        let window = contract::PlaceOrderRequest {
            ship_not_before: at(10),
            cancel_after: at(24),
            ..order_of("PO-1", &[("TEA", 3)])
        };
        let reserved = world.place(window.clone()).await;
        // Nor is one that was only stored by then.
        world.inventory.set(Mood::Down);
        let stored = world.try_place(contract::PlaceOrderRequest { customer_po: "PO-2".to_owned(), ..window }).await;
        let stored = stored.unwrap();
        world.inventory.set(Mood::Up);
        wait_hours(&world, 30).await;
        for order_id in [reserved.order_id, stored.order_id] {
            let order = world.get(&order_id).await;
            assert_eq!((order.state(), order.reason.as_str()), (OrderState::Cancelled, "not shipped in time"));
            let types = world.events_of(&order_id).await.types();
            assert!(!types.contains(&EventType::OrderReleased), "{types:?}");
        }
        assert_eq!(world.inventory.released().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn stock_that_comes_before_an_order_may_be_shipped_waits_and_later_stock_does_not() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 1);
        let request = contract::PlaceOrderRequest { ship_not_before: at(72), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(request).await;
        assert_eq!((counters(&order, 0).reserved, counters(&order, 0).backordered), (1, 2));
        let order = world.stock_came(&order.order_id, 1, 2, 1).await;
        assert_eq!((counters(&order, 0).reserved, counters(&order, 0).released), (2, 0));
        wait_hours(&world, 72).await;
        let order = world.get(&order.order_id).await;
        assert_eq!((counters(&order, 0).released, order.lines[0].promised_ship_time), (2, None));
        let order = world.stock_came(&order.order_id, 1, 3, 0).await;
        assert_eq!((counters(&order, 0).released, order.lines[0].promised_ship_time), (3, at(72 + 24)));
    })
    .await;
}

#[tokio::test]
async fn a_hold_takes_the_promise_back_and_its_end_makes_another() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { ship_not_before: at(2), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(request).await;
        assert_eq!(order.lines[0].promised_ship_time, at(2 + 24));
        let held = world.orders.clone().place_hold(hold_of(&order)).await.unwrap().into_inner();
        assert_eq!(held.lines[0].promised_ship_time, None);
        wait_hours(&world, 100).await;
        let release =
            contract::ReleaseHoldRequest { order_id: order.order_id.clone(), hold_number: 1, ..Default::default() };
        let order = world.orders.clone().release_hold(release).await.unwrap().into_inner();
        assert_eq!((counters(&order, 0).released, order.lines[0].promised_ship_time), (3, at(124)));
    })
    .await;
}

#[tokio::test]
async fn the_priority_of_an_order_and_the_time_it_is_wanted_at_are_told_to_inventory() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest {
            priority: Some(9),
            requested_ship_time: at(48),
            ..order_of("PO-1", &[("TEA", 3)])
        };
        let fields = wrong_fields(world.as_customer(&["acc_1"]).place_order(request.clone()).await);
        assert_eq!(fields, ["priority"]);
        let wrong = contract::PlaceOrderRequest { priority: Some(10), ..request.clone() };
        assert_eq!(wrong_fields(world.try_place(wrong).await), ["priority"]);
        assert_eq!(world.place(request).await.priority, Some(9));
        let asked = &world.inventory.reserved()[0];
        assert_eq!((asked.priority, asked.promise_time), (Some(9), at(48)));
    })
    .await;
}
