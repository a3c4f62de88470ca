//! An order that is to be shipped at a time, and not after another.

use std::time::Duration;

use proto::order::v1::{self as contract, OrderState, OrderStatus};
use testkit::{START, each, wrong_fields};

use crate::world::{World, counters, order_of};

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
        assert_eq!(order.lines[0].promised_ship_time, at(72));
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
        assert_eq!(types.last(), Some(&proto::events::EventType::OrderCancelRequested));
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
