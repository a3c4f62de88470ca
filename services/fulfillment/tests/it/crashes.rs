//! A crash at any step loses no unit and doubles none.

use std::time::Duration;

use proto::events::EventType;
use testkit::each;

use crate::{
    inventory::Outage,
    world::{ORDER, World},
};

async fn open(options: store::Options) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.node("nod_b", 1).await;
    world.inventory.stock("A", "nod_a", 5);
    world.inventory.stock("A", "nod_b", 5);
    world
}

async fn later(world: &World) {
    world.clock.advance(Duration::from_secs(600));
    world.drain().await;
}

#[tokio::test]
async fn an_answer_lost_after_inventory_allocated_gives_the_same_fulfillment_orders() {
    each(open, async |world| {
        world.inventory.fail("Allocate", Outage::After);
        world.release(ORDER, 1, &[(1, "A", 8)]);
        world.drain().await;
        assert!(world.fulfillment_orders(ORDER).await.is_empty());
        let allocated = [world.inventory.allocated("A", "nod_a"), world.inventory.allocated("A", "nod_b")];
        assert_eq!(allocated, [5, 3]);
        later(&world).await;

        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 5), ("nod_b".to_owned(), 3)]);
        assert_eq!(world.inventory.calls("Allocate"), ["ord_1/release-1"; 2]);
        assert_eq!(world.inventory.reservation(ORDER, 1).allocated, 8);
        assert_eq!(world.count(EventType::FulfillmentRequested).await, 2);
        assert!(world.events().await.open_exceptions().is_empty());
        let decisions = world.decisions(ORDER).await;
        assert_eq!((decisions.len(), decisions[0].choices.len(), decisions[0].candidates[0].available), (1, 2, 5));
    })
    .await;
}

#[tokio::test]
async fn every_order_gets_its_work_after_a_crash_loop_while_inventory_hangs() {
    each(open, async |world| {
        let orders: Vec<_> = (0..20).map(|number| format!("ord_{number}")).collect();
        world.inventory.stock("A", "nod_a", 20);
        for order in &orders {
            world.release(order, 1, &[(1, "A", 1)]);
        }
        let hung = world.inventory.hang(true);
        for _ in 0..25 {
            let dying = world.replica().await;
            // As long as the claim of a process that died holds where there are replicas.
            dying.clock.advance(Duration::from_secs(60));
            tokio::select! {
                () = dying.drain() => unreachable!("it hangs"),
                () = hung.notified() => {}
            }
        }
        world.inventory.hang(false);
        world.clock.advance(Duration::from_secs(60));
        let next = world.replica().await;
        next.drain().await;
        for order in &orders {
            assert_eq!(next.open_units(order, 1).await, [("nod_a".to_owned(), 1)], "{order}");
        }
        assert!(next.events().await.opened_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn routing_goes_on_however_long_inventory_was_down() {
    each(open, async |world| {
        for _ in 0..30 {
            world.inventory.fail("GetAvailability", Outage::Before);
            world.inventory.fail("Allocate", Outage::Before);
        }
        world.release(ORDER, 1, &[(1, "A", 4)]);
        for _ in 0..70 {
            later(&world).await;
        }
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 4)]);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn units_without_a_route_for_long_need_a_person_until_they_have_one() {
    each(open, async |world| {
        for outage in ["GetAvailability", "Allocate"] {
            for _ in 0..4 {
                world.inventory.fail(outage, Outage::Before);
            }
        }
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        later(&world).await;
        assert!(world.events().await.open_exceptions().is_empty(), "ten minutes are not long");
        later(&world).await;
        assert_eq!(world.events().await.open_exceptions(), [("UNASSIGNED".to_owned(), ORDER.to_owned())]);
        for _ in 0..8 {
            later(&world).await;
        }
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 4)]);
        assert!(world.events().await.open_exceptions().is_empty());
        assert_eq!(world.count(EventType::ExceptionOpened).await, 1, "once, however long it takes");
    })
    .await;
}

#[tokio::test]
async fn an_answer_lost_when_units_are_deallocated_moves_them_once() {
    each(open, async |world| {
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        world.inventory.fail("Deallocate", Outage::After);
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.try_drain().await.unwrap_err();
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_b".to_owned(), 4)]);
        let keys = world.inventory.calls("Deallocate");
        assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.allocated), (0, 4));
    })
    .await;
}

#[tokio::test]
async fn an_answer_lost_when_cancelled_units_are_released_releases_them_once() {
    each(World::open, async |world| {
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        world.inventory.reserve(ORDER, 1, "A", 3);
        world.inventory.fail("Release", Outage::After);
        world.cancel(ORDER);
        world.try_drain().await.unwrap_err();
        world.drain().await;
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.released), (3, 4));
    })
    .await;
}

#[tokio::test]
async fn units_that_ship_before_they_are_deallocated_are_not_routed_again() {
    each(open, async |world| {
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;
        let order = world.reject(&world.fulfillment_order(ORDER).await).await;
        let shipment = world.ship(crate::world::shipped(&order, &[("T1", 4)])).await;
        assert_eq!(shipment.packages.len(), 1);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, []);
        assert_eq!(world.fulfillment_orders(ORDER).await.len(), 1);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}
