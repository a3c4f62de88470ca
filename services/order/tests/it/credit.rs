//! What an account owes, against its credit limit: when an order is placed, and when its units are released.

mod growth;
mod interleavings;
mod recorded;

use std::time::Duration;

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1 as fulfillment,
    order::v1::{self as contract, CreditPolicy, HoldReason, OrderState, OrderStatus},
    types::v1::Money,
};
use testkit::{database::tamper, each, reason, wrong_fields};
use tonic::Response;
use types::Reason;

use crate::world::{World, account, address, counters, order_of, quantities};

fn usd(minor_units: i64) -> Option<Money> {
    Some(Money { currency: "USD".to_owned(), minor_units })
}

/// The account may owe so many times the price of a unit of TEA, 10.05 USD; anything when `None`.
async fn limit(world: &World, units: Option<i64>) -> contract::Account {
    let request = contract::UpdateAccountRequest {
        account_id: "acc_1".to_owned(),
        credit_limit: units.map_or(Some(Money::default()), |units| usd(units * 1_005)),
        ..Default::default()
    };
    let changed = world.orders.clone().update_account(request).await.unwrap().into_inner();
    world.drain().await;
    changed
}

async fn credit(world: &World) -> contract::AccountCredit {
    let request = contract::GetAccountCreditRequest { account_id: "acc_1".to_owned() };
    world.orders.clone().get_account_credit(request).await.unwrap().into_inner()
}

fn in_units(amount: Option<&Money>) -> i64 {
    let minor = amount.map_or(0, |amount| amount.minor_units);
    assert_eq!(minor % 1_005, 0);
    minor / 1_005
}

/// Open orders, those held, what is ready to invoice, and receivables, each in units of TEA.
async fn owed(world: &World) -> [i64; 4] {
    let credit = credit(world).await;
    let parts = [&credit.open_orders, &credit.held_orders, &credit.ready_to_invoice, &credit.receivables];
    let parts = parts.map(|part| in_units(part.as_ref()));
    assert_eq!(in_units(credit.exposure.as_ref()), parts[0] + parts[2] + parts[3]);
    parts
}

/// The ERP records what is owed now, with everything that became ready to invoice until now.
async fn receivables(world: &World, units: i64) -> contract::AccountCredit {
    world.clock.advance(Duration::from_secs(60));
    let request = contract::RecordReceivablesRequest {
        account_id: "acc_1".to_owned(),
        amount: usd(units * 1_005),
        as_of: Some(mesh::wire::timestamp(types::Clock::now(&*world.clock))),
        ..Default::default()
    };
    let recorded = world.orders.clone().record_receivables(request).await.unwrap().into_inner();
    world.drain().await;
    recorded
}

async fn tea(world: &World, customer_po: &str, units: i64) -> contract::Order {
    world.place(order_of(customer_po, &[("TEA", units)])).await
}

async fn status(world: &World, order: &contract::Order) -> OrderStatus {
    world.get(&order.order_id).await.status()
}

async fn ship_and_deliver(world: &World, order: &contract::Order, shipment: &str, units: i64) -> contract::Order {
    world.ships(order, shipment, &[(1, units)]).await;
    world.delivers(order, shipment, &[(1, units)]).await
}

async fn release(world: &World, order: &contract::Order, hold_number: i32) -> contract::Order {
    let request = contract::ReleaseHoldRequest { order_id: order.order_id.clone(), hold_number, ..Default::default() };
    let released = world.orders.clone().release_hold(request).await.map(Response::into_inner).unwrap();
    world.drain().await;
    released
}

#[tokio::test]
async fn an_order_beyond_the_limit_is_placed_under_a_credit_hold() {
    each(World::furnished, async |world| {
        limit(&world, Some(10)).await;
        let first = tea(&world, "PO-1", 6).await;
        assert_eq!((first.status(), owed(&world).await), (OrderStatus::Released, [6, 0, 0, 0]));
        let exact = tea(&world, "PO-2", 4).await;
        assert_eq!(exact.status(), OrderStatus::Released, "the limit itself may be owed");
        let beyond = world.try_place(order_of("PO-3", &[("TEA", 1)])).await.unwrap();
        assert_eq!((beyond.status(), beyond.holds[0].reason()), (OrderStatus::OnHold, HoldReason::Credit));
        world.drain().await;
        assert_eq!(counters(&world.get(&beyond.order_id).await, 0).released, 0);
        assert_eq!(owed(&world).await, [11, 1, 0, 0]);
        assert_eq!(credit(&world).await.available, usd(-1_005));
        let request = contract::ValidateOrderRequest { order: Some(order_of("PO-4", &[("TEA", 1)])) };
        let validated = world.orders.clone().validate_order(request).await.unwrap().into_inner();
        assert_eq!(validated.holds[0].reason(), HoldReason::Credit);
    })
    .await;
}

#[tokio::test]
async fn an_order_beyond_the_limit_is_refused_where_the_account_wants_it() {
    each(World::furnished, async |world| {
        let request = contract::UpdateAccountRequest {
            account_id: "acc_1".to_owned(),
            credit_limit: usd(10_050),
            credit_policy: Some(CreditPolicy::Refuse.into()),
            ..Default::default()
        };
        world.orders.clone().update_account(request).await.unwrap();
        assert_eq!(reason(world.try_place(order_of("PO-1", &[("TEA", 11)])).await), Reason::CreditLimitExceeded);
        assert_eq!(owed(&world).await, [0; 4]);
        tea(&world, "PO-1", 10).await;
        assert_eq!(reason(world.try_place(order_of("PO-2", &[("TEA", 1)])).await), Reason::CreditLimitExceeded);
    })
    .await;
}

#[tokio::test]
async fn orders_that_are_placed_at_once_see_each_other() {
    each(World::furnished, async |world| {
        limit(&world, Some(10)).await;
        let place = async |customer_po| world.try_place(order_of(customer_po, &[("TEA", 4)])).await.unwrap();
        let placed = tokio::join!(place("PO-1"), place("PO-2"), place("PO-3"), place("PO-4"));
        let held = [placed.0, placed.1, placed.2, placed.3].iter().filter(|order| !order.holds.is_empty()).count();
        assert_eq!((held, owed(&world).await), (2, [16, 8, 0, 0]));
    })
    .await;
}

#[tokio::test]
async fn case_36_closing_and_reopening_orders_does_not_bypass_the_limit() {
    each(World::furnished, async |world| {
        limit(&world, Some(10)).await;
        let order = tea(&world, "PO-1", 6).await;
        let order = ship_and_deliver(&world, &order, "shm_1", 6).await;
        assert_eq!(
            (order.state(), owed(&world).await),
            (OrderState::Closed, [0, 0, 6, 0]),
            "it is owed until it is paid"
        );
        assert_eq!(tea(&world, "PO-2", 5).await.status(), OrderStatus::OnHold);
        receivables(&world, 6).await;
        assert_eq!(owed(&world).await, [5, 5, 0, 6], "and not twice when it is invoiced");

        // The package did not leave: the order is open again, and its invoice is to be credited.
        world.clock.advance(Duration::from_secs(60));
        let shipment = fulfillment::Shipment {
            shipment_id: "shm_1".to_owned(),
            order_id: order.order_id.clone(),
            ..Default::default()
        };
        let lines = quantities(&[(1, 6)]);
        let stayed = fulfillment::ShipmentShipped { shipment: Some(shipment), lines, ..Default::default() };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentDepartureRetracted(stayed)).await;
        assert_eq!((order.state(), owed(&world).await), (OrderState::Confirmed, [11, 5, -6, 6]));
        receivables(&world, 0).await;
        assert_eq!(owed(&world).await, [11, 5, 0, 0], "the ERP has credited the invoice");
        assert_eq!(tea(&world, "PO-3", 1).await.status(), OrderStatus::OnHold);

        // It is cancelled, and shipped all the same.
        world.cancel(&order.order_id).await.unwrap();
        world.drain().await;
        ship_and_deliver(&world, &order, "shm_2", 6).await;
        assert_eq!(owed(&world).await, [6, 6, 6, 0]);
    })
    .await;
}

#[tokio::test]
async fn case_36_units_are_blocked_at_their_release_and_what_has_shipped_is_invoiced() {
    each(World::furnished, async |world| {
        limit(&world, Some(10)).await;
        world.inventory.leave("TEA", 2);
        let order = tea(&world, "PO-1", 5).await;
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        receivables(&world, 6).await;
        let order = world.stock_came(&order.order_id, 1, 2, 0).await;
        assert_eq!((order.status(), order.holds[0].reason()), (OrderStatus::OnHold, HoldReason::Credit));
        assert_eq!((counters(&order, 0).reserved, counters(&order, 0).released), (3, 0));
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!((counters(&order, 0).invoice_ready, owed(&world).await), (2, [3, 3, 2, 6]));
        // The customer pays for other goods.
        receivables(&world, 5).await;
        let order = world.get(&order.order_id).await;
        assert_eq!((counters(&order, 0).released, order.holds.len()), (3, 0));
        assert_eq!(owed(&world).await, [3, 0, 0, 5]);
    })
    .await;
}

#[tokio::test]
async fn an_order_beyond_the_limit_does_not_block_one_within_it() {
    each(World::furnished, async |world| {
        limit(&world, Some(10)).await;
        world.inventory.leave("TEA", 0);
        let within = tea(&world, "PO-1", 8).await;
        let beyond = tea(&world, "PO-2", 100).await;
        let within = world.stock_came(&within.order_id, 1, 2, 0).await;
        assert_eq!(counters(&within, 0).released, 8);
        assert_eq!(status(&world, &beyond).await, OrderStatus::OnHold);
    })
    .await;
}

#[tokio::test]
async fn holds_are_released_oldest_order_first_as_far_as_the_limit_permits() {
    each(World::furnished, async |world| {
        limit(&world, Some(1)).await;
        let mut orders = Vec::new();
        for (number, units) in [3, 4, 1].into_iter().enumerate() {
            orders.push(tea(&world, &format!("PO-{number}"), units).await);
            world.clock.advance(Duration::from_secs(1));
        }
        let held = async || {
            let mut held = Vec::new();
            for order in &orders {
                held.push(status(&world, order).await == OrderStatus::OnHold);
            }
            held
        };
        assert_eq!(held().await, [true; 3]);
        limit(&world, Some(2)).await;
        assert_eq!(held().await, [true; 3], "a newer order that would fit waits for its turn");
        limit(&world, Some(6)).await;
        assert_eq!((held().await, owed(&world).await), (vec![false, true, true], [8, 5, 0, 0]));
        // A cancelled order is owed no more.
        world.cancel(&orders[0].order_id).await.unwrap();
        let stopped = fulfillment::FulfillmentCancelled {
            fulfillment_order: crate::world::fulfillment_order(&orders[0]),
            lines: quantities(&[(1, 3)]),
            ..Default::default()
        };
        world.fulfillment_emits(&orders[0], &FulfillmentEvent::FulfillmentCancelled(stopped)).await;
        assert_eq!((held().await, owed(&world).await), (vec![false, false, false], [5, 0, 0, 0]));
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_a_person_placed_stays_and_all_others_end_with_the_limit() {
    each(World::furnished, async |world| {
        limit(&world, Some(1)).await;
        let order = tea(&world, "PO-1", 3).await;
        let hold = contract::PlaceHoldRequest {
            order_id: order.order_id.clone(),
            reason: HoldReason::Credit.into(),
            ..Default::default()
        };
        world.orders.clone().place_hold(hold).await.unwrap();
        let other = tea(&world, "PO-2", 3).await;
        assert_eq!(limit(&world, None).await.credit_limit, None);
        assert_eq!(status(&world, &other).await, OrderStatus::Released);
        let order = world.get(&order.order_id).await;
        assert_eq!((order.status(), order.holds.len(), order.holds[0].hold_number), (OrderStatus::OnHold, 1, 2));
    })
    .await;
}

#[tokio::test]
async fn an_order_that_a_person_approved_is_not_held_again() {
    each(World::furnished, async |world| {
        limit(&world, Some(1)).await;
        world.inventory.leave("TEA", 2);
        let order = tea(&world, "PO-1", 5).await;
        let order = release(&world, &order, 1).await;
        assert_eq!((counters(&order, 0).released, owed(&world).await), (2, [5, 0, 0, 0]));
        receivables(&world, 50).await;
        let order = world.stock_came(&order.order_id, 1, 2, 0).await;
        assert_eq!((counters(&order, 0).released, order.holds.len()), (5, 0));
        // The next one is looked at anew.
        assert_eq!(tea(&world, "PO-2", 1).await.status(), OrderStatus::OnHold);
    })
    .await;
}

#[tokio::test]
async fn the_open_orders_of_an_account_count_from_its_first_limit_on_and_those_that_are_opened_again_later() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 12);
        let closed = tea(&world, "PO-1", 2).await;
        let closed = ship_and_deliver(&world, &closed, "shm_1", 2).await;
        let under_way = tea(&world, "PO-2", 7).await;
        ship_and_deliver(&world, &under_way, "shm_2", 3).await;
        let waiting = tea(&world, "PO-3", 8).await;
        assert_eq!((counters(&waiting, 0).released, owed(&world).await), (3, [0; 4]), "nothing is counted");
        limit(&world, Some(10)).await;
        assert_eq!(owed(&world).await, [12, 0, 0, 0], "what is ready to invoice is in the receivables");
        let waiting = world.stock_came(&waiting.order_id, 1, 2, 0).await;
        assert_eq!(waiting.status(), OrderStatus::OnHold, "its other units are not released");
        // An order that was closed before is open again.
        let shipment = fulfillment::Shipment {
            shipment_id: "shm_1".to_owned(),
            order_id: closed.order_id.clone(),
            ..Default::default()
        };
        let lines = quantities(&[(1, 2)]);
        let stayed = fulfillment::ShipmentShipped { shipment: Some(shipment), lines, ..Default::default() };
        let reopened = world.fulfillment_emits(&closed, &FulfillmentEvent::ShipmentDepartureRetracted(stayed)).await;
        assert_eq!((reopened.state(), owed(&world).await[0]), (OrderState::Confirmed, 14));
    })
    .await;
}

#[tokio::test]
async fn an_account_without_a_limit_has_nothing_counted() {
    each(World::furnished, async |world| {
        let order = tea(&world, "PO-1", 5).await;
        ship_and_deliver(&world, &order, "shm_1", 5).await;
        for rows in [
            "SELECT COUNT(*) FROM account_credit",
            "SELECT COUNT(*) FROM orders WHERE counted_minor IS NOT NULL",
            "SELECT COUNT(*) FROM invoice_readiness WHERE unposted_account_id IS NOT NULL",
        ] {
            assert_eq!(world.db.rows(rows, Vec::new()).await.unwrap()[0].at::<i64>(0).unwrap(), 0, "{rows}");
        }
        // The ERP records its receivables all the same.
        assert_eq!(receivables(&world, 5).await.available, None);
        limit(&world, Some(6)).await;
        assert_eq!((credit(&world).await.available, owed(&world).await), (usd(1_005), [0, 0, 0, 5]));
    })
    .await;
}

#[tokio::test]
async fn an_order_whose_amount_is_too_large_for_sums_is_refused() {
    each(World::furnished, async |world| {
        let mut huge = order_of("PO-1", &[("TEA", 1_001)]);
        huge.lines[0].unit_price_minor = Some(1_000_000_000_000);
        assert_eq!(wrong_fields(world.try_place(huge).await), ["lines"]);
    })
    .await;
}

#[tokio::test]
async fn a_customer_is_not_shown_its_limit_nor_why_its_order_waits() {
    each(World::furnished, async |world| {
        limit(&world, Some(1)).await;
        let mut customer = world.as_customer(&["acc_1"]);
        let placed = customer.place_order(order_of("PO-1", &[("TEA", 2)])).await.unwrap().into_inner();
        assert_eq!((placed.status(), placed.holds[0].reason()), (OrderStatus::OnHold, HoldReason::Unspecified));
        let read = contract::GetAccountRequest { account_id: "acc_1".to_owned() };
        let shown = customer.get_account(read).await.unwrap().into_inner();
        assert_eq!((shown.credit_policy(), shown.credit_limit), (CreditPolicy::Unspecified, None));
        let request = contract::GetAccountCreditRequest { account_id: "acc_1".to_owned() };
        assert_eq!(reason(customer.get_account_credit(request).await), Reason::PermissionDenied);
        let limited =
            contract::CreateAccountRequest { credit_limit: usd(1_005), bill_to: Some(address()), ..account("acc_2") };
        world.create_account(limited).await;
        let request = contract::GetAccountCreditRequest { account_id: "acc_2".to_owned() };
        let credit = world.orders.clone().get_account_credit(request).await.unwrap().into_inner();
        assert_eq!((credit.credit_limit, credit.available), (usd(1_005), usd(1_005)));
    })
    .await;
}

#[tokio::test]
async fn a_hold_whose_release_was_lost_is_released_by_the_watchdog() {
    each(World::furnished, async |world| {
        limit(&world, Some(1)).await;
        let order = tea(&world, "PO-1", 2).await;
        assert_eq!(world.workers.look().await, Ok(0), "the limit does not permit it");
        let raised = "UPDATE account_credit SET limit_minor = 100000 RETURNING account_id";
        assert_eq!(tamper(&world.options.url, raised).await, 1);
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)));
        world.drain().await;
        assert_eq!(status(&world, &order).await, OrderStatus::Released);
    })
    .await;
}
