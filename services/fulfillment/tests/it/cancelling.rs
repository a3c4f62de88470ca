//! Orders are cancelled, in time or too late.

use proto::{
    events::EventType,
    fulfillment::v1::{
        CancellationAnswer, ExecutionState, FulfillmentCancelled, RequestCancellationRequest, RequestState,
        ShipmentShipped,
    },
};
use tonic::Code;

use testkit::each;

use crate::{
    inventory::Outage,
    world::{ORDER, World, routed_units, shipped},
};

async fn routed(options: store::Options) -> World {
    routed_units(options, 5).await
}

#[tokio::test]
async fn a_fulfillment_order_that_was_not_accepted_is_cancelled_at_once_and_its_stock_is_free() {
    each(routed, async |world| {
        world.cancel(ORDER);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(order.request_state(), RequestState::CancellationAccepted);
        assert_eq!((order.execution_state(), order.lines[0].cancelled), (ExecutionState::Cancelled, 5));
        assert_eq!(order.reason, "not wanted");
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.allocated, reservation.released), (0, 5));
        assert_eq!(world.inventory.allocated("A", "nod_a"), 0);
        assert_eq!(
            world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled)[0].lines[0].quantity,
            5
        );
    })
    .await;
}

#[tokio::test]
async fn an_accepted_fulfillment_order_is_cancelled_when_the_node_answers_that_it_stopped() {
    each(routed, async |world| {
        let order = world.accept(&world.fulfillment_order(ORDER).await).await;
        world.cancel(ORDER);
        world.drain().await;
        assert_eq!(world.fulfillment_order(ORDER).await.request_state(), RequestState::CancellationRequested);
        assert_eq!(world.inventory.allocated("A", "nod_a"), 5);
        for _ in 0..2 {
            world.answer_cancellation(&order, CancellationAnswer::Accepted).await;
            world.drain().await;
        }
        assert_eq!(world.fulfillment_order(ORDER).await.execution_state(), ExecutionState::Cancelled);
        assert_eq!(world.inventory.reservation(ORDER, 1).released, 5);
        assert_eq!(world.count(EventType::FulfillmentCancelled).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_shipment_wins_over_a_cancellation_that_was_asked_for() {
    each(routed, async |world| {
        let order = world.accept(&world.fulfillment_order(ORDER).await).await;
        world.cancel(ORDER);
        world.drain().await;
        world.ship(shipped(&order, &[("T1", 5)])).await;
        world.drain().await;

        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(order.request_state(), RequestState::CancellationRejected);
        assert_eq!((order.execution_state(), order.lines[0].shipped), (ExecutionState::Completed, 5));
        let payloads = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped);
        assert!(payloads[0].cancellation_lost && payloads[0].lines[0].quantity == 5);
        assert_eq!(world.count(EventType::FulfillmentCancellationRejected).await, 1);
        assert_eq!(world.count(EventType::FulfillmentCancelled).await, 0);
    })
    .await;
}

#[tokio::test]
async fn units_that_are_shipped_after_the_node_stopped_are_shipped() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.cancel(ORDER);
        world.drain().await;
        world.ship(shipped(&order, &[("T1", 3)])).await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.lines[0].shipped, order.lines[0].cancelled), (3, 2));
        assert_eq!(order.request_state(), RequestState::CancellationRejected);
        assert_eq!(order.execution_state(), ExecutionState::Incomplete);
        let payloads = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped);
        assert!(payloads[0].cancellation_lost);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_rejecting_node_that_ships_after_the_cancellation_ships_against_it() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.reject(&order).await;
        world.drain().await;
        world.cancel(ORDER);
        world.drain().await;
        world.ship(shipped(&order, &[("T1", 5)])).await;
        assert!(world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped)[0].cancellation_lost);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_node_that_cannot_stop_goes_on() {
    each(routed, async |world| {
        let order = world.accept(&world.fulfillment_order(ORDER).await).await;
        world.cancel(ORDER);
        world.drain().await;
        world.answer_cancellation(&order, CancellationAnswer::Rejected).await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(
            (order.request_state(), order.execution_state()),
            (RequestState::CancellationRejected, ExecutionState::Open)
        );
        assert!(order.supported_actions.contains(&"RequestCancellation".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_cancellation_while_inventory_is_asked_reaches_what_it_allocated() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 3);
        world.inventory.overstate("A", "nod_a", 1);
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        assert_eq!(world.inventory.allocated("A", "nod_a"), 3);
        world.cancel(ORDER);
        world.drain().await;
        world.clock.advance(std::time::Duration::from_secs(60));
        world.drain().await;

        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.allocated, reservation.released), (0, 0, 5));
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.execution_state(), order.lines[0].cancelled), (ExecutionState::Cancelled, 3));
        assert!(!world.event_types().await.contains(&EventType::FulfillmentRequested));
        assert!(world.events().await.open_exceptions().is_empty());
        let cancelled = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled);
        assert_eq!(cancelled.iter().map(|payload| payload.lines[0].quantity).sum::<i64>(), 5);
    })
    .await;
}

#[tokio::test]
async fn units_of_a_cancelled_order_that_are_deallocated_later_are_cancelled() {
    each(routed, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        world.inventory.fail("Deallocate", Outage::Before);
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.try_drain().await.unwrap_err();
        world.cancel(ORDER);
        world.drain().await;
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.allocated, reservation.released), (0, 0, 5));
        assert_eq!(world.fulfillment_orders(ORDER).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn an_ended_fulfillment_order_cannot_be_cancelled() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.ship(shipped(&order, &[("T1", 5)])).await;
        let request = RequestCancellationRequest {
            fulfillment_order_id: order.fulfillment_order_id,
            ..RequestCancellationRequest::default()
        };
        let refused = world.api().request_cancellation(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
    })
    .await;
}
