//! Whatever nodes report and however often calls are lost, no unit is lost and none is doubled.

use std::time::Duration;

use proto::{
    events::EventType,
    fulfillment::v1::{
        CancellationAnswer, FulfillmentCancelled, FulfillmentOrder, FulfillmentUnfulfillable, RequestState,
    },
};

use testkit::each;

use crate::{
    inventory::Outage,
    world::{ORDER, World, pick, shipped},
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

/// Stock comes in, unless an order waits for it: then it would not be free.
fn more(world: &World, node: &str, quantity: i64) {
    if world.inventory.reservation(ORDER, 1).backordered == 0 {
        world.inventory.stock("A", node, quantity);
    }
}

/// One random event.
async fn step(world: &World, chance: &mut Chance, number: u64, released_by_order: &mut i64) {
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
    match chance.below(8) {
        0 => drop(world.accept(order).await),
        1 | 2 => drop(world.reject(order).await),
        3 | 4 => drop(world.record_pick(pick(order, 0, quantity)).await),
        5 => drop(world.ship(shipped(order, &[(&format!("T{number}"), quantity)])).await),
        6 => more(world, "nod_a", quantity),
        _ if number > 10 => {
            // The order releases the units that were returned to it.
            let back = returned_units(world).await - *released_by_order;
            *released_by_order += back;
            world.inventory.release_by_order(ORDER, 1, back);
            world.cancel(ORDER);
        }
        _ => {}
    }
    if order.request_state() == RequestState::CancellationRequested {
        world.answer_cancellation(order, CancellationAnswer::Accepted).await;
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

async fn check(world: &World, seed: u64, released_by_order: i64) {
    let reservation = world.inventory.reservation(ORDER, 1);
    let orders = world.fulfillment_orders(ORDER).await;
    let at_nodes: i64 = orders.iter().map(|order| open(order) + order.lines[0].shipped).sum();
    assert_eq!(reservation.allocated, at_nodes, "seed {seed}: units at nodes");
    let cancelled = world.events().await.payloads::<FulfillmentCancelled>(EventType::FulfillmentCancelled);
    let cancelled: i64 = cancelled.iter().map(|payload| payload.lines[0].quantity).sum();
    assert_eq!(reservation.released, cancelled + released_by_order, "seed {seed}: cancelled units");
    let waiting = returned_units(world).await - released_by_order;
    assert_eq!(reservation.backordered, waiting, "seed {seed}: units the order waits for");
    let sum = reservation.reserved + reservation.allocated + reservation.backordered + reservation.released;
    assert_eq!(reservation.requested, sum, "seed {seed}: inventory");
    let unassigned = world.events().await.open_exceptions().iter().any(|(event_type, _)| event_type == "UNASSIGNED");
    assert_eq!(unassigned, reservation.reserved > 0, "seed {seed}: what has no node is an exception");
}

#[tokio::test]
async fn whatever_happens_no_unit_is_lost_and_none_is_doubled() {
    for seed in 0..SEEDS {
        each(World::open, async |world| storm(world, seed).await).await;
    }
}

async fn storm(world: World, seed: u64) {
    for (id, rank) in [("nod_a", 0), ("nod_b", 0), ("nod_c", 1)] {
        world.node(id, rank).await;
    }
    let mut released_by_order = 0;
    let mut chance = Chance(20_250_615 + seed);
    world.inventory.stock("A", "nod_a", 6);
    world.inventory.stock("A", "nod_b", 5);
    world.inventory.stock("A", "nod_c", 9);
    world.inventory.overstate("A", "nod_c", 2);
    world.release(ORDER, 1, &[(1, "A", 12)]);
    world.release(ORDER, 2, &[(1, "A", 6)]);
    for number in 0..24 {
        step(&world, &mut chance, number, &mut released_by_order).await;
        // Sometimes several events occur before the service reacts.
        if chance.below(3) > 0 {
            settle(&world).await;
            check(&world, seed, released_by_order).await;
        }
    }
    settle(&world).await;
    check(&world, seed, released_by_order).await;
}
