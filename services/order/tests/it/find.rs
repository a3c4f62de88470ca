//! Orders are found by what people know of them, and listed in the order and at the length that is asked for.

use std::time::Duration;

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{Package, Shipment, ShipmentLabelled, ShipmentShipped},
    order::v1::{self as contract, OrderState, OrderView},
};
use testkit::{START, each, wrong_fields};

use crate::world::{Client, World, account, address, order_of, quantities};

async fn page(client: &Client, request: contract::ListOrdersRequest) -> contract::ListOrdersResponse {
    client.clone().list_orders(request).await.unwrap().into_inner()
}

/// The PO numbers of all pages, two orders each.
async fn listed(client: &Client, request: contract::ListOrdersRequest) -> Vec<String> {
    let (mut request, mut found) = (contract::ListOrdersRequest { page_size: 2, ..request }, Vec::new());
    loop {
        let page = page(client, request.clone()).await;
        assert!(page.orders.len() <= 2);
        found.extend(page.orders.into_iter().map(|order| order.customer_po));
        if page.next_page_token.is_empty() {
            return found;
        }
        request.page_token = page.next_page_token;
    }
}

async fn found(client: &Client, q: &str) -> Vec<String> {
    listed(client, contract::ListOrdersRequest { q: q.to_owned(), ..Default::default() }).await
}

/// Five orders a minute apart, the last two of another account.
async fn with_orders(options: store::Options) -> World {
    let world = World::furnished(options).await;
    let named =
        contract::CreateAccountRequest { name: "Gr\u{fc}n & S\u{f6}hne Pharma GmbH".to_owned(), ..account("acc_2") };
    world.create_account(named).await;
    for (number, sku) in [(1, "TEA"), (2, "CHAI"), (3, "TEA"), (4, "TEA"), (5, "CHAI")] {
        let mut request = order_of(&format!("PO-{number}"), &[(sku, 2), (sku, 1)]);
        if number > 3 {
            request.account_id = "acc_2".to_owned();
            request.ship_to_id = String::new();
            request.ship_to_address = Some(address());
        }
        world.place(request).await;
        world.clock.advance(Duration::from_secs(60));
    }
    world
}

async fn order(world: &World, customer_po: &str) -> contract::Order {
    let request = contract::ListOrdersRequest {
        customer_po: customer_po.to_owned(),
        view: OrderView::Full.into(),
        ..Default::default()
    };
    page(&world.orders, request).await.orders.remove(0)
}

fn shipment(order: &contract::Order, numbers: &[&str]) -> Option<Shipment> {
    let package = |number: &&str| Package { tracking_number: (*number).to_owned(), ..Default::default() };
    Some(Shipment {
        shipment_id: "shm_1".to_owned(),
        order_id: order.order_id.clone(),
        packages: numbers.iter().map(package).collect(),
        ..Default::default()
    })
}

#[tokio::test]
async fn an_order_is_found_by_its_id_and_by_the_beginning_of_its_po_number() {
    each(with_orders, async |world| {
        let second = order(&world, "PO-2").await;
        assert_eq!(found(&world.orders, &second.order_id).await, ["PO-2"]);
        assert_eq!(found(&world.orders, " PO-2 ").await, ["PO-2"]);
        assert_eq!(found(&world.orders, "po-").await, ["PO-5", "PO-4", "PO-3", "PO-2", "PO-1"]);
        assert_eq!(found(&world.orders, "O-2").await, [""; 0]);
        let oldest_first = contract::ListOrdersRequest {
            q: "po".to_owned(),
            order_by: "create_time".to_owned(),
            ..Default::default()
        };
        assert_eq!(listed(&world.orders, oldest_first).await, ["PO-1", "PO-2", "PO-3", "PO-4", "PO-5"]);
    })
    .await;
}

#[tokio::test]
async fn orders_are_found_once_by_the_sku_of_any_of_their_lines() {
    each(with_orders, async |world| {
        assert_eq!(found(&world.orders, "tea").await, ["PO-4", "PO-3", "PO-1"]);
        assert_eq!(found(&world.orders, "CH").await, ["PO-5", "PO-2"], "no item has it, so that it is a beginning");
        assert_eq!(found(&world.orders, "T").await, ["PO-4", "PO-3", "PO-1"]);
        assert_eq!(found(&world.orders, "EA").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn orders_with_an_item_that_many_lines_are_of_are_found_like_others() {
    each(with_orders, async |world| {
        let many = order_of("PO-6", &vec![("TEA", 1); 1_001]);
        world.place(many).await;
        assert_eq!(found(&world.orders, "tea").await, ["PO-6", "PO-4", "PO-3", "PO-1"]);
        let chai = world.place(order_of("PO-7", &[("CHAI", 1), ("TEA", 1)])).await;
        assert_eq!(found(&world.orders, "TEA").await, ["PO-7", "PO-6", "PO-4", "PO-3", "PO-1"]);
        assert_eq!(found(&world.as_customer(&["acc_1"]), "TEA").await, ["PO-7", "PO-6", "PO-3", "PO-1"]);
        let oldest_first = contract::ListOrdersRequest {
            q: "tea".to_owned(),
            order_by: "create_time".to_owned(),
            states: vec![chai.state],
            ..Default::default()
        };
        assert_eq!(listed(&world.orders, oldest_first).await, ["PO-1", "PO-3", "PO-4", "PO-6", "PO-7"]);
    })
    .await;
}

#[tokio::test]
async fn orders_are_found_by_the_words_of_their_accounts_name() {
    each(with_orders, async |world| {
        for q in ["gr\u{fc}n", "GRU\u{308}N", "pharma", "Pha", "gmbh s\u{f6}h", "Gr\u{fc}n & S\u{f6}hne"] {
            assert_eq!(found(&world.orders, q).await, ["PO-5", "PO-4"], "{q}");
        }
        assert_eq!(found(&world.orders, "gr\u{fc}n futter").await, [""; 0], "every word has to fit");
        let renamed = contract::UpdateAccountRequest {
            account_id: "acc_2".to_owned(),
            name: Some("Apotheke".to_owned()),
            ..Default::default()
        };
        world.orders.clone().update_account(renamed).await.unwrap();
        assert_eq!(found(&world.orders, "pharma").await, [""; 0]);
        assert_eq!(found(&world.orders, "apo").await, ["PO-5", "PO-4"]);
    })
    .await;
}

#[tokio::test]
async fn an_order_is_found_by_the_tracking_number_of_a_package_that_was_labelled_or_shipped() {
    each(with_orders, async |world| {
        let (first, second) = (order(&world, "PO-1").await, order(&world, "PO-2").await);
        let labelled = ShipmentLabelled { shipment: shipment(&first, &["1z-999 aa1", "", "1Z999AA2"]) };
        for _ in 0..2 {
            world.fulfillment_emits(&first, &FulfillmentEvent::ShipmentLabelled(labelled.clone())).await;
        }
        let shipped = ShipmentShipped {
            shipment: shipment(&second, &["JJD 77"]),
            lines: quantities(&[(1, 1)]),
            ..Default::default()
        };
        world.fulfillment_emits(&second, &FulfillmentEvent::ShipmentShipped(shipped)).await;
        assert_eq!(found(&world.orders, "1Z 999-AA1").await, ["PO-1"]);
        assert_eq!(found(&world.orders, "1z999aa2").await, ["PO-1"]);
        assert_eq!(found(&world.orders, "jjd77").await, ["PO-2"]);
        assert_eq!(found(&world.orders, "1Z999").await, [""; 0], "a tracking number is known as a whole");
        let kept = world.db.rows("SELECT COUNT(*) FROM tracking_numbers", Vec::new()).await.unwrap();
        assert_eq!(kept[0].at::<i64>(0).unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn a_customer_finds_its_own_orders_only_and_filters_narrow_what_is_found() {
    each(with_orders, async |world| {
        let fourth = order(&world, "PO-4").await;
        let labelled = ShipmentLabelled { shipment: shipment(&fourth, &["1Z4"]) };
        world.fulfillment_emits(&fourth, &FulfillmentEvent::ShipmentLabelled(labelled)).await;
        let (own, both, none) =
            (world.as_customer(&["acc_1"]), world.as_customer(&["acc_1", "acc_2"]), world.as_customer(&[]));
        for (q, of_own) in [
            ("PO", vec!["PO-3", "PO-2", "PO-1"]),
            ("tea", vec!["PO-3", "PO-1"]),
            ("gr\u{fc}n", vec![]),
            ("1z4", vec![]),
        ] {
            assert_eq!(found(&own, q).await, of_own, "{q}");
            assert_eq!(found(&both, q).await, found(&world.orders, q).await, "{q}");
            assert!(found(&none, q).await.is_empty(), "{q}");
        }
        assert_eq!(found(&own, &fourth.order_id).await, [""; 0]);
        let tea = || contract::ListOrdersRequest { q: "TEA".to_owned(), ..Default::default() };
        let of_other = contract::ListOrdersRequest { account_id: "acc_2".to_owned(), ..tea() };
        assert_eq!(listed(&world.orders, of_other.clone()).await, ["PO-4"]);
        assert_eq!(listed(&own, of_other).await, [""; 0]);
        let closed = contract::ListOrdersRequest { states: vec![OrderState::Closed.into()], ..tea() };
        assert_eq!(listed(&world.orders, closed).await, [""; 0]);
        let after = Some(mesh::wire::timestamp(START.after(Duration::from_secs(120))));
        let late = contract::ListOrdersRequest { created_after: after, ..tea() };
        assert_eq!(listed(&world.orders, late.clone()).await, ["PO-4", "PO-3"]);
        let one = contract::ListOrdersRequest { customer_po: "PO-3".to_owned(), ..late };
        assert_eq!(listed(&world.orders, one).await, ["PO-3"]);
    })
    .await;
}

#[tokio::test]
async fn orders_are_listed_by_when_they_were_placed_or_by_when_they_changed() {
    each(with_orders, async |world| {
        let first = order(&world, "PO-1").await;
        world.cancel(&first.order_id).await.unwrap();
        let by = |order_by: &str| contract::ListOrdersRequest { order_by: order_by.to_owned(), ..Default::default() };
        let expected = [
            ("", ["PO-5", "PO-4", "PO-3", "PO-2", "PO-1"]),
            ("create_time  desc", ["PO-5", "PO-4", "PO-3", "PO-2", "PO-1"]),
            ("create_time", ["PO-1", "PO-2", "PO-3", "PO-4", "PO-5"]),
            ("update_time", ["PO-2", "PO-3", "PO-4", "PO-5", "PO-1"]),
            ("update_time desc", ["PO-1", "PO-5", "PO-4", "PO-3", "PO-2"]),
        ];
        for (order_by, orders) in expected {
            assert_eq!(listed(&world.orders, by(order_by)).await, orders, "{order_by}");
        }
        let wrong = world.orders.clone().list_orders(by("total")).await;
        let fault = testkit::fault(wrong);
        assert_eq!(fault.violations[0].field, "order_by");
        assert!(fault.violations[0].description.contains("update_time desc"));
        let found_by_change = contract::ListOrdersRequest { q: "PO".to_owned(), ..by("update_time") };
        assert_eq!(wrong_fields(world.orders.clone().list_orders(found_by_change).await), ["order_by"]);
    })
    .await;
}

#[tokio::test]
async fn orders_are_listed_that_changed_in_some_time() {
    each(with_orders, async |world| {
        let first = order(&world, "PO-1").await;
        world.cancel(&first.order_id).await.unwrap();
        let minute = |number: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(60 * number))));
        for (order_by, expected) in
            [("create_time desc", ["PO-5", "PO-4", "PO-1"]), ("update_time desc", ["PO-1", "PO-5", "PO-4"])]
        {
            let since = |updated_after| contract::ListOrdersRequest {
                updated_after,
                order_by: order_by.to_owned(),
                ..Default::default()
            };
            assert_eq!(listed(&world.orders, since(minute(3))).await, expected, "{order_by}");
            let until = contract::ListOrdersRequest { updated_before: minute(4), ..since(minute(3)) };
            assert_eq!(listed(&world.orders, until).await, ["PO-4"], "{order_by}");
            let placed_early = contract::ListOrdersRequest { created_before: minute(1), ..since(minute(3)) };
            assert_eq!(listed(&world.orders, placed_early).await, ["PO-1"], "{order_by}");
            let own = world.as_customer(&["acc_1"]);
            assert_eq!(listed(&own, since(minute(2))).await.len(), 2, "{order_by}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_summary_has_the_sums_of_the_lines_that_it_leaves_out() {
    each(with_orders, async |world| {
        let shipped = order(&world, "PO-1").await;
        let shipped = world.ships(&shipped, "shm_1", &[(1, 2)]).await;
        let shipped = world.delivers(&shipped, "shm_1", &[(1, 1)]).await;
        let request = contract::ListOrdersRequest { customer_po: "PO-1".to_owned(), ..Default::default() };
        let summary = page(&world.orders, request).await.orders.remove(0);
        assert_eq!(summary, contract::Order { lines: Vec::new(), ..shipped.clone() });
        let units = summary.units.unwrap();
        assert_eq!((summary.line_count, units.ordered, units.shipped, units.delivered), (2, 3, 2, 1));
        assert!(shipped.supported_actions.contains(&"AuthorizeReturn".to_owned()));
        assert!(shipped.supported_actions.contains(&"CancelOrder".to_owned()));
        let wrong = contract::ListOrdersRequest { view: 9, ..Default::default() };
        assert_eq!(wrong_fields(world.orders.clone().list_orders(wrong).await), ["view"]);
    })
    .await;
}

#[tokio::test]
async fn a_page_of_full_orders_ends_before_four_mebibytes_and_the_next_goes_on_after_it() {
    each(World::furnished, async |world| {
        let mut request = order_of("", &[]);
        let long = |number: usize| contract::NewOrderLine {
            note: "\u{1F4E6}".repeat(250),
            quantity: 1,
            ..order_of("", &[(if number.is_multiple_of(2) { "TEA" } else { "CHAI" }, 1)]).lines.remove(0)
        };
        request.lines = (0..1_000).map(long).collect();
        for number in 1..=7 {
            world.place(contract::PlaceOrderRequest { customer_po: format!("PO-{number}"), ..request.clone() }).await;
            world.clock.advance(Duration::from_secs(1));
        }
        let mut list = contract::ListOrdersRequest { view: OrderView::Full.into(), ..Default::default() };
        let (mut numbers, mut pages) = (Vec::new(), 0);
        loop {
            let page = page(&world.orders, list.clone()).await;
            let bytes = prost::Message::encoded_len(&page);
            assert!(bytes < 4 << 20, "{bytes} bytes");
            assert!(page.orders.iter().all(|order| order.lines.len() == 1_000));
            numbers.extend(page.orders.into_iter().map(|order| order.customer_po));
            pages += 1;
            if page.next_page_token.is_empty() {
                break;
            }
            list.page_token = page.next_page_token;
        }
        assert_eq!(numbers, ["PO-7", "PO-6", "PO-5", "PO-4", "PO-3", "PO-2", "PO-1"]);
        assert!((2..=4).contains(&pages), "{pages} pages");
        let summaries = page(&world.orders, contract::ListOrdersRequest::default()).await;
        assert_eq!((summaries.orders.len(), summaries.next_page_token.as_str()), (7, ""));
    })
    .await;
}
