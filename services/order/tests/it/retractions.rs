//! Shipments and deliveries that did not take place, and packages that do not reach the customer.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent, InventoryEvent},
    fulfillment::v1 as fulfillment,
    inventory::v1::{ReplacementReserved, Reservation, ReservationsChanged},
    order::v1::{
        CreateAccountRequest, FillPolicy, InvoicePolicy, Order, OrderCreditProposed, OrderReleased, OrderState,
        OrderStatus, PlaceOrderRequest,
    },
};
use testkit::{START, each};

use crate::world::{World, account, address, counters, order_of, quantities};

fn shipment(order: &Order) -> Option<fulfillment::Shipment> {
    let (shipment_id, order_id) = ("shm_1".to_owned(), order.order_id.clone());
    Some(fulfillment::Shipment { shipment_id, order_id, ..Default::default() })
}

async fn undelivered(world: &World, order: &Order, units: &[(i32, i64)]) -> Order {
    let payload =
        fulfillment::ShipmentDelivered { shipment: shipment(order), lines: quantities(units), deliver_time: None };
    world.fulfillment_emits(order, &FulfillmentEvent::ShipmentDeliveryRetracted(payload)).await
}

async fn stayed(world: &World, order: &Order, units: &[(i32, i64)]) -> Order {
    let lines = quantities(units);
    let payload = fulfillment::ShipmentShipped { shipment: shipment(order), lines, ..Default::default() };
    world.fulfillment_emits(order, &FulfillmentEvent::ShipmentDepartureRetracted(payload)).await
}

/// A node could not find units.
async fn short(world: &World, order: &Order, units: &[(i32, i64)]) -> Order {
    let of_order = fulfillment::FulfillmentOrder { order_id: order.order_id.clone(), ..Default::default() };
    let payload = fulfillment::FulfillmentPicked { fulfillment_order: Some(of_order), lines: quantities(units) };
    world.fulfillment_emits(order, &FulfillmentEvent::FulfillmentShortPicked(payload)).await
}

/// A node did not pick units, and found others after all.
async fn found(world: &World, order: &Order, picked: &[(i32, i64)], found: &[(i32, i64)]) -> Order {
    let of_order = fulfillment::FulfillmentOrder { order_id: order.order_id.clone(), ..Default::default() };
    let payload = fulfillment::FulfillmentPickRetracted {
        fulfillment_order: Some(of_order),
        lines: quantities(picked),
        found: quantities(found),
    };
    world.fulfillment_emits(order, &FulfillmentEvent::FulfillmentPickRetracted(payload)).await
}

async fn written_off(world: &World, order: &Order, units: &[(i32, i64)], remedy: fulfillment::WriteOffRemedy) -> Order {
    let payload = fulfillment::ShipmentWrittenOff {
        shipment: shipment(order),
        package_id: "pkg_1".to_owned(),
        lines: quantities(units),
        remedy: remedy.into(),
        ..Default::default()
    };
    world.fulfillment_emits(order, &FulfillmentEvent::ShipmentWrittenOff(payload)).await
}

/// Inventory has reserved other units of line 1 for those of a package, but for some that there is no stock for.
async fn replaced(world: &World, order: &Order, units: i64, backordered: i64) -> Order {
    let (order_id, version) = (order.order_id.clone(), 90);
    let reservation =
        Reservation { order_id, line_number: 1, requested: 100, version, backordered, ..Default::default() };
    let replaced = ReplacementReserved {
        order_id: order.order_id.clone(),
        shipment_id: "shm_1".to_owned(),
        lines: quantities(&[(1, units)]),
        reservations: vec![reservation],
    };
    world.inventory_log.emit(&order.order_id, &InventoryEvent::InventoryReplacementReserved(replaced));
    world.drain().await;
    world.get(&order.order_id).await
}

/// What the customer owes: what became ready to invoice less what was credited, in units and minor units of money.
async fn owed(world: &World, order: &Order) -> (i64, i64) {
    let order = world.get(&order.order_id).await;
    let units = counters(&order, 0);
    let line = &order.lines[0];
    (units.invoice_ready - units.credited, line.invoice_ready_minor - line.credited_minor)
}

#[tokio::test]
async fn units_that_were_found_after_all_are_not_short_any_more() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = short(&world, &order, &[(1, 2)]).await;
        assert_eq!(counters(&order, 0).short, 2);
        let order = found(&world, &order, &[], &[(1, 1)]).await;
        assert_eq!(counters(&order, 0).short, 1);
        let order = found(&world, &order, &[(1, 1)], &[(1, 5)]).await;
        assert_eq!((counters(&order, 0).short, counters(&order, 0).picked), (0, 0), "no more than were counted");
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_did_not_take_place_reopens_the_order_and_proposes_a_credit() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        let closed = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(closed.state(), OrderState::Closed);
        let before = owed(&world, &order).await;
        let order = undelivered(&world, &order, &[(1, 3)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Confirmed, OrderStatus::Shipped));
        assert_eq!(counters(&order, 0).delivered, 0);
        let credits =
            world.events_of(&order.order_id).await.payloads::<OrderCreditProposed>(EventType::OrderCreditProposed);
        let credit = credits[0].credit.as_ref().unwrap();
        assert_eq!((credit.shipment_id.as_str(), credit.reason.as_str()), ("shm_1", "CORRECTED"));
        assert_eq!((credit.lines[0].quantity, credit.amount.as_ref().unwrap().minor_units), before);
        let order = stayed(&world, &order, &[(1, 3)]).await;
        assert_eq!((order.status(), counters(&order, 0).released), (OrderStatus::Released, 3));
        assert_eq!(owed(&world, &order).await, (0, 0));
        assert_eq!(world.events_of(&order.order_id).await.of(EventType::OrderCreditProposed).len(), 1);

        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!((order.state(), owed(&world, &order).await), (OrderState::Closed, before));
    })
    .await;
}

#[tokio::test]
async fn what_is_ready_on_shipment_is_credited_when_the_goods_did_not_leave() {
    each(World::furnished, async |world| {
        let invoice_policy = InvoicePolicy::OnShipment.into();
        world.create_account(CreateAccountRequest { invoice_policy, ..account("acc_fast") }).await;
        let mut request = order_of("PO-1", &[("TEA", 4)]);
        request.account_id = "acc_fast".to_owned();
        request.ship_to_id.clear();
        request.ship_to_address = Some(address());
        let order = world.place(request).await;
        let order = world.ships(&order, "shm_1", &[(1, 4)]).await;
        assert_eq!(owed(&world, &order).await.0, 4);
        let order = stayed(&world, &order, &[(1, 1)]).await;
        assert_eq!((owed(&world, &order).await.0, order.status()), (3, OrderStatus::PartiallyShipped));
    })
    .await;
}

#[tokio::test]
async fn a_written_off_package_that_is_cancelled_lets_the_order_close() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        let order = written_off(&world, &order, &[(1, 1)], fulfillment::WriteOffRemedy::Cancel).await;
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.delivered, units.cancelled), (2, 2, 1));
        assert_eq!(order.state(), OrderState::Closed);
        assert_eq!(owed(&world, &order).await.0, 2);
    })
    .await;
}

#[tokio::test]
async fn a_written_off_package_is_replaced_once_inventory_has_reserved_other_units() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        let order = written_off(&world, &order, &[(1, 2)], fulfillment::WriteOffRemedy::Replace).await;
        assert_eq!(counters(&order, 0).shipped, 3, "nothing is reserved yet");
        let order = replaced(&world, &order, 2, 1).await;
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.released, units.backordered, units.cancelled), (1, 1, 1, 0));
        let order = world.stock_came(&order.order_id, 1, 91, 0).await;
        assert_eq!(counters(&order, 0).released, 2);
        let releases = world.events_of(&order.order_id).await.payloads::<OrderReleased>(EventType::OrderReleased);
        let released: Vec<_> = releases.iter().map(|one| one.lines[0].quantity).collect();
        assert_eq!(released, [3, 1, 1]);
        let order = world.ships(&order, "shm_2", &[(1, 2)]).await;
        let order = world.delivers(&order, "shm_2", &[(1, 3)]).await;
        assert_eq!((order.state(), owed(&world, &order).await.0), (OrderState::Closed, 3));
    })
    .await;
}

/// An order of 5 and 2 with a fill policy, of which 3 have left in a package that is lost.
async fn lost(world: &World, fill_policy: FillPolicy) -> Order {
    let fill_policy = fill_policy.into();
    let order = world.place(PlaceOrderRequest { fill_policy, ..order_of("PO-1", &[("TEA", 5), ("CHAI", 2)]) }).await;
    let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
    written_off(world, &order, &[(1, 3)], fulfillment::WriteOffRemedy::Replace).await
}

/// Units of the first line: shipped, released, reserved, backordered, cancelled.
fn first_line(order: &Order) -> [i64; 5] {
    let units = counters(order, 0);
    [units.shipped, units.released, units.reserved, units.backordered, units.cancelled]
}

#[tokio::test]
async fn fill_or_kill_replaces_what_there_is_stock_for_and_else_cancels_as_much_as_possible() {
    each(World::furnished, async |world| {
        let order = lost(&world, FillPolicy::FillOrKill).await;
        let order = replaced(&world, &order, 3, 0).await;
        assert_eq!((first_line(&order), counters(&order, 1).released), ([0, 5, 0, 0, 0], 2));
        assert_eq!(order.lines[0].promised_ship_time, order.lines[1].promised_ship_time);

        let killed = PlaceOrderRequest { customer_po: "PO-2".to_owned(), ..order_of("PO-2", &[("TEA", 5)]) };
        let killed = PlaceOrderRequest { fill_policy: FillPolicy::FillOrKill.into(), ..killed };
        let killed = world.place(killed).await;
        let killed = world.ships(&killed, "shm_1", &[(1, 3)]).await;
        let killed = replaced(&world, &killed, 3, 1).await;
        // What is not at a node is cancelled at once, also what is reserved; the node is asked to stop the rest.
        assert_eq!(first_line(&killed), [0, 2, 0, 0, 3]);
        assert_eq!(killed.reason, "not available");
        let types = world.events_of(&killed.order_id).await.types();
        assert_eq!(types.last(), Some(&EventType::OrderCancelRequested), "{types:?}");
        assert_eq!(world.inventory.released().last().unwrap().lines[0].quantity, 3);
    })
    .await;
}

#[tokio::test]
async fn fill_all_waits_until_all_units_that_are_to_be_replaced_have_stock() {
    each(World::furnished, async |world| {
        let order = lost(&world, FillPolicy::FillAll).await;
        let order = replaced(&world, &order, 3, 1).await;
        assert_eq!((first_line(&order), counters(&order, 1).released), ([0, 2, 2, 1, 0], 2));
        let order = world.stock_came(&order.order_id, 1, 91, 0).await;
        assert_eq!(first_line(&order), [0, 5, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn fill_or_kill_and_fill_all_are_as_before_when_a_shipment_is_taken_back() {
    each(World::furnished, async |world| {
        for (customer_po, fill_policy) in [("PO-1", FillPolicy::FillOrKill), ("PO-2", FillPolicy::FillAll)] {
            let request = PlaceOrderRequest { fill_policy: fill_policy.into(), ..order_of(customer_po, &[("TEA", 5)]) };
            let order = world.place(request).await;
            let order = world.ships(&order, "shm_1", &[(1, 5)]).await;
            let order = stayed(&world, &order, &[(1, 3)]).await;
            assert_eq!((order.state(), first_line(&order)), (OrderState::Confirmed, [2, 3, 0, 0, 0]));
            let types = world.events_of(&order.order_id).await.types();
            assert!(!types.contains(&EventType::OrderCancelRequested), "{types:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_node_that_has_units_of_a_cancelled_order_again_is_asked_to_stop_again() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        world.cancel(&order.order_id).await.unwrap();
        let order = world.ships_despite_cancellation(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(first_line(&order), [3, 0, 0, 0, 0]);
        let order = stayed(&world, &order, &[(1, 3)]).await;
        assert_eq!(first_line(&order), [0, 3, 0, 0, 0]);
        let types = world.events_of(&order.order_id).await;
        assert_eq!(types.of(EventType::OrderCancelRequested).len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_did_not_leave_or_is_to_be_replaced_is_cancelled_when_it_is_too_late() {
    each(World::furnished, async |world| {
        let cancel_after = Some(mesh::wire::timestamp(START.after(Duration::from_secs(86_400))));
        let place = async |customer_po| {
            let request = PlaceOrderRequest { cancel_after, ..order_of(customer_po, &[("TEA", 3)]) };
            let order = world.place(request).await;
            world.ships(&order, "shm_1", &[(1, 3)]).await
        };
        let (kept, gone) = (place("PO-1").await, place("PO-2").await);
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        assert_eq!(first_line(&world.get(&kept.order_id).await), [3, 0, 0, 0, 0], "they left in time");
        let kept = stayed(&world, &kept, &[(1, 3)]).await;
        assert_eq!((first_line(&kept), kept.reason.as_str()), ([0, 3, 0, 0, 0], "not shipped in time"));
        let types = world.events_of(&kept.order_id).await.types();
        assert_eq!(types.iter().filter(|one| **one == EventType::OrderCancelRequested).count(), 1);
        let gone = replaced(&world, &gone, 3, 0).await;
        assert_eq!((first_line(&gone), gone.state()), ([0, 0, 0, 0, 3], OrderState::Cancelled));
        assert_eq!(world.inventory.released().last().unwrap().lines[0].quantity, 3);
    })
    .await;
}

#[tokio::test]
async fn fill_or_kill_is_cancelled_when_inventory_has_released_what_it_waited_for() {
    each(World::furnished, async |world| {
        let request = |po: &str, fill_policy: FillPolicy| PlaceOrderRequest {
            fill_policy: fill_policy.into(),
            ..order_of(po, &[("TEA", 3)])
        };
        let killed = world.place(request("PO-1", FillPolicy::FillOrKill)).await;
        let waits = world.place(request("PO-2", FillPolicy::FillAvailableBackorder)).await;
        for (order, backordered, released) in [(&killed, 0, 3), (&waits, 3, 0)] {
            let (order_id, version) = (order.order_id.clone(), 9);
            let reservation = Reservation {
                order_id,
                line_number: 1,
                requested: 100,
                version,
                backordered,
                released,
                ..Default::default()
            };
            let expired = ReservationsChanged {
                order_id: order.order_id.clone(),
                reservations: vec![reservation],
                ..Default::default()
            };
            world.inventory_log.emit(&order.order_id, &InventoryEvent::InventoryReservationExpired(expired));
        }
        world.drain().await;
        let requested = async |order: &Order| {
            world.events_of(&order.order_id).await.types().contains(&EventType::OrderCancelRequested)
        };
        assert_eq!((requested(&killed).await, requested(&waits).await), (true, false));
        assert_eq!(world.get(&killed.order_id).await.reason, "not available");
    })
    .await;
}

#[tokio::test]
async fn a_replacement_that_is_known_before_its_shipment_is_counted_with_the_shipment() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let reservation = Reservation {
            order_id: order.order_id.clone(),
            line_number: 1,
            requested: 100,
            version: 90,
            ..Default::default()
        };
        let replaced = ReplacementReserved {
            order_id: order.order_id.clone(),
            shipment_id: "shm_1".to_owned(),
            lines: quantities(&[(1, 2)]),
            reservations: vec![reservation],
        };
        world.inventory_log.emit(&order.order_id, &InventoryEvent::InventoryReplacementReserved(replaced));
        world.drain().await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 3, "nothing is shipped yet");
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.released, units.over_shipped), (1, 2, 0));
    })
    .await;
}
