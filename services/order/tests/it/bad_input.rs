use std::time::Duration;

use proto::{events::InventoryEvent, order::v1 as contract};
use testkit::{each, fault, wrong_fields};
use tonic::{Request, Response, Status};

use crate::world::{World, account, address, item, order_of};

/// Places a long order with a deadline that does not depend on the speed of the machine.
async fn placed_in_time(world: &World, request: contract::PlaceOrderRequest) -> Result<contract::Order, Status> {
    let mut request = Request::new(request);
    request.set_timeout(Duration::from_secs(600));
    world.orders.clone().place_order(request).await.map(Response::into_inner)
}

/// The request is refused for these fields, and nothing of it is stored.
async fn refused(world: &World, request: contract::PlaceOrderRequest, wrong: &[&str]) {
    let head = world.db.head().await.unwrap();
    assert_eq!(wrong_fields(world.try_place(request).await), wrong);
    assert_eq!(world.db.head().await.unwrap(), head);
    for table in ["SELECT COUNT(*) FROM orders", "SELECT COUNT(*) FROM order_lines"] {
        assert_eq!(world.db.rows(table, Vec::new()).await.unwrap()[0].at::<i64>(0).unwrap(), 0);
    }
}

fn one_line(change: impl FnOnce(&mut contract::NewOrderLine)) -> contract::PlaceOrderRequest {
    let mut request = order_of("PO-1", &[("TEA", 3)]);
    change(&mut request.lines[0]);
    request
}

#[tokio::test]
async fn an_order_that_names_something_unknown_is_refused_naming_the_field() {
    each(World::furnished, async |world| {
        let unknown = contract::PlaceOrderRequest { account_id: "acc_9".to_owned(), ..order_of("PO-1", &[("TEA", 1)]) };
        refused(&world, unknown, &["account_id"]).await;
        refused(&world, order_of("PO-1", &[("TEA", 1), ("NOTHING", 1)]), &["lines[1].sku"]).await;
        refused(&world, one_line(|line| line.uom = "PALLET".to_owned()), &["lines[0].uom"]).await;
        let elsewhere =
            contract::PlaceOrderRequest { ship_to_id: "shp_9".to_owned(), ..order_of("PO-1", &[("TEA", 1)]) };
        refused(&world, elsewhere, &["ship_to_id"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_ship_to_of_another_account_is_refused() {
    each(World::furnished, async |world| {
        world.create_account(account("acc_2")).await;
        let request = contract::PlaceOrderRequest { account_id: "acc_2".to_owned(), ..order_of("PO-1", &[("TEA", 1)]) };
        refused(&world, request, &["ship_to_id"]).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_of_the_wrong_form_is_refused_naming_every_field() {
    each(World::furnished, async |world| {
        let mut somewhere = address();
        somewhere.country = "XX".to_owned();
        let mut request = contract::PlaceOrderRequest {
            account_id: "ord_1".to_owned(),
            customer_po: " ".to_owned(),
            ship_to_id: String::new(),
            ship_to_address: Some(somewhere),
            currency: "usd".to_owned(),
            fill_policy: 9,
            lines: order_of("", &[("TEA", -3), ("TEA", 2_000_000_000), ("T\u{7}EA", 1)]).lines,
            ..Default::default()
        };
        request.lines[2].discount_basis_points = 10_001;
        request.lines[2].unit_price_minor = Some(-1);
        let wrong = [
            "account_id",
            "customer_po",
            "ship_to_address.country",
            "currency",
            "fill_policy",
            "lines[0].quantity",
            "lines[1].quantity",
            "lines[2].sku",
            "lines[2].unit_price_minor",
            "lines[2].discount_basis_points",
        ];
        refused(&world, request, &wrong).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_without_lines_or_with_a_number_used_twice_is_refused() {
    each(World::furnished, async |world| {
        refused(&world, order_of("PO-1", &[]), &["lines"]).await;
        let mut twice = order_of("PO-1", &[("TEA", 1), ("CHAI", 1)]);
        twice.lines[0].line_number = 2;
        refused(&world, twice, &["lines[1].line_number"]).await;
    })
    .await;
}

#[tokio::test]
async fn an_order_names_its_destination_exactly_once() {
    each(World::furnished, async |world| {
        let without_ship_to =
            contract::PlaceOrderRequest { ship_to_id: String::new(), ..order_of("PO-1", &[("TEA", 1)]) };
        refused(&world, without_ship_to, &["ship_to_id"]).await;
        let twice = contract::PlaceOrderRequest { ship_to_address: Some(address()), ..order_of("PO-1", &[("TEA", 1)]) };
        refused(&world, twice, &["ship_to_address"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_quantity_that_is_no_whole_number_of_base_units_is_refused() {
    each(World::furnished, async |world| {
        refused(&world, one_line(|line| line.uom = "HALF".to_owned()), &["lines[0].quantity"]).await;
        let too_many = one_line(|line| {
            line.uom = "CS".to_owned();
            line.quantity = 1_000_000_000;
        });
        refused(&world, too_many, &["lines[0].quantity"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_currency_that_is_not_the_accounts_is_refused() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { currency: "EUR".to_owned(), ..order_of("PO-1", &[("TEA", 1)]) };
        refused(&world, request, &["currency"]).await;
    })
    .await;
}

#[tokio::test]
async fn a_price_is_required_when_the_item_has_none_in_the_currency() {
    each(World::furnished, async |world| {
        world.create_account(contract::CreateAccountRequest { currency: "EUR".to_owned(), ..account("acc_2") }).await;
        let request = contract::PlaceOrderRequest {
            account_id: "acc_2".to_owned(),
            ship_to_id: String::new(),
            ship_to_address: Some(address()),
            ..order_of("PO-1", &[("TEA", 1)])
        };
        refused(&world, request, &["lines[0].unit_price_minor"]).await;
    })
    .await;
}

#[tokio::test]
async fn an_amount_that_is_too_large_is_refused() {
    each(World::furnished, async |world| {
        let request = one_line(|line| {
            line.quantity = 1_000_000_000;
            line.unit_price_minor = Some(1_000_000_000_000);
        });
        refused(&world, request, &["lines[0].unit_price_minor"]).await;
    })
    .await;
}

#[tokio::test]
async fn an_item_that_is_discontinued_is_refused() {
    each(World::furnished, async |world| {
        let mut gone = item("TEA");
        gone.etag = "2".to_owned();
        gone.set_state(proto::inventory::v1::ItemState::Discontinued);
        let changed = proto::inventory::v1::ItemChanged { item: Some(gone) };
        world.inventory_log.emit("", &InventoryEvent::ItemUpdated(changed));
        world.drain().await;
        refused(&world, order_of("PO-1", &[("TEA", 1)]), &["lines[0].sku"]).await;
    })
    .await;
}

#[tokio::test]
async fn five_thousand_lines_are_an_order_and_one_more_is_not() {
    each(World::furnished, async |world| {
        let many = |lines| order_of("PO-1", &vec![("TEA", 1); lines]);
        assert_eq!(wrong_fields(placed_in_time(&world, many(5_001)).await), ["lines"]);
        let placed = placed_in_time(&world, many(5_000)).await.unwrap();
        assert_eq!(placed.lines.len(), 5_000);
        assert_eq!(placed.lines[4_999].line_number, 5_000);
        world.drain().await;
        let order = world.get(&placed.order_id).await;
        assert_eq!(order.status(), contract::OrderStatus::Released);
        assert_eq!(order.total.unwrap().minor_units, 5_000 * 1_005);
    })
    .await;
}

#[tokio::test]
async fn of_very_many_wrong_fields_the_first_are_named_and_all_are_counted() {
    each(World::furnished, async |world| {
        let fault = fault(placed_in_time(&world, order_of("PO-1", &vec![("NOTHING", 1); 4_000])).await);
        assert_eq!(fault.violations.len(), 50);
        assert_eq!(fault.facts, [("violations", "4000".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_other_requests_are_named_too() {
    each(World::furnished, async |world| {
        let mut orders = world.orders.clone();
        assert_eq!(
            wrong_fields(orders.create_account(contract::CreateAccountRequest::default()).await),
            ["name", "bill_to", "currency"]
        );
        assert_eq!(wrong_fields(orders.get_order(contract::GetOrderRequest::default()).await), ["order_id"]);
        let request = contract::ListOrdersRequest { states: vec![1, 77], page_size: -1, ..Default::default() };
        assert_eq!(wrong_fields(orders.list_orders(request).await), ["states[1]"]);
        let request = contract::ListOrdersRequest { page_size: -1, ..Default::default() };
        assert_eq!(wrong_fields(orders.list_orders(request).await), ["page_size"]);
        assert_eq!(
            wrong_fields(orders.place_hold(contract::PlaceHoldRequest::default()).await),
            ["order_id", "reason"]
        );
        assert_eq!(
            wrong_fields(orders.release_hold(contract::ReleaseHoldRequest::default()).await),
            ["order_id", "hold_number"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_blank_filter_etag_or_page_token_is_refused() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 1)])).await;
        for blank in [" ", "\u{a0}", "\u{200b}", "\u{202e}\u{202e}"] {
            let list = |request: contract::ListOrdersRequest| async {
                wrong_fields(world.orders.clone().list_orders(request).await)
            };
            let blank = blank.to_owned();
            let request = contract::ListOrdersRequest { customer_po: blank.clone(), ..Default::default() };
            assert_eq!(list(request).await, ["customer_po"]);
            let request = contract::ListOrdersRequest { q: blank.clone(), ..Default::default() };
            assert_eq!(list(request).await, ["q"]);
            let request = contract::ListOrdersRequest { page_token: blank.clone(), ..Default::default() };
            assert_eq!(list(request).await, ["page_token"]);
            let request = contract::SummarizeOrdersRequest { account_id: blank.clone() };
            assert_eq!(wrong_fields(world.orders.clone().summarize_orders(request).await), ["account_id"]);
            let request = contract::ListInvoicesRequest { invoice_number: blank.clone(), ..Default::default() };
            assert_eq!(wrong_fields(world.orders.clone().list_invoices(request).await), ["invoice_number"]);
            let request =
                contract::CancelOrderRequest { order_id: order.order_id.clone(), etag: blank, ..Default::default() };
            assert_eq!(wrong_fields(world.orders.clone().cancel_order(request).await), ["etag"]);
        }
        assert_eq!(world.get(&order.order_id).await.state(), contract::OrderState::Confirmed);
        // Blanks around what is to be seen are none of it.
        let request = contract::ListOrdersRequest { customer_po: " PO-1\u{200b}".to_owned(), ..Default::default() };
        assert_eq!(world.orders.clone().list_orders(request).await.unwrap().into_inner().orders.len(), 1);
    })
    .await;
}
