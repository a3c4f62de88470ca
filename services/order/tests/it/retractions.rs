//! Shipments and deliveries that did not take place, and packages that do not reach the customer.

use proto::{
    events::{EventType, FulfillmentEvent, InventoryEvent},
    fulfillment::v1 as fulfillment,
    inventory::v1::{ReplacementReserved, Reservation},
    order::v1::{
        CreateAccountRequest, InvoicePolicy, Order, OrderCreditProposed, OrderReleased, OrderState, OrderStatus,
    },
};
use testkit::each;

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

/// What the customer owes: what became ready to invoice less what was credited, in units and minor units of money.
async fn owed(world: &World, order: &Order) -> (i64, i64) {
    let order = world.get(&order.order_id).await;
    let units = counters(&order, 0);
    let line = &order.lines[0];
    (units.invoice_ready - units.credited, line.invoice_ready_minor - line.credited_minor)
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
        let snapshot = |version: i64, backordered: i64| Reservation {
            order_id: order.order_id.clone(),
            line_number: 1,
            version,
            backordered,
            ..Default::default()
        };
        let replaced = ReplacementReserved {
            order_id: order.order_id.clone(),
            shipment_id: "shm_1".to_owned(),
            lines: quantities(&[(1, 2)]),
            reservations: vec![snapshot(90, 1)],
        };
        world.inventory_log.emit(&order.order_id, &InventoryEvent::InventoryReplacementReserved(replaced));
        world.drain().await;
        let order = world.get(&order.order_id).await;
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
