use proto::{
    events::EventType,
    order::v1::{self as contract, HoldReason, OrderStatus},
};
use testkit::{each, reason};
use tonic::{Response, Status};
use types::Reason;

use crate::world::{Mood, World, counters, order_of};

async fn place_hold(world: &World, order: &contract::Order, reason: HoldReason) -> contract::Order {
    let request = contract::PlaceHoldRequest {
        order_id: order.order_id.clone(),
        reason: reason.into(),
        note: "look at this".to_owned(),
        ..Default::default()
    };
    world.orders.clone().place_hold(request).await.unwrap().into_inner()
}

async fn release_hold(world: &World, order: &contract::Order, hold_number: i32) -> Result<contract::Order, Status> {
    let request = contract::ReleaseHoldRequest { order_id: order.order_id.clone(), hold_number, ..Default::default() };
    world.orders.clone().release_hold(request).await.map(Response::into_inner)
}

#[tokio::test]
async fn nothing_is_released_until_the_last_hold_is_released() {
    each(World::furnished, async |world| {
        world.inventory.set(Mood::Down);
        let order = world.try_place(order_of("PO-1", &[("TEA", 3)])).await.unwrap();
        let order = place_hold(&world, &order, HoldReason::Credit).await;
        let order = place_hold(&world, &order, HoldReason::Fraud).await;
        assert_eq!(order.status(), OrderStatus::OnHold);
        assert_eq!(order.holds.iter().map(|hold| hold.hold_number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(order.holds[0].placed_by, "local-administrator");
        world.inventory.set(Mood::Up);
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((order.status(), counters(&order, 0).reserved), (OrderStatus::OnHold, 3));
        let order = release_hold(&world, &order, 1).await.unwrap();
        assert_eq!((order.status(), order.holds.len()), (OrderStatus::OnHold, 1));
        let order = release_hold(&world, &order, 2).await.unwrap();
        assert_eq!((order.status(), counters(&order, 0).released), (OrderStatus::Released, 3));
        assert_eq!(world.get(&order.order_id).await, order);
        let types = world.events_of(&order.order_id).await.types();
        assert_eq!(types[types.len() - 2..], [EventType::OrderHoldReleased, EventType::OrderReleased]);
    })
    .await;
}

#[tokio::test]
async fn a_hold_does_not_keep_reports_from_being_recorded() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 2);
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = place_hold(&world, &order, HoldReason::Operator).await;
        let order = world.ships(&order, "shm_1", &[(1, 2)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!((order.status(), counters(&order, 0).delivered), (OrderStatus::OnHold, 2));
        let order = world.stock_came(&order.order_id, 1, 2, 0).await;
        assert_eq!((counters(&order, 0).reserved, counters(&order, 0).released), (1, 0));
        let order = release_hold(&world, &order, 1).await.unwrap();
        assert_eq!((order.status(), counters(&order, 0).released), (OrderStatus::PartiallyDelivered, 1));
    })
    .await;
}

#[tokio::test]
async fn a_hold_is_released_once() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        assert_eq!(reason(release_hold(&world, &order, 1).await), Reason::ActionNotSupported);
        let order = place_hold(&world, &order, HoldReason::Credit).await;
        let order = place_hold(&world, &order, HoldReason::Credit).await;
        assert_eq!(reason(release_hold(&world, &order, 3).await), Reason::NotFound);
        release_hold(&world, &order, 2).await.unwrap();
        assert_eq!(reason(release_hold(&world, &order, 2).await), Reason::ActionNotSupported);
    })
    .await;
}

#[tokio::test]
async fn a_customer_sees_the_hold_of_its_order_but_neither_an_internal_reason_nor_who_placed_it_nor_the_note() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        place_hold(&world, &order, HoldReason::Credit).await;
        let mut customer = world.as_customer(&["acc_1"]);
        let request = contract::GetOrderRequest { order_id: order.order_id.clone() };
        let on_hold = customer.get_order(request).await.unwrap().into_inner();
        let hold = &on_hold.holds[0];
        assert_eq!((hold.reason(), hold.note.as_str(), hold.placed_by.as_str()), (HoldReason::Unspecified, "", ""));
        assert_eq!(on_hold.supported_actions, ["CancelOrder"]);
        let cancel = contract::CancelOrderRequest { order_id: order.order_id.clone(), ..Default::default() };
        let cancelled = customer.cancel_order(cancel).await.unwrap().into_inner();
        assert!(cancelled.holds.iter().all(|hold| hold.note.is_empty() && hold.placed_by.is_empty()));
        assert_eq!(world.get(&order.order_id).await.holds[0].note, "look at this");
    })
    .await;
}
