//! Cancelling lines and quantities.

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{FulfillmentCancelled, FulfillmentOrderChanged, FulfillmentUnfulfillable},
    inventory::v1::Reservation,
    order::v1::{self as contract, OrderState, OrderStatus},
};
use testkit::{each, reason};
use types::Reason;

use crate::world::{World, counters, fulfillment_order, order_of, quantities};

fn stopped(order: &contract::Order, units: &[(i32, i64)]) -> FulfillmentEvent {
    FulfillmentEvent::FulfillmentCancelled(FulfillmentCancelled {
        fulfillment_order: fulfillment_order(order),
        lines: quantities(units),
        ..Default::default()
    })
}

fn declined(order: &contract::Order, units: &[(i32, i64)]) -> FulfillmentEvent {
    FulfillmentEvent::FulfillmentCancellationRejected(FulfillmentOrderChanged {
        fulfillment_order: fulfillment_order(order),
        lines: quantities(units),
    })
}

#[tokio::test]
async fn units_that_wait_for_stock_are_cancelled_before_those_that_have_some_until_none_are_left() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 6);
        let mut request = order_of("PO-1", &[("TEA", 10), ("CHAI", 2)]);
        request.ship_not_before =
            Some(mesh::wire::timestamp(testkit::START.after(std::time::Duration::from_secs(3_600))));
        let order = world.place(request).await;
        assert_eq!((counters(&order, 0).reserved, counters(&order, 0).backordered), (6, 4));
        let order = world.cancel_units(&order.order_id, &[(1, 3)]).await.unwrap();
        assert_eq!((counters(&order, 0).cancelled, counters(&order, 0).backordered), (3, 1));
        let order = world.cancel_units(&order.order_id, &[(1, 3)]).await.unwrap();
        let left = counters(&order, 0);
        assert_eq!((left.cancelled, left.backordered, left.reserved), (6, 0, 4));
        // The other line is untouched, and the rest of the order goes on.
        assert_eq!((counters(&order, 1).reserved, order.state()), (2, OrderState::Confirmed));
        assert_eq!(order.wanted_total.clone().unwrap().minor_units, 6 * 1_005);
        let order = world.cancel_units(&order.order_id, &[(1, 0)]).await.unwrap();
        assert_eq!((counters(&order, 0).cancelled, order.state()), (10, OrderState::Confirmed));
        let order = world.cancel_units(&order.order_id, &[(2, 2)]).await.unwrap();
        assert_eq!((order.state(), order.status()), (OrderState::Cancelled, OrderStatus::Cancelled));
        world.drain().await;
        let released: i64 = world.inventory.released().iter().flat_map(|call| &call.lines).map(|it| it.quantity).sum();
        assert_eq!(released, 12);
    })
    .await;
}

#[tokio::test]
async fn more_than_is_open_is_refused_and_names_the_line() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 4)]).await;
        for (units, field) in [
            (vec![(1, 7)], "lines[0].quantity"),
            (vec![(1, 1), (1, 1)], "lines[1].line_number"),
            (vec![(2, 1)], "lines[0].line_number"),
            (vec![(0, 1)], "lines[0].line_number"),
            (vec![(1, -1)], "lines[0].quantity"),
        ] {
            let refused = world.cancel_units(&order.order_id, &units).await;
            assert_eq!(testkit::wrong_fields(refused), [field], "{units:?}");
        }
        assert_eq!(world.get(&order.order_id).await, order);
    })
    .await;
}

#[tokio::test]
async fn released_units_are_asked_of_their_node_which_stops_some_and_declines_others() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let order = world.cancel_units(&order.order_id, &[(1, 6)]).await.unwrap();
        let asked = counters(&order, 0);
        assert_eq!((asked.released, asked.cancel_requested, asked.cancelled), (10, 6, 0));
        assert_eq!(world.events_of(&order.order_id).await.types().last().unwrap(), &EventType::OrderCancelRequested);
        // What was asked already cannot be asked again.
        assert_eq!(reason(world.cancel_units(&order.order_id, &[(1, 5)]).await), Reason::InvalidArgument);
        let order = world.fulfillment_emits(&order, &stopped(&order, &[(1, 4)])).await;
        let order = world.fulfillment_emits(&order, &declined(&order, &[(1, 2)])).await;
        let left = counters(&order, 0);
        assert_eq!((left.released, left.cancel_requested, left.cancelled), (6, 0, 4));
        assert!(order.supported_actions.contains(&"CancelOrder".to_owned()));
        let order = world.ships(&order, "shm_1", &[(1, 6)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 6)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
        assert_eq!(order.invoice_ready_total, order.wanted_total);
    })
    .await;
}

#[tokio::test]
async fn units_that_leave_although_they_were_to_be_stopped_are_a_lost_cancellation_and_the_others_are_not() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10), ("CHAI", 2)])).await;
        let order = world.cancel_units(&order.order_id, &[(1, 6)]).await.unwrap();
        // Four units leave that nobody wanted to stop.
        let order = world.ships(&order, "shm_1", &[(1, 4), (2, 2)]).await;
        assert!(!world.events_of(&order.order_id).await.types().contains(&EventType::OrderCancelLost));
        let order = world.ships_despite_cancellation(&order, "shm_2", &[(1, 6)]).await;
        let left = counters(&order, 0);
        assert_eq!((left.shipped, left.cancel_requested, left.over_shipped), (10, 0, 0));
        let types = world.events_of(&order.order_id).await.types();
        assert!(types.contains(&EventType::OrderCancelLost) && types.contains(&EventType::ExceptionOpened));
    })
    .await;
}

#[tokio::test]
async fn units_that_no_node_finds_are_cancelled_in_place_of_those_that_nodes_were_to_stop() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let order = world.cancel_units(&order.order_id, &[(1, 6)]).await.unwrap();
        let unfulfillable = FulfillmentUnfulfillable {
            order_id: order.order_id.clone(),
            lines: quantities(&[(1, 8)]),
            reservations: vec![backordered(&order, 8)],
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentUnfulfillable(unfulfillable)).await;
        // Six of the eight that came back are not wanted, and the two at the node are.
        let left = counters(&order, 0);
        assert_eq!((left.released, left.cancel_requested, left.cancelled, left.backordered), (2, 0, 6, 2));
        assert_eq!(world.inventory.released().last().unwrap().lines, quantities_of("TEA", &[(1, 6)]));
    })
    .await;
}

/// Eight of ten released units are returned to the order, and six of the line are cancelled.
#[tokio::test]
async fn units_that_are_returned_while_others_are_cancelled_are_cancelled_once_in_any_order() {
    each(World::furnished, async |world| {
        let mut outcomes = Vec::new();
        for (at, first) in ["cancelled", "returned and read", "returned and not read"].into_iter().enumerate() {
            let order = world.place(order_of(&format!("PO-{at}"), &[("TEA", 10)])).await;
            let returned = FulfillmentEvent::FulfillmentUnfulfillable(FulfillmentUnfulfillable {
                order_id: order.order_id.clone(),
                lines: quantities(&[(1, 8)]),
                reservations: vec![backordered(&order, 8)],
            });
            match first {
                "cancelled" => {
                    world.cancel_units(&order.order_id, &[(1, 6)]).await.unwrap();
                    world.fulfillment_emits(&order, &returned).await;
                }
                "returned and read" => {
                    world.fulfillment_emits(&order, &returned).await;
                    world.cancel_units(&order.order_id, &[(1, 6)]).await.unwrap();
                }
                _ => {
                    world.fulfillment_log.emit(&order.order_id, &returned);
                    world.cancel_units(&order.order_id, &[(1, 6)]).await.unwrap();
                }
            }
            world.drain().await;
            let left = counters(&world.get(&order.order_id).await, 0);
            outcomes.push((left.released, left.cancel_requested, left.cancelled, left.backordered));
            // What nodes are asked for next says what the order has back by now.
            world.cancel_units(&order.order_id, &[(1, 3)]).await.unwrap();
            let asked: Vec<contract::OrderCancelRequested> =
                world.events_of(&order.order_id).await.payloads(EventType::OrderCancelRequested);
            let told: Vec<_> = asked
                .iter()
                .map(|it| (it.lines[0].quantity, it.returned.first().map_or(0, |line| line.quantity)))
                .collect();
            let crossing = if first == "returned and read" { vec![] } else { vec![(6, 0)] };
            assert_eq!(told, [crossing, vec![(1, 8)]].concat(), "{first}");
        }
        assert_eq!(outcomes, [(2, 0, 6, 2); 3]);
    })
    .await;
}

fn backordered(order: &contract::Order, units: i64) -> Reservation {
    Reservation {
        order_id: order.order_id.clone(),
        line_number: 1,
        version: 2,
        requested: 10,
        backordered: units,
        ..Default::default()
    }
}

fn quantities_of(sku: &str, units: &[(i32, i64)]) -> Vec<proto::types::v1::LineQuantity> {
    let named = |line| proto::types::v1::LineQuantity { sku: sku.to_owned(), ..line };
    quantities(units).into_iter().map(named).collect()
}

#[tokio::test]
async fn a_repeat_of_a_cancellation_cancels_nothing_twice() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let request = contract::CancelOrderRequest {
            request_id: "cancel-1".to_owned(),
            order_id: order.order_id.clone(),
            lines: vec![contract::LineCancellation { line_number: 1, quantity: 3 }],
            ..Default::default()
        };
        let first = world.orders.clone().cancel_order(request.clone()).await.unwrap().into_inner();
        let again = world.orders.clone().cancel_order(request).await.unwrap().into_inner();
        assert_eq!(first, again);
        assert_eq!(counters(&world.get(&order.order_id).await, 0).cancel_requested, 3);
    })
    .await;
}
