use proto::{
    events::EventType,
    fulfillment::v1::FulfillmentUnfulfillable,
    inventory::v1::Reservation,
    order::v1::{self as contract, HoldReason, OrderStatus},
};
use std::time::Duration;

use mesh::Role;
use testkit::{START, each, reason, wrong_fields};
use tonic::{Response, Status};
use types::Reason;

use crate::world::{Client, Mood, World, counters, order_of};

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
        let last = [EventType::OrderHoldReleased, EventType::OrderReleased, EventType::OrderPromiseSet];
        assert_eq!(types[types.len() - 3..], last);
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
        assert_eq!(on_hold.supported_actions, ["CancelOrder", "ProposeOrderChange"]);
        let cancel = contract::CancelOrderRequest { order_id: order.order_id.clone(), ..Default::default() };
        let cancelled = customer.cancel_order(cancel).await.unwrap().into_inner();
        assert!(cancelled.holds.iter().all(|hold| hold.note.is_empty() && hold.placed_by.is_empty()));
        assert_eq!(world.get(&order.order_id).await.holds[0].note, "look at this");
    })
    .await;
}

/// A hold on something; what the caller sets is kept.
fn on(order: &contract::Order, request: contract::PlaceHoldRequest) -> contract::PlaceHoldRequest {
    contract::PlaceHoldRequest {
        order_id: order.order_id.clone(),
        reason: HoldReason::StockShortfall.into(),
        ..request
    }
}

async fn hold(world: &World, request: contract::PlaceHoldRequest) -> Result<contract::Order, Status> {
    world.orders.clone().place_hold(request).await.map(Response::into_inner)
}

fn released(order: &contract::Order) -> Vec<i64> {
    order.lines.iter().map(|line| line.counters.unwrap().released).collect()
}

/// An order of two lines whose stock is not decided yet.
async fn undecided(world: &World, request: contract::PlaceOrderRequest) -> contract::Order {
    world.inventory.set(Mood::Down);
    let order = world.try_place(request).await.unwrap();
    world.inventory.set(Mood::Up);
    order
}

#[tokio::test]
async fn a_hold_of_a_line_blocks_that_line_alone() {
    each(World::furnished, async |world| {
        let order = undecided(&world, order_of("PO-1", &[("TEA", 3), ("CHAI", 2)])).await;
        let lines = contract::PlaceHoldRequest { line_numbers: vec![2, 2], ..Default::default() };
        let order = hold(&world, on(&order, lines)).await.unwrap();
        assert_eq!((order.status(), order.holds[0].line_numbers.as_slice()), (OrderStatus::OnHold, [2].as_slice()));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!(released(&order), [3, 0]);
        let order = place_hold(&world, &order, HoldReason::MissingMapping).await;
        release_hold(&world, &order, 1).await.unwrap();
        assert_eq!(released(&world.get(&order.order_id).await), [3, 0], "the whole order has another one");
        let order = release_hold(&world, &order, 2).await.unwrap();
        assert_eq!(released(&order), [3, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_hold_of_a_line_keeps_all_of_an_order_that_ships_complete() {
    each(World::furnished, async |world| {
        let complete = contract::PlaceOrderRequest {
            fill_policy: contract::FillPolicy::FillAll.into(),
            ..order_of("PO-1", &[("TEA", 3), ("CHAI", 2)])
        };
        let order = undecided(&world, complete).await;
        let lines = contract::PlaceHoldRequest { line_numbers: vec![1], ..Default::default() };
        hold(&world, on(&order, lines)).await.unwrap();
        world.drain().await;
        assert_eq!(released(&world.get(&order.order_id).await), [0, 0]);
        assert_eq!(released(&release_hold(&world, &order, 1).await.unwrap()), [3, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_hold_of_a_fulfillment_order_blocks_its_lines_also_when_they_come_back() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("CHAI", 2)])).await;
        world.fulfillment.has("ful_1", &order.order_id, &[1]);
        let work = contract::PlaceHoldRequest { fulfillment_order_id: "ful_1".to_owned(), ..Default::default() };
        let order = hold(&world, on(&order, work)).await.unwrap();
        assert_eq!((order.holds[0].fulfillment_order_id.as_str(), &order.holds[0].line_numbers), ("ful_1", &vec![1]));
        // The node of the first line comes up short, and other stock is there at once.
        let reservation =
            Reservation { line_number: 1, requested: 100, version: 2, backordered: 0, ..Default::default() };
        let short = FulfillmentUnfulfillable {
            order_id: order.order_id.clone(),
            lines: crate::world::quantities(&[(1, 3)]),
            reservations: vec![reservation],
        };
        let event = proto::events::FulfillmentEvent::FulfillmentUnfulfillable(short);
        let order = world.fulfillment_emits(&order, &event).await;
        assert_eq!((released(&order), counters(&order, 0).reserved), (vec![0, 2], 3));
        assert_eq!(released(&release_hold(&world, &order, 1).await.unwrap()), [3, 2]);
    })
    .await;
}

#[tokio::test]
async fn a_hold_with_an_end_is_released_by_itself_unless_it_was_before() {
    each(World::furnished, async |world| {
        let order = undecided(&world, order_of("PO-1", &[("TEA", 3)])).await;
        let end = |seconds| Some(mesh::wire::timestamp(START.after(Duration::from_secs(seconds))));
        for seconds in [60, 120] {
            let request = contract::PlaceHoldRequest { expire_time: end(seconds), ..Default::default() };
            let held = hold(&world, on(&order, request)).await.unwrap();
            assert_eq!(held.holds.last().unwrap().expire_time, end(seconds));
        }
        world.drain().await;
        release_hold(&world, &order, 2).await.unwrap();
        world.clock.advance(Duration::from_secs(59));
        world.drain().await;
        assert_eq!(world.get(&order.order_id).await.holds.len(), 1);
        world.clock.advance(Duration::from_secs(1));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((order.status(), released(&order)), (OrderStatus::Released, vec![3]));
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        assert_eq!(world.get(&order.order_id).await, order);
        assert_eq!(world.events_of(&order.order_id).await.of(EventType::OrderHoldReleased).len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_placed_names_the_field() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let other = world.place(order_of("PO-2", &[("TEA", 3)])).await;
        world.fulfillment.has("ful_1", &other.order_id, &[1]);
        let past = contract::PlaceHoldRequest { expire_time: Some(mesh::wire::timestamp(START)), ..Default::default() };
        let work = |id: &str| contract::PlaceHoldRequest { fulfillment_order_id: id.to_owned(), ..Default::default() };
        let lines =
            |numbers: &[i32]| contract::PlaceHoldRequest { line_numbers: numbers.to_vec(), ..Default::default() };
        let both = contract::PlaceHoldRequest { line_numbers: vec![1], ..work("ful_1") };
        let requests = [
            (past, vec!["expire_time"]),
            (lines(&[1, 0]), vec!["line_numbers[1]"]),
            (lines(&[1, 7]), vec!["line_numbers"]),
            (work("x"), vec!["fulfillment_order_id"]),
            (work("ful_2"), vec!["fulfillment_order_id"]),
            (work("ful_1"), vec!["fulfillment_order_id"]),
            (both, vec!["line_numbers", "fulfillment_order_id"]),
        ];
        for (request, expected) in requests {
            assert_eq!(wrong_fields(hold(&world, on(&order, request)).await), expected);
        }
        let elsewhere = world.as_alice(Role::CustomerService, &["acc_2"]);
        let hidden = Client::place_hold(&mut elsewhere.clone(), on(&other, work("ful_1"))).await;
        assert_eq!(reason(hidden), Reason::NotFound);
    })
    .await;
}
