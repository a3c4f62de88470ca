//! Who gets units that become free: by the rules, by a release, and as its preview says.

mod calls;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::NodeChanged,
    inventory::v1::{
        BackorderCriterion, BackorderObstacle, BackorderRelease, BackorderRules, BackorderRulesUpdated,
        DeallocationPolicy, PreviewBackorderReleaseRequest, ReleaseBackordersRequest, ReservationsChanged,
        ReserveRequest, ShortagePolicy, UpdateBackorderRequest, UpdateBackorderRulesRequest,
    },
};
use testkit::{each, reason};
use types::Reason;

use crate::{
    destinations::node,
    supply_dates::{expected, in_days, schedule},
    world::{HERE, THERE, World, requested},
};

/// The rules by which free units are given from now on.
async fn rules(world: &World, criteria: &[BackorderCriterion], percent: i32, hold_for_release: bool) -> BackorderRules {
    let request = UpdateBackorderRulesRequest {
        criteria: criteria.iter().map(|criterion| (*criterion).into()).collect(),
        max_account_share_percent: percent,
        hold_for_release,
        ..Default::default()
    };
    world.client.clone().update_backorder_rules(request).await.unwrap().into_inner()
}

/// Backorders units of `A` for an account, with a priority and a promise in days, if there are.
async fn wait(
    world: &World,
    order_id: &str,
    account_id: &str,
    quantity: i64,
    priority: Option<i32>,
    days: Option<u32>,
) {
    let request = ReserveRequest {
        account_id: account_id.to_owned(),
        shortage_policy: ShortagePolicy::Backorder.into(),
        priority,
        promise_time: days.map(|days| mesh::wire::timestamp(in_days(world, days))),
        ..requested(order_id, &[(1, "A", quantity)])
    };
    world.client.clone().reserve(request).await.unwrap();
}

/// How many units orders have reserved.
async fn reserved<const N: usize>(world: &World, orders: [&str; N]) -> [i64; N] {
    let mut units = [0; N];
    for (units, order_id) in units.iter_mut().zip(orders) {
        *units = world.reservation(order_id).await.reserved;
    }
    units
}

async fn preview(world: &World, sku: &str) -> BackorderRelease {
    let request = PreviewBackorderReleaseRequest { skus: vec![sku.to_owned()] };
    world.client.clone().preview_backorder_release(request).await.unwrap().into_inner().releases.remove(0)
}

async fn release(world: &World, sku: &str) -> BackorderRelease {
    let request = ReleaseBackordersRequest { skus: vec![sku.to_owned()], ..Default::default() };
    world.client.clone().release_backorders(request).await.unwrap().into_inner().releases.remove(0)
}

/// Order, units, what decided and the obstacle of each line.
fn shares(release: &BackorderRelease) -> Vec<(&str, i64, BackorderCriterion, BackorderObstacle)> {
    let share = release.shares.iter();
    share.map(|share| (share.order_id.as_str(), share.released, share.decided_by(), share.obstacle())).collect()
}

#[tokio::test]
async fn free_units_go_to_the_lines_that_the_rules_put_first() {
    each(World::open, async |world| {
        rules(&world, &[BackorderCriterion::Priority, BackorderCriterion::PromiseTime], 0, false).await;
        wait(&world, "ord_old", "acc_1", 1, None, None).await;
        wait(&world, "ord_late", "acc_1", 1, None, Some(3)).await;
        wait(&world, "ord_soon", "acc_1", 1, Some(5), Some(1)).await;
        wait(&world, "ord_low", "acc_1", 1, Some(0), Some(1)).await;
        wait(&world, "ord_high", "acc_1", 1, Some(9), None).await;
        let orders = ["ord_high", "ord_soon", "ord_late", "ord_old", "ord_low"];
        for first in 1..=orders.len() {
            world.receive("A", HERE, 1).await;
            let got = reserved(&world, orders).await;
            assert_eq!(got.iter().sum::<i64>(), i64::try_from(first).unwrap());
            assert_eq!(got[first - 1], 1, "{} is next", orders[first - 1]);
        }
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_line_that_a_location_did_not_find_comes_before_all_others_whatever_the_rules_are() {
    each(World::open, async |world| {
        rules(&world, &[BackorderCriterion::Priority], 10, true).await;
        world.receive("A", HERE, 4).await;
        wait(&world, "ord_1", "acc_1", 4, Some(0), None).await;
        world.allocate("key", "ord_1", &[(1, HERE, 4)]).await;
        wait(&world, "ord_2", "acc_1", 4, Some(9), None).await;
        world.deallocate("ord_1", &[(1, HERE, 4)], DeallocationPolicy::Short).await;
        world.receive("A", HERE, 6).await;
        assert_eq!(reserved(&world, ["ord_1", "ord_2"]).await, [4, 0], "it does not wait for a release");
        assert_eq!(release(&world, "A").await.shares[0].released, 2);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn no_account_gets_more_than_its_share_while_others_wait() {
    each(World::open, async |world| {
        rules(&world, &[], 40, false).await;
        wait(&world, "ord_1", "acc_big", 20, None, None).await;
        wait(&world, "ord_2", "acc_big", 5, None, None).await;
        wait(&world, "ord_3", "acc_small", 3, None, None).await;
        wait(&world, "ord_4", "acc_other", 9, None, None).await;
        world.receive("A", HERE, 10).await;
        assert_eq!(reserved(&world, ["ord_1", "ord_2", "ord_3", "ord_4"]).await, [4, 0, 3, 3]);
        // The two that wait have their share of ten more; what is left is divided between them.
        world.receive("A", HERE, 10).await;
        assert_eq!(reserved(&world, ["ord_1", "ord_2", "ord_3", "ord_4"]).await, [9, 0, 3, 8]);
        // Then one gets all that nobody else waits for.
        world.receive("A", HERE, 10).await;
        assert_eq!(reserved(&world, ["ord_1", "ord_2", "ord_3", "ord_4"]).await, [18, 0, 3, 9]);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn held_units_wait_for_a_release_and_are_promised_to_nobody_else() {
    each(World::open, async |world| {
        rules(&world, &[BackorderCriterion::Priority], 0, true).await;
        wait(&world, "ord_1", "acc_1", 3, None, None).await;
        wait(&world, "ord_2", "acc_2", 3, Some(7), None).await;
        world.receive("A", HERE, 5).await;
        assert_eq!(reserved(&world, ["ord_1", "ord_2"]).await, [0, 0]);
        let now = world.availability("A").await;
        assert_eq!((now.on_hand, now.atp, now.backordered), (5, 0, 6));
        assert_eq!(world.reserve("ord_3", &[(1, "A", 1)]).await[0].reserved, 0);
        assert_eq!(reason(world.reserve_all("ord_4", &[(1, "A", 1)]).await), Reason::InsufficientStock);

        let said = preview(&world, "A").await;
        let expected = [
            ("ord_2", 3, BackorderCriterion::Unspecified, BackorderObstacle::Unspecified),
            ("ord_1", 2, BackorderCriterion::Priority, BackorderObstacle::NoUnits),
            ("ord_3", 0, BackorderCriterion::Age, BackorderObstacle::NoUnits),
        ];
        assert_eq!((said.free, shares(&said)), (5, expected.to_vec()));
        assert_eq!(reserved(&world, ["ord_1", "ord_2"]).await, [0, 0], "a preview gives nothing");
        let before = world.emitted(EventType::InventoryReserved).await.len();
        assert_eq!(release(&world, "A").await, said);
        assert_eq!(reserved(&world, ["ord_1", "ord_2", "ord_3"]).await, [2, 3, 0]);
        let told = world.payloads::<ReservationsChanged>(EventType::InventoryReserved).await.split_off(before);
        assert_eq!(told.iter().map(|told| told.order_id.as_str()).collect::<Vec<_>>(), ["ord_1", "ord_2"]);
        assert_eq!(release(&world, "A").await.free, 0);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_preview_says_whose_share_and_whose_reach_is_the_obstacle() {
    each(World::open, async |world| {
        for (location_id, countries) in [(HERE, ["US"].as_slice()), (THERE, ["DE"].as_slice())] {
            let node = Some(node(location_id, 1, countries));
            world.fulfillment.emit("", &FulfillmentEvent::NodeUpdated(NodeChanged { node }));
        }
        world.drain().await;
        rules(&world, &[], 50, true).await;
        for (order_id, account_id, country) in
            [("ord_1", "acc_1", "US"), ("ord_2", "acc_2", "DE"), ("ord_3", "acc_3", "US")]
        {
            let request = ReserveRequest {
                account_id: account_id.to_owned(),
                ship_to_country: country.to_owned(),
                shortage_policy: ShortagePolicy::Backorder.into(),
                ..requested(order_id, &[(1, "A", 8)])
            };
            world.client.clone().reserve(request).await.unwrap();
        }
        world.receive("A", HERE, 10).await;
        let said = preview(&world, "A").await;
        let expected = [
            ("ord_1", 5, BackorderCriterion::Unspecified, BackorderObstacle::ShareLimit),
            ("ord_2", 0, BackorderCriterion::Age, BackorderObstacle::OutOfReach),
            ("ord_3", 5, BackorderCriterion::Age, BackorderObstacle::NoUnits),
        ];
        assert_eq!(shares(&said), expected);
        assert_eq!(release(&world, "A").await, said);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn units_that_no_longer_wait_for_a_release_are_given() {
    each(World::open, async |world| {
        rules(&world, &[], 0, true).await;
        wait(&world, "ord_1", "acc_1", 3, None, None).await;
        world.receive("A", HERE, 2).await;
        let rules = rules(&world, &[], 0, false).await;
        // A call that comes before the task has filled them does so.
        assert_eq!(world.reserve("ord_2", &[(1, "A", 1)]).await[0].reserved, 0);
        assert_eq!(reserved(&world, ["ord_1"]).await, [2]);
        wait(&world, "ord_3", "acc_1", 1, None, None).await;
        world.drain().await;
        let told: Vec<BackorderRulesUpdated> = world.payloads(EventType::BackorderRulesUpdated).await;
        assert_eq!((told.len(), told[1].rules.as_ref()), (2, Some(&rules)));
        assert!(told[1].previous.as_ref().unwrap().hold_for_release);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_rules_fills_every_item_that_is_waited_for() {
    each(World::open, async |world| {
        rules(&world, &[], 0, true).await;
        world.reserve("ord_1", &[(1, "A", 2), (2, "B", 2), (3, "C", 2)]).await;
        for sku in ["A", "B", "C"] {
            world.receive(sku, HERE, 2).await;
        }
        rules(&world, &[], 0, false).await;
        world.drain().await;
        let lines = world.reservations("ord_1").await.reservations;
        assert_eq!(lines.iter().map(|line| line.reserved).collect::<Vec<_>>(), [2, 2, 2]);
    })
    .await;
}

async fn update(world: &World, order_id: &str, priority: Option<i32>, days: Option<u32>) {
    let request = UpdateBackorderRequest {
        order_id: order_id.to_owned(),
        line_number: 1,
        priority,
        promise_time: days.map(|days| mesh::wire::timestamp(in_days(world, days))),
        ..Default::default()
    };
    world.client.clone().update_backorder(request).await.unwrap();
}

#[tokio::test]
async fn a_line_that_comes_to_be_first_is_expected_first() {
    each(World::open, async |world| {
        let [one, two] = [1, 2].map(|days| in_days(&world, days));
        rules(&world, &[BackorderCriterion::Priority], 0, false).await;
        wait(&world, "ord_1", "acc_1", 2, None, None).await;
        wait(&world, "ord_2", "acc_1", 2, None, None).await;
        schedule(&world, "PO-1", HERE, 2, one).await;
        schedule(&world, "PO-2", HERE, 2, two).await;
        update(&world, "ord_2", Some(6), None).await;
        assert_eq!((expected(&world, "ord_1").await, expected(&world, "ord_2").await), (Some(two), Some(one)));
        let told: Vec<ReservationsChanged> = world.payloads(EventType::InventoryBackorderUpdated).await;
        assert_eq!((told.len(), told[0].order_id.as_str(), told[0].reservations[0].priority), (1, "ord_2", 6));
        // Other rules date them anew, and so does a share.
        rules(&world, &[BackorderCriterion::PromiseTime], 0, false).await;
        world.drain().await;
        assert_eq!(expected(&world, "ord_1").await, Some(one));
        update(&world, "ord_2", None, Some(9)).await;
        assert_eq!((expected(&world, "ord_1").await, expected(&world, "ord_2").await), (Some(two), Some(one)));
        world.receive("A", HERE, 2).await;
        assert_eq!(reserved(&world, ["ord_1", "ord_2"]).await, [0, 2]);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_release_is_answered_as_the_first_was_and_gives_nothing_more() {
    each(World::open, async |world| {
        rules(&world, &[], 0, true).await;
        wait(&world, "ord_1", "acc_1", 5, None, None).await;
        world.receive("A", HERE, 2).await;
        let request = ReleaseBackordersRequest { request_id: "r1".to_owned(), skus: vec!["A".to_owned()] };
        let first = world.client.clone().release_backorders(request.clone()).await.unwrap().into_inner();
        world.receive("A", HERE, 2).await;
        assert_eq!(world.client.clone().release_backorders(request).await.unwrap().into_inner(), first);
        assert_eq!(reserved(&world, ["ord_1"]).await, [2]);
        world.check("A").await;
    })
    .await;
}
