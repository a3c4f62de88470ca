//! Services on orders: lines that nobody stocks or ships, and that go with goods.

mod cancelled;
mod changed;
mod invoiced;
mod without_goods;

use proto::{
    events::{EventType, FulfillmentEvent, InventoryEvent},
    fulfillment::v1::{FulfillmentOrderChanged, NodeChanged, ServiceArea},
    inventory::v1::{Item, ItemChanged},
    order::v1::{
        self as contract, LineStatus, NewShipToGroup, OrderState, OrderStatus, PromiseConfidence, QuoteAvailability,
    },
    types::v1::{HandlingClass, ItemKind},
};
use store::Options;
use testkit::{database::tamper, each, wrong_fields};
use tonic::Response;

use crate::world::{Mood, World, address, calendar, counters, item, order_of};

/// With an installation and a freight charge.
async fn furnished(options: Options) -> World {
    let world = World::furnished(options).await;
    for sku in ["INSTALL", "FREIGHT"] {
        let kind = ItemKind::Service.into();
        let service = Item { kind, handling_class: HandlingClass::Unspecified.into(), ..item(sku) };
        world.inventory_log.emit("", &InventoryEvent::ItemCreated(ItemChanged { item: Some(service) }));
    }
    world.drain().await;
    world
}

/// Of a line: open units, those that count as shipped, as delivered, and as cancelled.
fn units(order: &contract::Order, index: usize) -> [i64; 4] {
    let it = counters(order, index);
    let open = it.unallocated + it.backordered + it.reserved + it.released;
    assert_eq!(it.ordered, open + it.shipped + it.cancelled, "{it:?}");
    [open, it.shipped, it.delivered, it.cancelled]
}

fn is_none(line: &contract::OrderLine) -> bool {
    let it = line.counters.unwrap();
    it.backordered + it.reserved + it.released + it.picked == 0
        && line.promised_ship_time.is_none()
        && line.promised_delivery_time.is_none()
        && line.promise_confidence() == PromiseConfidence::Unspecified
}

async fn hold(world: &World, order: &contract::Order, line_numbers: &[i32]) -> contract::Order {
    let request = contract::PlaceHoldRequest {
        order_id: order.order_id.clone(),
        reason: contract::HoldReason::Operator.into(),
        line_numbers: line_numbers.to_vec(),
        ..Default::default()
    };
    world.orders.clone().place_hold(request).await.map(Response::into_inner).unwrap()
}

async fn release_hold(world: &World, order: &contract::Order, hold_number: i32) -> contract::Order {
    let request = contract::ReleaseHoldRequest { order_id: order.order_id.clone(), hold_number, ..Default::default() };
    world.orders.clone().release_hold(request).await.map(Response::into_inner).unwrap();
    world.drain().await;
    world.get(&order.order_id).await
}

#[tokio::test]
async fn a_service_is_priced_and_counted_and_neither_reserved_nor_released_nor_promised() {
    each(furnished, async |world| {
        world.nodes_are(&[calendar::node("nod_a", 2)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("INSTALL", 2)])).await;
        let asked: Vec<_> = world.inventory.reserved()[0].lines.iter().map(|line| line.line_number).collect();
        assert_eq!(asked, [1]);
        let released: Vec<contract::OrderReleased> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderReleased);
        assert_eq!(released[0].lines.iter().map(|line| line.line_number).collect::<Vec<_>>(), [1]);
        assert_eq!((order.state(), order.status()), (OrderState::Confirmed, OrderStatus::Released));
        assert_eq!(order.total.as_ref().unwrap().minor_units, 5 * 1_005);
        let service = &order.lines[1];
        assert_eq!((service.item_kind(), service.status()), (ItemKind::Service, LineStatus::Pending));
        assert_eq!(service.handling_class(), HandlingClass::Unspecified);
        assert!(is_none(service), "{service:?}");
        assert_eq!(units(&order, 1), [2, 0, 0, 0]);
        assert_eq!(order.promised_delivery_time, order.lines[0].promised_delivery_time);
        assert!(order.promised_delivery_time.is_some() && !order.promise_is_partial);
    })
    .await;
}

#[tokio::test]
async fn a_service_counts_with_its_goods_and_the_order_ends() {
    each(furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("INSTALL", 1)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!((order.status(), units(&order, 1)), (OrderStatus::PartiallyShipped, [1, 0, 0, 0]));
        let order = world.ships(&order, "shm_2", &[(1, 1)]).await;
        assert_eq!((order.status(), units(&order, 1)), (OrderStatus::Shipped, [0, 1, 0, 0]));
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!((order.status(), units(&order, 1)), (OrderStatus::PartiallyDelivered, [0, 1, 0, 0]));
        let order = world.delivers(&order, "shm_2", &[(1, 1)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
        assert_eq!((units(&order, 1), order.lines[1].status()), ([0, 1, 1, 0], LineStatus::Delivered));
        // The order's own events, and what is known of its stock, once more: nothing is counted twice.
        let again = "UPDATE subscriptions SET position = 0 WHERE name = 'order.order' RETURNING name";
        assert_eq!(tamper(&world.options.url, again).await, 1);
        assert_eq!(world.stock_came(&order.order_id, 1, 1, 0).await, order);
    })
    .await;
}

#[tokio::test]
async fn a_service_does_not_hide_what_the_goods_wait_for() {
    each(furnished, async |world| {
        world.inventory.leave("TEA", 0);
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("INSTALL", 1)])).await;
        assert_eq!((order.status(), units(&order, 1)), (OrderStatus::Backordered, [1, 0, 0, 0]));
        let request = contract::PlaceOrderRequest {
            ship_not_before: Some(mesh::wire::timestamp(calendar::june(20, 9))),
            ..order_of("PO-2", &[("CHAI", 3), ("INSTALL", 1)])
        };
        let order = world.place(request).await;
        assert_eq!(order.status(), OrderStatus::Reserved);
    })
    .await;
}

#[tokio::test]
async fn a_hold_of_the_service_keeps_it_open_and_not_the_goods() {
    each(furnished, async |world| {
        world.inventory.set(Mood::Down);
        let mut request = order_of("PO-1", &[("TEA", 3), ("CHAI", 1), ("INSTALL", 1)]);
        request.set_fill_policy(contract::FillPolicy::FillAll);
        let order = world.try_place(request).await.unwrap();
        hold(&world, &order, &[3]).await;
        world.inventory.set(Mood::Up);
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 1).released), (3, 1));
        let order = world.ships(&order, "shm_1", &[(1, 3), (2, 1)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 3), (2, 1)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Confirmed, OrderStatus::OnHold));
        assert_eq!(units(&order, 2), [1, 0, 0, 0]);
        let order = release_hold(&world, &order, 1).await;
        assert_eq!((order.state(), units(&order, 2)), (OrderState::Closed, [0, 1, 1, 0]));
        assert_eq!(order.invoice_ready_total, order.total);
    })
    .await;
}

fn group(ship_to_group: i32) -> NewShipToGroup {
    NewShipToGroup { ship_to_group, ship_to_address: Some(address()), ..Default::default() }
}

#[tokio::test]
async fn a_service_goes_with_the_goods_of_its_group_or_else_of_the_order() {
    each(furnished, async |world| {
        let mut request = order_of(
            "PO-1",
            &[("TEA", 4), ("CHAI", 2), ("INSTALL", 1), ("INSTALL", 1), ("INSTALL", 1), ("FREIGHT", 1)],
        );
        request.ship_to_id = String::new();
        request.ship_to_groups = vec![group(1), group(2), group(3)];
        for (line, ship_to_group) in request.lines.iter_mut().zip([1, 2, 1, 2, 3, 0]) {
            line.ship_to_group = ship_to_group;
        }
        let mut without = request.clone();
        without.lines[0].ship_to_group = 0;
        assert_eq!(wrong_fields(world.try_place(without).await), ["lines[0].ship_to_group"], "goods go somewhere");
        let order = world.place(request).await;
        assert_eq!(order.ship_to_groups[0].status(), LineStatus::Released);
        let order = world.ships(&order, "shm_1", &[(1, 4)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 4)]).await;
        let performed = |order: &contract::Order| [2, 3, 4, 5].map(|index| units(order, index)[2]);
        assert_eq!(performed(&order), [1, 0, 0, 0], "group 3 has no goods, and the freight is of the whole order");
        assert_eq!(order.ship_to_groups[0].status(), LineStatus::Delivered);
        let order = world.ships(&order, "shm_2", &[(2, 2)]).await;
        let order = world.delivers(&order, "shm_2", &[(2, 2)]).await;
        assert_eq!((performed(&order), order.state()), ([1; 4], OrderState::Closed));
        assert_eq!(order.ship_to_groups[2].status(), LineStatus::Delivered);
    })
    .await;
}

#[tokio::test]
async fn a_service_is_split_over_groups_and_each_part_goes_with_its_goods() {
    each(furnished, async |world| {
        let mut request = order_of("PO-1", &[("TEA", 2), ("INSTALL", 3)]);
        request.ship_to_id = String::new();
        request.ship_to_groups = vec![group(1), group(2)];
        let part = |ship_to_group, quantity| contract::LineSplit { ship_to_group, quantity };
        request.lines[0].split = vec![part(1, 1), part(2, 1)];
        request.lines[1].split = vec![part(1, 1), part(2, 2)];
        let order = world.place(request).await;
        let order = world.ships(&order, "shm_1", &[(3, 1)]).await;
        let shown: Vec<_> =
            order.lines.iter().map(|line| (line.ship_to_group, line.counters.unwrap().shipped)).collect();
        assert_eq!(shown, [(1, 0), (1, 0), (2, 1), (2, 2)]);
    })
    .await;
}

#[tokio::test]
async fn a_service_is_ordered_for_a_place_where_no_node_ships() {
    each(furnished, async |world| {
        let node = proto::fulfillment::v1::Node {
            service_areas: vec![ServiceArea { countries: vec!["US".to_owned()], rank: 0 }],
            ..calendar::node("nod_a", 1)
        };
        world.fulfillment_log.emit("", &FulfillmentEvent::NodeUpdated(NodeChanged { node: Some(node) }));
        world.drain().await;
        let refused = world.try_place(order_of("PO-1", &[("TEA", 1), ("INSTALL", 1)])).await;
        assert_eq!(wrong_fields(refused), ["lines[0].sku"]);
        let mut request = order_of("PO-1", &[("INSTALL", 1)]);
        request.ship_not_before =
            Some(mesh::wire::timestamp(testkit::START.after(std::time::Duration::from_secs(3_600))));
        let order = world.try_place(request).await.unwrap();
        // A change adds what a new order may have.
        for (sku, wrong) in [("TEA", true), ("INSTALL", false)] {
            let line = contract::NewOrderLine { sku: sku.to_owned(), quantity: 1, ..Default::default() };
            let request = contract::ProposeOrderChangeRequest {
                order_id: order.order_id.clone(),
                added_lines: vec![contract::AddedLine { line: Some(line), substitutes: 0 }],
                ..Default::default()
            };
            let proposed = world.orders.clone().propose_order_change(request).await;
            if wrong {
                assert_eq!(wrong_fields(proposed), ["added_lines[0].line.sku"]);
            } else {
                proposed.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_quote_has_no_date_for_a_service() {
    each(furnished, async |world| {
        world.nodes_are(&[calendar::node("nod_a", 2)]).await;
        let quote = async |skus: &[&str]| {
            let line = |sku: &&str| contract::QuoteLine { sku: (*sku).to_owned(), quantity: 2, ..Default::default() };
            let request = contract::QuoteOrderRequest {
                account_id: "acc_1".to_owned(),
                ship_to_id: "shp_1".to_owned(),
                lines: skus.iter().map(line).collect(),
                ..Default::default()
            };
            world.orders.clone().quote_order(request).await.unwrap().into_inner()
        };
        let goods = quote(&["TEA"]).await;
        let both = quote(&["TEA", "INSTALL"]).await;
        assert_eq!(both.latest_delivery_time, goods.latest_delivery_time);
        assert!(both.latest_delivery_time.is_some() && !both.promise_is_partial);
        let service = &both.lines[1];
        assert_eq!((service.availability(), service.available_quantity), (QuoteAvailability::Yes, 2));
        let promise = service.promise.as_ref().unwrap();
        assert_eq!((promise.promised_ship_time, promise.promised_delivery_time), (None, None));
        assert_eq!(promise.source, "a service: nothing is shipped");
        // Nobody has to be asked for its stock.
        world.inventory.set(Mood::Down);
        let alone = quote(&["INSTALL"]).await;
        assert_eq!((alone.lines[0].availability(), alone.promise_is_partial), (QuoteAvailability::Yes, false));
        assert_eq!(alone.latest_ship_time, None);
    })
    .await;
}

#[tokio::test]
async fn nodes_are_asked_for_goods_only_and_a_late_answer_changes_no_service() {
    each(furnished, async |world| {
        world.nodes_are(&[calendar::node("nod_a", 2)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("INSTALL", 1)])).await;
        let asked = FulfillmentOrderChanged {
            fulfillment_order: crate::world::fulfillment_order(&order),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentRequested(asked)).await;
        assert!(is_none(&order.lines[1]));
    })
    .await;
}
