//! Reservations: which order gets which units, in which order, and for how long.

use std::time::Duration;

use proto::{
    events::EventType,
    inventory::v1::{
        ConsumeRequest, DeallocationPolicy, ReleaseRequest, ReservationsChanged, ReserveRequest, ShortagePolicy,
    },
};
use testkit::{each, reason};
use types::Reason;

use crate::world::{HERE, THERE, World, quantities, requested, units};

#[tokio::test]
async fn backorders_are_filled_in_the_order_in_which_they_began() {
    each(World::open, async |world| {
        for order_id in ["ord_c", "ord_a", "ord_b"] {
            world.reserve(order_id, &[(1, "A", 4)]).await;
        }
        world.receive("A", HERE, 6).await;
        assert_eq!(units(&world.reservation("ord_c").await), (4, 0, 0, 0, 0));
        assert_eq!(units(&world.reservation("ord_a").await), (2, 0, 0, 2, 0));
        assert_eq!(units(&world.reservation("ord_b").await), (0, 0, 0, 4, 0));
        // A new order does not get units before them.
        world.reserve("ord_new", &[(1, "A", 1)]).await;
        world.receive("A", HERE, 1).await;
        assert_eq!(units(&world.reservation("ord_new").await), (0, 0, 0, 1, 0));
        assert_eq!(world.availability("A").await.backordered, 6);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn filled_backorders_are_emitted_for_each_order_with_its_newest_snapshot() {
    each(World::open, async |world| {
        world.reserve("ord_1", &[(1, "A", 1), (2, "A", 1)]).await;
        world.reserve("ord_2", &[(1, "A", 1)]).await;
        let before = world.emitted(EventType::InventoryReserved).await.len();
        world.receive("A", HERE, 3).await;
        let emitted = world.emitted(EventType::InventoryReserved).await.split_off(before);
        let payloads = world.payloads::<ReservationsChanged>(EventType::InventoryReserved).await.split_off(before);
        assert_eq!(payloads.iter().map(|payload| payload.reservations.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(payloads[1].reservations[0], world.reservation("ord_2").await);
        assert_eq!(emitted[1].correlation_id, "ord_2");
    })
    .await;
}

#[tokio::test]
async fn units_of_a_short_pick_are_corrected_and_backordered_before_all_others() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        world.reserve("ord_2", &[(1, "A", 3)]).await;
        let after = world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Short).await;
        assert_eq!(units(&after[0]), (0, 3, 0, 2, 0));
        assert_eq!(world.availability("A").await.on_hand, 3);
        world.receive("A", THERE, 3).await;
        assert_eq!(units(&world.reservation("ord_1").await), (2, 3, 0, 0, 0));
        assert_eq!(units(&world.reservation("ord_2").await), (1, 0, 0, 2, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_of_a_short_pick_are_reserved_elsewhere_when_others_are_free() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        world.receive("A", THERE, 5).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        let after = world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Short).await;
        assert_eq!(units(&after[0]), (2, 3, 0, 0, 0));
        let again = world.allocate("key-2", "ord_1", &[(1, HERE, 2), (1, THERE, 2)]).await;
        assert_eq!(again.allocations.iter().map(|one| one.location_id.as_str()).collect::<Vec<_>>(), [THERE]);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shortfall_that_a_count_found_is_not_corrected_again_by_the_short_pick() {
    each(World::open, async |world| {
        world.receive("A", HERE, 8).await;
        world.reserve("ord_1", &[(1, "A", 8)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 8)]).await;
        world.count("A", 6, Duration::ZERO).await;
        world.deallocate("ord_1", &[(1, HERE, 3)], DeallocationPolicy::Short).await;
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.allocated, now.backordered, now.shortfall), (5, 5, 3, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn reassigned_units_are_reserved_again_and_not_free_for_others() {
    each(World::open, async |world| {
        world.receive("A", HERE, 2).await;
        world.reserve("ord_1", &[(1, "A", 2)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 2)]).await;
        world.reserve("ord_2", &[(1, "A", 1)]).await;
        let after = world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Reassign).await;
        assert_eq!(units(&after[0]), (2, 0, 0, 0, 0));
        assert_eq!(units(&world.reservation("ord_2").await), (0, 0, 0, 1, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn another_quantity_changes_a_reservation_by_the_difference() {
    each(World::open, async |world| {
        world.receive("A", HERE, 6).await;
        world.reserve("ord_1", &[(1, "A", 4)]).await;
        world.reserve("ord_2", &[(1, "A", 4)]).await;
        let more = world.reserve("ord_1", &[(1, "A", 5)]).await;
        assert_eq!((more[0].requested, units(&more[0])), (5, (4, 0, 0, 1, 0)));
        // Backordered units go first, then reserved ones, which fill other backorders.
        let less = world.reserve("ord_1", &[(1, "A", 2)]).await;
        assert_eq!((less[0].requested, units(&less[0])), (2, (2, 0, 0, 0, 0)));
        assert_eq!(units(&world.reservation("ord_2").await), (4, 0, 0, 0, 0));
        world.allocate("key", "ord_1", &[(1, HERE, 2)]).await;
        let refused = world.client.clone().reserve(requested("ord_1", &[(1, "A", 1)])).await;
        assert_eq!(reason(refused), Reason::InvalidArgument);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn released_units_fill_backorders() {
    each(World::open, async |world| {
        world.receive("A", HERE, 3).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.reserve("ord_2", &[(1, "A", 2)]).await;
        let lines = quantities(&[(1, "A", 4)]);
        let request = ReleaseRequest { order_id: "ord_1".to_owned(), lines, ..Default::default() };
        let after = world.client.clone().release(request).await.unwrap().into_inner().reservations;
        assert_eq!(units(&after[0]), (1, 0, 0, 0, 4));
        assert_eq!(units(&world.reservation("ord_2").await), (2, 0, 0, 0, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn an_order_that_fills_its_own_backorder_by_a_cancellation_has_an_event_of_it() {
    each(World::open, async |world| {
        world.receive("A", HERE, 2).await;
        world.reserve("ord_1", &[(1, "A", 2), (2, "A", 2)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 2)]).await;
        let before = world.emitted(EventType::InventoryReserved).await.len();
        world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Cancel).await;
        let emitted = world.payloads::<ReservationsChanged>(EventType::InventoryReserved).await.split_off(before);
        assert_eq!(
            emitted[0].reservations.iter().map(|one| (one.line_number, one.reserved)).collect::<Vec<_>>(),
            [(2, 2)]
        );
    })
    .await;
}

#[tokio::test]
async fn expired_units_are_backordered_at_the_end_of_the_queue() {
    each(World::open, async |world| {
        world.receive("A", HERE, 3).await;
        let request = ReserveRequest {
            shortage_policy: ShortagePolicy::Backorder.into(),
            expire_after: Some(mesh::wire::duration(Duration::from_secs(60))),
            ..requested("ord_1", &[(1, "A", 3)])
        };
        world.client.clone().reserve(request).await.unwrap();
        world.reserve("ord_2", &[(1, "A", 2)]).await;
        world.clock.advance(Duration::from_secs(61));
        world.drain().await;
        assert_eq!(units(&world.reservation("ord_2").await), (2, 0, 0, 0, 0));
        let expired = world.reservation("ord_1").await;
        assert_eq!(units(&expired), (1, 0, 0, 2, 0));
        assert_eq!(world.emitted(EventType::InventoryReservationExpired).await.len(), 1);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn another_time_to_live_of_the_same_units_begins_anew_and_the_same_does_not() {
    each(World::open, async |world| {
        world.receive("A", HERE, 3).await;
        let reserve = async |seconds: u64, promised: Option<i64>| {
            let request = ReserveRequest {
                shortage_policy: ShortagePolicy::Backorder.into(),
                expire_after: Some(mesh::wire::duration(Duration::from_secs(seconds))),
                promise_time: promised.map(|seconds| prost_types::Timestamp { seconds, nanos: 0 }),
                ..requested("ord_1", &[(1, "A", 3)])
            };
            world.client.clone().reserve(request).await.unwrap();
            world.reservation("ord_1").await
        };
        let first = reserve(60, None).await;
        world.clock.advance(Duration::from_secs(30));
        assert_eq!(reserve(60, None).await.expire_time, first.expire_time);
        let later = reserve(600, Some(1_800_000_000)).await;
        assert_eq!(later.expire_time.unwrap().seconds, first.expire_time.unwrap().seconds + 30 + 540);
        assert_eq!(later.promise_time.unwrap().seconds, 1_800_000_000);
        world.reserve("ord_2", &[(1, "A", 1)]).await;
        for (seconds, expired) in [(599, 0), (1, 1)] {
            world.clock.advance(Duration::from_secs(seconds));
            world.drain().await;
            assert_eq!(world.emitted(EventType::InventoryReservationExpired).await.len(), expired);
        }
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn an_order_with_allocated_units_keeps_its_other_units_past_their_time() {
    each(World::open, async |world| {
        world.receive("A", HERE, 3).await;
        let expire_after = Some(mesh::wire::duration(Duration::from_secs(60)));
        let request = ReserveRequest { expire_after, ..requested("ord_1", &[(1, "A", 3)]) };
        world.client.clone().reserve(request).await.unwrap();
        world.allocate("key", "ord_1", &[(1, HERE, 1)]).await;
        world.clock.advance(Duration::from_secs(61));
        world.drain().await;
        assert_eq!(units(&world.reservation("ord_1").await), (2, 1, 0, 0, 0));
        world.deallocate("ord_1", &[(1, HERE, 1)], DeallocationPolicy::Cancel).await;
        world.clock.advance(Duration::from_secs(61));
        world.drain().await;
        assert_eq!(units(&world.reservation("ord_1").await), (0, 0, 0, 0, 3));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn no_more_is_allocated_than_the_order_has_reserved_and_the_location_has() {
    each(World::open, async |world| {
        world.receive("A", HERE, 2).await;
        world.receive("A", THERE, 9).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        let lines = [(1, HERE, 4), (1, "nod_unknown", 1), (1, THERE, 9)];
        let answer = world.allocate("key", "ord_1", &lines).await;
        let got: Vec<_> = answer.allocations.iter().map(|one| (one.location_id.as_str(), one.quantity)).collect();
        assert_eq!(got, [(HERE, 2), (THERE, 3)]);
        let reservations = world.reservations("ord_1").await;
        assert_eq!(reservations.allocations.iter().map(|one| one.open).collect::<Vec<_>>(), [2, 3]);
        let now = world.availability("A").await;
        assert_eq!(now.levels.iter().map(|level| level.available).collect::<Vec<_>>(), [0, 6]);
        world.check("A").await;
    })
    .await;
}

/// Has another total reserved for lines that were reserved, released, allocated, shipped and expired before.
async fn reserve_greater_totals(world: &World, policy: ShortagePolicy) {
    let reserve = async |lines: &[(i32, &str, i64)]| {
        let request = ReserveRequest {
            shortage_policy: policy.into(),
            expire_after: Some(mesh::wire::duration(Duration::from_secs(60))),
            ..requested("ord_1", lines)
        };
        world.client.clone().reserve(request).await.map(|answer| answer.into_inner().reservations)
    };
    world.receive("A", HERE, 10).await;
    reserve(&[(1, "A", 8)]).await.unwrap();
    let (order_id, lines) = ("ord_1".to_owned(), quantities(&[(1, "A", 2)]));
    world.client.clone().release(ReleaseRequest { order_id, lines, ..Default::default() }).await.unwrap();
    world.allocate("key", "ord_1", &[(1, HERE, 3)]).await;
    let shipped = ConsumeRequest {
        shipment_id: "shm_1".to_owned(),
        order_id: "ord_1".to_owned(),
        location_id: HERE.to_owned(),
        lines: quantities(&[(1, "A", 1)]),
    };
    world.client.clone().consume(shipped).await.unwrap();
    let more = reserve(&[(1, "A", 11), (2, "A", 1)]).await.unwrap();
    assert_eq!((more[0].requested, units(&more[0])), (11, (6, 2, 1, 0, 2)));
    assert_eq!((more[1].requested, units(&more[1])), (1, (1, 0, 0, 0, 0)));
    // None is left for more, and a refusal keeps what is there.
    let even_more = reserve(&[(1, "A", 15), (2, "A", 1), (3, "A", 1)]).await;
    if policy == ShortagePolicy::Refuse {
        assert_eq!(reason(even_more), Reason::InsufficientStock);
        assert_eq!(world.reservations("ord_1").await.reservations, more);
    } else {
        assert_eq!(even_more.unwrap().iter().map(|one| one.backordered).collect::<Vec<_>>(), [4, 0, 1]);
    }
    // What expires is released, or waits; a greater total adds to it.
    world.deallocate("ord_1", &[(1, HERE, 2)], DeallocationPolicy::Cancel).await;
    world.clock.advance(Duration::from_secs(61));
    world.drain().await;
    let expired = world.reservation("ord_1").await;
    world.receive("A", THERE, 20).await;
    let last = reserve(&[(1, "A", expired.requested + 2)]).await.unwrap().remove(0);
    let wanted = expired.requested + 2 - 1 - expired.released;
    assert_eq!(units(&last), (wanted, 0, 1, 0, expired.released));
    world.check("A").await;
}

#[tokio::test]
async fn a_greater_total_adds_its_difference_whatever_became_of_the_units_before() {
    for policy in [ShortagePolicy::Refuse, ShortagePolicy::Backorder] {
        each(World::open, async |world| reserve_greater_totals(&world, policy).await).await;
    }
}
