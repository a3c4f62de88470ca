use proto::{
    event::v1::ExceptionOpened,
    events::{EventType, FulfillmentEvent},
    fulfillment::v1 as fulfillment,
    order::v1::{LineStatus, OrderState, OrderStatus},
};

use testkit::each;

use crate::world::{World, counters, fulfillment_order, order_of, quantities};

#[tokio::test]
async fn one_package_of_three_delivered_is_partially_delivered() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(order.status(), OrderStatus::Shipped);
        let order = world.delivers(&order, "shm_1", &[(1, 1)]).await;
        assert_eq!(order.status(), OrderStatus::PartiallyDelivered);
        assert_eq!(order.lines[0].status(), LineStatus::PartiallyDelivered);
        let order = world.delivers(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
        assert!(order.close_time.is_some());
        assert_eq!(world.events_of(&order.order_id).await.types().last().unwrap(), &EventType::OrderClosed);
    })
    .await;
}

#[tokio::test]
async fn a_split_line_half_shipped_is_partially_shipped_and_its_last_part_makes_it_shipped() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 4), ("CHAI", 2)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!(order.status(), OrderStatus::PartiallyShipped);
        assert_eq!(order.lines[0].status(), LineStatus::PartiallyShipped);
        assert_eq!(order.lines[1].status(), LineStatus::Released);
        let order = world.ships(&order, "shm_2", &[(2, 2)]).await;
        assert_eq!(order.status(), OrderStatus::PartiallyShipped);
        let order = world.ships(&order, "shm_3", &[(1, 2)]).await;
        assert_eq!(order.status(), OrderStatus::Shipped);
        // One line is delivered as a whole; the order is not.
        let order = world.delivers(&order, "shm_2", &[(2, 2)]).await;
        assert_eq!(order.status(), OrderStatus::PartiallyDelivered);
        assert_eq!(order.lines[1].status(), LineStatus::Delivered);
    })
    .await;
}

#[tokio::test]
async fn a_late_report_of_a_shipment_does_not_take_a_delivery_back() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 1)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 1)]).await;
        assert_eq!(order.status(), OrderStatus::PartiallyDelivered);
        let order = world.ships(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!(order.status(), OrderStatus::PartiallyDelivered);
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.delivered), (3, 1));
    })
    .await;
}

#[tokio::test]
async fn units_delivered_before_they_are_reported_shipped_are_delivered_once_they_are() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!((order.status(), counters(&order, 0).delivered), (OrderStatus::Released, 0));
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!((order.status(), counters(&order, 0).delivered), (OrderStatus::Delivered, 3));
        assert_eq!(order.invoice_ready_total, order.total);
    })
    .await;
}

#[tokio::test]
async fn picked_units_show_in_the_status() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let picked = fulfillment::FulfillmentPicked {
            fulfillment_order: fulfillment_order(&order),
            lines: quantities(&[(1, 2)]),
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentPicked(picked)).await;
        assert_eq!((order.status(), counters(&order, 0).picked), (OrderStatus::InFulfillment, 2));
    })
    .await;
}

#[tokio::test]
async fn over_shipped_units_are_recorded_and_open_an_exception() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 5)]).await;
        let units = counters(&order, 0);
        assert_eq!((units.shipped, units.over_shipped, units.released), (5, 2, 0));
        let opened: Vec<ExceptionOpened> = world.events_of(&order.order_id).await.payloads(EventType::ExceptionOpened);
        assert_eq!((opened[0].r#type.as_str(), opened[0].subject.as_str()), ("OVER_SHIPPED", order.order_id.as_str()));
        assert_eq!(opened[0].facts["units_by_line"], "1:2");
        let order = world.delivers(&order, "shm_1", &[(1, 5)]).await;
        assert_eq!(order.status(), OrderStatus::Delivered);
        assert_eq!(order.invoice_ready_total, order.total, "what was not wanted is not invoiced");
    })
    .await;
}

#[tokio::test]
async fn a_report_of_a_line_that_the_order_does_not_have_opens_an_exception() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 1), (7, 1)]).await;
        assert_eq!(counters(&order, 0).shipped, 0);
        let opened: Vec<ExceptionOpened> = world.events_of(&order.order_id).await.payloads(EventType::ExceptionOpened);
        assert_eq!(opened[0].r#type, "REACTION_FAILED");
    })
    .await;
}
