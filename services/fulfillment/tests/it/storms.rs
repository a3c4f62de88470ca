//! Whatever nodes report and however often calls are lost, no unit is lost and none is doubled.

use std::{collections::BTreeSet, time::Duration};

use proto::{
    events::EventType,
    fulfillment::v1::{
        CancellationAnswer, CreateNodeRequest, FulfillmentCancelled, FulfillmentOrder, FulfillmentShipToChangeSettled,
        FulfillmentUnfulfillable, RequestState, ServiceArea, ShipToChangeAnswer,
    },
};

use testkit::{each, units};

use crate::{
    inventory::Outage,
    world::{ORDER, World, address, node, pick, shipped},
};

/// How many random sequences.
const SEEDS: u64 = 6;

/// Random numbers that are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn open(order: &FulfillmentOrder) -> i64 {
    let line = &order.lines[0];
    line.quantity - line.shipped - line.short - line.cancelled
}

/// Units that were returned to the order.
async fn returned_units(world: &World) -> i64 {
    let payloads = world.events().await.payloads::<FulfillmentUnfulfillable>(EventType::FulfillmentUnfulfillable);
    payloads.iter().map(|payload| payload.lines[0].quantity).sum()
}

/// What the order did: with units that were returned to it, and beyond.
#[derive(Debug, Default)]
struct ByOrder {
    /// It cancelled units that were returned to it.
    cancelled: i64,
    /// It released units again that were returned to it.
    released: i64,
    /// Its releases beyond the first two.
    releases: i32,
    /// Its changes of the destination.
    changes: BTreeSet<i32>,
}

impl ByOrder {
    /// Units that it waits for.
    async fn waits_for(&self, world: &World) -> i64 {
        returned_units(world).await - self.cancelled - self.released
    }

    /// Of cancelled units inventory takes backordered ones first. So others are reserved that the order waits for, and it releases
    /// them again.
    async fn follow(&mut self, world: &World) -> bool {
        let filled = self.waits_for(world).await - world.inventory.reservation(ORDER, 1).backordered;
        if filled > 0 {
            self.releases += 1;
            self.released += filled;
            world.release_reserved(ORDER, 2 + self.releases, &[(1, "A", filled)]);
        }
        filled > 0
    }
}

/// Stock comes in, unless an order waits for it: then it would not be free.
fn more(world: &World, node: &str, quantity: i64) {
    if world.inventory.reservation(ORDER, 1).backordered == 0 {
        world.inventory.stock("A", node, quantity);
    }
}

/// One random event.
async fn step(world: &World, chance: &mut Chance, number: u64, by_order: &mut ByOrder) {
    let outages = [Outage::Before, Outage::After];
    let methods = ["Allocate", "Deallocate", "Release", "GetAvailability"];
    if chance.below(2) == 0 {
        let method = methods[usize::try_from(chance.below(4)).unwrap()];
        world.inventory.fail(method, outages[usize::try_from(chance.below(2)).unwrap()]);
    }
    let orders: Vec<_> = world.fulfillment_orders(ORDER).await.into_iter().filter(|order| open(order) > 0).collect();
    let Some(order) = orders.get(usize::try_from(chance.below(orders.len().max(1) as u64)).unwrap()) else {
        world.node(&format!("nod_late{number}"), 9).await;
        more(world, &format!("nod_late{number}"), 3);
        return;
    };
    let quantity = 1 + i64::try_from(chance.below(open(order).unsigned_abs())).unwrap();
    match chance.below(12) {
        0 => drop(world.accept(order).await),
        1 | 2 => drop(world.reject(order).await),
        3 | 4 => drop(world.record_pick(pick(order, 0, quantity)).await),
        5 => drop(world.ship(shipped(order, &[(&format!("T{number}"), quantity)])).await),
        6 => more(world, "nod_a", quantity),
        7 | 8 => world.cancel_units(ORDER, &[units(1, quantity)]),
        9 | 10 => {
            let to = if chance.below(3) == 0 { address("Wien", "AT") } else { address("Branch", "DE") };
            let change_number = i32::try_from(number).unwrap() + 1;
            world.request_ship_to(change_number, to);
            by_order.changes.insert(change_number);
        }
        _ if number > 10 => {
            // The order releases the units that were returned to it.
            let back = by_order.waits_for(world).await;
            by_order.cancelled += back;
            world.inventory.release_by_order(ORDER, 1, back);
            world.cancel(ORDER);
        }
        _ => {}
    }
    let asked = order.ship_to_change.as_ref().map_or(0, |change| change.change_number);
    match chance.below(3) {
        0 if asked > 0 => drop(world.answer_ship_to_of(order, asked, ShipToChangeAnswer::Accepted).await.unwrap()),
        1 if asked > 0 => drop(world.answer_ship_to_of(order, asked, ShipToChangeAnswer::Rejected).await.unwrap()),
        _ => {}
    }
    if order.request_state() == RequestState::CancellationRequested {
        match chance.below(4) {
            0 => {}
            1 => world.answer_cancellation(order, CancellationAnswer::Rejected).await,
            _ => world.answer_cancellation(order, CancellationAnswer::Accepted).await,
        }
    }
}

/// Drains until nothing happens any more.
async fn settle(world: &World) {
    let mut quiet = 0;
    for _ in 0..60 {
        let rested = world.try_drain().await.is_ok();
        world.clock.advance(Duration::from_secs(600));
        quiet = if rested { quiet + 1 } else { 0 };
        if quiet > 5 {
            return;
        }
    }
    panic!("it never settles");
}

async fn check(world: &World, seed: u64, by_order: &mut ByOrder) {
    while by_order.follow(world).await {
        settle(world).await;
    }
    let reservation = world.inventory.reservation(ORDER, 1);
    let orders = world.fulfillment_orders(ORDER).await;
    let at_nodes: i64 = orders.iter().map(|order| open(order) + order.lines[0].shipped).sum();
    assert_eq!(reservation.allocated, at_nodes, "seed {seed}: units at nodes");
    let cancelled = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled);
    let cancelled: i64 =
        cancelled.iter().map(|payload| payload.lines.iter().map(|line| line.quantity).sum::<i64>()).sum();
    assert_eq!(reservation.released, cancelled + by_order.cancelled, "seed {seed}: cancelled units");
    let waiting = by_order.waits_for(world).await;
    assert_eq!(reservation.backordered, waiting, "seed {seed}: units the order waits for");
    let sum = reservation.reserved + reservation.allocated + reservation.backordered + reservation.released;
    assert_eq!(reservation.requested, sum, "seed {seed}: inventory");
    let unassigned = world.events().await.open_exceptions().iter().any(|(event_type, _)| event_type == "UNASSIGNED");
    assert_eq!(unassigned, reservation.reserved > 0, "seed {seed}: what has no node is an exception");
}

/// No node is asked for another destination for longer than a day, and every change says what came of it.
async fn every_change_is_settled(world: &World, seed: u64, by_order: &ByOrder) {
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    settle(world).await;
    let asked = world.fulfillment_orders(ORDER).await.iter().any(|order| order.ship_to_change.is_some());
    assert!(!asked, "seed {seed}: a node is asked for another destination");
    let events = world.events().await;
    let settled = events.payloads::<FulfillmentShipToChangeSettled>(EventType::FulfillmentShipToChangeSettled);
    let settled: BTreeSet<i32> = settled.iter().map(|one| one.change_number).collect();
    assert_eq!(settled, by_order.changes, "seed {seed}: changes that are settled");
    assert_eq!(world.workers.look().await, Ok(0), "seed {seed}");
}

#[tokio::test]
async fn whatever_happens_no_unit_is_lost_and_none_is_doubled() {
    for seed in 0..SEEDS {
        each(World::open, async |world| storm(world, seed).await).await;
    }
}

async fn storm(world: World, seed: u64) {
    for (id, rank) in [("nod_a", 0), ("nod_b", 0), ("nod_c", 1)] {
        let both = vec![ServiceArea { countries: vec!["DE".to_owned(), "AT".to_owned()], rank }];
        // One of them ships to one country only.
        let service_areas = if id == "nod_b" { node(id, rank).service_areas } else { both };
        world.create(CreateNodeRequest { service_areas, ..node(id, rank) }).await;
    }
    let mut by_order = ByOrder::default();
    let mut chance = Chance(20_250_615 + seed);
    world.inventory.stock("A", "nod_a", 6);
    world.inventory.stock("A", "nod_b", 5);
    world.inventory.stock("A", "nod_c", 9);
    world.inventory.overstate("A", "nod_c", 2);
    world.release(ORDER, 1, &[(1, "A", 12)]);
    world.release(ORDER, 2, &[(1, "A", 6)]);
    for number in 0..24 {
        step(&world, &mut chance, number, &mut by_order).await;
        // Sometimes several events occur before the service reacts.
        if chance.below(3) > 0 {
            settle(&world).await;
            check(&world, seed, &mut by_order).await;
        }
    }
    settle(&world).await;
    check(&world, seed, &mut by_order).await;
    every_change_is_settled(&world, seed, &by_order).await;
}
