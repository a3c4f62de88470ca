//! Reactions to the events of other services.

use std::time::Duration;

use proto::{
    event::v1::{Event, ExceptionOpened},
    events::{EventType, FulfillmentEvent, OrderEvent, ReturnsEvent},
    fulfillment::v1::{Shipment, ShipmentShipped, ShipmentWrittenOff, WriteOffRemedy},
    inventory::v1::{ConsumeRequest, DeallocationPolicy, DriftDetected, ReplacementReserved},
    order::v1::OrderHoldChanged,
    returns::v1::{DisposedLine, DispositionKind, Return, ReturnDisposed},
};
use testkit::each;
use types::{Clock as _, Timestamp};

use crate::world::{HERE, World, quantities, units};

/// The order service reports that so many holds are open on an order.
pub(crate) async fn hold(world: &World, order_id: &str, open_holds: i32) {
    let changed = OrderHoldChanged { order_id: order_id.to_owned(), open_holds, ..Default::default() };
    let event = if open_holds > 0 { OrderEvent::OrderHoldPlaced } else { OrderEvent::OrderHoldReleased };
    world.order.emit(order_id, &event(changed));
    world.drain().await;
}

/// Fulfillment reports that a shipment left.
pub(crate) async fn ship(world: &World, shipment_id: &str, order_id: &str, lines: &[(i32, &str, i64)], at: Timestamp) {
    let shipment = Shipment {
        shipment_id: shipment_id.to_owned(),
        order_id: order_id.to_owned(),
        node_id: HERE.to_owned(),
        ..Default::default()
    };
    let shipped = ShipmentShipped { shipment: Some(shipment), lines: quantities(lines), ..Default::default() };
    let event = testkit::event(order_id, &FulfillmentEvent::ShipmentShipped(shipped));
    world.fulfillment.append(Event { occur_time: Some(mesh::wire::timestamp(at)), ..event });
    world.drain().await;
}

#[tokio::test]
async fn a_shipment_consumes_its_units_and_its_later_packages_theirs() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.reserve("ord_1", &[(1, "A", 6)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 6)]).await;
        let now = world.clock.now();
        ship(&world, "shm_1", "ord_1", &[(1, "A", 4)], now).await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 2, 4, 0, 0));
        ship(&world, "shm_1", "ord_1", &[(1, "A", 2)], now).await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 0, 6, 0, 0));
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.allocated, now.atp), (4, 0, 4));
        assert_eq!(world.emitted(EventType::InventoryConsumed).await.len(), 2);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_reported_by_a_call_and_by_an_event_is_consumed_once() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.reserve("ord_1", &[(1, "A", 6)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 6)]).await;
        let request = |quantity| ConsumeRequest {
            shipment_id: "shm_1".to_owned(),
            order_id: "ord_1".to_owned(),
            location_id: HERE.to_owned(),
            lines: quantities(&[(1, "A", quantity)]),
        };
        let first = world.client.clone().consume(request(5)).await.unwrap().into_inner();
        let again = world.client.clone().consume(request(5)).await.unwrap().into_inner();
        assert_eq!(first, again);
        ship(&world, "shm_1", "ord_1", &[(1, "A", 5)], world.clock.now()).await;
        assert_eq!(world.availability("A").await.on_hand, 5);
        assert_eq!(units(&world.reservation("ord_1").await), (0, 1, 5, 0, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn what_a_shipment_took_beyond_its_allocation_comes_off_the_reservation_and_then_off_the_stock() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.reserve("ord_1", &[(1, "A", 6)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 4)]).await;
        ship(&world, "shm_1", "ord_1", &[(1, "A", 7)], world.clock.now()).await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 0, 6, 0, 0));
        assert_eq!(world.availability("A").await.on_hand, 3);
        assert!(world.emitted(EventType::InventoryDriftDetected).await.is_empty());
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_of_units_that_are_not_there_is_drift_and_opens_an_exception() {
    each(World::open, async |world| {
        world.receive("A", HERE, 2).await;
        world.reserve("ord_waiting", &[(1, "B", 1)]).await;
        ship(&world, "shm_1", "ord_1", &[(1, "A", 5)], world.clock.now()).await;
        assert_eq!(world.availability("A").await.on_hand, 0);
        let drift: DriftDetected = world.payloads(EventType::InventoryDriftDetected).await.remove(0);
        assert_eq!((drift.quantity, drift.location_id.as_str()), (3, HERE));
        let opened: ExceptionOpened = world.payloads(EventType::ExceptionOpened).await.remove(0);
        assert_eq!((opened.r#type.as_str(), opened.subject.as_str()), ("STOCK_DRIFT", "shm_1"));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_that_left_before_a_count_does_not_come_off_the_stock_twice() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.reserve("ord_1", &[(1, "A", 4)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 4)]).await;
        let left = world.clock.now();
        world.clock.advance(Duration::from_secs(60));
        // The warehouse counts 6: the 4 are gone already, though no event reported it.
        world.count("A", 6, Duration::ZERO).await;
        ship(&world, "shm_1", "ord_1", &[(1, "A", 4)], left).await;
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.allocated, now.atp), (6, 0, 6));
        assert!(world.emitted(EventType::InventoryDriftDetected).await.is_empty());
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_of_a_return_that_can_be_sold_are_on_hand_again_and_fill_backorders() {
    each(World::open, async |world| {
        world.reserve("ord_2", &[(1, "A", 2)]).await;
        let line = |kind: DispositionKind, quantity| DisposedLine {
            line_number: 1,
            sku: "A".to_owned(),
            kind: kind.into(),
            quantity,
        };
        let back = Return {
            return_id: "rma_1".to_owned(),
            order_id: "ord_1".to_owned(),
            account_id: "acc_1".to_owned(),
            node_id: HERE.to_owned(),
            ..Default::default()
        };
        let lines = vec![line(DispositionKind::Restock, 3), line(DispositionKind::Scrap, 4)];
        let disposed = ReturnDisposed { r#return: Some(back), lines };
        world.returns.emit("ord_1", &ReturnsEvent::ReturnDisposed(disposed));
        world.drain().await;
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.reserved, now.atp), (3, 2, 1));
        assert_eq!(units(&world.reservation("ord_2").await), (2, 0, 0, 0, 0));
        let restocked = world.emitted(EventType::InventoryRestocked).await;
        assert_eq!(restocked[0].correlation_id, "ord_1");
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_did_not_leave_after_all_are_on_hand_and_allocated_again() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.reserve("ord_1", &[(1, "A", 6)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 6)]).await;
        let left = world.clock.now();
        ship(&world, "shm_1", "ord_1", &[(1, "A", 6)], left).await;
        stay(&world, &[(1, "A", 4)], left).await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 4, 2, 0, 0));
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.allocated, now.atp), (8, 4, 4));
        world.check("A").await;
        // They leave again, and no more than left stays.
        ship(&world, "shm_1", "ord_1", &[(1, "A", 4)], left).await;
        stay(&world, &[(1, "A", 60)], left).await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 6, 0, 0, 0));
        assert_eq!(world.availability("A").await.on_hand, 10);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_stayed_and_were_counted_since_are_in_that_count() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.reserve("ord_1", &[(1, "A", 6)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 6)]).await;
        let left = world.clock.now();
        ship(&world, "shm_1", "ord_1", &[(1, "A", 6)], left).await;
        world.clock.advance(Duration::from_secs(60));
        world.count("A", 10, Duration::ZERO).await;
        stay(&world, &[(1, "A", 6)], left).await;
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.allocated), (10, 6));
        world.check("A").await;
    })
    .await;
}

/// Fulfillment reports that units of `shm_1` did not leave.
async fn stay(world: &World, lines: &[(i32, &str, i64)], at: Timestamp) {
    let stayed = ShipmentShipped { shipment: of_order_1(), lines: quantities(lines), ..Default::default() };
    let event = testkit::event("ord_1", &FulfillmentEvent::ShipmentDepartureRetracted(stayed));
    world.fulfillment.append(Event { occur_time: Some(mesh::wire::timestamp(at)), ..event });
    world.drain().await;
}

fn of_order_1() -> Option<Shipment> {
    Some(Shipment {
        shipment_id: "shm_1".to_owned(),
        order_id: "ord_1".to_owned(),
        account_id: "acc_1".to_owned(),
        node_id: HERE.to_owned(),
        ..Default::default()
    })
}

#[tokio::test]
async fn a_package_that_is_replaced_gets_free_units_before_other_backorders() {
    each(World::open, async |world| {
        world.receive("A", HERE, 6).await;
        world.reserve("ord_1", &[(1, "A", 6)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 6)]).await;
        ship(&world, "shm_1", "ord_1", &[(1, "A", 6)], world.clock.now()).await;
        world.reserve("ord_2", &[(1, "A", 5)]).await;
        let write_off = |package: &str, remedy: WriteOffRemedy| ShipmentWrittenOff {
            shipment: of_order_1(),
            package_id: package.to_owned(),
            lines: quantities(&[(1, "A", 4)]),
            remedy: remedy.into(),
            ..Default::default()
        };
        let replaced = FulfillmentEvent::ShipmentWrittenOff(write_off("pkg_1", WriteOffRemedy::Replace));
        world.fulfillment.emit("ord_1", &replaced);
        world.drain().await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 0, 2, 4, 0));
        let emitted = world.payloads::<ReplacementReserved>(EventType::InventoryReplacementReserved).await;
        assert_eq!((emitted[0].lines[0].quantity, emitted[0].reservations[0].backordered), (4, 4));
        world.receive("A", HERE, 5).await;
        assert_eq!(units(&world.reservation("ord_1").await), (4, 0, 2, 0, 0));
        assert_eq!(world.reservation("ord_2").await.reserved, 1);
        world.check("A").await;
        let cancelled = FulfillmentEvent::ShipmentWrittenOff(write_off("pkg_2", WriteOffRemedy::Cancel));
        world.fulfillment.emit("ord_1", &cancelled);
        world.drain().await;
        assert_eq!(units(&world.reservation("ord_1").await), (4, 0, 2, 0, 0));
    })
    .await;
}

/// Five units at the node, of which two are not found and leave all the same.
async fn found_and_shipped(world: &World, count_between: Option<i64>) {
    world.receive("A", HERE, 1_000).await;
    world.reserve("ord_1", &[(1, "A", 5)]).await;
    world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
    world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Short).await;
    assert_eq!(world.availability("A").await.on_hand, 998);
    world.clock.advance(Duration::from_secs(60));
    if let Some(counted) = count_between {
        world.count("A", counted, Duration::ZERO).await;
        world.clock.advance(Duration::from_secs(60));
    }
    ship(world, "shm_1", "ord_1", &[(1, "A", 3)], world.clock.now()).await;
    ship(world, "shm_1", "ord_1", &[(1, "A", 2)], world.clock.now()).await;
}

#[tokio::test]
async fn units_that_were_not_found_and_leave_all_the_same_come_off_once() {
    for (count_between, left) in [(None, 995), (Some(1_000), 995), (Some(997), 992)] {
        each(World::open, async |world| {
            found_and_shipped(&world, count_between).await;
            assert_eq!(world.availability("A").await.on_hand, left, "{count_between:?}");
            assert_eq!(units(&world.reservation("ord_1").await), (0, 0, 5, 0, 0));
            world.check("A").await;
        })
        .await;
    }
}

#[tokio::test]
async fn units_that_were_not_found_and_are_allocated_there_again_come_off_once() {
    each(World::open, async |world| {
        world.receive("A", HERE, 1_000).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Short).await;
        world.receive("A", HERE, 2).await;
        world.allocate("found", "ord_1", &[(1, HERE, 2)]).await;
        ship(&world, "shm_1", "ord_1", &[(1, "A", 7)], world.clock.now()).await;
        assert_eq!(world.availability("A").await.on_hand, 993, "two more than the order has are no found ones");
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_left_before_their_short_pick_is_known_come_off_once() {
    each(World::open, async |world| {
        world.receive("A", HERE, 1_000).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        ship(&world, "shm_1", "ord_1", &[(1, "A", 5)], world.clock.now()).await;
        world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Short).await;
        assert_eq!(world.availability("A").await.on_hand, 995);
        world.check("A").await;
    })
    .await;
}
