//! Units of lines are cancelled, while nodes have them and go on with the others.

use proto::{
    events::EventType,
    fulfillment::v1::{
        AnswerCancellationRequest, CancellationAnswer, ExecutionState, FulfillmentCancelled, FulfillmentOrder,
        FulfillmentOrderChanged, RequestState, RetractShipmentRequest, ShipmentShipped,
    },
    types::v1::LineQuantity,
};
use testkit::{each, units};

use crate::{
    inventory::Outage,
    world::{ORDER, World, pick, routed_units, shipped},
};

/// Five units at a node that has accepted them.
async fn accepted(options: store::Options) -> World {
    let world = routed_units(options, 5).await;
    world.accept(&world.fulfillment_order(ORDER).await).await;
    world
}

async fn answer(world: &World, stopped: &[LineQuantity]) {
    let request = AnswerCancellationRequest {
        fulfillment_order_id: world.fulfillment_orders(ORDER).await[0].fulfillment_order_id.clone(),
        answer: CancellationAnswer::Accepted.into(),
        lines: stopped.to_vec(),
        ..Default::default()
    };
    world.partners().answer_cancellation(request).await.unwrap();
    world.drain().await;
}

fn sum(lines: &[LineQuantity]) -> i64 {
    lines.iter().map(|line| line.quantity).sum()
}

/// Units that were cancelled, by event.
async fn cancelled(world: &World) -> Vec<i64> {
    let payloads = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled);
    payloads.iter().map(|payload| sum(&payload.lines)).collect()
}

/// Units that events about what a node is asked for, or does not stop, name.
async fn named(world: &World, event_type: EventType) -> Vec<i64> {
    let payloads = world.events().await.payloads::<FulfillmentOrderChanged>(event_type);
    payloads.iter().map(|payload| sum(&payload.lines)).collect()
}

fn counts(order: &FulfillmentOrder) -> (RequestState, i64, i64) {
    (order.request_state(), order.lines[0].cancel_requested, order.lines[0].cancelled)
}

/// Nothing is left to be done, and every unit is where it should be.
async fn assert_settled(world: &World, released: i64) {
    let reservation = world.inventory.reservation(ORDER, 1);
    let sum = reservation.reserved + reservation.allocated + reservation.backordered + reservation.released;
    assert_eq!((reservation.requested, reservation.released), (sum, released));
    assert_eq!(cancelled(world).await.iter().sum::<i64>(), released);
    assert_eq!(world.events().await.open_exceptions(), []);
    assert_eq!(world.workers.look().await, Ok(0));
}

#[tokio::test]
async fn a_node_is_asked_for_some_units_and_goes_on_with_the_others() {
    each(accepted, async |world| {
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(counts(&order), (RequestState::CancellationRequested, 2, 0));
        assert_eq!(named(&world, EventType::FulfillmentCancellationRequested).await, [2]);
        for _ in 0..2 {
            answer(&world, &[]).await;
        }
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(counts(&order), (RequestState::Accepted, 0, 2));
        assert_settled(&world, 2).await;
        world.ship(shipped(&order, &[("T1", 3)])).await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.execution_state(), order.lines[0].shipped), (ExecutionState::Incomplete, 3));
        assert_eq!(world.count(EventType::ShipmentOverShipped).await, 0);
    })
    .await;
}

#[tokio::test]
async fn requests_add_up_until_nothing_is_left() {
    each(accepted, async |world| {
        for quantity in [2, 1, 9] {
            world.cancel_units(ORDER, &[units(1, quantity)]);
            world.drain().await;
        }
        assert_eq!(named(&world, EventType::FulfillmentCancellationRequested).await, [2, 3, 5]);
        answer(&world, &[]).await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!(counts(&order), (RequestState::CancellationAccepted, 0, 5));
        assert_eq!(order.execution_state(), ExecutionState::Cancelled);
        assert_settled(&world, 5).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_may_stop_fewer_units_than_it_was_asked_for() {
    each(accepted, async |world| {
        world.cancel_units(ORDER, &[units(1, 3)]);
        world.drain().await;
        for _ in 0..2 {
            answer(&world, &[units(1, 1)]).await;
        }
        assert_eq!(counts(&world.fulfillment_order(ORDER).await), (RequestState::CancellationRejected, 0, 1));
        assert_eq!(named(&world, EventType::FulfillmentCancellationRejected).await, [2]);
        assert_settled(&world, 1).await;
        // What it did not stop may be asked for again.
        world.cancel_units(ORDER, &[units(1, 1)]);
        world.drain().await;
        answer(&world, &[]).await;
        assert_eq!(counts(&world.fulfillment_order(ORDER).await), (RequestState::Accepted, 0, 2));
        assert_settled(&world, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_rejects_after_a_partial_pick_ships_all_of_it() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.record_pick(pick(&order, 3, 0)).await;
        world.cancel_units(ORDER, &[units(1, 4)]);
        world.drain().await;
        world.answer_cancellation(&order, CancellationAnswer::Rejected).await;
        world.ship(shipped(&order, &[("T1", 5)])).await;
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.execution_state(), order.lines[0].shipped), (ExecutionState::Completed, 5));
        assert_eq!(named(&world, EventType::FulfillmentCancellationRejected).await, [4], "told once");
        // A late change of mind stops nothing.
        answer(&world, &[]).await;
        assert_settled(&world, 0).await;
    })
    .await;
}

#[tokio::test]
async fn units_that_leave_before_the_answer_are_not_stopped() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.cancel_units(ORDER, &[units(1, 3)]);
        world.drain().await;
        world.ship(shipped(&order, &[("T1", 4)])).await;
        assert_eq!(counts(&world.fulfillment_order(ORDER).await), (RequestState::CancellationRequested, 1, 0));
        answer(&world, &[]).await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.execution_state(), order.lines[0].cancelled), (ExecutionState::Incomplete, 1));
        assert_settled(&world, 1).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_ships_all_it_was_asked_for_has_answered() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.cancel_units(ORDER, &[units(1, 3)]);
        world.drain().await;
        world.ship(shipped(&order, &[("T1", 5)])).await;
        assert_eq!(world.fulfillment_order(ORDER).await.request_state(), RequestState::CancellationRejected);
        assert_eq!(named(&world, EventType::FulfillmentCancellationRejected).await, [3]);
        assert_settled(&world, 0).await;
    })
    .await;
}

#[tokio::test]
async fn stopped_units_that_leave_all_the_same_are_too_many() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        answer(&world, &[]).await;
        world.ship(shipped(&order, &[("T1", 5)])).await;
        let shipped = world.fulfillment_order(ORDER).await;
        assert_eq!((shipped.execution_state(), shipped.lines[0].shipped), (ExecutionState::Completed, 5));
        assert_eq!(world.count(EventType::ShipmentOverShipped).await, 1);

        // They did not leave after all: then they are cancelled, and nobody is to ship them.
        let request = RetractShipmentRequest {
            fulfillment_order_id: order.fulfillment_order_id,
            shipment_reference: "S-1".to_owned(),
            reason: "still here".to_owned(),
            ..Default::default()
        };
        world.partners().retract_shipment(request).await.unwrap();
        let retracted = world.fulfillment_order(ORDER).await;
        assert_eq!((retracted.lines[0].shipped, retracted.lines[0].cancelled), (0, 2));
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 3)]);
        let stayed = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentDepartureRetracted).remove(0);
        assert_eq!((sum(&stayed.lines), sum(&stayed.over_shipped), sum(&stayed.free)), (5, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_that_was_not_accepted_is_stopped_and_the_rest_of_it_is_routed_again() {
    each(
        async |options| routed_units(options, 5).await,
        async |world| {
            world.cancel_units(ORDER, &[units(1, 2)]);
            world.drain().await;
            let orders = world.fulfillment_orders(ORDER).await;
            assert_eq!(orders.len(), 2);
            assert_eq!(orders[0].request_state(), RequestState::CancellationAccepted);
            assert_eq!((orders[1].request_state(), orders[1].lines[0].quantity), (RequestState::Submitted, 3));
            assert_eq!(world.inventory.allocated("A", "nod_a"), 3);
            assert_settled(&world, 2).await;
        },
    )
    .await;
}

#[tokio::test]
async fn what_no_node_has_is_cancelled_first_and_what_nodes_accepted_last() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 20);
        // Of a release each: accepted, unanswered, and unrouted.
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        world.accept(&world.fulfillment_order(ORDER).await).await;
        world.release(ORDER, 2, &[(1, "A", 3)]);
        world.drain().await;
        world.inventory.fail("GetAvailability", Outage::Before);
        world.release(ORDER, 3, &[(1, "A", 2)]);
        world.drain().await;
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        assert_eq!((cancelled(&world).await, world.fulfillment_orders(ORDER).await.len()), (vec![2], 2));
        world.cancel_units(ORDER, &[units(1, 4)]);
        world.drain().await;
        let orders = world.fulfillment_orders(ORDER).await;
        assert_eq!(counts(&orders[0]), (RequestState::CancellationRequested, 1, 0));
        assert_eq!(counts(&orders[1]), (RequestState::CancellationAccepted, 0, 3));
        answer(&world, &[]).await;
        assert_settled(&world, 6).await;
    })
    .await;
}

#[tokio::test]
async fn units_of_a_plan_that_inventory_has_allocated_are_cancelled_when_it_is_settled() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 4);
        world.inventory.overstate("A", "nod_a", 1);
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        assert_eq!(world.inventory.allocated("A", "nod_a"), 4);
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        assert_eq!(cancelled(&world).await, [] as [i64; 0]);
        world.clock.advance(std::time::Duration::from_secs(60));
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.lines[0].quantity, order.request_state()), (3, RequestState::Submitted));
        assert_eq!(world.inventory.allocated("A", "nod_a"), 3);
        assert_settled(&world, 2).await;
    })
    .await;
}

#[tokio::test]
async fn units_that_a_node_gave_up_are_cancelled_when_they_are_deallocated() {
    each(accepted, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        world.inventory.fail("Deallocate", Outage::Before);
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.try_drain().await.unwrap_err();
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 3)]);
        assert_settled(&world, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_rejects_its_work_while_it_is_asked_leaves_the_rest_to_another_node() {
    each(accepted, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 3)]);
        assert_settled(&world, 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_rejects_after_it_stopped_units_gives_up_only_the_others() {
    each(accepted, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 10);
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        answer(&world, &[]).await;
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 3)]);
        assert_eq!((world.inventory.allocated("A", "nod_a"), world.inventory.allocated("A", "nod_b")), (0, 3));
        assert_settled(&world, 2).await;
    })
    .await;
}

#[tokio::test]
async fn units_that_come_back_to_the_order_are_cancelled_there_and_no_others_instead() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.inventory.reserve("ord_other", 1, "A", 5);
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        world.record_pick(pick(&order, 0, 3)).await;
        world.drain().await;
        assert_eq!(world.count(EventType::FulfillmentUnfulfillable).await, 1);
        assert_eq!(counts(&world.fulfillment_order(ORDER).await), (RequestState::CancellationRequested, 2, 0));
        // The order cancels two of those. The node stops two of its own all the same: another one is to ship them.
        answer(&world, &[]).await;
        assert_eq!(cancelled(&world).await, [0]);
        let stopped = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled).remove(0);
        assert_eq!(sum(&stopped.reassigned), 2);
        assert_eq!(world.inventory.reservation(ORDER, 1).released, 0);
    })
    .await;
}

#[tokio::test]
async fn a_lost_call_or_a_repeat_frees_stopped_units_once() {
    each(accepted, async |world| {
        for outage in [Outage::Before, Outage::After] {
            world.inventory.fail("Deallocate", outage);
        }
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        let order = world.fulfillment_order(ORDER).await;
        for _ in 0..2 {
            world.answer_cancellation(&order, CancellationAnswer::Accepted).await;
            world.try_drain().await.unwrap_err();
        }
        world.drain().await;
        assert_eq!(world.inventory.allocated("A", "nod_a"), 3);
        assert_settled(&world, 2).await;
    })
    .await;
}
