//! Promises of lines, and their changes.

use proto::{
    events::{EventType, FulfillmentEvent, InventoryEvent},
    fulfillment::v1::{Milestone, Shipment, ShipmentMilestoneRecorded, ShipmentShipped},
    inventory::v1::{Reservation, ReservationsChanged},
    order::v1::{self as contract, PromiseConfidence, PromiseReason},
};
use testkit::{database::tamper, each, wrong_fields};
use types::Timestamp;

use crate::world::{
    World, address,
    calendar::{end_in, end_of, june, node, promise},
    order_of, quantities,
};

use PromiseConfidence::{Carrier, Confirmed, Expected, Unknown};

/// The events about promises, each with its reasons by line.
async fn news(world: &World, order: &contract::Order) -> Vec<(EventType, Vec<(i32, PromiseReason)>)> {
    let events = world.events_of(&order.order_id).await;
    let about = [EventType::OrderPromiseSet, EventType::OrderPromiseChanged];
    let types = events.types().into_iter().filter(|event_type| about.contains(event_type));
    let mut payloads = about.map(|event_type| events.payloads::<contract::OrderPromiseChanged>(event_type).into_iter());
    let read = types.map(|event_type| {
        let of_type = usize::from(event_type == EventType::OrderPromiseChanged);
        let lines = payloads[of_type].next().unwrap().lines;
        (event_type, lines.iter().map(|line| (line.line_number, line.reason())).collect())
    });
    read.collect()
}

fn set(reason: PromiseReason) -> (EventType, Vec<(i32, PromiseReason)>) {
    (EventType::OrderPromiseSet, vec![(1, reason)])
}

fn changed(reason: PromiseReason) -> (EventType, Vec<(i32, PromiseReason)>) {
    (EventType::OrderPromiseChanged, vec![(1, reason)])
}

/// Inventory says when the units of a line that wait have stock.
async fn is_expected(
    world: &World,
    order: &contract::Order,
    line: i32,
    version: i64,
    at: Option<Timestamp>,
) -> contract::Order {
    let reservation = Reservation {
        order_id: order.order_id.clone(),
        line_number: line,
        version,
        requested: 3,
        backordered: 3,
        backorder_expect_time: at.map(mesh::wire::timestamp),
        ..Default::default()
    };
    let dated =
        ReservationsChanged { order_id: order.order_id.clone(), reservations: vec![reservation], ..Default::default() };
    world.inventory_log.emit(&order.order_id, &InventoryEvent::InventoryBackorderDated(dated));
    world.drain().await;
    world.get(&order.order_id).await
}

#[tokio::test]
async fn case_49_an_order_after_the_cutoff_of_the_node_is_promised_for_the_next_working_day() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 2)]).await;
        world.until(june(16, 13)).await;
        let in_time = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        assert_eq!(promise(&in_time, 0), (end_of("2025-06-16"), end_of("2025-06-18"), Confirmed));
        assert_eq!((in_time.promised_delivery_time, in_time.promise_is_partial), (end_of("2025-06-18"), false));
        let source =
            "a warehouse, requests until 14:00; 2 delivery days to DE, day of Europe/Berlin, the warehouse's zone";
        assert_eq!(
            (in_time.lines[0].promise_source.as_str(), in_time.lines[0].promise_reason()),
            (source, PromiseReason::First)
        );
        world.until(june(16, 15)).await;
        let late = world.place(order_of("PO-2", &[("TEA", 3)])).await;
        assert_eq!(promise(&late, 0), (end_of("2025-06-17"), end_of("2025-06-19"), Confirmed));
        world.until(june(20, 15)).await;
        let on_friday = world.place(order_of("PO-3", &[("TEA", 3)])).await;
        assert_eq!(promise(&on_friday, 0), (end_of("2025-06-23"), end_of("2025-06-25"), Confirmed));
        // Nothing of it moves by itself.
        assert_eq!(world.get(&in_time.order_id).await, in_time);
    })
    .await;
}

#[tokio::test]
async fn an_order_that_is_in_stock_has_its_promise_in_its_confirmation_and_no_event_more() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let lines = [("TEA", 1), ("CHAI", 2), ("TEA", 3), ("CHAI", 4), ("TEA", 5)];
        let order = world.place(order_of("PO-1", &lines)).await;
        let asked = world.asks(&order, "nod_a", &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]).await;
        assert_eq!(asked, order, "nothing is written");
        let events = world.events_of(&order.order_id).await;
        assert_eq!(events.types(), [EventType::OrderSubmitted, EventType::OrderConfirmed, EventType::OrderReleased]);
        let confirmed: Vec<contract::OrderConfirmed> = events.payloads(EventType::OrderConfirmed);
        let dates: Vec<_> = confirmed[0].lines.iter().map(|line| line.promised_delivery_time).collect();
        assert_eq!(dates, vec![end_of("2025-06-17"); 5], "leaves on Monday, arrives on Tuesday");
    })
    .await;
}

#[tokio::test]
async fn the_day_of_delivery_ends_where_the_goods_go() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 2)]).await;
        let ship_to = |zone: &str| contract::CreateShipToRequest {
            account_id: "acc_1".to_owned(),
            ship_to_id: "shp_us".to_owned(),
            address: Some(proto::types::v1::Address { country: "US".to_owned(), ..address() }),
            time_zone: zone.to_owned(),
            ..Default::default()
        };
        assert_eq!(wrong_fields(world.orders.clone().create_ship_to(ship_to("Europe/Bonn")).await), ["time_zone"]);
        let created = world.orders.clone().create_ship_to(ship_to("America/New_York")).await.unwrap().into_inner();
        assert_eq!(created.time_zone, "America/New_York");
        let order = contract::PlaceOrderRequest { ship_to_id: "shp_us".to_owned(), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(order).await;
        let there = end_in("America/New_York", "2025-06-18");
        assert_eq!(promise(&order, 0), (end_of("2025-06-16"), there, Confirmed));
        assert!(order.lines[0].promise_source.ends_with("day of America/New_York, the ship-to's zone"));
    })
    .await;
}

#[tokio::test]
async fn units_that_wait_are_promised_when_their_supply_is_known_and_again_when_it_moves() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        world.inventory.leave("TEA", 0);
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("CHAI", 1)])).await;
        assert_eq!(promise(&order, 0), (None, None, Unknown));
        assert_eq!((order.promised_delivery_time, order.promise_is_partial), (end_of("2025-06-17"), true));
        let order = is_expected(&world, &order, 1, 2, Some(june(18, 10))).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-18"), end_of("2025-06-19"), Expected));
        assert!(order.lines[0].promise_source.starts_with("stock that is expected; a warehouse"));
        assert_eq!((order.promised_delivery_time, order.promise_is_partial), (end_of("2025-06-19"), false));
        let order = is_expected(&world, &order, 1, 3, Some(june(19, 15))).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-20"), end_of("2025-06-23"), Expected));
        // On the same day, and reported late.
        let order = is_expected(&world, &order, 1, 4, Some(june(20, 9))).await;
        let order = is_expected(&world, &order, 1, 3, Some(june(25, 9))).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-20"), end_of("2025-06-23"), Expected));
        let order = is_expected(&world, &order, 1, 5, None).await;
        assert_eq!(promise(&order, 0), (None, None, Unknown));
        world.until(june(17, 9)).await;
        let order = world.stock_came(&order.order_id, 1, 6, 0).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-17"), end_of("2025-06-18"), Confirmed));
        let expected = [
            set(PromiseReason::SupplyChanged),
            changed(PromiseReason::SupplyChanged),
            changed(PromiseReason::SupplyChanged),
            set(PromiseReason::StockArrived),
        ];
        assert_eq!(news(&world, &order).await, expected);
        let events = world.events_of(&order.order_id).await;
        let moved: Vec<contract::OrderPromiseChanged> = events.payloads(EventType::OrderPromiseChanged);
        let before = moved[0].lines[0].before.clone().unwrap();
        let after = moved[0].lines[0].after.clone().unwrap();
        assert_eq!(
            before.promised_delivery_time.zip(after.promised_delivery_time),
            end_of("2025-06-19").zip(end_of("2025-06-23"))
        );
        assert_eq!((moved[1].promised_delivery_time, moved[1].promise_is_partial), (end_of("2025-06-17"), true));
    })
    .await;
}

#[tokio::test]
async fn an_order_that_waits_for_all_its_units_is_promised_for_the_last_of_them() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        world.inventory.leave("TEA", 0);
        let mut request = order_of("PO-1", &[("TEA", 3), ("CHAI", 1)]);
        request.set_fill_policy(contract::FillPolicy::FillAll);
        let order = world.place(request).await;
        assert_eq!((promise(&order, 0), promise(&order, 1)), ((None, None, Unknown), (None, None, Unknown)));
        let order = is_expected(&world, &order, 1, 2, Some(june(18, 10))).await;
        let expected = (end_of("2025-06-18"), end_of("2025-06-19"), Expected);
        assert_eq!((promise(&order, 0), promise(&order, 1)), (expected, expected));
    })
    .await;
}

#[tokio::test]
async fn before_it_is_routed_the_slowest_node_is_promised_and_then_the_one_that_has_it() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_near", 1), node("nod_far", 4)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-16"), end_of("2025-06-20"), Confirmed));
        let far = world.asks(&order, "nod_far", &[(1, 3)]).await;
        assert_eq!((promise(&far, 0), news(&world, &order).await), (promise(&order, 0), vec![]));
        let near = world.asks(&order, "nod_near", &[(1, 3)]).await;
        assert_eq!(promise(&near, 0), (end_of("2025-06-16"), end_of("2025-06-17"), Confirmed));
        // Some units of the line are at another node.
        let split = world.asks(&order, "nod_far", &[(1, 1)]).await;
        assert_eq!(promise(&split, 0), (end_of("2025-06-16"), end_of("2025-06-20"), Confirmed));
        let split = world.asks(&order, "nod_near", &[(1, 2)]).await;
        assert_eq!(promise(&split, 0), (end_of("2025-06-16"), end_of("2025-06-20"), Confirmed));
        assert_eq!(news(&world, &order).await, [changed(PromiseReason::Routed), changed(PromiseReason::Routed)]);
    })
    .await;
}

#[tokio::test]
async fn a_calendar_that_changes_counts_for_what_is_promised_from_then_on() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let mut closed = node("nod_a", 1);
        closed.holidays = vec!["2025-06-16".to_owned()];
        closed.etag = "2".to_owned();
        world.nodes_are(&[closed]).await;
        assert_eq!(world.get(&order.order_id).await, order);
        let later = world.place(order_of("PO-2", &[("TEA", 3)])).await;
        assert_eq!(promise(&later, 0), (end_of("2025-06-17"), end_of("2025-06-18"), Confirmed));
    })
    .await;
}

#[tokio::test]
async fn a_hold_takes_dates_back_with_its_reason_and_its_end_gives_others() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let waits = Some(mesh::wire::timestamp(june(17, 9)));
        let order = contract::PlaceOrderRequest { ship_not_before: waits, ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(order).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-17"), end_of("2025-06-18"), Confirmed));
        let hold = contract::PlaceHoldRequest {
            order_id: order.order_id.clone(),
            reason: contract::HoldReason::Credit.into(),
            ..Default::default()
        };
        let held = world.orders.clone().place_hold(hold).await.unwrap().into_inner();
        assert_eq!(promise(&held, 0), (None, None, Unknown));
        world.until(june(18, 15)).await;
        let release =
            contract::ReleaseHoldRequest { order_id: order.order_id.clone(), hold_number: 1, ..Default::default() };
        let order = world.orders.clone().release_hold(release).await.unwrap().into_inner();
        assert_eq!(promise(&order, 0), (end_of("2025-06-19"), end_of("2025-06-20"), Confirmed));
        assert_eq!(news(&world, &order).await, [changed(PromiseReason::Held), set(PromiseReason::HoldReleased)]);
    })
    .await;
}

/// Units left a node at some time; returns the order after it.
async fn leaves(world: &World, order: &contract::Order, at: Timestamp, units: &[(i32, i64)]) -> contract::Order {
    let shipment = Shipment {
        shipment_id: "shm_1".to_owned(),
        order_id: order.order_id.clone(),
        node_id: "nod_a".to_owned(),
        ..Default::default()
    };
    let shipped = ShipmentShipped { shipment: Some(shipment), lines: quantities(units), ..Default::default() };
    let event = testkit::event(&order.order_id, &FulfillmentEvent::ShipmentShipped(shipped));
    world.fulfillment_log.append(proto::event::v1::Event { occur_time: Some(mesh::wire::timestamp(at)), ..event });
    world.drain().await;
    world.get(&order.order_id).await
}

/// The carrier estimates the delivery of a package; returns the order after it.
async fn estimates(world: &World, order: &contract::Order, at: Timestamp, units: &[(i32, i64)]) -> contract::Order {
    let at = Some(mesh::wire::timestamp(at));
    let recorded = ShipmentMilestoneRecorded {
        shipment_id: "shm_1".to_owned(),
        milestone: Some(Milestone { estimated_delivery_time: at, ..Default::default() }),
        lines: quantities(units),
        estimated_delivery_time: at,
        ..Default::default()
    };
    world.fulfillment_emits(order, &FulfillmentEvent::ShipmentMilestoneRecorded(recorded)).await
}

#[tokio::test]
async fn what_leaves_late_is_promised_later_and_what_leaves_in_time_is_not() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let promised = promise(&order, 0);
        let order = leaves(&world, &order, june(16, 23), &[(1, 2)]).await;
        assert_eq!((promise(&order, 0), news(&world, &order).await), (promised, vec![]));
        let order = leaves(&world, &order, june(18, 11), &[(1, 1)]).await;
        assert_eq!(
            promise(&order, 0),
            (promised.0, end_of("2025-06-19"), Confirmed),
            "the time of departure stays as it was promised"
        );
        assert_eq!(news(&world, &order).await, [changed(PromiseReason::ShippedLate)]);
    })
    .await;
}

#[tokio::test]
async fn the_word_of_the_carrier_counts_until_the_units_are_delivered() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = leaves(&world, &order, june(16, 20), &[(1, 3)]).await;
        let estimate = |day, hour| Some(mesh::wire::timestamp(june(day, hour)));
        // A part of the line may be later, and not earlier.
        let part = estimates(&world, &order, june(17, 9), &[(1, 1)]).await;
        assert_eq!(promise(&part, 0), (end_of("2025-06-16"), end_of("2025-06-17"), Confirmed));
        let part = estimates(&world, &order, june(19, 9), &[(1, 1)]).await;
        assert_eq!(promise(&part, 0), (end_of("2025-06-16"), estimate(19, 9), Carrier));
        let all = estimates(&world, &order, june(18, 12), &[(1, 3)]).await;
        assert_eq!(promise(&all, 0), (end_of("2025-06-16"), estimate(18, 12), Carrier));
        let same = estimates(&world, &order, june(18, 12), &[(1, 3)]).await;
        assert_eq!(same.etag, all.etag);
        world.delivers(&order, "shm_1", &[(1, 3)]).await;
        let after = estimates(&world, &order, june(25, 12), &[(1, 3)]).await;
        assert_eq!(promise(&after, 0), promise(&all, 0));
        let reasons = [changed(PromiseReason::CarrierEstimate), changed(PromiseReason::CarrierEstimate)];
        assert_eq!(news(&world, &order).await, reasons);
    })
    .await;
}

#[tokio::test]
async fn a_changed_order_is_promised_anew() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let at = |day| Some(mesh::wire::timestamp(june(day, 9)));
        let order = contract::PlaceOrderRequest { ship_not_before: at(17), ..order_of("PO-1", &[("TEA", 3)]) };
        let order = world.place(order).await;
        let change = contract::ProposeOrderChangeRequest {
            order_id: order.order_id.clone(),
            ship_not_before: at(19),
            ..Default::default()
        };
        let change = world.orders.clone().propose_order_change(change).await.unwrap().into_inner();
        let confirm = contract::ConfirmOrderChangeRequest {
            order_id: order.order_id.clone(),
            change_number: change.change_number,
            etag: change.order_etag,
            ..Default::default()
        };
        world.orders.clone().confirm_order_change(confirm).await.unwrap();
        let order = world.get(&order.order_id).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-19"), end_of("2025-06-20"), Confirmed));
        assert_eq!(news(&world, &order).await, [changed(PromiseReason::Held), set(PromiseReason::OrderChanged)]);
    })
    .await;
}

#[tokio::test]
async fn units_that_are_to_be_shipped_again_are_promised_again() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = leaves(&world, &order, june(16, 20), &[(1, 3)]).await;
        world.until(june(24, 9)).await;
        let replaced = proto::inventory::v1::ReplacementReserved {
            order_id: order.order_id.clone(),
            shipment_id: "shm_1".to_owned(),
            lines: quantities(&[(1, 3)]),
            ..Default::default()
        };
        world.inventory_log.emit(&order.order_id, &InventoryEvent::InventoryReplacementReserved(replaced));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!(promise(&order, 0), (end_of("2025-06-24"), end_of("2025-06-25"), Confirmed));
        assert_eq!(news(&world, &order).await, [changed(PromiseReason::ShippedAgain)]);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_is_asked_as_promised_has_only_the_lines_read_that_it_is_asked_for() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 2)]).await;
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("CHAI", 2), ("CHAI", 1)])).await;
        // A reaction that reads the other lines is refused, which opens an exception.
        let unreadable = "UPDATE order_lines SET handling_class = 'NONE' WHERE line_number <> 2 RETURNING line_number";
        assert_eq!(tamper(&world.options.url, unreadable).await, 2);
        world.is_asked(&order, "nod_a", &[(2, 2)]).await;
        let readable = "UPDATE order_lines SET handling_class = 'AMBIENT' RETURNING line_number";
        assert_eq!(tamper(&world.options.url, readable).await, 3);
        assert!(world.events().await.opened_exceptions().is_empty(), "nobody has read them");
        let asked = world.get(&order.order_id).await;
        assert_eq!((asked.etag, news(&world, &order).await), (order.etag.clone(), vec![]), "nothing is written");
    })
    .await;
}
