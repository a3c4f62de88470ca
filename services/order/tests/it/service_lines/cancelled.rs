//! Services that are cancelled: by themselves, with their goods, and not when some of the goods were shipped.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::FulfillmentCancelled,
    order::v1::{self as contract, FillPolicy, OrderState, OrderStatus},
};
use testkit::{START, each, wrong_fields};

use super::{furnished, hold, release_hold, units};
use crate::world::{World, fulfillment_order, order_of, quantities};

/// The lines and units of each `order.line_cancelled`.
async fn cancellations(world: &World, order: &contract::Order) -> Vec<Vec<(i32, i64)>> {
    let events = world.events_of(&order.order_id).await;
    let events: Vec<contract::OrderLinesCancelled> = events.payloads(EventType::OrderLineCancelled);
    events.iter().map(|it| it.lines.iter().map(|line| (line.line_number, line.quantity)).collect()).collect()
}

#[tokio::test]
async fn units_of_a_service_are_cancelled_while_it_is_not_performed() {
    each(furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("INSTALL", 3)])).await;
        let order = world.cancel_units(&order.order_id, &[(2, 2)]).await.unwrap();
        assert_eq!(units(&order, 1), [1, 0, 0, 2]);
        assert_eq!(order.wanted_total.as_ref().unwrap().minor_units, 4 * 1_005);
        world.drain().await;
        assert_eq!(cancellations(&world, &order).await, [[(2, 2)]]);
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(units(&order, 1), [0, 1, 0, 2]);
        let refused = world.cancel_units(&order.order_id, &[(2, 1)]).await;
        assert!(refused.is_err(), "it is performed, and nothing else is open");
    })
    .await;
}

#[tokio::test]
async fn a_performed_service_is_not_cancelled_while_other_units_are_open() {
    each(furnished, async |world| {
        let mut request = order_of("PO-1", &[("TEA", 1), ("INSTALL", 1), ("CHAI", 1)]);
        request.ship_to_id = String::new();
        request.ship_to_groups = vec![super::group(1), super::group(2)];
        for (line, ship_to_group) in request.lines.iter_mut().zip([1, 1, 2]) {
            line.ship_to_group = ship_to_group;
        }
        let order = world.place(request).await;
        let order = world.ships(&order, "shm_1", &[(1, 1)]).await;
        assert_eq!(units(&order, 1), [0, 1, 0, 0]);
        assert_eq!(wrong_fields(world.cancel_units(&order.order_id, &[(2, 1)]).await), ["lines[0].quantity"]);
    })
    .await;
}

#[tokio::test]
async fn a_service_is_cancelled_with_the_last_of_its_goods() {
    each(furnished, async |world| {
        world.inventory.leave("TEA", 0);
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("INSTALL", 1)])).await;
        let order = world.cancel_units(&order.order_id, &[(1, 2)]).await.unwrap();
        assert_eq!(units(&order, 1), [1, 0, 0, 0]);
        let order = world.cancel_units(&order.order_id, &[(1, 0)]).await.unwrap();
        assert_eq!((order.state(), order.status()), (OrderState::Cancelled, OrderStatus::Cancelled));
        assert_eq!(units(&order, 1), [0, 0, 0, 1]);
        world.drain().await;
        assert_eq!(cancellations(&world, &order).await, [vec![(1, 2)], vec![(1, 1)], vec![(2, 1)]]);
        assert_eq!(order.wanted_total.unwrap().minor_units, 0);
    })
    .await;
}

#[tokio::test]
async fn a_service_of_a_cancelled_order_waits_for_what_nodes_answer() {
    each(furnished, async |world| {
        for (customer_po, shipped, ends) in [("PO-1", 0, [0, 0, 0, 1]), ("PO-2", 1, [0, 1, 0, 0])] {
            let order = world.place(order_of(customer_po, &[("TEA", 3), ("INSTALL", 1)])).await;
            let order = world.cancel(&order.order_id).await.unwrap();
            assert_eq!(units(&order, 1), [1, 0, 0, 0], "the goods are at a node");
            world.drain().await;
            if shipped > 0 {
                world.ships(&order, &format!("shm_{customer_po}"), &[(1, shipped)]).await;
            }
            let cancelled = FulfillmentCancelled {
                fulfillment_order: fulfillment_order(&order),
                lines: quantities(&[(1, 3 - shipped)]),
                ..Default::default()
            };
            let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(cancelled)).await;
            assert_eq!(units(&order, 1), ends, "{customer_po}");
            let is_cancelled = order.state() == OrderState::Cancelled;
            assert_eq!(is_cancelled, shipped == 0, "freight is owed for what left");
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_that_only_a_hold_keeps_open_is_cancelled_with_the_order() {
    each(furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("INSTALL", 1)])).await;
        hold(&world, &order, &[2]).await;
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!(units(&order, 1), [1, 0, 0, 0]);
        let order = world.cancel(&order.order_id).await.unwrap();
        assert_eq!(units(&order, 1), [0, 0, 0, 1]);
        let order = release_hold(&world, &order, 1).await;
        assert_eq!((units(&order, 1), order.status()), ([0, 0, 0, 1], OrderStatus::Shipped));
    })
    .await;
}

#[tokio::test]
async fn a_service_is_rejected_with_an_order_that_cannot_be_filled() {
    each(furnished, async |world| {
        world.inventory.leave("TEA", 1);
        let mut request = order_of("PO-1", &[("TEA", 3), ("INSTALL", 1)]);
        request.set_fill_policy(FillPolicy::FillOrKill);
        let order = world.place(request).await;
        assert_eq!((order.state(), units(&order, 1)), (OrderState::Rejected, [0, 0, 0, 1]));
        // In full supply it is no shortage.
        let mut request = order_of("PO-2", &[("TEA", 1), ("INSTALL", 1)]);
        request.set_fill_policy(FillPolicy::FillOrKill);
        assert_eq!(world.place(request).await.status(), OrderStatus::Released);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_available_is_cancelled_and_the_service_goes_with_the_rest() {
    each(furnished, async |world| {
        world.inventory.leave("TEA", 1);
        let mut request = order_of("PO-1", &[("TEA", 3), ("INSTALL", 1)]);
        request.set_fill_policy(FillPolicy::FillAllAvailable);
        let order = world.place(request).await;
        assert_eq!((units(&order, 0), units(&order, 1)), ([1, 0, 0, 2], [1, 0, 0, 0]));
        let order = world.ships(&order, "shm_1", &[(1, 1)]).await;
        assert_eq!(units(&order, 1), [0, 1, 0, 0]);
        // When nothing is, the service is cancelled too.
        let mut request = order_of("PO-2", &[("TEA", 3), ("INSTALL", 1)]);
        request.set_fill_policy(FillPolicy::FillAllAvailable);
        let order = world.place(request).await;
        assert_eq!((order.state(), units(&order, 1)), (OrderState::Cancelled, [0, 0, 0, 1]));
    })
    .await;
}

#[tokio::test]
async fn goods_that_are_too_late_are_cancelled_and_the_service_of_those_that_left_is_performed() {
    each(furnished, async |world| {
        world.inventory.leave("TEA", 2);
        let cancel_after = Some(mesh::wire::timestamp(START.after(Duration::from_secs(3_600))));
        let request = contract::PlaceOrderRequest { cancel_after, ..order_of("PO-1", &[("TEA", 3), ("FREIGHT", 1)]) };
        let order = world.place(request).await;
        let order = world.ships(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!(units(&order, 1), [1, 0, 0, 0]);
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((units(&order, 0), units(&order, 1)), ([0, 2, 0, 1], [0, 1, 0, 0]));
    })
    .await;
}
