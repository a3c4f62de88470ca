//! Hard cases: requests that compete, contradict each other or come late.

use std::time::Duration;

use futures::future::join_all;
use proto::{
    events::EventType,
    inventory::v1::{DeallocationPolicy, ReleaseRequest, ReserveRequest, ShortagePolicy, ShortfallDetected},
};
use testkit::{each, reason};
use types::{Clock as _, Reason};

use crate::{
    reactions::{hold, ship},
    world::{HERE, THERE, World, quantities, requested, units},
};

#[tokio::test]
async fn two_concurrent_reserves_for_the_last_unit_exactly_one_succeeds() {
    each(World::open, async |world| {
        world.receive("A", HERE, 1).await;
        let (one, two) =
            tokio::join!(world.reserve_all("ord_1", &[(1, "A", 1)]), world.reserve_all("ord_2", &[(1, "A", 1)]),);
        let mut refused: Vec<_> = [one, two].into_iter().filter(Result::is_err).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(reason(refused.remove(0)), Reason::InsufficientStock);
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.reserved, now.atp), (1, 1, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn two_lines_of_one_call_that_share_an_item_are_checked_on_the_sum() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        let refused = world.reserve_all("ord_1", &[(1, "A", 3), (2, "A", 3)]).await;
        assert_eq!(reason(refused), Reason::InsufficientStock);
        assert_eq!(world.availability("A").await.reserved, 0);
        world.reserve_all("ord_1", &[(1, "A", 3), (2, "A", 2)]).await.unwrap();
        assert_eq!(world.availability("A").await.atp, 0);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn an_allocation_uses_its_own_reservation_even_if_nothing_is_free() {
    each(World::open, async |world| {
        world.receive("A", HERE, 4).await;
        world.reserve("ord_1", &[(1, "A", 4)]).await;
        assert_eq!(world.availability("A").await.atp, 0);
        let answer = world.allocate("ord_1/release-1", "ord_1", &[(1, HERE, 4)]).await;
        assert_eq!(answer.allocations[0].quantity, 4);
        assert_eq!(units(&answer.reservations[0]), (0, 4, 0, 0, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn cancelled_units_are_free_again_once_and_never_more_than_were_allocated() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        let before = world.availability("A").await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        for _ in 0..2 {
            let after = world.deallocate("ord_1", &[(1, HERE, 5)], DeallocationPolicy::Cancel).await;
            assert_eq!(units(&after[0]), (0, 0, 0, 0, 5));
        }
        let after = world.availability("A").await;
        assert_eq!((after.on_hand, after.reserved, after.allocated, after.atp), (5, 0, 0, before.atp));

        // With nothing allocated, and for an order that never reserved.
        world.reserve("ord_2", &[(1, "A", 2)]).await;
        let same = world.deallocate("ord_2", &[(1, HERE, 2)], DeallocationPolicy::Cancel).await;
        assert_eq!(units(&same[0]), (2, 0, 0, 0, 0));
        assert!(world.deallocate("ord_3", &[(1, HERE, 2)], DeallocationPolicy::Cancel).await.is_empty());
        for order_id in ["ord_2", "ord_3"] {
            let release = || ReleaseRequest {
                order_id: order_id.to_owned(),
                lines: quantities(&[(1, "A", 9)]),
                ..Default::default()
            };
            world.client.clone().release(release()).await.unwrap();
            world.client.clone().release(release()).await.unwrap();
        }
        assert_eq!(world.availability("A").await.atp, 5);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_reserve_repeated_after_a_crash_answers_the_same_reservation() {
    each(World::open, async |world| {
        world.receive("A", HERE, 3).await;
        let first = world.reserve_all("ord_1", &[(1, "A", 3)]).await.unwrap();
        world.db.close().await;

        let mut client = world.replica().await;
        // Nothing is free any more, but the units are the order's own.
        let again = client.reserve(requested("ord_1", &[(1, "A", 3)])).await.unwrap().into_inner();
        assert_eq!(again.reservations, first);
        let other = client.reserve(requested("ord_2", &[(1, "A", 1)])).await;
        assert_eq!(reason(other), Reason::InsufficientStock);
    })
    .await;
}

#[tokio::test]
async fn the_reservation_of_an_order_on_hold_past_its_time_is_extended() {
    each(World::open, async |world| {
        world.receive("A", HERE, 2).await;
        for (order_id, policy) in [("ord_on_hold", ShortagePolicy::Refuse), ("ord_free", ShortagePolicy::Refuse)] {
            let request = ReserveRequest {
                shortage_policy: policy.into(),
                expire_after: Some(mesh::wire::duration(Duration::from_secs(3_600))),
                ..requested(order_id, &[(1, "A", 1)])
            };
            world.client.clone().reserve(request).await.unwrap();
        }
        hold(&world, "ord_on_hold", 1).await;
        world.clock.advance(Duration::from_secs(3_601));
        let emitted = async || {
            let events = world.events().await;
            events.of(EventType::InventoryReserved).len() + events.of(EventType::InventoryReservationReleased).len()
        };
        let emitted_before = emitted().await;
        world.drain().await;

        let reserved = world.reservation("ord_on_hold").await;
        assert_eq!(units(&reserved), (1, 0, 0, 0, 0));
        let free = world.reservation("ord_free").await;
        assert_eq!(units(&free), (0, 0, 0, 0, 1));
        assert_eq!(world.availability("A").await.atp, 1);
        let expired = world.emitted(EventType::InventoryReservationExpired).await;
        assert_eq!(expired.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>(), ["ord_free"]);
        let emitted_after = emitted().await;
        assert_eq!(emitted_before, emitted_after, "what is only extended emits nothing");

        // Once the hold is gone, the time runs out.
        hold(&world, "ord_on_hold", 0).await;
        world.clock.advance(Duration::from_secs(3_601));
        world.drain().await;
        assert_eq!(units(&world.reservation("ord_on_hold").await), (0, 0, 0, 0, 1));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_count_below_what_is_allocated_names_the_shortfall_and_is_not_refused() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        for order_id in ["ord_1", "ord_2"] {
            world.reserve(order_id, &[(1, "A", 4)]).await;
            world.allocate(order_id, order_id, &[(1, HERE, 4)]).await;
        }
        let answer = world.count("A", 5, Duration::ZERO).await;
        assert!(!answer.superseded);
        let level = &answer.levels[0];
        assert_eq!((level.on_hand, level.allocated, level.available, level.shortfall), (5, 8, 0, 3));
        let named: ShortfallDetected = world.payloads(EventType::InventoryShortfallDetected).await.remove(0);
        assert_eq!((named.sku.as_str(), named.location_id.as_str(), named.shortfall), ("A", HERE, 3));
        assert_eq!(named.order_ids, ["ord_1", "ord_2"]);
        assert_eq!(world.emitted(EventType::ExceptionOpened).await.len(), 1);
        // No reservation changed.
        assert_eq!(units(&world.reservation("ord_2").await), (0, 4, 0, 0, 0));

        world.receive("A", HERE, 3).await;
        assert_eq!(world.availability("A").await.shortfall, 0);
        assert_eq!(world.emitted(EventType::ExceptionResolved).await.len(), 1);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn orders_that_touch_items_in_opposite_order_do_not_deadlock() {
    each(World::open, async |world| {
        // A second process on the same database, as a replica is.
        let replica = world.replica().await;
        for sku in ["A", "B", "C"] {
            world.receive(sku, HERE, 40).await;
            world.receive(sku, THERE, 20).await;
        }
        let order = |number: usize| {
            let (first, last) = if number.is_multiple_of(2) { ("A", "C") } else { ("C", "A") };
            let mut client = if number.is_multiple_of(3) { replica.clone() } else { world.client.clone() };
            async move {
                let order_id = format!("ord_{number}");
                let lines = [(1, first, 1), (2, "B", 1), (3, last, 1)];
                // A rival may be faster many times; the order's reaction tries again too.
                loop {
                    match client.reserve(requested(&order_id, &lines)).await {
                        Ok(_) => return true,
                        Err(status) if mesh::fault(&status).is_transient() => {}
                        Err(status) => {
                            assert_eq!(mesh::fault(&status).reason, Reason::InsufficientStock);
                            return false;
                        }
                    }
                }
            }
        };
        let outcomes = join_all((0..80).map(order)).await;
        assert_eq!(outcomes.into_iter().filter(|reserved| *reserved).count(), 60);
        for sku in ["A", "B", "C"] {
            let now = world.availability(sku).await;
            assert_eq!((now.reserved, now.atp, now.shortfall), (60, 0, 0));
            world.check(sku).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_order_on_credit_hold_past_its_time_with_accepted_work_is_extended_and_not_offered_again() {
    each(World::open, async |world| {
        world.receive("A", HERE, 4).await;
        let request = ReserveRequest {
            expire_after: Some(mesh::wire::duration(Duration::from_secs(3_600))),
            ..requested("ord_1", &[(1, "A", 4)])
        };
        world.client.clone().reserve(request).await.unwrap();
        // A node has accepted two of them; a credit hold keeps the others.
        world.allocate("key", "ord_1", &[(1, HERE, 2)]).await;
        hold(&world, "ord_1", 1).await;
        for _ in 0..3 {
            world.clock.advance(Duration::from_secs(3_601));
            world.drain().await;
        }
        let kept = world.reservation("ord_1").await;
        assert_eq!(units(&kept), (2, 2, 0, 0, 0));
        assert!(kept.expire_time.unwrap().seconds > mesh::wire::timestamp(world.clock.now()).seconds, "extended");
        assert_eq!(world.availability("A").await.atp, 0);
        assert_eq!(reason(world.reserve_all("ord_2", &[(1, "A", 1)]).await), Reason::InsufficientStock);
        assert!(world.emitted(EventType::InventoryReservationExpired).await.is_empty());
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn an_absolute_count_while_orders_are_open_promises_the_count_less_what_is_owed_once() {
    each(World::open, async |world| {
        world.receive("A", HERE, 80).await;
        world.reserve("ord_1", &[(1, "A", 19)]).await;
        world.reserve("ord_2", &[(1, "A", 10)]).await;
        world.allocate("key", "ord_2", &[(1, HERE, 10)]).await;
        let atp = async || world.availability("A").await.atp;
        world.count("A", 80, Duration::ZERO).await;
        assert_eq!(atp().await, 51, "80 less 29, not 80");
        // Ten leave; the warehouse's own system does not know it yet, and then it does.
        world.clock.advance(Duration::from_secs(60));
        ship(&world, "shm_1", "ord_2", &[(1, "A", 10)], world.clock.now()).await;
        assert_eq!(atp().await, 51);
        world.clock.advance(Duration::from_secs(60));
        world.count("A", 80, Duration::from_secs(90)).await;
        assert_eq!(atp().await, 51, "a count from before they left");
        world.count("A", 70, Duration::ZERO).await;
        let now = world.availability("A").await;
        assert_eq!(
            (now.on_hand, now.reserved, now.allocated, now.atp),
            (70, 19, 0, 51),
            "they are not subtracted twice"
        );
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_a_node_came_up_short_of_are_not_offered_to_others_until_they_are_found() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Short).await;
        let now = world.availability("A").await;
        assert_eq!((now.backordered, now.atp), (2, 0), "what was short is still wanted");
        world.receive("A", THERE, 1).await;
        assert_eq!(world.availability("A").await.atp, 0);
        assert_eq!(reason(world.reserve_all("ord_2", &[(1, "A", 1)]).await), Reason::InsufficientStock);
        world.receive("A", THERE, 2).await;
        assert_eq!(units(&world.reservation("ord_1").await), (2, 3, 0, 0, 0));
        assert_eq!(world.availability("A").await.atp, 1, "the third is free");
        world.check("A").await;
    })
    .await;
}
