//! Changes of the times of an order.

use std::time::Duration;

use proto::{events::EventType, order::v1 as contract};
use testkit::{START, each, wrong_fields};

use super::{change_of, confirm, propose, waiting_order};
use crate::world::{World, counters, order_of};

#[tokio::test]
async fn other_times_move_the_release_unless_units_are_released() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let at = |hours: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(hours * 3_600))));
        let request = contract::ProposeOrderChangeRequest { ship_not_before: at(5), ..change_of(&order) };
        let change = propose(world.orders.clone(), request.clone()).await.unwrap();
        confirm(world.orders.clone(), &change).await.unwrap();
        let moved = world.get(&order.order_id).await;
        assert_eq!((moved.ship_not_before, moved.release_time), (at(5), at(5)));
        world.clock.advance(Duration::from_secs(4 * 3_600));
        world.drain().await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 0);
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 10);
        let request = contract::ProposeOrderChangeRequest { ship_not_before: at(9), ..request };
        assert_eq!(wrong_fields(propose(world.orders.clone(), request.clone()).await), ["ship_not_before"]);
        let request = contract::ProposeOrderChangeRequest { ship_not_before: None, cancel_after: at(6), ..request };
        let change = propose(world.orders.clone(), request).await.unwrap();
        confirm(world.orders.clone(), &change).await.unwrap();
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        let late = world.events_of(&order.order_id).await.types();
        assert_eq!(late.last().unwrap(), &EventType::OrderCancelRequested);
    })
    .await;
}

#[tokio::test]
async fn the_reservation_and_the_promise_follow_other_times() {
    each(World::furnished, async |world| {
        let at = |hours: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(hours * 3_600))));
        let days = |days: i64| days * 24 * 3_600;
        let order = waiting_order(&world, &[("TEA", 10), ("CHAI", 2)]).await;
        let placed = world.inventory.reserved().remove(0);
        assert_eq!((placed.expire_after.unwrap().seconds, placed.promise_time), (days(30) + 3_600, None));
        world.clock.advance(Duration::from_secs(1_800));
        let later = contract::ProposeOrderChangeRequest {
            ship_not_before: at(240),
            requested_ship_time: at(240),
            ..change_of(&order)
        };
        let change = propose(world.orders.clone(), later).await.unwrap();
        confirm(world.orders.clone(), &change).await.unwrap();
        world.drain().await;
        // Until thirty days after the release, which is ten days after the order was placed, half an hour ago.
        let asked = world.inventory.reserved().remove(1);
        assert_eq!((asked.expire_after.unwrap().seconds, asked.promise_time), (days(30 + 10) - 1_800, at(240)));
        let lines: Vec<_> = asked.lines.iter().map(|line| (line.line_number, line.quantity)).collect();
        assert_eq!(lines, [(1, 10), (2, 2)], "the same units");
        let moved = world.get(&order.order_id).await;
        let [before, after] = [&order, &moved].map(|order| order.lines[0].promised_ship_time.unwrap());
        assert!(after.seconds - before.seconds > days(8), "{before:?} {after:?}");
        let told: Vec<contract::OrderPromiseChanged> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderPromiseSet);
        let told: Vec<_> = told
            .iter()
            .flat_map(|it| &it.lines)
            .map(|line| (line.line_number, line.reason(), line.after.as_ref().unwrap().promised_ship_time))
            .collect();
        let because = contract::PromiseReason::OrderChanged;
        assert_eq!(told, [(1, because, Some(after)), (2, because, Some(after))]);
    })
    .await;
}

#[tokio::test]
async fn the_times_of_an_order_that_may_still_be_refused_do_not_change() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest {
            fill_policy: contract::FillPolicy::FillOrKill.into(),
            ..order_of("PO-1", &[("TEA", 10)])
        };
        let order = world.try_place(request).await.unwrap();
        let at = Some(mesh::wire::timestamp(START.after(Duration::from_secs(3_600))));
        let request = contract::ProposeOrderChangeRequest { ship_not_before: at, ..change_of(&order) };
        assert_eq!(wrong_fields(propose(world.orders.clone(), request).await), ["ship_not_before"]);
    })
    .await;
}
