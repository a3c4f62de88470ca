//! The hard cases, by number.

use std::time::Duration;

use futures::future::join_all;
use proto::inventory::v1::{DeallocationPolicy, ReleaseRequest, ReserveRequest, ShortagePolicy, ShortfallDetected};
use testkit::database::each;
use types::Reason;

use crate::{
    fixture::{Fixture, HERE, THERE, quantities, told, units, wanted},
    reactions::{Sources, hold},
};

#[tokio::test]
async fn case_01_two_concurrent_reserves_for_the_last_unit_exactly_one_succeeds() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        service.receive("A", HERE, 1).await;
        let (one, two) =
            tokio::join!(service.reserve_all("ord_1", &[(1, "A", 1)]), service.reserve_all("ord_2", &[(1, "A", 1)]),);
        let refused: Vec<_> = [&one, &two].into_iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].reason, Reason::InsufficientStock);
        let now = service.availability("A").await;
        assert_eq!((now.on_hand, now.reserved, now.atp), (1, 1, 0));
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn case_02_two_lines_of_one_call_that_share_an_item_are_checked_on_the_sum() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        service.receive("A", HERE, 5).await;
        let refused = service.reserve_all("ord_1", &[(1, "A", 3), (2, "A", 3)]).await.unwrap_err();
        assert_eq!(refused.reason, Reason::InsufficientStock);
        assert_eq!(service.availability("A").await.reserved, 0);
        service.reserve_all("ord_1", &[(1, "A", 3), (2, "A", 2)]).await.unwrap();
        assert_eq!(service.availability("A").await.atp, 0);
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn case_05_an_allocation_uses_its_own_reservation_even_if_nothing_is_free() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        service.receive("A", HERE, 4).await;
        service.reserve("ord_1", &[(1, "A", 4)]).await;
        assert_eq!(service.availability("A").await.atp, 0);
        let answer = service.allocate("ord_1/release-1", "ord_1", &[(1, HERE, 4)]).await;
        assert_eq!(answer.allocations[0].quantity, 4);
        assert_eq!(units(&answer.reservations[0]), (0, 4, 0, 0, 0));
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn case_07_cancelled_work_gives_its_stock_back_once_and_never_more_than_it_had() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        service.receive("A", HERE, 5).await;
        let before = service.availability("A").await;
        service.reserve("ord_1", &[(1, "A", 5)]).await;
        service.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        for _ in 0..2 {
            let after = service.deallocate("ord_1", &[(1, HERE, 5)], DeallocationPolicy::Cancel).await;
            assert_eq!(units(&after[0]), (0, 0, 0, 0, 5));
        }
        let after = service.availability("A").await;
        assert_eq!((after.on_hand, after.reserved, after.allocated, after.atp), (5, 0, 0, before.atp));

        // With nothing allocated, and for an order that never reserved.
        service.reserve("ord_2", &[(1, "A", 2)]).await;
        let same = service.deallocate("ord_2", &[(1, HERE, 2)], DeallocationPolicy::Cancel).await;
        assert_eq!(units(&same[0]), (2, 0, 0, 0, 0));
        assert!(service.deallocate("ord_3", &[(1, HERE, 2)], DeallocationPolicy::Cancel).await.is_empty());
        for order_id in ["ord_2", "ord_3"] {
            let release = || ReleaseRequest {
                order_id: order_id.to_owned(),
                lines: quantities(&[(1, "A", 9)]),
                ..Default::default()
            };
            service.client.clone().release(release()).await.unwrap();
            service.client.clone().release(release()).await.unwrap();
        }
        assert_eq!(service.availability("A").await.atp, 5);
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn case_08_a_reserve_repeated_after_a_crash_answers_the_same_reservation() {
    each(|options| async move {
        let service = Fixture::open(options.clone()).await;
        service.receive("A", HERE, 3).await;
        let first = service.reserve_all("ord_1", &[(1, "A", 3)]).await.unwrap();
        service.db.close().await;

        let db =
            store::Db::open(&options, waybill_inventory::NAME, waybill_inventory::MIGRATIONS, service.clock.clone())
                .await
                .unwrap();
        let server =
            waybill_inventory::server(db, &waybill_inventory::Config::default(), &mesh::Config::default()).unwrap();
        let channel = server.into_channel().unwrap().for_principal(&mesh::Principal::service("order"));
        let mut client = proto::inventory::v1::inventory_service_client::InventoryServiceClient::new(channel);
        // Nothing is free any more, but the units are the order's own.
        let again = client.reserve(wanted("ord_1", &[(1, "A", 3)])).await.unwrap().into_inner();
        assert_eq!(again.reservations, first);
        let other = client.reserve(wanted("ord_2", &[(1, "A", 1)])).await.unwrap_err();
        assert_eq!(told(&other).reason, Reason::InsufficientStock);
    })
    .await;
}

#[tokio::test]
async fn case_09_the_reservation_of_an_order_on_hold_past_its_time_is_extended() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        let sources = Sources::open(&service).await;
        service.receive("A", HERE, 2).await;
        for (order_id, policy) in [("ord_held", ShortagePolicy::Refuse), ("ord_free", ShortagePolicy::Refuse)] {
            let request = ReserveRequest {
                shortage_policy: policy.into(),
                expire_after: Some(mesh::wire::duration(Duration::from_secs(3_600))),
                ..wanted(order_id, &[(1, "A", 1)])
            };
            service.client.clone().reserve(request).await.unwrap();
        }
        sources.tell(hold("ord_held", 1)).await;
        sources.workers.drain().await.unwrap();
        service.clock.advance(Duration::from_secs(3_601));
        let told_before = service.events(&["inventory.reserved", "inventory.reservation_released"]).await.len();
        sources.workers.drain().await.unwrap();

        let reserved = service.reservation("ord_held").await;
        assert_eq!(units(&reserved), (1, 0, 0, 0, 0));
        let free = service.reservation("ord_free").await;
        assert_eq!(units(&free), (0, 0, 0, 0, 1));
        assert_eq!(service.availability("A").await.atp, 1);
        let expired = service.events(&["inventory.reservation_expired"]).await;
        assert_eq!(expired.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>(), ["ord_free"]);
        let told_after = service.events(&["inventory.reserved", "inventory.reservation_released"]).await.len();
        assert_eq!(told_before, told_after, "what is only extended is not told again");

        // Once the hold is gone, the time runs out.
        sources.tell(hold("ord_held", 0)).await;
        sources.workers.drain().await.unwrap();
        service.clock.advance(Duration::from_secs(3_601));
        sources.workers.drain().await.unwrap();
        assert_eq!(units(&service.reservation("ord_held").await), (0, 0, 0, 0, 1));
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn case_10_a_count_below_what_is_allocated_names_the_shortfall_and_is_not_refused() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        service.receive("A", HERE, 10).await;
        for order_id in ["ord_1", "ord_2"] {
            service.reserve(order_id, &[(1, "A", 4)]).await;
            service.allocate(order_id, order_id, &[(1, HERE, 4)]).await;
        }
        let answer = service.count("A", 5, Duration::ZERO).await;
        assert!(!answer.superseded);
        let level = &answer.levels[0];
        assert_eq!((level.on_hand, level.allocated, level.available, level.shortfall), (5, 8, 0, 3));
        let event = service.events(&["inventory.shortfall_detected"]).await.into_iter().next().unwrap();
        let named: ShortfallDetected = store::payload(&event).unwrap();
        assert_eq!((named.sku.as_str(), named.location_id.as_str(), named.shortfall), ("A", HERE, 3));
        assert_eq!(named.order_ids, ["ord_1", "ord_2"]);
        assert_eq!(service.events(&["exception.opened"]).await.len(), 1);
        // Nobody's promise was taken.
        assert_eq!(units(&service.reservation("ord_2").await), (0, 4, 0, 0, 0));

        service.receive("A", HERE, 3).await;
        assert_eq!(service.availability("A").await.shortfall, 0);
        assert_eq!(service.events(&["exception.resolved"]).await.len(), 1);
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn case_15_orders_that_touch_items_in_opposite_order_do_not_deadlock() {
    each(|options| async move {
        let service = Fixture::open(options.clone()).await;
        // A second process on the same database, as a replica is.
        let db =
            store::Db::open(&options, waybill_inventory::NAME, waybill_inventory::MIGRATIONS, service.clock.clone())
                .await
                .unwrap();
        let server =
            waybill_inventory::server(db, &waybill_inventory::Config::default(), &mesh::Config::default()).unwrap();
        let replica = server.into_channel().unwrap().for_principal(&mesh::Principal::service("order"));
        let replica = proto::inventory::v1::inventory_service_client::InventoryServiceClient::new(replica);
        for sku in ["A", "B", "C"] {
            service.receive(sku, HERE, 40).await;
            service.receive(sku, THERE, 20).await;
        }
        let order = |number: usize| {
            let (first, last) = if number.is_multiple_of(2) { ("A", "C") } else { ("C", "A") };
            let mut client = if number.is_multiple_of(3) { replica.clone() } else { service.client.clone() };
            async move {
                let order_id = format!("ord_{number}");
                let lines = [(1, first, 1), (2, "B", 1), (3, last, 1)];
                // A rival may be faster many times; the order's reaction tries again too.
                loop {
                    match client.reserve(wanted(&order_id, &lines)).await {
                        Ok(_) => return true,
                        Err(status) if told(&status).is_transient() => {}
                        Err(status) => {
                            assert_eq!(told(&status).reason, Reason::InsufficientStock);
                            return false;
                        }
                    }
                }
            }
        };
        let outcomes = join_all((0..80).map(order)).await;
        assert_eq!(outcomes.into_iter().filter(|reserved| *reserved).count(), 60);
        for sku in ["A", "B", "C"] {
            let now = service.availability(sku).await;
            assert_eq!((now.reserved, now.atp, now.shortfall), (60, 0, 0));
            service.check(sku).await;
        }
    })
    .await;
}
