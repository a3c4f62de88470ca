//! What customers really send: blanks and umlauts, unusual SKUs, long addresses, PO numbers used again.

use proto::{
    events::{EventType, FulfillmentEvent, InventoryEvent},
    fulfillment::v1::FulfillmentCancelled,
    inventory::v1::ItemChanged,
    order::v1::{self as contract, FillPolicy, OrderReleased, OrderState},
    types::v1::Address,
};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use crate::world::{World, account, address, fulfillment_order, item, order_of, quantities};

async fn found(world: &World, customer_po: &str) -> Vec<String> {
    let request = contract::ListOrdersRequest { customer_po: customer_po.to_owned(), ..Default::default() };
    let listed = world.orders.clone().list_orders(request).await.unwrap().into_inner();
    listed.orders.into_iter().map(|order| order.order_id).collect()
}

#[tokio::test]
async fn a_po_number_is_the_same_with_blanks_around_it_and_however_its_umlauts_are_written() {
    each(World::furnished, async |world| {
        let first = world.place(order_of("  M\u{fc}ller 1 ", &[("TEA", 1)])).await;
        assert_eq!(first.customer_po, "M\u{fc}ller 1");
        for same in ["M\u{fc}ller 1", "Mu\u{308}ller 1", "M\u{fc}ller 1\u{a0}\u{200b}", "\u{feff}Mu\u{308}ller 1 "] {
            assert_eq!(
                reason(world.try_place(order_of(same, &[("TEA", 1)])).await),
                Reason::DuplicateCustomerPo,
                "{same:?}"
            );
            assert_eq!(found(&world, same).await, [first.order_id.as_str()], "{same:?}");
        }
        let other = world.place(order_of("Muller 1", &[("TEA", 1)])).await;
        assert_ne!(other.order_id, first.order_id);
        assert_eq!(found(&world, "m\u{fc}ller 1").await, [""; 0], "the filter tells small letters from capitals");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_seen_is_blank_and_control_characters_are_refused() {
    each(World::furnished, async |world| {
        for blank in ["", " ", "\u{200b}", "\u{feff} \u{2060}", "\u{ffff}", "\u{3164}"] {
            assert_eq!(
                wrong_fields(world.try_place(order_of(blank, &[("TEA", 1)])).await),
                ["customer_po"],
                "{blank:?}"
            );
            let unnamed = contract::CreateAccountRequest { name: blank.to_owned(), ..account("acc_9") };
            assert_eq!(wrong_fields(world.orders.clone().create_account(unnamed).await), ["name"], "{blank:?}");
        }
        for control in ["PO\u{7}1", "PO-1\n", "\tPO-1", "PO-1\u{85}"] {
            let refused = world.try_place(order_of(control, &[("TEA", 1)])).await;
            assert_eq!(wrong_fields(refused), ["customer_po"], "{control:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_repeat_with_other_blanks_is_the_same_request() {
    each(World::furnished, async |world| {
        let request = |customer_po: &str, request_id: &str| contract::PlaceOrderRequest {
            request_id: request_id.to_owned(),
            ..order_of(customer_po, &[("TEA", 1)])
        };
        let first = world.try_place(request("PO-\u{e4}", "request 1")).await.unwrap();
        let again = world.try_place(request(" PO-a\u{308}", "request 1 ")).await.unwrap();
        assert_eq!(again.order_id, first.order_id);
    })
    .await;
}

/// SKUs as distributors have them.
const SKUS: [&str; 9] =
    ["A/4 80g", "Kaffee & Tee", "C++", "1.5", "..", "Gr\u{f6}\u{df}e 42%", "a;b:c@d", "\u{ff21}\u{2460}", "#?=&"];

#[tokio::test]
async fn items_of_any_sku_are_ordered_reserved_and_released() {
    each(World::furnished, async |world| {
        for sku in SKUS {
            world.inventory.add(&item(sku));
            world.inventory_log.emit("", &InventoryEvent::ItemCreated(ItemChanged { item: Some(item(sku)) }));
        }
        world.drain().await;
        let order = world.place(order_of("PO-1", &SKUS.map(|sku| (sku, 2)))).await;
        let ordered: Vec<_> = order.lines.iter().map(|line| line.sku.as_str()).collect();
        assert_eq!(ordered, SKUS);
        let released: Vec<OrderReleased> = world.events_of(&order.order_id).await.payloads(EventType::OrderReleased);
        let skus: Vec<_> = released[0].lines.iter().map(|line| line.sku.as_str()).collect();
        assert_eq!(skus, SKUS);
        let decomposed = world.place(order_of("PO-2", &[(" Gro\u{308}\u{df}e 42% ", 1)])).await;
        assert_eq!(decomposed.lines[0].sku, SKUS[5]);
        let long = "x".repeat(65);
        assert_eq!(wrong_fields(world.try_place(order_of("PO-3", &[(&long, 1)])).await), ["lines[0].sku"]);
    })
    .await;
}

#[tokio::test]
async fn an_item_that_is_not_copied_yet_is_asked_for_by_its_sku_in_any_form() {
    each(World::furnished, async |world| {
        world.inventory.add(&item("Gr\u{fc}n/1"));
        let order = world.place(order_of("PO-1", &[("Gru\u{308}n/1 ", 1)])).await;
        assert_eq!(order.lines[0].name, "Gr\u{fc}n/1, loose");
    })
    .await;
}

#[tokio::test]
async fn a_consignee_is_reached_at_all_lines_of_its_street_by_phone_and_by_mail() {
    each(World::furnished, async |world| {
        let somewhere = Address {
            additional_street_lines: vec!["Geb\u{e4}ude 3".to_owned(), " 2. OG".to_owned()],
            phone: "+383 38 12-34".to_owned(),
            email: "wareneingang@example.org ".to_owned(),
            country: "XK".to_owned(),
            ..address()
        };
        let expected = Address {
            additional_street_lines: vec!["Geb\u{e4}ude 3".to_owned(), "2. OG".to_owned()],
            email: "wareneingang@example.org".to_owned(),
            ..somewhere.clone()
        };
        let to = |address: Address| contract::PlaceOrderRequest {
            ship_to_id: String::new(),
            ship_to_address: Some(address),
            ..order_of("PO-1", &[("TEA", 1)])
        };
        for (wrong, field) in [
            (Address { email: "nobody".to_owned(), ..somewhere.clone() }, "email"),
            (Address { phone: "?".to_owned(), ..somewhere.clone() }, "phone"),
            (Address { street: String::new(), ..somewhere.clone() }, "street"),
            (
                Address { additional_street_lines: vec![String::new(); 5], ..somewhere.clone() },
                "additional_street_lines",
            ),
        ] {
            assert_eq!(wrong_fields(world.try_place(to(wrong)).await), [format!("ship_to_address.{field}")]);
        }
        let order = world.place(to(somewhere)).await;
        assert_eq!(order.ship_to.unwrap().address.as_ref(), Some(&expected));
        let released: Vec<OrderReleased> = world.events_of(&order.order_id).await.payloads(EventType::OrderReleased);
        assert_eq!(released[0].ship_to.as_ref(), Some(&expected));
    })
    .await;
}

#[tokio::test]
async fn the_po_number_of_an_order_that_came_to_nothing_can_be_used_again() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 0);
        let or_kill = contract::PlaceOrderRequest {
            fill_policy: FillPolicy::FillOrKill.into(),
            ..order_of("PO-1", &[("TEA", 1)])
        };
        let rejected = world.place(or_kill).await;
        assert_eq!(rejected.state(), OrderState::Rejected);
        let second = world.place(order_of("PO-1", &[("TEA", 1)])).await;
        assert_eq!(reason(world.try_place(order_of("PO-1", &[("TEA", 1)])).await), Reason::DuplicateCustomerPo);
        assert_eq!(world.cancel(&second.order_id).await.unwrap().state(), OrderState::Cancelled);
        let third = world.place(order_of("PO-1", &[("CHAI", 1)])).await;
        let shipped = world.ships(&third, "shm_1", &[(1, 1)]).await;
        world.delivers(&shipped, "shm_1", &[(1, 1)]).await;
        let again = testkit::fault(world.try_place(order_of("PO-1", &[("TEA", 1)])).await);
        assert_eq!(again.reason, Reason::DuplicateCustomerPo, "what was shipped counts");
        assert_eq!(again.facts, [("order_id", third.order_id.clone())]);
        assert_eq!(found(&world, "PO-1").await.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_shipped_after_its_po_number_was_used_again_lives_beside_the_other() {
    each(World::furnished, async |world| {
        let first = world.place(order_of("PO-1", &[("TEA", 2)])).await;
        world.cancel(&first.order_id).await.unwrap();
        let stopped = FulfillmentEvent::FulfillmentCancelled(FulfillmentCancelled {
            fulfillment_order: fulfillment_order(&first),
            lines: quantities(&[(1, 2)]),
            ..Default::default()
        });
        let cancelled = world.fulfillment_emits(&first, &stopped).await;
        assert_eq!(cancelled.state(), OrderState::Cancelled);
        let second = world.place(order_of("PO-1", &[("TEA", 2)])).await;

        let reopened = world.ships_despite_cancellation(&first, "shm_1", &[(1, 2)]).await;
        assert_eq!(reopened.state(), OrderState::Confirmed);
        let again = testkit::fault(world.try_place(order_of("PO-1", &[("TEA", 1)])).await);
        assert_eq!(again.facts, [("order_id", first.order_id.clone())]);

        // The other ends too: the first, which is live again, still has the number.
        world.cancel(&second.order_id).await.unwrap();
        let stopped = FulfillmentEvent::FulfillmentCancelled(FulfillmentCancelled {
            fulfillment_order: fulfillment_order(&second),
            lines: quantities(&[(1, 2)]),
            ..Default::default()
        });
        assert_eq!(world.fulfillment_emits(&second, &stopped).await.state(), OrderState::Cancelled);
        assert_eq!(reason(world.try_place(order_of("PO-1", &[("TEA", 1)])).await), Reason::DuplicateCustomerPo);
        world.delivers(&first, "shm_1", &[(1, 2)]).await;
    })
    .await;
}
