//! Nodes accept, reject, say nothing, or can not find what they should pick.

use std::time::Duration;

use proto::{
    event::v1::ExceptionOpened,
    fulfillment::v1::{
        AnswerCancellationRequest, CancellationAnswer, ExecutionState, FulfillmentOrder, FulfillmentOrderChanged,
        FulfillmentPicked, FulfillmentUnfulfillable, RecordPickRequest, RequestState,
    },
};

use testkit::{each, units};

use crate::world::{ORDER, World, after, node};

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

fn at(node: &str, quantity: i64) -> Vec<(String, i64)> {
    vec![(node.to_owned(), quantity)]
}

async fn pick(world: &World, work: &FulfillmentOrder, picked: i64, short: i64, id: &str) -> FulfillmentOrder {
    pick_at(world, work, (picked, short), id, None).await
}

async fn pick_at(
    world: &World,
    work: &FulfillmentOrder,
    (picked, short): (i64, i64),
    id: &str,
    occur_time: Option<prost_types::Timestamp>,
) -> FulfillmentOrder {
    let request = RecordPickRequest {
        request_id: id.to_owned(),
        fulfillment_order_id: work.fulfillment_order_id.clone(),
        picked: vec![units(1, picked)],
        short: vec![units(1, short)],
        occur_time,
    };
    world.partners().record_pick(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn an_accepted_request_waits_no_longer() {
    each(routed, async |world| {
        let work = world.accept(&world.order(ORDER).await).await;
        assert_eq!(work.request_state(), RequestState::Accepted);
        world.accept(&work).await;
        assert_eq!(world.events().await.payloads::<FulfillmentOrderChanged>("fulfillment.accepted").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn case_30_work_goes_from_a_rejecting_node_to_another_and_never_back() {
    each(routed, async |world| {
        let first = world.order(ORDER).await;
        let rejected = world.reject(&first).await;
        assert_eq!(rejected.request_state(), RequestState::Rejected);
        assert_eq!(rejected.execution_state(), ExecutionState::Cancelled);
        world.reject(&first).await;
        world.drain().await;

        assert_eq!(world.open_units(ORDER, 1).await, at("nod_b", 5));
        let decisions = world.decisions(ORDER).await;
        assert_eq!(decisions[1].excluded_node_ids, ["nod_a"]);
        assert_eq!((decisions[1].attempt, world.orders(ORDER).await[1].attempt), (2, 2));
        let keys = ["ord_1/release-1", "ord_1/release-1/attempt-2"];
        assert_eq!(world.inventory.calls("Allocate"), keys);
        let levels = [world.inventory.allocated("A", "nod_a"), world.inventory.allocated("A", "nod_b")];
        assert_eq!(levels, [0, 5]);
    })
    .await;
}

#[tokio::test]
async fn case_30_when_all_nodes_reject_a_person_is_told_and_nothing_goes_round() {
    each(routed, async |world| {
        for _ in 0..2 {
            let open =
                world.orders(ORDER).await.into_iter().find(|work| work.request_state() == RequestState::Submitted);
            world.reject(&open.unwrap()).await;
            world.drain().await;
        }
        assert_eq!(world.open_units(ORDER, 1).await, []);
        assert_eq!(world.events().await.open_exceptions(), [("UNASSIGNED".to_owned(), ORDER.to_owned())]);
        let decisions = world.decisions(ORDER).await.len();
        world.clock.advance(Duration::from_secs(86_400));
        world.drain().await;
        assert_eq!((decisions, world.decisions(ORDER).await.len()), (3, 3));
        assert_eq!(world.events().await.payloads::<ExceptionOpened>("exception.opened").len(), 1);
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
async fn a_node_that_says_nothing_in_time_loses_the_work() {
    each(World::open, async |world| {
        let mut slow = node("nod_a", 0);
        slow.accept_within = Some(prost_types::Duration { seconds: 600, nanos: 0 });
        world.create(slow).await;
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
        let first = world.orders(ORDER).await.remove(0);
        assert_eq!(first.request_state(), RequestState::TimedOut);

        // It says yes when the work is elsewhere: it is asked to stop, and a person is told until it has.
        let late = world.accept(&first).await;
        assert_eq!(late.request_state(), RequestState::CancellationRequested);
        world.accept(&first).await;
        let exception = ("LATE_ACCEPTANCE".to_owned(), first.fulfillment_order_id.clone());
        assert_eq!(world.events().await.open_exceptions(), [exception]);
        let request = AnswerCancellationRequest {
            fulfillment_order_id: first.fulfillment_order_id.clone(),
            answer: CancellationAnswer::Accepted.into(),
            ..Default::default()
        };
        world.partners().answer_cancellation(request).await.unwrap();
        assert!(world.events().await.open_exceptions().is_empty());
        world.drain().await;
        assert_eq!(world.inventory.allocated("A", "nod_b"), 5);
    })
    .await;
}

#[tokio::test]
async fn an_accepted_request_does_not_time_out() {
    each(World::open, async |world| {
        let mut slow = node("nod_a", 0);
        slow.accept_within = Some(prost_types::Duration { seconds: 600, nanos: 0 });
        world.create(slow).await;
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        world.accept(&world.order(ORDER).await).await;
        world.clock.advance(Duration::from_secs(601));
        world.drain().await;
        assert_eq!(world.order(ORDER).await.request_state(), RequestState::Accepted);
    })
    .await;
}

#[tokio::test]
async fn units_a_node_can_not_find_are_found_elsewhere() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        let picked = pick(&world, &work, 3, 2, "p1").await;
        assert_eq!(picked.request_state(), RequestState::Accepted);
        assert_eq!((picked.lines[0].picked, picked.lines[0].short), (3, 2));
        let repeated = pick(&world, &work, 3, 2, "p1").await;
        assert_eq!(repeated, picked);
        world.drain().await;

        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 3), ("nod_b".to_owned(), 2)]);
        let told = world.events().await.payloads::<FulfillmentPicked>("fulfillment.short_picked");
        assert_eq!((told.len(), told[0].lines[0].quantity), (1, 2));
        assert!(world.events().await.payloads::<FulfillmentUnfulfillable>("fulfillment.unfulfillable").is_empty());
        let candidates = world.decisions(ORDER).await.remove(1).candidates;
        let at_a = candidates.iter().find(|candidate| candidate.node_id == "nod_a").unwrap();
        assert_eq!(at_a.obstacle, "EXCLUDED");
    })
    .await;
}

#[tokio::test]
async fn inventory_is_told_when_units_were_not_found() {
    each(routed, async |world| {
        let work = world.order(ORDER).await;
        pick_at(&world, &work, (3, 2), "p1", Some(after(-3_600))).await;
        world.drain().await;
        assert_eq!(world.inventory.not_found(), [Some(after(-3_600))]);
    })
    .await;
}

#[tokio::test]
async fn units_no_node_has_go_back_to_the_order() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        pick(&world, &world.order(ORDER).await, 1, 4, "p1").await;
        world.drain().await;

        let told = world.events().await.payloads::<FulfillmentUnfulfillable>("fulfillment.unfulfillable");
        assert_eq!((told.len(), told[0].lines[0].quantity, told[0].lines[0].line_number), (1, 4, 1));
        assert_eq!(told[0].reservations, [world.inventory.reservation(ORDER, 1)]);
        assert_eq!(told[0].reservations[0].backordered, 4);
        assert!(world.events().await.open_exceptions().is_empty());
        assert_eq!(world.open_units(ORDER, 1).await, at("nod_a", 1));
    })
    .await;
}

#[tokio::test]
async fn work_of_which_everything_is_short_has_ended() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        let work = pick(&world, &world.order(ORDER).await, 0, 9, "p1").await;
        assert_eq!((work.lines[0].short, work.execution_state()), (5, ExecutionState::Cancelled));
        let kinds = world.event_types().await;
        assert!(
            kinds.contains(&"fulfillment.incomplete".to_owned()) && !kinds.contains(&"fulfillment.picked".to_owned())
        );
    })
    .await;
}
