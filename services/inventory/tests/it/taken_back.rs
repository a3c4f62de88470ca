//! Movements and counts that are taken back. Whatever the order of the reports, the units are what the newest count makes them.

use std::time::Duration;

use proto::inventory::v1::{
    ItemQuantity, MovementKind, ReceiveStockRequest, ReportSnapshotRequest, ReportSnapshotResponse,
    RetractCountRequest, RetractMovementRequest, StockLevel, StockMovement,
};
use store::Options;
use testkit::{each, reason, staff, wrong_fields};
use tonic::Status;
use types::{Clock as _, Reason, Timestamp};

use crate::{
    reactions::ship,
    supply_dates::{in_days, open_receipts, schedule},
    world::{Client, HERE, World},
};

/// A report, with the minute at which it occurred, and what takes one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// Units came in at this minute.
    Receipt(u64, i64),
    /// Units were counted at this minute.
    Count(u64, i64),
    /// The receipt of so many units did not take place.
    NoReceipt(i64),
    /// The count at this minute did not take place.
    NoCount(u64),
}

use Report::{Count, NoCount, NoReceipt, Receipt};

/// An hour after the first minute, so that every report is about the past.
async fn world(options: Options) -> World {
    let world = World::open(options).await;
    world.clock.advance(Duration::from_secs(3_600));
    world
}

impl World {
    fn minute(&self, minute: u64) -> Option<prost_types::Timestamp> {
        let ago = i64::try_from(3_600 - minute * 60).unwrap() * 1_000_000;
        Some(mesh::wire::timestamp(Timestamp::from_micros(self.clock.now().as_micros() - ago)))
    }

    async fn count_at(&self, minute: u64, quantity: i64) -> ReportSnapshotResponse {
        let request = ReportSnapshotRequest {
            location_id: HERE.to_owned(),
            items: vec![ItemQuantity { sku: "A".to_owned(), quantity }],
            count_time: self.minute(minute),
            ..Default::default()
        };
        self.client.clone().report_snapshot(request).await.unwrap().into_inner()
    }

    fn no_count(&self, minute: u64) -> RetractCountRequest {
        RetractCountRequest {
            location_id: HERE.to_owned(),
            skus: vec!["A".to_owned()],
            count_time: self.minute(minute),
            reason: "another shelf".to_owned(),
            ..Default::default()
        }
    }

    async fn retract(&self, movement_number: i64) -> Result<StockLevel, Status> {
        let (sku, reason) = ("A".to_owned(), "it never came".to_owned());
        let request = RetractMovementRequest { sku, movement_number, reason, ..Default::default() };
        self.client.clone().retract_movement(request).await.map(tonic::Response::into_inner)
    }

    async fn report(&self, report: Report) {
        match report {
            Receipt(minute, quantity) => {
                let request = ReceiveStockRequest {
                    location_id: HERE.to_owned(),
                    items: vec![ItemQuantity { sku: "A".to_owned(), quantity }],
                    reference: quantity.to_string(),
                    occur_time: self.minute(minute),
                    ..Default::default()
                };
                self.client.clone().receive_stock(request).await.unwrap();
            }
            Count(minute, quantity) => {
                self.count_at(minute, quantity).await;
            }
            NoReceipt(quantity) => {
                let movements = self.movements("A").await;
                let is_receipt = |one: &&StockMovement| one.kind() == MovementKind::Received;
                let mut receipts = movements.iter().filter(is_receipt);
                let receipt = receipts.find(|one| one.reference == quantity.to_string()).unwrap();
                self.retract(receipt.movement_number).await.unwrap();
            }
            NoCount(minute) => {
                self.client.clone().retract_count(self.no_count(minute)).await.unwrap();
            }
        }
    }

    /// Schedules twice the units of each receipt, under the number that it comes with.
    async fn schedule_receipts(&self, reports: &[Report]) {
        for report in reports {
            if let Receipt(_, quantity) = report {
                schedule(self, &quantity.to_string(), HERE, quantity * 2, in_days(self, 1)).await;
            }
        }
    }

    /// By the units of each receipt: those of its schedule that were received.
    async fn received(&self) -> Vec<(i64, i64)> {
        let scheduled = open_receipts(self).await;
        scheduled.iter().map(|receipt| (receipt.receipt_number.parse().unwrap(), receipt.received)).collect()
    }

    async fn on_hand(&self) -> i64 {
        self.availability("A").await.on_hand
    }
}

/// Every order of the reports.
fn orders_of(reports: &[Report]) -> Vec<Vec<Report>> {
    if reports.is_empty() {
        return vec![Vec::new()];
    }
    let mut orders = Vec::new();
    for (at, first) in reports.iter().enumerate() {
        let mut others = reports.to_vec();
        others.remove(at);
        orders.extend(orders_of(&others).into_iter().map(|rest| [vec![*first], rest].concat()));
    }
    orders
}

/// Whether each report is taken back only after it was received.
fn is_possible(order: &[Report]) -> bool {
    let position = |wanted: &dyn Fn(&Report) -> bool| order.iter().position(wanted);
    order.iter().enumerate().all(|(at, report)| {
        let taken_back = match *report {
            NoReceipt(units) => position(&|one| matches!(one, Receipt(_, received) if *received == units)),
            NoCount(minute) => position(&|one| matches!(one, Count(counted, _) if *counted == minute)),
            Receipt(..) | Count(..) => Some(0),
        };
        taken_back.is_some_and(|taken_back| taken_back <= at)
    })
}

/// Units on hand after the reports, which are the same in every order in which they can come. So is what was received of scheduled
/// receipts, which are scheduled first in half of the orders, and last in the others: the units of the receipts that stand.
async fn always(reports: &[Report], on_hand: i64) {
    let orders: Vec<_> = orders_of(reports).into_iter().filter(|order| is_possible(order)).collect();
    assert!(orders.len() > 1);
    for (number, order) in orders.iter().enumerate() {
        let is_scheduled_first = number.is_multiple_of(2);
        each(world, async |world| {
            if is_scheduled_first {
                world.schedule_receipts(order).await;
            }
            for report in order {
                world.report(*report).await;
            }
            if !is_scheduled_first {
                world.schedule_receipts(order).await;
            }
            assert_eq!(world.on_hand().await, on_hand, "{order:?}");
            for (quantity, received) in world.received().await {
                let stands = !order.contains(&NoReceipt(quantity));
                assert_eq!(received, if stands { quantity } else { 0 }, "of receipt {quantity} after {order:?}");
            }
            world.check("A").await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_receipt_before_a_count_that_is_taken_back_leaves_what_was_counted() {
    each(world, async |world| {
        world.report(Receipt(1, 10)).await;
        world.report(Count(2, 4)).await;
        world.report(NoReceipt(10)).await;
        assert_eq!(world.on_hand().await, 4, "the count has shown already that the 10 never came");
        let newest = world.movements("A").await.remove(0);
        assert_eq!((newest.on_hand_delta, newest.retracts), (0, 1));
        assert_eq!(newest.note, "takes back movement 1: it never came");
        world.retract(1).await.unwrap();
        assert_eq!(world.movements("A").await.len(), 3, "a second time changes nothing");
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_receipt_that_is_taken_back_leaves_a_later_count_whatever_comes_first() {
    always(&[Receipt(1, 10), Count(2, 4), NoReceipt(10)], 4).await;
    always(&[Receipt(1, 10), Count(2, 4), Receipt(3, 5), NoReceipt(10)], 9).await;
    always(&[Receipt(3, 10), Count(2, 4), NoReceipt(10)], 4).await;
}

#[tokio::test]
async fn a_receipt_counts_again_when_a_later_count_is_taken_back_whatever_comes_first() {
    always(&[Receipt(1, 10), Count(2, 4), NoCount(2)], 10).await;
    always(&[Receipt(1, 10), Receipt(3, 5), Count(2, 4), NoCount(2)], 15).await;
}

#[tokio::test]
async fn a_receipt_and_a_later_count_that_are_both_taken_back_leave_nothing_whatever_comes_first() {
    always(&[Receipt(1, 10), Count(2, 4), NoReceipt(10), NoCount(2)], 0).await;
}

#[tokio::test]
async fn what_two_counts_had_counts_once_when_both_are_taken_back() {
    each(world, async |world| {
        for report in [Count(2, 4), Receipt(1, 10), NoCount(2), Count(3, 7), NoCount(3)] {
            world.report(report).await;
        }
        assert_eq!(world.on_hand().await, 10);
        let uncovered = world.movements("A").await.into_iter().find(|one| one.uncovers != 0).unwrap();
        assert_eq!((uncovered.on_hand_delta, uncovered.retracts, uncovered.uncovers), (10, 0, 2));
        let refused = world.retract(uncovered.movement_number).await;
        assert_eq!(reason(refused), Reason::ActionNotSupported);
        world.report(NoReceipt(10)).await;
        assert_eq!(world.on_hand().await, 0);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_left_leave_again_when_a_later_count_is_taken_back() {
    each(world, async |world| {
        world.report(Receipt(1, 10)).await;
        world.report(Count(3, 8)).await;
        let left = Timestamp::from_micros(world.clock.now().as_micros() - 3_480 * 1_000_000);
        ship(&world, "shm_1", "ord_1", &[(1, "A", 4)], left).await;
        assert_eq!(world.on_hand().await, 8, "the count has shown already that they left");
        world.report(NoCount(3)).await;
        assert_eq!(world.on_hand().await, 6);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn an_earlier_count_that_is_taken_back_leaves_a_later_one_whatever_comes_first() {
    always(&[Count(1, 25), Count(2, 20), NoCount(1)], 20).await;
    always(&[Count(1, 25), Receipt(2, 3), Count(3, 20), NoCount(1)], 20).await;
}

#[tokio::test]
async fn the_newest_count_that_is_taken_back_leaves_what_was_there_without_it() {
    each(world, async |world| {
        for report in [Receipt(1, 10), Count(2, 25), Receipt(3, 5), NoCount(2)] {
            world.report(report).await;
        }
        assert_eq!(world.on_hand().await, 15);
        world.report(NoCount(2)).await;
        assert_eq!(world.on_hand().await, 15, "a second time changes nothing");
        assert_eq!(world.movements("A").await.len(), 4);
        // What occurred before it is not in it any more.
        world.report(Receipt(1, 2)).await;
        assert_eq!(world.on_hand().await, 17);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_count_that_was_reported_twice_for_one_time_is_taken_back_as_a_whole() {
    each(world, async |world| {
        for report in [Count(2, 25), Count(2, 20), NoCount(2)] {
            world.report(report).await;
        }
        assert_eq!(world.on_hand().await, 0);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_count_that_found_what_was_expected_is_taken_back_too() {
    each(world, async |world| {
        for report in [Receipt(1, 10), Count(2, 10), NoCount(2), Receipt(1, 3)] {
            world.report(report).await;
        }
        assert_eq!(world.on_hand().await, 13, "the 3 are in no count");
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn after_the_newest_count_is_taken_back_an_older_one_counts() {
    each(world, async |world| {
        world.count_at(2, 25).await;
        world.report(NoCount(2)).await;
        let corrected = world.count_at(1, 20).await;
        assert!(!corrected.superseded);
        assert_eq!(world.on_hand().await, 20);
        // Another item was counted later than the location was, as far as is known after the retraction.
        world.count_at(3, 18).await;
        world.count("B", 7, Duration::ZERO).await;
        let no_count = RetractCountRequest {
            skus: vec!["B".to_owned()],
            count_time: Some(mesh::wire::timestamp(world.clock.now())),
            ..world.no_count(0)
        };
        world.client.clone().retract_count(no_count).await.unwrap();
        assert!(world.count_at(2, 50).await.superseded, "the item was counted at minute 3");
        assert_eq!(world.on_hand().await, 18);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_retraction_of_a_count_is_answered_as_the_first_was() {
    each(world, async |world| {
        world.count_at(2, 25).await;
        let request = RetractCountRequest { request_id: "r1".to_owned(), ..world.no_count(2) };
        let mut client = world.client.clone();
        let first = client.retract_count(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.levels.iter().map(|level| level.on_hand).collect::<Vec<_>>(), [0]);
        world.count_at(2, 12).await;
        assert_eq!(client.retract_count(request).await.unwrap().into_inner(), first);
        assert_eq!(world.on_hand().await, 12, "the repeat took nothing back");
    })
    .await;
}

#[tokio::test]
async fn wrong_fields_of_a_retraction_of_a_count_are_named() {
    each(world, async |world| {
        let mut client = world.client.clone();
        let nothing = client.retract_count(RetractCountRequest::default()).await;
        assert_eq!(wrong_fields(nothing), ["location_id", "skus", "count_time", "reason"]);
        let twice = RetractCountRequest { skus: vec!["A".to_owned(), "A".to_owned()], ..world.no_count(1) };
        assert_eq!(wrong_fields(client.retract_count(twice).await), ["skus[1]"]);
        let unknown = RetractCountRequest { skus: vec!["X".to_owned()], ..world.no_count(1) };
        assert_eq!(wrong_fields(client.retract_count(unknown).await), ["skus[0]"]);
        let elsewhere = RetractCountRequest { location_id: "nod_x".to_owned(), ..world.no_count(1) };
        assert_eq!(reason(client.retract_count(elsewhere).await), Reason::NotFound);
        let mut customer_service = Client::new(world.channel.for_principal(&staff(mesh::Role::CustomerService)));
        assert_eq!(reason(customer_service.retract_count(world.no_count(1)).await), Reason::PermissionDenied);
    })
    .await;
}

#[tokio::test]
async fn counts_that_are_taken_back_in_any_order_leave_what_was_there_without_them() {
    for order in [[4, 3, 2], [4, 2, 3], [3, 4, 2], [3, 2, 4], [2, 4, 3], [2, 3, 4]] {
        each(world, async |world| {
            for report in [Count(1, 1_000), Count(2, 900), Count(3, 800), Count(4, 850), Receipt(5, 7)] {
                world.report(report).await;
            }
            for minute in order {
                world.report(NoCount(minute)).await;
            }
            assert_eq!(world.on_hand().await, 1_007, "{order:?}");
            world.report(NoCount(1)).await;
            assert_eq!(world.on_hand().await, 7, "{order:?}");
            world.check("A").await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_count_that_stands_covers_what_occurred_before_it_when_a_later_one_is_taken_back() {
    for retractions in [[NoReceipt(10), NoCount(3)], [NoCount(3), NoReceipt(10)]] {
        each(world, async |world| {
            for report in [Receipt(1, 10), Count(2, 7), Count(3, 5)].into_iter().chain(retractions) {
                world.report(report).await;
            }
            assert_eq!(world.on_hand().await, 7, "{retractions:?}");
            world.report(NoCount(2)).await;
            assert_eq!(world.on_hand().await, 0, "{retractions:?}");
            world.check("A").await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_movement_of_a_count_that_is_taken_back_uncovers_what_the_count_covered() {
    each(world, async |world| {
        for report in [Receipt(1, 10), Count(2, 9), Count(3, 8), NoCount(2)] {
            world.report(report).await;
        }
        let newest = world.movements("A").await.into_iter().find(|one| one.note == "8 units counted").unwrap();
        world.retract(newest.movement_number).await.unwrap();
        assert_eq!(world.on_hand().await, 10);
        world.check("A").await;
    })
    .await;
}
