//! What lost its task or its event is found and goes on.

use std::time::Duration;

use proto::{events::EventType, fulfillment::v1::CreateNodeRequest};
use testkit::{database::tamper, each};

use crate::{
    inventory::Outage,
    world::{ORDER, World, node, routed},
};

const DROP_TASKS: &str = "DELETE FROM tasks WHERE kind <> 'fulfillment.silence' RETURNING key";
const DROP_SILENCE: &str = "DELETE FROM tasks WHERE kind = 'fulfillment.silence' RETURNING key";

async fn stocked(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.inventory.stock("A", "nod_a", 5);
    world
}

async fn found(world: &World) -> usize {
    world.workers.look().await.unwrap()
}

#[tokio::test]
async fn nothing_is_found_while_everything_goes_its_way() {
    each(routed, async |world| {
        assert_eq!(found(&world).await, 0);
        world.release("ord_2", 1, &[(1, "A", 1_000)]);
        world.drain().await;
        world.accept(&world.fulfillment_order(ORDER).await).await;
        world.clock.advance(Duration::from_secs(3_600));
        assert_eq!((found(&world).await, world.drain().await), (0, ()));
    })
    .await;
}

#[tokio::test]
async fn a_release_without_its_routing_task_is_routed() {
    each(stocked, async |world| {
        world.inventory.fail("GetAvailability", Outage::Before);
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        assert_eq!(tamper(&world.options.url, DROP_TASKS).await, 1);
        assert_eq!((found(&world).await, found(&world).await), (1, 0));
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 4)]);
        assert_eq!(found(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_plan_without_its_allocation_task_is_allocated() {
    each(stocked, async |world| {
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        assert_eq!(tamper(&world.options.url, DROP_TASKS).await, 1);
        assert_eq!((found(&world).await, found(&world).await), (1, 0));
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 4)]);
        assert_eq!(world.inventory.allocated("A", "nod_a"), 4);
    })
    .await;
}

#[tokio::test]
async fn a_request_without_its_time_to_accept_gets_it_again() {
    each(World::open, async |world| {
        let accept_within = Some(prost_types::Duration { seconds: 600, nanos: 0 });
        let slow = CreateNodeRequest { accept_within, ..node("nod_a", 0) };
        world.api().create_node(slow).await.unwrap();
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        assert_eq!(tamper(&world.options.url, DROP_TASKS).await, 1);
        assert_eq!((found(&world).await, found(&world).await), (1, 0));
        world.clock.advance(Duration::from_secs(600));
        world.drain().await;
        assert_eq!(world.count(EventType::FulfillmentTimedOut).await, 1);
    })
    .await;
}

#[tokio::test]
async fn silent_packages_are_looked_for_again() {
    each(stocked, async |world| {
        assert_eq!(tamper(&world.options.url, DROP_SILENCE).await, 1);
        assert_eq!((found(&world).await, found(&world).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn units_whose_event_passed_without_effect_are_deallocated() {
    each(stocked, async |world| {
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_b", 5);
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        world.reject(&world.fulfillment_order(ORDER).await).await;
        let pass = "UPDATE subscriptions SET position = (SELECT MAX(position) FROM events) \
                    WHERE name = 'fulfillment.fulfillment' RETURNING name";
        assert_eq!(tamper(&world.options.url, pass).await, 1);
        world.drain().await;
        // It may still be on its way for a while.
        assert_eq!(found(&world).await, 0);
        world.clock.advance(Duration::from_secs(601));
        assert_eq!(found(&world).await, 1);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 4)]);
        assert_eq!((found(&world).await, world.inventory.calls("Deallocate").len()), (0, 1));
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}
