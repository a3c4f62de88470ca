//! Orders of services only: confirmed without inventory, and performed as units of goods are released.

use std::time::Duration;

use proto::{
    events::EventType,
    order::v1::{self as contract, OrderState, OrderStatus},
    types::v1::Money,
};
use testkit::{START, database::tamper, each};

use super::{furnished, hold, release_hold, units};
use crate::world::{Mood, World, order_of};

fn services() -> contract::PlaceOrderRequest {
    order_of("PO-1", &[("INSTALL", 2), ("FREIGHT", 1)])
}

async fn ready(world: &World, order: &contract::Order) -> Vec<String> {
    let request = contract::ListInvoiceReadinessRequest { order_id: order.order_id.clone(), ..Default::default() };
    let listed = world.orders.clone().list_invoice_readiness(request).await.unwrap().into_inner().readiness;
    listed.into_iter().map(|row| row.reason).collect()
}

#[tokio::test]
async fn an_order_of_services_is_confirmed_and_performed_without_inventory() {
    each(furnished, async |world| {
        world.inventory.set(Mood::Down);
        let placed = world.try_place(services()).await.unwrap();
        assert_eq!((placed.state(), units(&placed, 0)), (OrderState::Submitted, [2, 0, 0, 0]));
        world.drain().await;
        let order = world.get(&placed.order_id).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
        assert_eq!((units(&order, 0), units(&order, 1)), ([0, 2, 2, 0], [0, 1, 1, 0]));
        assert_eq!((order.invoice_ready_total.clone(), order.supported_actions.len()), (order.total.clone(), 0));
        assert_eq!(ready(&world, &order).await, ["PERFORMED"]);
        let types = world.events_of(&order.order_id).await.types();
        let expected = [
            EventType::OrderSubmitted,
            EventType::OrderConfirmed,
            EventType::OrderInvoiceReady,
            EventType::OrderClosed,
        ];
        assert_eq!(types, expected);
        assert!(world.inventory.reserved().is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_order_of_services_is_performed_once_when_its_event_is_handled_again_or_lost() {
    each(furnished, async |world| {
        let placed = world.try_place(services()).await.unwrap();
        let pass = "UPDATE subscriptions SET position = (SELECT MAX(position) FROM events) \
                    WHERE name = 'order.order' RETURNING name";
        assert_eq!(tamper(&world.options.url, pass).await, 1);
        world.drain().await;
        assert_eq!(world.get(&placed.order_id).await.status(), OrderStatus::Submitted);
        world.clock.advance(Duration::from_secs(601));
        assert_eq!(world.workers.look().await, Ok(1));
        world.drain().await;
        let order = world.get(&placed.order_id).await;
        assert_eq!((order.state(), ready(&world, &order).await.len()), (OrderState::Closed, 1));
        let again = "UPDATE subscriptions SET position = 0 WHERE name = 'order.order' RETURNING name";
        assert_eq!(tamper(&world.options.url, again).await, 1);
        world.drain().await;
        assert_eq!((world.get(&placed.order_id).await, ready(&world, &order).await.len()), (order.clone(), 1));
        assert_eq!(world.workers.look().await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn an_order_of_services_is_told_as_decided_to_a_caller_that_waits() {
    each(furnished, async |world| {
        let request = contract::PlaceOrderRequest { wait: true, request_id: "r1".to_owned(), ..services() };
        let mut client = world.orders.clone();
        let waiting = tokio::spawn(async move { client.place_order(request).await.unwrap().into_inner() });
        while !waiting.is_finished() {
            world.drain().await;
            tokio::task::yield_now().await;
        }
        assert_eq!(waiting.await.unwrap().state(), OrderState::Closed);
    })
    .await;
}

#[tokio::test]
async fn a_hold_keeps_services_open_until_it_is_released() {
    each(furnished, async |world| {
        let mut request = services();
        request.lines[0].expected_unit_price_minor = Some(1);
        let policy = contract::PriceTolerance { policy: contract::PricePolicy::Hold.into(), ..Default::default() };
        let update = contract::UpdateAccountRequest {
            account_id: "acc_1".to_owned(),
            price_tolerance: Some(policy),
            ..Default::default()
        };
        world.orders.clone().update_account(update).await.unwrap();
        let order = world.place(request).await;
        assert_eq!((order.state(), order.status()), (OrderState::Confirmed, OrderStatus::OnHold));
        assert_eq!((units(&order, 0), units(&order, 1)), ([2, 0, 0, 0], [0, 1, 1, 0]), "it is a hold of line 1");
        hold(&world, &order, &[]).await;
        let order = release_hold(&world, &order, 1).await;
        assert_eq!(units(&order, 0), [2, 0, 0, 0]);
        let order = release_hold(&world, &order, 2).await;
        assert_eq!((order.state(), units(&order, 0)), (OrderState::Closed, [0, 2, 2, 0]));
    })
    .await;
}

#[tokio::test]
async fn services_are_not_performed_before_their_time_and_cancelled_after_it() {
    each(furnished, async |world| {
        let at = |hours: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(3_600 * hours))));
        let early = contract::PlaceOrderRequest { ship_not_before: at(2), ..services() };
        let order = world.place(early).await;
        assert_eq!((order.state(), units(&order, 0)), (OrderState::Confirmed, [2, 0, 0, 0]));
        let late = contract::PlaceOrderRequest { customer_po: "PO-2".to_owned(), cancel_after: at(1), ..services() };
        let late = world.try_place(late).await.unwrap();
        hold(&world, &late, &[]).await;
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        assert_eq!(units(&world.get(&order.order_id).await, 0), [2, 0, 0, 0]);
        let late = world.get(&late.order_id).await;
        assert_eq!((late.state(), units(&late, 0)), (OrderState::Cancelled, [0, 0, 0, 2]));
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((order.state(), units(&order, 0)), (OrderState::Closed, [0, 2, 2, 0]));
    })
    .await;
}

#[tokio::test]
async fn services_of_a_cancelled_order_are_cancelled_at_once() {
    each(furnished, async |world| {
        let placed = world.try_place(services()).await.unwrap();
        let order = world.cancel(&placed.order_id).await.unwrap();
        assert_eq!((order.state(), units(&order, 0)), (OrderState::Cancelled, [0, 0, 0, 2]));
        world.drain().await;
        let order = world.get(&placed.order_id).await;
        assert_eq!((order.state(), ready(&world, &order).await.len()), (OrderState::Cancelled, 0));
    })
    .await;
}

#[tokio::test]
async fn services_count_for_the_credit_of_the_account_and_wait_for_it() {
    each(furnished, async |world| {
        let limit = async |units: i64| {
            let credit_limit = Some(Money { currency: "USD".to_owned(), minor_units: units * 1_005 });
            let account_id = "acc_1".to_owned();
            let request = contract::UpdateAccountRequest { account_id, credit_limit, ..Default::default() };
            world.orders.clone().update_account(request).await.unwrap();
            world.drain().await;
        };
        let owed = async || {
            let request = contract::GetAccountCreditRequest { account_id: "acc_1".to_owned() };
            let credit = world.orders.clone().get_account_credit(request).await.unwrap().into_inner();
            [credit.open_orders, credit.held_orders, credit.ready_to_invoice]
                .map(|amount| amount.unwrap().minor_units / 1_005)
        };
        limit(4).await;
        let first = world.place(order_of("PO-1", &[("TEA", 1), ("INSTALL", 1)])).await;
        assert_eq!((first.status(), owed().await), (OrderStatus::Released, [2, 0, 0]));
        let order = world.place(contract::PlaceOrderRequest { customer_po: "PO-2".to_owned(), ..services() }).await;
        assert_eq!((order.status(), units(&order, 0)), (OrderStatus::OnHold, [2, 0, 0, 0]));
        assert_eq!(owed().await, [5, 3, 0]);
        limit(5).await;
        let order = world.get(&order.order_id).await;
        assert_eq!((order.state(), units(&order, 0), owed().await), (OrderState::Closed, [0, 2, 2, 0], [2, 0, 3]));
        // Within the limit when it was placed, and not any more when its hold ends.
        limit(7).await;
        let held = world.try_place(order_of("PO-3", &[("INSTALL", 2)])).await.unwrap();
        hold(&world, &held, &[]).await;
        world.drain().await;
        limit(6).await;
        let held = release_hold(&world, &held, 1).await;
        assert_eq!((held.status(), units(&held, 0)), (OrderStatus::OnHold, [2, 0, 0, 0]));
        limit(7).await;
        assert_eq!(world.get(&held.order_id).await.state(), OrderState::Closed);
    })
    .await;
}
