//! Nodes accept, reject, do not answer, or cannot find units.

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        CancellationAnswer, CreateNodeRequest, ExecutionState, FulfillmentPicked, FulfillmentUnfulfillable,
        RecordPickRequest, RequestState,
    },
};

use testkit::each;

use crate::world::{ORDER, World, after, node, pick};

async fn routed(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.node("nod_b", 1).await;
    world.inventory.stock("A", "nod_a", 10);
    world.inventory.stock("A", "nod_b", 10);
    world.release(ORDER, 1, &[(1, "A", 5)]);
    world.drain().await;
    world
}

/// A node that has ten minutes to accept.
fn slow_node() -> CreateNodeRequest {
    let accept_within = Some(prost_types::Duration { seconds: 600, nanos: 0 });
    CreateNodeRequest { accept_within, ..node("nod_a", 0) }
}

fn at(node: &str, quantity: i64) -> Vec<(String, i64)> {
    vec![(node.to_owned(), quantity)]
}

#[tokio::test]
async fn a_second_acceptance_changes_nothing() {
    each(routed, async |world| {
        let order = world.accept(&world.fulfillment_order(ORDER).await).await;
        assert_eq!(order.request_state(), RequestState::Accepted);
        world.accept(&order).await;
        assert_eq!(world.count(EventType::FulfillmentAccepted).await, 1);
    })
    .await;
}

#[tokio::test]
async fn rejected_units_are_routed_to_another_node_and_never_back() {
    each(routed, async |world| {
        let first = world.fulfillment_order(ORDER).await;
        let rejected = world.reject(&first).await;
        assert_eq!(rejected.request_state(), RequestState::Rejected);
        assert_eq!(rejected.execution_state(), ExecutionState::Cancelled);
        world.reject(&first).await;
        world.drain().await;

        assert_eq!(world.open_units(ORDER, 1).await, at("nod_b", 5));
        let decisions = world.decisions(ORDER).await;
        assert_eq!(decisions[1].excluded_node_ids, ["nod_a"]);
        assert_eq!((decisions[1].attempt, world.fulfillment_orders(ORDER).await[1].attempt), (2, 2));
        let keys = ["ord_1/release-1", "ord_1/release-1/attempt-2"];
        assert_eq!(world.inventory.calls("Allocate"), keys);
        let levels = [world.inventory.allocated("A", "nod_a"), world.inventory.allocated("A", "nod_b")];
        assert_eq!(levels, [0, 5]);
    })
    .await;
}

#[tokio::test]
async fn when_all_nodes_reject_an_exception_opens_and_nothing_is_routed_again() {
    each(routed, async |world| {
        for _ in 0..2 {
            let open = world
                .fulfillment_orders(ORDER)
                .await
                .into_iter()
                .find(|order| order.request_state() == RequestState::Submitted);
            world.reject(&open.unwrap()).await;
            world.drain().await;
        }
        assert_eq!(world.open_units(ORDER, 1).await, []);
        assert_eq!(world.events().await.open_exceptions(), [("UNASSIGNED".to_owned(), ORDER.to_owned())]);
        let decisions = world.decisions(ORDER).await.len();
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        assert_eq!((decisions, world.decisions(ORDER).await.len()), (3, 3));
        assert_eq!(world.count(EventType::ExceptionOpened).await, 1);
        assert_eq!(world.inventory.reservation(ORDER, 1).reserved, 5);

        // A new node resolves it.
        world.node("nod_c", 2).await;
        world.inventory.stock("A", "nod_c", 5);
        world.node("nod_d", 3).await;
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, at("nod_c", 5));
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_that_is_not_accepted_in_time_is_withdrawn() {
    each(World::open, async |world| {
        world.create(slow_node()).await;
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_a", 5);
        world.inventory.stock("A", "nod_b", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        world.clock.advance(Duration::from_secs(599));
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, at("nod_a", 5));
        world.clock.advance(Duration::from_secs(1));
        world.drain().await;

        assert_eq!(world.open_units(ORDER, 1).await, at("nod_b", 5));
        let first = world.fulfillment_orders(ORDER).await.remove(0);
        assert_eq!(first.request_state(), RequestState::TimedOut);

        // It accepts when the units are elsewhere: it is asked to stop, and the exception is open until it has.
        let late = world.accept(&first).await;
        assert_eq!(late.request_state(), RequestState::CancellationRequested);
        world.accept(&first).await;
        let exception = ("LATE_ACCEPTANCE".to_owned(), first.fulfillment_order_id.clone());
        assert_eq!(world.events().await.open_exceptions(), [exception]);
        world.answer_cancellation(&first, CancellationAnswer::Accepted).await;
        assert!(world.events().await.open_exceptions().is_empty());
        world.drain().await;
        assert_eq!(world.inventory.allocated("A", "nod_b"), 5);
    })
    .await;
}

#[tokio::test]
async fn an_accepted_fulfillment_order_does_not_time_out() {
    each(World::open, async |world| {
        world.create(slow_node()).await;
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        world.accept(&world.fulfillment_order(ORDER).await).await;
        world.clock.advance(Duration::from_secs(601));
        world.drain().await;
        assert_eq!(world.fulfillment_order(ORDER).await.request_state(), RequestState::Accepted);
    })
    .await;
}

#[tokio::test]
async fn units_that_a_node_cannot_find_are_routed_to_another_node() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        let request = RecordPickRequest { request_id: "p1".to_owned(), ..pick(&order, 3, 2) };
        let picked = world.record_pick(request.clone()).await;
        assert_eq!(picked.request_state(), RequestState::Accepted);
        assert_eq!((picked.lines[0].picked, picked.lines[0].short), (3, 2));
        let repeated = world.record_pick(request).await;
        assert_eq!(repeated, picked);
        world.drain().await;

        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 3), ("nod_b".to_owned(), 2)]);
        let payloads = world.events().await.payloads::<FulfillmentPicked>(EventType::FulfillmentShortPicked);
        assert_eq!((payloads.len(), payloads[0].lines[0].quantity), (1, 2));
        assert_eq!(world.count(EventType::FulfillmentUnfulfillable).await, 0);
        let candidates = world.decisions(ORDER).await.remove(1).candidates;
        let at_a = candidates.iter().find(|candidate| candidate.node_id == "nod_a").unwrap();
        assert_eq!(at_a.obstacle, "EXCLUDED");
    })
    .await;
}

#[tokio::test]
async fn inventory_learns_when_units_were_not_found() {
    each(routed, async |world| {
        let order = world.fulfillment_order(ORDER).await;
        world.record_pick(RecordPickRequest { occur_time: Some(after(-3_600)), ..pick(&order, 3, 2) }).await;
        world.drain().await;
        assert_eq!(world.inventory.not_found(), [Some(after(-3_600))]);
    })
    .await;
}

#[tokio::test]
async fn units_that_no_node_has_are_returned_to_the_order() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        world.record_pick(pick(&world.fulfillment_order(ORDER).await, 1, 4)).await;
        world.drain().await;

        let payloads = world.events().await.payloads::<FulfillmentUnfulfillable>(EventType::FulfillmentUnfulfillable);
        assert_eq!((payloads.len(), payloads[0].lines[0].quantity, payloads[0].lines[0].line_number), (1, 4, 1));
        assert_eq!(payloads[0].reservations, [world.inventory.reservation(ORDER, 1)]);
        assert_eq!(payloads[0].reservations[0].backordered, 4);
        assert!(world.events().await.open_exceptions().is_empty());
        assert_eq!(world.open_units(ORDER, 1).await, at("nod_a", 1));
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_of_which_everything_is_short_has_ended() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        let order = world.record_pick(pick(&world.fulfillment_order(ORDER).await, 0, 9)).await;
        assert_eq!((order.lines[0].short, order.execution_state()), (5, ExecutionState::Cancelled));
        let types = world.event_types().await;
        assert!(types.contains(&EventType::FulfillmentIncomplete) && !types.contains(&EventType::FulfillmentPicked));
    })
    .await;
}
