//! Units of a line are cancelled while others of it are returned to the order, because no node has them: the order cancels those
//! that it has back, and no node is to stop as many.

use proto::{
    events::EventType,
    fulfillment::v1::{CancellationAnswer, FulfillmentCancelled, FulfillmentUnfulfillable},
    types::v1::LineQuantity,
};
use testkit::{each, units};

use crate::{
    inventory::Outage,
    world::{ORDER, World, pick, routed_units},
};

/// Five units at a node that has accepted them. No other unit is free.
async fn accepted(options: store::Options) -> World {
    let world = routed_units(options, 5).await;
    world.accept(&world.fulfillment_order(ORDER).await).await;
    world.inventory.reserve("ord_other", 1, "A", 5);
    world
}

/// The node does not find three units, and they are returned to the order.
async fn three_returned(options: store::Options) -> World {
    let world = accepted(options).await;
    world.record_pick(pick(&world.fulfillment_order(ORDER).await, 0, 3)).await;
    world.drain().await;
    assert_eq!(returned(&world).await, [3]);
    world
}

/// Five units at a node that has accepted them, and three more of the next release that it has not. Two others are free.
async fn two_releases(options: store::Options) -> World {
    let world = routed_units(options, 5).await;
    world.accept(&world.fulfillment_order(ORDER).await).await;
    world.release(ORDER, 2, &[(1, "A", 3)]);
    world.drain().await;
    world
}

fn sum(lines: &[LineQuantity]) -> i64 {
    lines.iter().map(|line| line.quantity).sum()
}

async fn returned(world: &World) -> Vec<i64> {
    let payloads = world.events().await.payloads::<FulfillmentUnfulfillable>(EventType::FulfillmentUnfulfillable);
    payloads.iter().map(|payload| sum(&payload.lines)).collect()
}

async fn cancelled(world: &World) -> i64 {
    let payloads = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled);
    payloads.iter().map(|payload| sum(&payload.lines)).sum()
}

/// Units that nodes are asked to stop.
async fn asked(world: &World) -> i64 {
    let orders = world.fulfillment_orders(ORDER).await;
    orders.iter().flat_map(|order| &order.lines).map(|line| line.cancel_requested).sum()
}

#[tokio::test]
async fn a_request_that_crosses_returned_units_is_set_off_against_them() {
    each(three_returned, async |world| {
        // Of the second request there is one unit left that the order does not cancel when it learns of the three.
        for (quantity, expected) in [(2, 0), (2, 1), (1, 2)] {
            world.cancel_units(ORDER, &[units(1, quantity)]);
            world.drain().await;
            assert_eq!(asked(&world).await, expected);
        }
        world.answer_cancellation(&world.fulfillment_order(ORDER).await, CancellationAnswer::Accepted).await;
        assert_eq!(cancelled(&world).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_request_of_an_order_that_has_the_units_back_is_for_others() {
    each(three_returned, async |world| {
        world.cancel_units_after(ORDER, &[units(1, 1)], &[units(1, 3)]);
        world.drain().await;
        assert_eq!(asked(&world).await, 1);
        // One more is returned: the order cancels it for that request. The next one does not know of it, and is for the last unit.
        world.record_pick(pick(&world.fulfillment_order(ORDER).await, 0, 1)).await;
        world.drain().await;
        assert_eq!(returned(&world).await, [3, 1]);
        world.cancel_units_after(ORDER, &[units(1, 1)], &[units(1, 3)]);
        world.drain().await;
        world.answer_cancellation(&world.fulfillment_order(ORDER).await, CancellationAnswer::Accepted).await;
        assert_eq!(cancelled(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn returned_units_that_an_earlier_request_was_for_are_not_set_off_again() {
    each(accepted, async |world| {
        world.inventory.fail("Deallocate", Outage::Before);
        world.record_pick(pick(&world.fulfillment_order(ORDER).await, 0, 3)).await;
        world.try_drain().await.unwrap_err();
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        assert_eq!((returned(&world).await, asked(&world).await, cancelled(&world).await), (vec![3], 0, 0));
        // The order cancels two of the three for the first request, and one for the second.
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        assert_eq!(asked(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_a_plan_is_to_leave_out_is_shipped_instead_of_what_the_order_has_back() {
    each(accepted, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 3);
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 2, &[(1, "A", 3)]);
        world.drain().await;
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        assert_eq!((asked(&world).await, cancelled(&world).await), (0, 0), "the plan is to leave out two");
        world.record_pick(pick(&order, 0, 1)).await;
        world.drain().await;
        assert_eq!(returned(&world).await, [1]);
        world.clock.advance(std::time::Duration::from_secs(60));
        world.drain().await;
        assert_eq!((asked(&world).await, cancelled(&world).await), (0, 1));
        let open: i64 = world.open_units(ORDER, 1).await.iter().map(|(_, units)| units).sum();
        assert_eq!(open, 4 + 2);
    })
    .await;
}

#[tokio::test]
async fn what_a_node_gave_up_is_routed_again_instead_of_what_the_order_has_back() {
    each(two_releases, async |world| {
        world.inventory.reserve("ord_other", 1, "A", 2);
        let [first, second] = <[_; 2]>::try_from(world.fulfillment_orders(ORDER).await).unwrap();
        world.cancel_units(ORDER, &[units(1, 5)]);
        world.drain().await;
        // The second one had not accepted and is cancelled; the first one is asked for two, and does not stop them.
        assert_eq!((cancelled(&world).await, asked(&world).await), (3, 2));
        world.answer_cancellation(&first, CancellationAnswer::Rejected).await;
        world.drain().await;
        world.release(ORDER, 3, &[(1, "A", 3)]);
        world.drain().await;
        let third = world.fulfillment_orders(ORDER).await.remove(2);
        assert_ne!(third.fulfillment_order_id, second.fulfillment_order_id);
        world.inventory.fail("Deallocate", Outage::Before);
        world.record_pick(pick(&first, 0, 2)).await;
        world.reject(&third).await;
        world.try_drain().await.unwrap_err();
        world.cancel_units(ORDER, &[units(1, 2)]);
        world.drain().await;
        // The order cancels the two that it has back. The three that the node rejected wait for another one.
        assert_eq!((returned(&world).await, cancelled(&world).await), (vec![2], 3));
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.allocated, reservation.backordered), (3, 3, 2));
    })
    .await;
}

#[tokio::test]
async fn units_that_are_returned_with_others_that_are_cancelled_leave_the_request_to_another_node_as_it_is() {
    each(two_releases, async |world| {
        let [first, second] = <[_; 2]>::try_from(world.fulfillment_orders(ORDER).await).unwrap();
        world.accept(&second).await;
        world.inventory.fail("Deallocate", Outage::Before);
        world.record_pick(pick(&first, 0, 3)).await;
        world.try_drain().await.unwrap_err();
        world.cancel_units(ORDER, &[units(1, 4)]);
        world.drain().await;
        // Two others were free, so that one of the three is returned. The order cancels it, and fulfillment the two.
        assert_eq!((returned(&world).await, cancelled(&world).await, asked(&world).await), (vec![1], 2, 1));
    })
    .await;
}
