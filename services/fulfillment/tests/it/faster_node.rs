//! The first node ships after all, although a second one has its units by then. The order has released them, and says so.

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        CancellationAnswer, CreateNodeRequest, ExecutionState, FulfillmentCancelled, FulfillmentOrder,
        RequestCancellationRequest, RequestState, ShipmentShipped,
    },
    types::v1::LineQuantity,
};
use testkit::each;

use crate::{
    inventory::Outage,
    world::{ORDER, World, node, pick, shipped},
};

/// Three nodes with plenty, and an order of 4 of one item and 2 of another at the first.
async fn routed(options: store::Options) -> World {
    let world = World::open(options).await;
    for (priority, id) in ["nod_a", "nod_b", "nod_c"].into_iter().enumerate() {
        let accept_within = (id == "nod_a").then_some(prost_types::Duration { seconds: 600, nanos: 0 });
        let node = CreateNodeRequest { accept_within, ..node(id, i32::try_from(priority).unwrap()) };
        world.api().create_node(node).await.unwrap();
        for sku in ["A", "B"] {
            world.inventory.stock(sku, id, 10);
        }
    }
    world.release(ORDER, 1, &[(1, "A", 4)]);
    world.drain().await;
    world
}

async fn at(world: &World, index: usize) -> FulfillmentOrder {
    world.fulfillment_orders(ORDER).await.remove(index)
}

/// The first node gave the units up, and then ships them; the order learns of it.
async fn first_ships(world: &World) {
    let first = at(world, 0).await;
    world.ship(shipped(&first, &[("T1", 4)])).await;
    world.drain().await;
    let shipped = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped).remove(0);
    assert_eq!(quantities(&shipped.over_shipped), [(1, 4)]);
    world.supersede(ORDER, 4);
    world.drain().await;
}

fn quantities(lines: &[LineQuantity]) -> Vec<(i32, i64)> {
    lines.iter().map(|line| (line.line_number, line.quantity)).collect()
}

/// The second node has stopped: nothing is open, allocated at it, or asked of a third one.
async fn assert_stopped(world: &World) {
    let second = at(world, 1).await;
    assert_eq!(second.request_state(), RequestState::CancellationAccepted);
    assert_eq!((second.execution_state(), second.lines[0].cancelled), (ExecutionState::Cancelled, 4));
    assert_eq!(world.inventory.allocated("A", "nod_b"), 0);
    assert_eq!(world.fulfillment_orders(ORDER).await.len(), 2);
    assert_eq!(world.events().await.open_exceptions(), []);
    assert_eq!(world.workers.look().await, Ok(0));
}

#[tokio::test]
async fn the_second_node_stops_at_once_when_it_has_not_accepted() {
    each(routed, async |world| {
        world.reject(&at(&world, 0).await).await;
        world.drain().await;
        assert_eq!(at(&world, 1).await.node_id, "nod_b");
        first_ships(&world).await;
        assert_stopped(&world).await;
        assert_eq!(world.count(EventType::FulfillmentCancellationRequested).await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_second_node_is_asked_to_stop_when_it_has_accepted() {
    each(routed, async |world| {
        world.clock.advance(Duration::from_secs(600));
        world.drain().await;
        world.accept(&at(&world, 1).await).await;
        first_ships(&world).await;
        let second = at(&world, 1).await;
        assert_eq!(second.request_state(), RequestState::CancellationRequested);
        assert_eq!(second.reason, "the units were shipped already");
        world.answer_cancellation(&second, CancellationAnswer::Accepted).await;
        world.drain().await;
        assert_stopped(&world).await;
    })
    .await;
}

#[tokio::test]
async fn a_second_node_that_cannot_stop_ships_too() {
    each(routed, async |world| {
        world.reject(&at(&world, 0).await).await;
        world.drain().await;
        world.accept(&at(&world, 1).await).await;
        first_ships(&world).await;
        let second = at(&world, 1).await;
        world.answer_cancellation(&second, CancellationAnswer::Rejected).await;
        world.ship(shipped(&second, &[("T2", 4)])).await;
        world.drain().await;
        let second = at(&world, 1).await;
        assert_eq!((second.execution_state(), second.lines[0].shipped), (ExecutionState::Completed, 4));
        assert_eq!(world.count(EventType::FulfillmentCancelled).await, 0);
    })
    .await;
}

#[tokio::test]
async fn units_that_were_not_found_and_ship_after_all_are_not_shipped_twice() {
    each(routed, async |world| {
        world.partners().record_pick(pick(&at(&world, 0).await, 0, 4)).await.unwrap();
        world.drain().await;
        assert_eq!(at(&world, 1).await.lines[0].quantity, 4);
        first_ships(&world).await;
        assert_stopped(&world).await;
    })
    .await;
}

/// An order of two lines that the first node rejected, and of which it ships three units of the first line after all.
async fn ships_a_part(world: &World, accepts: bool) {
    world.release("ord_2", 1, &[(1, "A", 4), (2, "B", 2)]);
    world.drain().await;
    world.reject(&of_order_2(world, 0).await).await;
    world.drain().await;
    if accepts {
        world.accept(&of_order_2(world, 1).await).await;
    }
    world.ship(shipped(&of_order_2(world, 0).await, &[("T1", 3)])).await;
    world.supersede("ord_2", 3);
    world.drain().await;
}

async fn of_order_2(world: &World, index: usize) -> FulfillmentOrder {
    world.fulfillment_orders("ord_2").await.remove(index)
}

#[tokio::test]
async fn what_nobody_shipped_of_a_stopped_fulfillment_order_goes_to_another_node() {
    each(routed, async |world| {
        ships_a_part(&world, false).await;
        let stopped = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled).remove(0);
        assert_eq!((quantities(&stopped.superseded), quantities(&stopped.lines)), (vec![(1, 3)], vec![]));
        assert_eq!(quantities(&stopped.reassigned), [(1, 1), (2, 2)]);
        let third = of_order_2(&world, 2).await;
        let lines: Vec<_> = third.lines.iter().map(|line| (line.line_number, line.quantity)).collect();
        assert_eq!(lines, [(1, 1), (2, 2)]);
        assert_eq!(world.fulfillment_orders("ord_2").await.len(), 3);
        assert_eq!((world.inventory.reservation("ord_2", 1).released, world.workers.look().await), (3, Ok(0)));
    })
    .await;
}

#[tokio::test]
async fn an_accepted_fulfillment_order_is_asked_for_what_was_shipped_and_goes_on_with_the_rest() {
    each(routed, async |world| {
        ships_a_part(&world, true).await;
        let second = of_order_2(&world, 1).await;
        assert_eq!(second.request_state(), RequestState::CancellationRequested);
        let asked: Vec<_> = second.lines.iter().map(|line| (line.line_number, line.cancel_requested)).collect();
        assert_eq!(asked, [(1, 3), (2, 0)]);
        world.answer_cancellation(&second, CancellationAnswer::Accepted).await;
        world.drain().await;
        let stopped = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled).remove(0);
        assert_eq!((quantities(&stopped.superseded), quantities(&stopped.lines)), (vec![(1, 3)], vec![]));
        assert_eq!(of_order_2(&world, 1).await.request_state(), RequestState::Accepted);
        assert_eq!((world.fulfillment_orders("ord_2").await.len(), world.workers.look().await), (2, Ok(0)));
    })
    .await;
}

#[tokio::test]
async fn what_is_unrouted_or_unanswered_is_stopped_before_an_accepted_fulfillment_order() {
    each(routed, async |world| {
        // Of a release each: accepted, unanswered, and unrouted, since no node has so many.
        world.accept(&at(&world, 0).await).await;
        world.release(ORDER, 2, &[(1, "A", 3)]);
        world.drain().await;
        world.inventory.fail("GetAvailability", Outage::Before);
        world.release(ORDER, 3, &[(1, "A", 2)]);
        world.drain().await;
        world.supersede(ORDER, 4);
        world.drain().await;
        let states = async || {
            let orders = world.fulfillment_orders(ORDER).await;
            orders.iter().map(|one| (one.request_state(), one.lines[0].cancelled)).collect::<Vec<_>>()
        };
        // Two that were unrouted, and two that were unanswered, with one that is routed again.
        let stopped = (RequestState::CancellationAccepted, 3);
        assert_eq!(states().await, [(RequestState::Accepted, 0), stopped, (RequestState::Submitted, 0)]);
        assert_eq!(at(&world, 2).await.lines[0].quantity, 1);
    })
    .await;
}

#[tokio::test]
async fn a_release_that_was_made_without_knowing_of_the_shipment_is_asked_of_no_node() {
    each(routed, async |world| {
        let first = at(&world, 0).await;
        world.inventory.reserve("ord_other", 1, "A", 26);
        world.partners().record_pick(pick(&first, 0, 4)).await.unwrap();
        world.drain().await;
        assert_eq!(world.count(EventType::FulfillmentUnfulfillable).await, 1);
        world.ship(shipped(&first, &[("T1", 4)])).await;
        world.drain().await;
        // Stock came, and the order released the units again before it learned that they had left.
        world.release(ORDER, 2, &[(1, "A", 4)]);
        world.supersede(ORDER, 4);
        world.drain().await;
        assert_eq!(world.fulfillment_orders(ORDER).await.len(), 1);
        assert_eq!((world.events().await.open_exceptions(), world.workers.look().await), (vec![], Ok(0)));
    })
    .await;
}

#[tokio::test]
async fn a_plan_that_inventory_has_allocated_is_freed() {
    each(routed, async |world| {
        world.inventory.fail("Allocate", Outage::After);
        world.reject(&at(&world, 0).await).await;
        world.drain().await;
        assert_eq!((world.fulfillment_orders(ORDER).await.len(), world.inventory.allocated("A", "nod_b")), (1, 4));
        world.ship(shipped(&at(&world, 0).await, &[("T1", 4)])).await;
        assert_eq!(world.count(EventType::ShipmentOverShipped).await, 0);
        world.clock.advance(Duration::from_secs(60));
        world.drain().await;
        let freed = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled).remove(0);
        assert_eq!((quantities(&freed.superseded), quantities(&freed.lines)), (vec![(1, 4)], vec![]));
        assert_eq!((world.fulfillment_orders(ORDER).await.len(), world.inventory.allocated("A", "nod_b")), (1, 0));
        assert_eq!((world.events().await.open_exceptions(), world.workers.look().await), (vec![], Ok(0)));
    })
    .await;
}

#[tokio::test]
async fn units_beyond_a_fulfillment_order_are_not_asked_of_another_node() {
    each(routed, async |world| {
        world.release("ord_2", 1, &[(1, "A", 12)]);
        world.drain().await;
        let before = world.fulfillment_orders("ord_2").await;
        assert_eq!(before.len(), 2, "no node has all of it");
        let (has, other) = (before[0].lines[0].quantity, before[1].lines[0].quantity);
        world.accept(&before[1]).await;
        world.ship(shipped(&before[0], &[("T1", has + other)])).await;
        world.supersede("ord_2", other);
        world.drain().await;
        let asked = world.fulfillment_orders("ord_2").await.remove(1);
        assert_eq!(asked.request_state(), RequestState::CancellationRequested);
    })
    .await;
}

#[tokio::test]
async fn a_lost_call_or_a_repeat_frees_the_units_once() {
    each(routed, async |world| {
        world.reject(&at(&world, 0).await).await;
        world.drain().await;
        for outage in [Outage::Before, Outage::After] {
            world.inventory.fail("Deallocate", outage);
        }
        let first = at(&world, 0).await;
        for _ in 0..2 {
            world.ship(shipped(&first, &[("T1", 4)])).await;
        }
        world.supersede(ORDER, 4);
        for _ in 0..2 {
            world.try_drain().await.unwrap_err();
        }
        world.drain().await;
        assert_stopped(&world).await;
        assert_eq!(world.inventory.reservation(ORDER, 1).released, 4);
        assert_eq!(world.count(EventType::FulfillmentCancelled).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_node_that_was_asked_to_stop_and_ships_a_part_may_still_stop_the_rest() {
    each(routed, async |world| {
        world.accept(&at(&world, 0).await).await;
        world.cancel(ORDER);
        world.drain().await;
        world.ship(shipped(&at(&world, 0).await, &[("T1", 1)])).await;
        world.drain().await;
        let first = at(&world, 0).await;
        assert_eq!(first.request_state(), RequestState::CancellationRequested);
        world.answer_cancellation(&first, CancellationAnswer::Accepted).await;
        let first = at(&world, 0).await;
        assert_eq!((first.request_state(), first.lines[0].cancelled), (RequestState::CancellationAccepted, 3));
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_that_was_asked_to_stop_alone_is_not_shipped_against_a_cancelled_order() {
    each(routed, async |world| {
        let first = world.accept(&at(&world, 0).await).await;
        let request = RequestCancellationRequest {
            fulfillment_order_id: first.fulfillment_order_id.clone(),
            reason: "another node".to_owned(),
            ..Default::default()
        };
        world.api().request_cancellation(request).await.unwrap();
        world.ship(shipped(&first, &[("T1", 4)])).await;
        let shipped = world.events().await.payloads::<ShipmentShipped>(EventType::ShipmentShipped);
        assert!(!shipped[0].cancellation_lost, "the order was not cancelled");
    })
    .await;
}
