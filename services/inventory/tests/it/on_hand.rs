//! Units on hand: received, counted, corrected.

use std::time::Duration;

use mesh::wire::timestamp;
use proto::{
    events::EventType,
    inventory::v1::{
        AdjustStockRequest, DeallocateRequest, DeallocationPolicy, ItemQuantity, MovementKind, ReceiveStockRequest,
        ReleaseRequest, RetractMovementRequest, ShortfallDetected, SnapshotReported, StockChanged,
    },
    types::v1::LineQuantity,
};
use testkit::{each, reason, wrong_fields};
use types::{Clock as _, Reason, Timestamp};

use crate::world::{HERE, THERE, World, allocations, units};

fn correction(delta: i64) -> AdjustStockRequest {
    AdjustStockRequest {
        location_id: HERE.to_owned(),
        sku: "A".to_owned(),
        delta,
        reason: "found behind the shelf".to_owned(),
        ..Default::default()
    }
}

#[tokio::test]
async fn received_stock_is_emitted_with_its_movement_and_level() {
    each(World::open, async |world| {
        let items =
            vec![ItemQuantity { sku: "A".to_owned(), quantity: 3 }, ItemQuantity { sku: "B".to_owned(), quantity: 4 }];
        let request = ReceiveStockRequest {
            location_id: HERE.to_owned(),
            items,
            reference: "receipt 7".to_owned(),
            ..Default::default()
        };
        let answer = world.client.clone().receive_stock(request).await.unwrap().into_inner();
        assert_eq!(answer.levels.iter().map(|level| level.on_hand).collect::<Vec<_>>(), [3, 4]);
        let received: StockChanged = world.payloads(EventType::InventoryReceived).await.remove(1);
        let movement = received.movement.unwrap();
        assert_eq!((movement.sku.as_str(), movement.on_hand_delta, movement.reference.as_str()), ("B", 4, "receipt 7"));
        assert_eq!(received.level.unwrap(), answer.levels[1]);
    })
    .await;
}

#[tokio::test]
async fn a_correction_may_not_make_stock_negative_but_may_leave_a_shortfall() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        world.reserve("ord_1", &[(1, "A", 4)]).await;
        let refused = world.client.clone().adjust_stock(correction(-6)).await;
        assert_eq!(reason(refused), Reason::InsufficientStock);
        let level = world.client.clone().adjust_stock(correction(-3)).await.unwrap().into_inner();
        assert_eq!(level.on_hand, 2);
        let now = world.availability("A").await;
        assert_eq!((now.reserved, now.shortfall, now.atp), (4, 2, 0));
        let named: ShortfallDetected = world.payloads(EventType::InventoryShortfallDetected).await.remove(0);
        assert_eq!((named.location_id.as_str(), named.order_ids), ("", vec!["ord_1".to_owned()]));
        world.client.clone().adjust_stock(correction(2)).await.unwrap();
        assert_eq!(world.emitted(EventType::ExceptionResolved).await.len(), 1);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shortfall_keeps_new_stock_from_backorders() {
    each(World::open, async |world| {
        world.receive("A", HERE, 4).await;
        world.reserve("ord_1", &[(1, "A", 4)]).await;
        world.reserve("ord_2", &[(1, "A", 1)]).await;
        world.count("A", 1, Duration::ZERO).await;
        world.receive("A", HERE, 3).await;
        assert_eq!(units(&world.reservation("ord_2").await), (0, 0, 0, 1, 0));
        world.receive("A", HERE, 1).await;
        assert_eq!(units(&world.reservation("ord_2").await), (1, 0, 0, 0, 0));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn an_older_count_changes_nothing() {
    each(World::open, async |world| {
        assert!(!world.count("A", 7, Duration::ZERO).await.superseded);
        let answer = world.count("A", 3, Duration::from_secs(60)).await;
        assert!(answer.superseded);
        assert_eq!(answer.levels[0].on_hand, 7);
        assert_eq!(world.emitted(EventType::InventorySnapshotReported).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_came_after_a_count_was_taken_is_added_to_it() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.clock.advance(Duration::from_secs(3_600));
        world.receive("A", HERE, 5).await;
        world.receive("A", THERE, 50).await;
        // Taken half an hour ago: the 5 were not there yet.
        let answer = world.count("A", 8, Duration::from_secs(1_800)).await;
        assert_eq!(answer.levels[0].on_hand, 13);
        let reported: SnapshotReported = world.payloads(EventType::InventorySnapshotReported).await.remove(0);
        assert_eq!(reported.movements.iter().map(|one| one.on_hand_delta).collect::<Vec<_>>(), [-2]);
        assert_eq!(reported.movements[0].kind(), MovementKind::Counted);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn what_came_before_a_count_but_was_reported_after_it_is_in_the_count() {
    each(World::open, async |world| {
        world.count("A", 8, Duration::ZERO).await;
        let early = Timestamp::from_micros(world.clock.now().as_micros() - 60_000_000);
        let request = ReceiveStockRequest {
            location_id: HERE.to_owned(),
            items: vec![ItemQuantity { sku: "A".to_owned(), quantity: 3 }],
            occur_time: Some(timestamp(early)),
            ..Default::default()
        };
        let answer = world.client.clone().receive_stock(request).await.unwrap().into_inner();
        assert_eq!(answer.levels[0].on_hand, 8);
        let newest = world.movements("A").await.into_iter().next().unwrap();
        assert_eq!((newest.on_hand_delta, newest.note.as_str()), (0, "3 units, in a later count already"));
    })
    .await;
}

#[tokio::test]
async fn units_not_found_before_a_count_are_missing_in_it_already_whichever_is_reported_first() {
    each(World::open, async |world| {
        let half_an_hour = Duration::from_secs(1_800);
        for (order_id, count_first) in [("ord_1", true), ("ord_2", false)] {
            let missing = 10 - world.availability("A").await.on_hand;
            world.receive("A", HERE, missing).await;
            world.reserve(order_id, &[(1, "A", 4)]).await;
            world.allocate(order_id, order_id, &[(1, HERE, 4)]).await;
            let short = DeallocateRequest {
                order_id: order_id.to_owned(),
                allocations: allocations(&[(1, HERE, 4)]),
                policy: DeallocationPolicy::Short.into(),
                occur_time: Some(timestamp(world.clock.now())),
                ..Default::default()
            };
            world.clock.advance(half_an_hour);
            if count_first {
                world.count("A", 6, Duration::ZERO).await;
            }
            world.clock.advance(half_an_hour);
            world.client.clone().deallocate(short).await.unwrap();
            if !count_first {
                world.count("A", 6, half_an_hour).await;
            }
            let level = world.availability("A").await;
            assert_eq!((level.on_hand, level.allocated, level.shortfall), (6, 0, 0), "count first: {count_first}");
            // Other units are reserved for the order.
            assert_eq!(units(&world.reservation(order_id).await), (4, 0, 0, 0, 0));
            world.check("A").await;
            let line = LineQuantity { line_number: 1, sku: "A".to_owned(), quantity: 4 };
            let release = ReleaseRequest { order_id: order_id.to_owned(), lines: vec![line], ..Default::default() };
            world.client.clone().release(release).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn units_that_a_count_found_fill_backorders() {
    each(World::open, async |world| {
        world.reserve("ord_1", &[(1, "A", 2)]).await;
        world.count("A", 5, Duration::ZERO).await;
        assert_eq!(units(&world.reservation("ord_1").await), (2, 0, 0, 0, 0));
        assert_eq!(world.availability("A").await.atp, 3);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_receipt_a_correction_and_a_count_are_taken_back_once() {
    each(World::open, async |world| {
        world.receive("A", HERE, 10).await;
        world.clock.advance(Duration::from_secs(60));
        world.count("A", 25, Duration::ZERO).await;
        let numbers: Vec<_> = world.movements("A").await.iter().map(|one| one.movement_number).collect();
        let retract = |movement_number: i64| RetractMovementRequest {
            sku: "A".to_owned(),
            movement_number,
            reason: "another shelf".to_owned(),
            ..Default::default()
        };
        for _ in 0..2 {
            let level = world.client.clone().retract_movement(retract(2)).await.unwrap().into_inner();
            assert_eq!(level.on_hand, 10, "the count of 25 did not take place");
        }
        assert_eq!(numbers.len(), 2);
        // A later report of something before the count is not in it any more.
        let level = world.client.clone().retract_movement(retract(1)).await.unwrap().into_inner();
        assert_eq!(level.on_hand, 0);
        let movements = world.movements("A").await;
        let mut retracted: Vec<_> = movements.iter().map(|one| (one.retracts, one.on_hand_delta)).collect();
        retracted.sort_unstable();
        assert_eq!(retracted, [(0, 10), (0, 15), (1, -10), (2, -15)]);
        world.check("A").await;
        let refused = world.client.clone().retract_movement(retract(3)).await;
        assert_eq!(reason(refused), Reason::ActionNotSupported, "it takes another back itself");
        assert_eq!(reason(world.client.clone().retract_movement(retract(99)).await), Reason::NotFound);
        let wrong = world.client.clone().retract_movement(RetractMovementRequest::default()).await;
        assert_eq!(wrong_fields(wrong), ["sku", "movement_number", "reason"]);
    })
    .await;
}
