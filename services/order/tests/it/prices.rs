//! Which price an order has: the account's own, its price list's, or the item's; and the price that the customer expected.

use std::time::Duration;

use mesh::Role;
use proto::order::v1::{self as contract, HoldReason, OrderStatus, PricePolicy};
use testkit::{START, each, fault, person, reason, wrong_fields};
use tonic::Response;
use types::{LineReason, Reason};

use crate::world::{Client, World, account, counters, order_of};

fn price(uom: &str, minimum_quantity: i64, unit_price_minor: i64) -> contract::PriceBreak {
    contract::PriceBreak { uom: uom.to_owned(), minimum_quantity, unit_price_minor, ..Default::default() }
}

fn of_item(sku: &str, breaks: Vec<contract::PriceBreak>) -> contract::ItemPrices {
    contract::ItemPrices { sku: sku.to_owned(), breaks, ..Default::default() }
}

fn list_prices(prices: Vec<contract::ItemPrices>) -> contract::SetPricesRequest {
    contract::SetPricesRequest {
        price_list_id: "prl_retail".to_owned(),
        currency: "USD".to_owned(),
        prices,
        ..Default::default()
    }
}

async fn set(world: &World, prices: Vec<contract::ItemPrices>) -> i32 {
    world.orders.clone().set_prices(list_prices(prices)).await.unwrap().into_inner().changed_items
}

async fn set_own(world: &World, prices: Vec<contract::ItemPrices>) -> i32 {
    let request = contract::SetAccountPricesRequest { account_id: "acc_1".to_owned(), prices, ..Default::default() };
    world.orders.clone().set_account_prices(request).await.unwrap().into_inner().changed_items
}

async fn update(world: &World, change: contract::UpdateAccountRequest) -> contract::Account {
    let request = contract::UpdateAccountRequest { account_id: "acc_1".to_owned(), ..change };
    world.orders.clone().update_account(request).await.unwrap().into_inner()
}

/// The account has the price list.
async fn assign(world: &World) {
    let change = contract::UpdateAccountRequest { price_list_id: Some("prl_retail".to_owned()), ..Default::default() };
    assert_eq!(update(world, change).await.price_list_id, "prl_retail");
}

/// The unit price of a line of TEA, as a customer orders it.
async fn price_of(world: &World, uom: &str, quantity: i64) -> i64 {
    let mut order = order_of("PO-1", &[("TEA", quantity)]);
    order.lines[0].uom = uom.to_owned();
    let request = contract::ValidateOrderRequest { order: Some(order) };
    let validated = world.as_customer(&["acc_1"]).validate_order(request).await.unwrap().into_inner();
    validated.lines[0].unit_price_minor
}

#[tokio::test]
async fn an_own_price_wins_over_the_price_list_which_wins_over_the_items_list_price() {
    each(World::furnished, async |world| {
        assert_eq!(price_of(&world, "", 1).await, 1_005);
        set(&world, vec![of_item("TEA", vec![price("", 0, 900)])]).await;
        assert_eq!(price_of(&world, "", 1).await, 1_005, "the account has no list yet");
        assign(&world).await;
        assert_eq!(price_of(&world, "", 1).await, 900);
        set_own(&world, vec![of_item("TEA", vec![price("", 0, 800)])]).await;
        assert_eq!(price_of(&world, "", 1).await, 800);
        // Without a valid own price the list's applies, and without any the item's.
        set_own(&world, vec![of_item("TEA", vec![price("", 100, 700)])]).await;
        assert_eq!((price_of(&world, "", 99).await, price_of(&world, "", 100).await), (900, 700));
        set_own(&world, vec![of_item("TEA", vec![])]).await;
        set(&world, vec![of_item("TEA", vec![])]).await;
        assert_eq!(price_of(&world, "", 100).await, 1_005);
    })
    .await;
}

#[tokio::test]
async fn the_quantity_of_the_whole_line_in_base_units_chooses_the_price() {
    each(World::furnished, async |world| {
        set(&world, vec![of_item("TEA", vec![price("", 0, 1_000), price("", 24, 950), price("CS", 48, 11_000)])]).await;
        assign(&world).await;
        let prices = [("", 23), ("", 24), ("CS", 1), ("CS", 2), ("CS", 4), ("HALF", 48)];
        let mut found = Vec::new();
        for (uom, quantity) in prices {
            found.push(price_of(&world, uom, quantity).await);
        }
        // A case of 12: at the base unit's price of the quantity, from 48 units on at its own. 48 halves are 24 units.
        assert_eq!(found, [1_000, 950, 12_000, 11_400, 11_000, 475]);
        let order = world.place(order_of("PO-1", &[("TEA", 24)])).await;
        assert_eq!((order.lines[0].unit_price_minor, order.lines[0].amount_minor), (950, 22_800));
    })
    .await;
}

#[tokio::test]
async fn a_price_applies_while_it_is_valid() {
    each(World::furnished, async |world| {
        let at = |hours: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(hours * 3_600))));
        let campaign = contract::PriceBreak { valid_from: at(1), valid_to: at(3), ..price("", 0, 500) };
        set(&world, vec![of_item("TEA", vec![price("", 0, 900), campaign])]).await;
        assign(&world).await;
        let mut seen = vec![price_of(&world, "", 1).await];
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(3_600));
            seen.push(price_of(&world, "", 1).await);
        }
        assert_eq!(seen, [900, 500, 500, 900]);
    })
    .await;
}

#[tokio::test]
async fn prices_of_an_item_are_replaced_as_a_whole_and_a_repeat_changes_nothing() {
    each(World::furnished, async |world| {
        let tea = || of_item("TEA", vec![price("", 0, 900), price("", 12, 800)]);
        assert_eq!(set(&world, vec![tea(), of_item("CHAI", vec![price("", 0, 300)])]).await, 2);
        assert_eq!(set(&world, vec![tea()]).await, 0);
        assert_eq!(set(&world, vec![of_item("TEA", vec![price("", 0, 850)])]).await, 1);
        assign(&world).await;
        assert_eq!(price_of(&world, "", 12).await, 850);
        set_own(&world, vec![of_item("TEA", vec![price("", 0, 700)])]).await;
        let mut pages = Vec::new();
        let mut request =
            contract::ListAccountPricesRequest { account_id: "acc_1".to_owned(), page_size: 2, ..Default::default() };
        loop {
            let mut customer = world.as_customer(&["acc_1"]);
            let page = customer.list_account_prices(request.clone()).await.unwrap().into_inner();
            pages.extend(page.prices);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        let shown = |prices: &contract::ItemPrices| {
            (
                prices.sku.clone(),
                prices.account_id.clone(),
                prices.price_list_id.clone(),
                prices.breaks[0].unit_price_minor,
            )
        };
        let expected = [("TEA", "acc_1", "", 700), ("CHAI", "", "prl_retail", 300), ("TEA", "", "prl_retail", 850)];
        let expected = expected.map(|(sku, own, list, price)| (sku.to_owned(), own.to_owned(), list.to_owned(), price));
        assert_eq!(pages.iter().map(shown).collect::<Vec<_>>(), expected);
        let request = contract::ListPricesRequest { price_list_id: "prl_retail".to_owned(), ..Default::default() };
        let listed = world.orders.clone().list_prices(request).await.unwrap().into_inner().prices;
        assert_eq!(listed.iter().map(|prices| prices.sku.as_str()).collect::<Vec<_>>(), ["CHAI", "TEA"]);
    })
    .await;
}

#[tokio::test]
async fn a_customer_reads_its_own_prices_only_and_sets_none() {
    each(World::furnished, async |world| {
        set(&world, vec![of_item("TEA", vec![price("", 0, 900)])]).await;
        let of = |account_id: &str| contract::ListAccountPricesRequest {
            account_id: account_id.to_owned(),
            ..Default::default()
        };
        world.create_account(account("acc_2")).await;
        let mut customer = world.as_customer(&["acc_1"]);
        assert_eq!(customer.list_account_prices(of("acc_1")).await.unwrap().into_inner().prices, []);
        assert_eq!(reason(customer.list_account_prices(of("acc_2")).await), Reason::NotFound);
        let list = contract::ListPricesRequest { price_list_id: "prl_retail".to_owned(), ..Default::default() };
        assert_eq!(reason(customer.list_prices(list).await), Reason::PermissionDenied);
        assert_eq!(reason(customer.set_prices(list_prices(vec![])).await), Reason::PermissionDenied);
        let own = contract::SetAccountPricesRequest { account_id: "acc_1".to_owned(), ..Default::default() };
        assert_eq!(reason(customer.set_account_prices(own.clone()).await), Reason::PermissionDenied);
        // A clerk of some accounts sets theirs, and no price list.
        let clerk = person(Role::CustomerService, testkit::customer(&["acc_2"]).accounts);
        let mut clerk = Client::new(world.channel.for_principal(&clerk));
        let prices = vec![of_item("TEA", vec![price("", 0, 1)])];
        assert_eq!(reason(clerk.set_prices(list_prices(prices.clone())).await), Reason::PermissionDenied);
        let own = contract::SetAccountPricesRequest { prices, ..own };
        assert_eq!(reason(clerk.set_account_prices(own.clone()).await), Reason::NotFound);
        clerk
            .set_account_prices(contract::SetAccountPricesRequest { account_id: "acc_2".to_owned(), ..own })
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn prices_of_the_wrong_form_are_refused_naming_every_field() {
    each(World::furnished, async |world| {
        let mut orders = world.orders.clone();
        assert_eq!(wrong_fields(orders.set_prices(list_prices(vec![])).await), ["prices"]);
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let reversed = contract::PriceBreak { valid_from: at(10), valid_to: at(10), ..price("", -1, -1) };
        let wrong =
            list_prices(vec![of_item("T\u{7}EA", vec![reversed]), of_item("TEA", vec![]), of_item("TEA", vec![])]);
        let wrong = contract::SetPricesRequest { currency: "usd".to_owned(), ..wrong };
        let fields = [
            "currency",
            "prices[0].sku",
            "prices[0].breaks[0].minimum_quantity",
            "prices[0].breaks[0].unit_price_minor",
            "prices[0].breaks[0].valid_to",
            "prices[2].sku",
        ];
        assert_eq!(wrong_fields(orders.set_prices(wrong).await), fields);
        let twice = list_prices(vec![of_item("TEA", vec![price("", 10, 900), price("CS", 10, 9), price("", 10, 800)])]);
        assert_eq!(wrong_fields(orders.set_prices(twice).await), ["prices[0].breaks[2].minimum_quantity"]);
        set(&world, vec![of_item("TEA", vec![price("", 0, 900)])]).await;
        let other =
            contract::SetPricesRequest { currency: "EUR".to_owned(), ..list_prices(vec![of_item("TEA", vec![])]) };
        assert_eq!(wrong_fields(orders.set_prices(other).await), ["currency"]);
        let unknown = contract::ListPricesRequest { price_list_id: "prl_none".to_owned(), ..Default::default() };
        assert_eq!(reason(orders.list_prices(unknown).await), Reason::NotFound);
        let euro = contract::CreateAccountRequest {
            currency: "EUR".to_owned(),
            price_list_id: "prl_retail".to_owned(),
            ..account("acc_2")
        };
        assert_eq!(wrong_fields(orders.create_account(euro).await), ["price_list_id"]);
    })
    .await;
}

/// The account tolerates 1 % or 15 cents.
async fn tolerate(world: &World, policy: PricePolicy) {
    let tolerance = contract::PriceTolerance { basis_points: 100, minor_units: 15, policy: policy.into() };
    update(world, contract::UpdateAccountRequest { price_tolerance: Some(tolerance), ..Default::default() }).await;
}

/// An order of two lines, of which the customer expects a price for the first.
fn expecting(customer_po: &str, expected: i64) -> contract::PlaceOrderRequest {
    let mut order = order_of(customer_po, &[("TEA", 2), ("CHAI", 1)]);
    order.lines[0].expected_unit_price_minor = Some(expected);
    order
}

#[tokio::test]
async fn a_price_within_the_tolerance_is_accepted_and_shows_the_difference() {
    each(World::furnished, async |world| {
        tolerate(&world, PricePolicy::Reject).await;
        let placed = world.as_customer(&["acc_1"]).place_order(expecting("PO-1", 990)).await.unwrap().into_inner();
        let line = &placed.lines[0];
        assert_eq!(
            (line.unit_price_minor, line.expected_unit_price_minor, line.price_difference_minor),
            (1_005, Some(990), 15)
        );
        assert_eq!((placed.lines[1].expected_unit_price_minor, placed.lines[1].price_difference_minor), (None, 0));
        world.place(expecting("PO-2", 1_020)).await;
        let fault = fault(world.try_place(expecting("PO-3", 1_021)).await);
        assert_eq!(fault.violations[0].reason, Some(LineReason::PriceDiscrepancy));
        assert_eq!(fault.violations[0].field, "lines[0].expected_unit_price_minor");
    })
    .await;
}

#[tokio::test]
async fn a_price_beyond_the_tolerance_is_accepted_or_held_as_the_account_wants() {
    each(World::furnished, async |world| {
        tolerate(&world, PricePolicy::Accept).await;
        let accepted = world.place(expecting("PO-1", 1)).await;
        assert_eq!((accepted.status(), accepted.lines[0].price_difference_minor), (OrderStatus::Released, 1_004));
        tolerate(&world, PricePolicy::Hold).await;
        let held = world.place(expecting("PO-2", 2_000)).await;
        assert_eq!((held.status(), held.lines[0].price_difference_minor), (OrderStatus::OnHold, -995));
        let hold = &held.holds[0];
        assert_eq!((hold.reason(), hold.line_numbers.as_slice()), (HoldReason::PriceDiscrepancy, [1].as_slice()));
        assert_eq!((counters(&held, 0).released, counters(&held, 1).released), (0, 1), "other lines go on");
        let release = contract::ReleaseHoldRequest { order_id: held.order_id, hold_number: 1, ..Default::default() };
        let released = world.orders.clone().release_hold(release).await.map(Response::into_inner).unwrap();
        assert_eq!((counters(&released, 0).released, released.lines[0].amount_minor), (2, 2_010), "at our price");
    })
    .await;
}

#[tokio::test]
async fn an_order_that_begins_on_hold_is_answered_and_emitted_with_its_hold() {
    each(World::furnished, async |world| {
        let placed = world.try_place(expecting("PO-1", 2_000)).await.unwrap();
        assert_eq!(
            (placed.status(), placed.holds.len()),
            (OrderStatus::OnHold, 1),
            "nothing is tolerated unless it is said"
        );
        assert_eq!(world.get(&placed.order_id).await, placed);
    })
    .await;
}
