//! Orders are called off, in time or too late.

use proto::fulfillment::v1::{
    AnswerCancellationRequest, CancellationAnswer, ExecutionState, FulfillmentCancelled, FulfillmentOrderChanged,
    RequestCancellationRequest, RequestState, ShipmentShipped,
};
use tonic::Code;

use testkit::each;

use crate::{
    inventory::Outage,
    world::{ORDER, World, shipped},
};

async fn routed(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.inventory.stock("A", "nod_a", 10);
    world.release(ORDER, 1, &[(1, "A", 5)]);
    world.drain().await;
    world
}

async fn answer(world: &World, id: &str, answer: CancellationAnswer) {
    let request = AnswerCancellationRequest {
        fulfillment_order_id: id.to_owned(),
        answer: answer.into(),
        reason: "said so".to_owned(),
        ..Default::default()
    };
    world.partners().answer_cancellation(request).await.unwrap();
}

#[tokio::test]
async fn work_that_was_not_accepted_is_cancelled_at_once_and_its_stock_is_free() {
    each(routed, async |world| {
        world.cancel(ORDER);
        world.drain().await;
        let work = world.order(ORDER).await;
        assert_eq!(work.request_state(), RequestState::CancellationAccepted);
        assert_eq!((work.execution_state(), work.lines[0].cancelled), (ExecutionState::Cancelled, 5));
        assert_eq!(work.reason, "not wanted");
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.allocated, reservation.released), (0, 5));
        assert_eq!(world.inventory.allocated("A", "nod_a"), 0);
        assert_eq!(
            world.events().await.payloads::<FulfillmentCancelled>("fulfillment.cancelled")[0].lines[0].quantity,
            5
        );
    })
    .await;
}

#[tokio::test]
async fn accepted_work_is_cancelled_when_the_node_says_that_it_stopped() {
    each(routed, async |world| {
        let id = world.accept(&world.order(ORDER).await).await.fulfillment_order_id;
        world.cancel(ORDER);
        world.drain().await;
        assert_eq!(world.order(ORDER).await.request_state(), RequestState::CancellationRequested);
        assert_eq!(world.inventory.allocated("A", "nod_a"), 5);
        for _ in 0..2 {
            answer(&world, &id, CancellationAnswer::Accepted).await;
            world.drain().await;
        }
        assert_eq!(world.order(ORDER).await.execution_state(), ExecutionState::Cancelled);
        assert_eq!(world.inventory.reservation(ORDER, 1).released, 5);
        assert_eq!(world.events().await.payloads::<FulfillmentCancelled>("fulfillment.cancelled").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn case_21_a_shipment_wins_over_a_cancellation_that_was_asked_for() {
    each(routed, async |world| {
        let work = world.accept(&world.order(ORDER).await).await;
        world.cancel(ORDER);
        world.drain().await;
        world.ship(shipped(&work, &[("T1", 5)])).await;
        world.drain().await;

        let work = world.order(ORDER).await;
        assert_eq!(work.request_state(), RequestState::CancellationRejected);
        assert_eq!((work.execution_state(), work.lines[0].shipped), (ExecutionState::Completed, 5));
        let told = world.events().await.payloads::<ShipmentShipped>("shipment.shipped");
        assert!(told[0].cancellation_lost && told[0].lines[0].quantity == 5);
        assert_eq!(
            world.events().await.payloads::<FulfillmentOrderChanged>("fulfillment.cancellation_rejected").len(),
            1
        );
        assert!(world.events().await.payloads::<FulfillmentCancelled>("fulfillment.cancelled").is_empty());
    })
    .await;
}

#[tokio::test]
async fn case_21_units_that_are_shipped_after_the_node_said_it_stopped_are_shipped() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        world.cancel(ORDER);
        world.drain().await;
        world.ship(shipped(&work, &[("T1", 3)])).await;
        let work = world.order(ORDER).await;
        assert_eq!((work.lines[0].shipped, work.lines[0].cancelled), (3, 2));
        assert_eq!(work.request_state(), RequestState::CancellationRejected);
        assert_eq!(work.execution_state(), ExecutionState::Incomplete);
        let told = world.events().await.payloads::<ShipmentShipped>("shipment.shipped");
        assert!(told[0].cancellation_lost);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn case_21_a_rejecting_node_that_ships_after_the_cancellation_ships_against_it() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        world.reject(&work).await;
        world.drain().await;
        world.cancel(ORDER);
        world.drain().await;
        world.ship(shipped(&work, &[("T1", 5)])).await;
        assert!(world.events().await.payloads::<ShipmentShipped>("shipment.shipped")[0].cancellation_lost);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_node_that_can_not_stop_goes_on() {
    each(routed, async |world| {
        let id = world.accept(&world.order(ORDER).await).await.fulfillment_order_id;
        world.cancel(ORDER);
        world.drain().await;
        answer(&world, &id, CancellationAnswer::Rejected).await;
        let work = world.order(ORDER).await;
        assert_eq!(
            (work.request_state(), work.execution_state()),
            (RequestState::CancellationRejected, ExecutionState::Open)
        );
        assert!(work.supported_actions.contains(&"RequestCancellation".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_cancellation_while_inventory_is_asked_reaches_what_it_allocated() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 3);
        world.inventory.imagine("A", "nod_a", 1);
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
        let work = world.order(ORDER).await;
        assert_eq!((work.execution_state(), work.lines[0].cancelled), (ExecutionState::Cancelled, 3));
        assert!(!world.event_types().await.contains(&"fulfillment.requested".to_owned()));
        assert!(world.events().await.open_exceptions().is_empty());
        let cancelled = world.events().await.payloads::<FulfillmentCancelled>("fulfillment.cancelled");
        assert_eq!(cancelled.iter().map(|told| told.lines[0].quantity).sum::<i64>(), 5);
    })
    .await;
}

#[tokio::test]
async fn units_that_come_back_from_a_node_of_a_cancelled_order_are_cancelled() {
    each(routed, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        world.inventory.fail("Deallocate", Outage::Before);
        world.reject(&world.order(ORDER).await).await;
        world.try_drain().await.unwrap_err();
        world.cancel(ORDER);
        world.drain().await;
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.allocated, reservation.released), (0, 0, 5));
        assert_eq!(world.orders(ORDER).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn ended_work_can_not_be_asked_to_stop() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        world.ship(shipped(&work, &[("T1", 5)])).await;
        let request = RequestCancellationRequest {
            fulfillment_order_id: work.fulfillment_order_id,
            ..RequestCancellationRequest::default()
        };
        let refused = world.api().request_cancellation(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
    })
    .await;
}
