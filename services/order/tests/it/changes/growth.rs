//! What a change adds is refused for what a new order is refused for, and has the price of its quantity.

use proto::{
    events::InventoryEvent,
    inventory::v1::{Item, ItemChanged, ItemState},
    order::v1::{self as contract, AccountState, CreditPolicy, LineEdit, ShipToState},
    types::v1::Money,
};
use testkit::{each, fault, reason};
use types::{LineReason, Reason};

use super::{added, change_of, confirm, edit, propose, waiting_order};
use crate::world::{World, address, counters, item, order_of};

async fn update(world: &World, change: contract::UpdateAccountRequest) {
    let request = contract::UpdateAccountRequest { account_id: "acc_1".to_owned(), ..change };
    world.orders.clone().update_account(request).await.unwrap();
    world.drain().await;
}

/// A change of the first line to so many units.
fn to(order: &contract::Order, quantity: i64) -> contract::ProposeOrderChangeRequest {
    contract::ProposeOrderChangeRequest { lines: vec![edit(1, quantity)], ..change_of(order) }
}

/// A change that adds a line.
fn adds(order: &contract::Order) -> contract::ProposeOrderChangeRequest {
    contract::ProposeOrderChangeRequest { added_lines: vec![added("CHAI", 1)], ..change_of(order) }
}

#[tokio::test]
async fn an_order_of_a_blocked_account_does_not_grow_but_shrinks() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let shown = propose(world.orders.clone(), to(&order, 12)).await.unwrap();
        let state = contract::UpdateAccountRequest {
            state: Some(AccountState::Blocked.into()),
            block_reason: Some("does not pay".to_owned()),
            ..Default::default()
        };
        update(&world, state).await;
        assert_eq!(reason(confirm(world.orders.clone(), &shown).await), Reason::AccountBlocked);
        let withdraw = contract::WithdrawOrderChangeRequest {
            order_id: order.order_id.clone(),
            change_number: shown.change_number,
            ..Default::default()
        };
        world.orders.clone().withdraw_order_change(withdraw).await.unwrap();
        for request in [to(&order, 11), adds(&order)] {
            assert_eq!(reason(propose(world.orders.clone(), request).await), Reason::AccountBlocked);
        }
        let fewer = propose(world.orders.clone(), to(&order, 9)).await.unwrap();
        confirm(world.orders.clone(), &fewer).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_order_does_not_grow_beyond_a_credit_limit_that_refuses() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let limit = contract::UpdateAccountRequest {
            credit_limit: Some(Money { currency: "USD".to_owned(), minor_units: 15 * 1_005 }),
            credit_policy: Some(CreditPolicy::Refuse.into()),
            ..Default::default()
        };
        update(&world, limit).await;
        let refused = fault(propose(world.orders.clone(), to(&order, 16)).await);
        assert_eq!(refused.reason, Reason::CreditLimitExceeded);
        let shown = propose(world.orders.clone(), to(&order, 15)).await.unwrap();
        // Another order uses what was left since the change was shown.
        world.place(order_of("PO-2", &[("TEA", 3)])).await;
        assert_eq!(reason(confirm(world.orders.clone(), &shown).await), Reason::CreditLimitExceeded);
        assert_eq!(counters(&world.get(&order.order_id).await, 0).ordered, 10, "nothing of it is done");
    })
    .await;
}

#[tokio::test]
async fn a_line_of_an_item_that_is_discontinued_and_one_for_a_closed_place_do_not_grow() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let closed = contract::UpdateShipToRequest {
            account_id: "acc_1".to_owned(),
            ship_to_id: "shp_1".to_owned(),
            state: ShipToState::NotDeliverable.into(),
            state_reason: "flooded".to_owned(),
            ..Default::default()
        };
        world.orders.clone().update_ship_to(closed).await.unwrap();
        let wrong = async |request| {
            let violations = fault(propose(world.orders.clone(), request).await).violations;
            violations.into_iter().map(|one| (one.field, one.reason.unwrap())).collect::<Vec<_>>()
        };
        let at = |field: &str, reason| vec![(field.to_owned(), reason)];
        assert_eq!(wrong(to(&order, 11)).await, at("lines[0].quantity", LineReason::NotDeliverable));
        assert_eq!(wrong(adds(&order)).await, at("added_lines[0].line.sku", LineReason::NotDeliverable));
        // It moves with the change.
        let elsewhere = contract::ShipToEdit { ship_to_address: Some(address()), ..Default::default() };
        let request =
            contract::ProposeOrderChangeRequest { ship_tos: vec![elsewhere], validate_only: true, ..to(&order, 11) };
        propose(world.orders.clone(), request.clone()).await.unwrap();

        let gone = Item { state: ItemState::Discontinued.into(), etag: "2".to_owned(), ..item("TEA") };
        world.inventory.add(&gone);
        world.inventory_log.emit("", &InventoryEvent::ItemUpdated(ItemChanged { item: Some(gone) }));
        world.drain().await;
        assert_eq!(wrong(request).await, at("lines[0].quantity", LineReason::ItemDiscontinued));
        propose(world.orders.clone(), to(&order, 9)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_changed_quantity_has_the_price_of_its_break_unless_another_price_was_set_or_units_were_shipped() {
    each(World::furnished, async |world| {
        let price = |minimum_quantity, unit_price_minor| contract::PriceBreak {
            minimum_quantity,
            unit_price_minor,
            ..Default::default()
        };
        let breaks = vec![price(0, 1_000), price(10, 900), price(100, 500)];
        let prices = contract::ItemPrices { sku: "TEA".to_owned(), breaks, ..Default::default() };
        let request = contract::SetAccountPricesRequest {
            account_id: "acc_1".to_owned(),
            prices: vec![prices],
            ..Default::default()
        };
        world.orders.clone().set_account_prices(request).await.unwrap();
        let order = waiting_order(&world, &[("TEA", 100)]).await;
        let after = async |request: contract::ProposeOrderChangeRequest| {
            let request = contract::ProposeOrderChangeRequest { validate_only: true, ..request };
            let change = propose(world.as_customer(&["acc_1"]), request).await.unwrap();
            (change.lines[0].unit_price_minor_after, change.total_after.unwrap().minor_units)
        };
        assert_eq!(after(to(&order, 1)).await, (1_000, 1_000));
        assert_eq!(after(to(&order, 99)).await, (900, 99 * 900));
        assert_eq!(after(to(&order, 200)).await, (500, 200 * 500));
        // One that the distributor sets in the same change, or has set before, is the price.
        let set = LineEdit { unit_price_minor: Some(777), ..edit(1, 20) };
        let request = contract::ProposeOrderChangeRequest { lines: vec![set], ..change_of(&order) };
        let shown = propose(world.orders.clone(), request).await.unwrap();
        assert_eq!(shown.lines[0].unit_price_minor_after, 777);
        confirm(world.orders.clone(), &shown).await.unwrap();
        assert_eq!(after(to(&order, 5)).await, (777, 5 * 777));

        let shipped = world.place(order_of("PO-2", &[("TEA", 12)])).await;
        world.ships(&shipped, "shm_1", &[(1, 4)]).await;
        assert_eq!(after(to(&shipped, 9)).await, (900, 9 * 900), "what was shipped keeps its price");
    })
    .await;
}
