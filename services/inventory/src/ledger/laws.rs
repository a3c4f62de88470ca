//! Property tests: the conservation laws hold after arbitrary histories.

mod checks;
mod world;

use proptest::prelude::*;
use types::OrderId;

use super::DeallocationPolicy;
use crate::{backorder::Criterion, reach::Reach, reservation::ShortagePolicy};

use self::world::World;

const SKUS: [&str; 2] = ["A", "B"];
const LOCATIONS: [&str; 2] = ["nod_1", "nod_2"];

/// Where the orders go, in turns.
const COUNTRIES: [&str; 2] = ["DE", "US"];

#[derive(Debug, Clone)]
enum Step {
    Receive {
        sku: usize,
        location: usize,
        units: i64,
        ago: u64,
    },
    Adjust {
        sku: usize,
        location: usize,
        delta: i64,
    },
    Count {
        sku: usize,
        location: usize,
        units: i64,
        ago: u64,
    },
    Retract {
        movement: usize,
    },
    /// The lines of `elsewhere` go to another country than the others.
    Reserve {
        order: usize,
        lines: Vec<(i64, i64)>,
        policy: ShortagePolicy,
        elsewhere: Vec<i64>,
    },
    Release {
        order: usize,
        line: i64,
        units: i64,
    },
    Allocate {
        order: usize,
        line: i64,
        location: usize,
        units: i64,
    },
    Deallocate {
        order: usize,
        line: i64,
        location: usize,
        units: i64,
        policy: DeallocationPolicy,
        ago: u64,
    },
    Consume {
        order: usize,
        line: i64,
        location: usize,
        units: i64,
        ago: u64,
    },
    Expire {
        order: usize,
        open_holds: i64,
    },
    Wait {
        seconds: u64,
    },
    /// Units under one of two numbers are to come in, or not any more.
    Schedule {
        sku: usize,
        location: usize,
        number: usize,
        units: i64,
        ahead: u64,
    },
    /// They come in.
    Come {
        sku: usize,
        location: usize,
        number: usize,
        units: i64,
    },
    Rules {
        criteria: Vec<Criterion>,
        percent: Option<i64>,
        hold: i64,
    },
    Prioritize {
        order: usize,
        line: i64,
        priority: i64,
        promise: Option<i64>,
    },
    ReleaseBackorders {
        sku: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (sku, location, order, line) = (0..2_usize, 0..2_usize, 0..3_usize, 1..=3_i64);
    let key = (sku.clone(), location.clone());
    let policy = prop::sample::select(ShortagePolicy::ALL);
    let deallocation = prop::sample::select(DeallocationPolicy::ALL);
    let at = (order.clone(), line.clone(), location.clone(), 1..8_i64);
    let elsewhere = prop::collection::vec(1..=3_i64, 0..3);
    let receipt = (sku.clone(), location, 0..2_usize, 0..12_i64);
    let criteria = prop::sample::subsequence(Criterion::ALL.to_vec(), 0..3).prop_shuffle();
    let percent = prop::option::of(prop::sample::select(vec![1_i64, 20, 50, 70, 100]));
    let standing = (0..10_i64, prop::option::of(0..5_i64));
    prop_oneof![
        3 => (key.clone(), 1..12_i64, 0..20_u64)
            .prop_map(|((sku, location), units, ago)| Step::Receive { sku, location, units, ago }),
        1 => (key.clone(), -6..6_i64).prop_map(|((sku, location), delta)| Step::Adjust { sku, location, delta }),
        1 => (key, 0..12_i64, 0..20_u64)
            .prop_map(|((sku, location), units, ago)| Step::Count { sku, location, units, ago }),
        1 => (0..80_usize).prop_map(|movement| Step::Retract { movement }),
        6 => (order.clone(), prop::collection::vec((1..=3_i64, 1..8_i64), 1..3), policy, elsewhere)
            .prop_map(|(order, lines, policy, elsewhere)| Step::Reserve { order, lines, policy, elsewhere }),
        1 => (order.clone(), line.clone(), 1..8_i64).prop_map(|(order, line, units)| Step::Release { order, line, units }),
        4 => at.clone()
            .prop_map(|(order, line, location, units)| Step::Allocate { order, line, location, units }),
        2 => (at.clone(), deallocation, 0..20_u64).prop_map(|((order, line, location, units), policy, ago)| {
            Step::Deallocate { order, line, location, units, policy, ago }
        }),
        2 => (at, 0..20_u64).prop_map(|((order, line, location, units), ago)| {
            Step::Consume { order, line, location, units, ago }
        }),
        1 => (order.clone(), 0..2_i64).prop_map(|(order, open_holds)| Step::Expire { order, open_holds }),
        1 => (1..40_u64).prop_map(|seconds| Step::Wait { seconds }),
        3 => (receipt.clone(), 0..60_u64).prop_map(|((sku, location, number, units), ahead)| {
            Step::Schedule { sku, location, number, units, ahead }
        }),
        1 => receipt.prop_map(|(sku, location, number, units)| Step::Come { sku, location, number, units }),
        1 => (criteria, percent, 0..2_i64)
            .prop_map(|(criteria, percent, hold)| Step::Rules { criteria, percent, hold }),
        2 => (order, line, standing).prop_map(|(order, line, (priority, promise))| {
            Step::Prioritize { order, line, priority, promise }
        }),
        1 => sku.prop_map(|sku| Step::ReleaseBackorders { sku }),
    ]
}

fn order_id(order: usize) -> OrderId {
    format!("ord_{order}").parse().unwrap()
}

/// The first location ships to the first country only, the second everywhere.
fn reach() -> Reach {
    Reach::of(&[(LOCATIONS[0], &[COUNTRIES[0]]), (LOCATIONS[1], &["*"])])
}

proptest! {
    #[test]
    fn no_history_promises_what_cannot_reach_the_customer(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World { reach: Some(reach()), ..World::new() };
        for step in &steps {
            world.apply(step);
            world.check();
        }
    }

    #[test]
    fn no_history_breaks_the_laws_of_conservation(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step);
            world.check();
        }
    }

    #[test]
    fn reserving_the_same_quantity_again_changes_nothing(
        steps in prop::collection::vec(step(), 1..40),
        quantity in 1..8_i64,
    ) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.apply(step));
        let lines = vec![(1, quantity), (2, quantity)];
        let again = Step::Reserve { order: 0, lines, policy: ShortagePolicy::Backorder, elsewhere: Vec::new() };
        world.apply(&again);
        let first = world.clone();
        world.apply(&again);
        prop_assert_eq!(world.reservations, first.reservations);
        prop_assert_eq!(world.stock, first.stock);
    }

    #[test]
    fn what_is_dated_comes_true_when_receipts_come_as_they_are_scheduled(
        steps in prop::collection::vec(step(), 1..60),
        reaches_everywhere in any::<bool>(),
    ) {
        let mut world = World { reach: (!reaches_everywhere).then(reach), ..World::new() };
        steps.iter().for_each(|step| world.apply(step));
        for sku in SKUS {
            world.clone().live_to_see(sku);
        }
    }

    #[test]
    fn refused_units_are_not_reserved(units in 0..10_i64, requested in prop::collection::vec(1..6_i64, 1..4)) {
        let mut world = World::new();
        if units > 0 {
            world.apply(&Step::Receive { sku: 0, location: 0, units, ago: 0 });
        }
        // Lines 1 and 3 share an item.
        let lines: Vec<(i64, i64)> = [1, 3].into_iter().zip(requested).collect();
        let sum: i64 = lines.iter().map(|(_, quantity)| quantity).sum();
        world.apply(&Step::Reserve { order: 0, lines, policy: ShortagePolicy::Refuse, elsewhere: Vec::new() });
        prop_assert_eq!(world.stock["A"].reserved, if sum <= units { sum } else { 0 });
        prop_assert_eq!(world.stock["A"].backordered, 0);
    }
}
