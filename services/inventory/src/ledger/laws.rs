//! Property tests: the conservation laws hold after arbitrary histories.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use types::{AccountId, Fault, NodeId, OrderId, Timestamp};

use super::{DeallocationPolicy, Ledger, OutboundQuantity, Terms, outcome::Outcome};
use crate::{
    item::HandlingClass,
    movement::{Movement, MovementKind},
    quantity::{AllocationLine, ItemQuantity, RequestedLine},
    reach::Reach,
    reservation::{Allocation, LineAtLocation, LineKey, Reservation, ShortagePolicy},
    stock::{Level, Stock, StockKey},
    supply::Supply,
};

const SKUS: [&str; 2] = ["A", "B"];
const LOCATIONS: [&str; 2] = ["nod_1", "nod_2"];

/// Where the orders go, in turns.
const COUNTRIES: [&str; 2] = ["DE", "US"];

/// All rows there are.
#[derive(Debug, Clone, Default)]
struct World {
    now: Timestamp,
    reach: Option<Reach>,
    stock: BTreeMap<String, Stock>,
    levels: BTreeMap<StockKey, Level>,
    reservations: BTreeMap<LineKey, Reservation>,
    allocations: BTreeMap<LineAtLocation, Allocation>,
    movements: Vec<Movement>,
    /// Items of which units were removed by something else than a shipment of allocated units.
    removed: Vec<String>,
}

#[derive(Debug, Clone)]
enum Step {
    Receive { sku: usize, location: usize, units: i64, ago: u64 },
    Adjust { sku: usize, location: usize, delta: i64 },
    Count { sku: usize, location: usize, units: i64, ago: u64 },
    Retract { movement: usize },
    Reserve { order: usize, lines: Vec<(i64, i64)>, policy: ShortagePolicy },
    Release { order: usize, line: i64, units: i64 },
    Allocate { order: usize, line: i64, location: usize, units: i64 },
    Deallocate { order: usize, line: i64, location: usize, units: i64, policy: DeallocationPolicy, ago: u64 },
    Consume { order: usize, line: i64, location: usize, units: i64, ago: u64 },
    Expire { order: usize, open_holds: i64 },
    Wait { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let (sku, location, order, line) = (0..2_usize, 0..2_usize, 0..3_usize, 1..=3_i64);
    let key = (sku, location.clone());
    let policy = prop::sample::select(ShortagePolicy::ALL);
    let deallocation = prop::sample::select(DeallocationPolicy::ALL);
    let at = (order.clone(), line.clone(), location, 1..8_i64);
    prop_oneof![
        3 => (key.clone(), 1..12_i64, 0..20_u64)
            .prop_map(|((sku, location), units, ago)| Step::Receive { sku, location, units, ago }),
        1 => (key.clone(), -6..6_i64).prop_map(|((sku, location), delta)| Step::Adjust { sku, location, delta }),
        1 => (key, 0..12_i64, 0..20_u64)
            .prop_map(|((sku, location), units, ago)| Step::Count { sku, location, units, ago }),
        1 => (0..80_usize).prop_map(|movement| Step::Retract { movement }),
        4 => (order.clone(), prop::collection::vec((1..=3_i64, 1..8_i64), 1..3), policy)
            .prop_map(|(order, lines, policy)| Step::Reserve { order, lines, policy }),
        1 => (order.clone(), line, 1..8_i64).prop_map(|(order, line, units)| Step::Release { order, line, units }),
        4 => at.clone()
            .prop_map(|(order, line, location, units)| Step::Allocate { order, line, location, units }),
        2 => (at.clone(), deallocation, 0..20_u64).prop_map(|((order, line, location, units), policy, ago)| {
            Step::Deallocate { order, line, location, units, policy, ago }
        }),
        2 => (at, 0..20_u64).prop_map(|((order, line, location, units), ago)| {
            Step::Consume { order, line, location, units, ago }
        }),
        1 => (order, 0..2_i64).prop_map(|(order, open_holds)| Step::Expire { order, open_holds }),
        1 => (1..40_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

fn order_id(order: usize) -> OrderId {
    format!("ord_{order}").parse().unwrap()
}

fn account_id() -> AccountId {
    "acc_1".parse().unwrap()
}

/// Line 3 shares its item with line 1.
fn sku_of(line: i64) -> String {
    SKUS[usize::try_from((line - 1) % 2).unwrap()].to_owned()
}

impl World {
    fn new() -> Self {
        let now = Timestamp::from_micros(1_750_000_000_000_000);
        let stock = SKUS.map(|sku| (sku.to_owned(), Stock::none_of(sku.to_owned(), HandlingClass::Ambient, now)));
        Self { now, stock: stock.into(), ..Self::default() }
    }

    fn ledger(&self) -> Ledger {
        let (stock, levels) = (self.stock.values().cloned(), self.levels.values().cloned());
        Ledger::new(
            self.now,
            self.reach.clone(),
            stock,
            levels,
            self.reservations.values().cloned(),
            self.allocations.values().cloned(),
        )
    }

    /// Applies a step; a refused one changes nothing.
    fn apply(&mut self, step: &Step) {
        if let Step::Wait { seconds } = step {
            self.now = self.now.after(Duration::from_secs(*seconds));
            return;
        }
        let mut ledger = self.ledger();
        let before = self.shortfalls();
        match self.decide(step, &mut ledger) {
            Ok(()) => self.absorb(ledger.finish().expect("every backorder was loaded")),
            Err(fault) => assert_ne!(fault.reason, types::Reason::Internal, "{fault} at {step:?}"),
        }
        if !matches!(step, Step::Adjust { .. } | Step::Count { .. } | Step::Retract { .. } | Step::Consume { .. }) {
            for (key, after) in self.shortfalls() {
                let before = before.get(&key).copied().unwrap_or(0);
                assert!(after <= before, "a reservation alone made {key} short at {step:?}");
            }
        }
    }

    /// Shortfalls, by item and by item and location.
    fn shortfalls(&self) -> BTreeMap<String, i64> {
        let items = self.stock.values().map(|stock| (stock.sku.clone(), stock.shortfall));
        let levels = self.levels.iter().map(|((sku, at), level)| (format!("{sku}@{at}"), level.shortfall));
        items.chain(levels).collect()
    }

    fn decide(&mut self, step: &Step, ledger: &mut Ledger) -> Result<(), Fault> {
        let before = |ago: u64| Timestamp::from_micros(self.now.as_micros() - i64::try_from(ago).unwrap() * 1_000_000);
        let node = |location: usize| -> NodeId { LOCATIONS[location].parse().unwrap() };
        match step.clone() {
            Step::Receive { sku, location, units, ago } => {
                let item = ItemQuantity { sku: SKUS[sku].to_owned(), quantity: units };
                ledger.receive(MovementKind::Received, &node(location), &item, "", before(ago))
            }
            Step::Adjust { sku, location, delta } => {
                self.removed.push(SKUS[sku].to_owned());
                ledger.adjust(&node(location), SKUS[sku], delta, "")
            }
            Step::Count { sku, location, units, ago } => {
                self.removed.push(SKUS[sku].to_owned());
                let item = ItemQuantity { sku: SKUS[sku].to_owned(), quantity: units };
                ledger.count(&node(location), &item, before(ago), 0)
            }
            Step::Retract { movement } => {
                let kinds = [MovementKind::Received, MovementKind::Adjusted, MovementKind::Counted];
                let Some(movement) = self.movements.get(movement).filter(|one| kinds.contains(&one.kind)) else {
                    return Ok(());
                };
                self.removed.push(movement.sku.clone());
                ledger.retract(movement, &movement.location_id.parse().unwrap(), "")
            }
            Step::Reserve { order, lines, policy } => {
                let lines: BTreeMap<i64, i64> = lines.into_iter().collect();
                let line = |(line_number, quantity)| RequestedLine { line_number, sku: sku_of(line_number), quantity };
                let lines: Vec<RequestedLine> = lines.into_iter().map(line).collect();
                ledger.reserve(
                    &order_id(order),
                    &account_id(),
                    &lines,
                    &Terms {
                        ship_to_country: COUNTRIES[order % COUNTRIES.len()].to_owned(),
                        shortage_policy: policy,
                        expire_after: Some(30_000_000),
                    },
                )
            }
            Step::Release { order, line, units } => ledger.release(&(order_id(order), line), units),
            Step::Allocate { order, line, location, units } => {
                let line = AllocationLine { line_number: line, location_id: node(location), quantity: units };
                ledger.allocate(&order_id(order), &line).map(|_| ())
            }
            Step::Deallocate { order, line, location, units, policy, ago } => {
                if policy == DeallocationPolicy::Short {
                    self.removed.push(sku_of(line));
                }
                let line = AllocationLine { line_number: line, location_id: node(location), quantity: units };
                ledger.deallocate(&order_id(order), &line, policy, before(ago))
            }
            Step::Consume { order, line, location, units, ago } => {
                let key = (order_id(order), line, node(location));
                if self.allocations.get(&key).is_none_or(|allocation| allocation.open_units < units) {
                    self.removed.push(sku_of(line));
                }
                let (sku, location_id) = (sku_of(line), node(location));
                let outbound = OutboundQuantity {
                    shipment_id: "shm_1",
                    location_id: &location_id,
                    sku: &sku,
                    quantity: units,
                    occur_time: before(ago),
                };
                ledger.consume(&(order_id(order), line), outbound)
            }
            Step::Expire { order, open_holds } => ledger.expire(&order_id(order), open_holds).map(|_| ()),
            Step::Wait { .. } => Ok(()),
        }
    }

    fn absorb(&mut self, outcome: Outcome) {
        for change in outcome.stock {
            self.stock.insert(change.after.sku.clone(), change.after);
        }
        for change in outcome.levels {
            self.levels.insert((change.after.sku.clone(), change.after.location_id.clone()), change.after);
        }
        self.reservations.extend(outcome.reservations.into_iter().map(|change| (change.after.key(), change.after)));
        self.allocations.extend(outcome.allocations.into_iter().map(|change| (change.after.key(), change.after)));
        self.movements.extend(outcome.movements);
    }

    fn check(&self) {
        for (sku, stock) in &self.stock {
            self.check_item(sku, stock);
        }
        for ((sku, location_id), level) in &self.levels {
            let here = |movement: &&Movement| movement.sku == *sku && movement.location_id == location_id.to_string();
            let sum = |of: fn(&Movement) -> i64| self.movements.iter().filter(here).map(of).sum::<i64>();
            assert_eq!(level.on_hand, sum(|movement| movement.on_hand_delta), "on hand is its movements");
            assert_eq!(level.allocated, sum(|movement| movement.allocated_delta), "allocated is its movements");
            let open = self.allocations.values().filter(|one| one.sku == *sku && one.location_id == *location_id);
            assert_eq!(level.allocated, open.map(|one| one.open_units).sum::<i64>(), "allocated is open allocations");
            assert_eq!(
                level.shortfall,
                (level.allocated - level.on_hand).max(0),
                "units that are not there are a shortfall"
            );
            assert!(level.on_hand >= 0 && level.allocated >= 0, "nothing is negative");
        }
        for (key, reservation) in &self.reservations {
            let Reservation { requested, reserved, allocated, consumed, backordered, released, .. } = reservation;
            assert_eq!(*requested, reserved + allocated + consumed + backordered + released, "no unit is lost");
            assert!([reserved, allocated, consumed, backordered, released].into_iter().all(|units| *units >= 0));
            let own = self.allocations.values().filter(|one| (&one.order_id, one.line_number) == (&key.0, key.1));
            assert_eq!(*allocated, own.map(|one| one.open_units).sum::<i64>(), "allocated is open allocations");
            assert_eq!(*backordered > 0, reservation.backorder_sequence.is_some(), "a backorder has a sequence number");
            assert_eq!(*backordered > 0, reservation.backordered_sku.is_some(), "a backorder is found");
            assert_eq!(*reserved > 0 || *allocated > 0, reservation.reserved_sku.is_some(), "a reservation is found");
            assert_eq!(*reserved > 0, reservation.expire_time.is_some(), "reserved units have an end");
        }
        for allocation in self.allocations.values() {
            assert!(allocation.open_units >= 0 && allocation.consumed >= 0 && allocation.released >= 0);
            assert_eq!(allocation.open_units > 0, allocation.open_stock_key.is_some(), "an open allocation is found");
        }
    }

    fn check_item(&self, sku: &String, stock: &Stock) {
        let movements = self.movements.iter().filter(|movement| movement.sku == *sku);
        let sum = |of: fn(&Movement) -> i64| movements.clone().map(of).sum::<i64>();
        assert_eq!(stock.on_hand, sum(|movement| movement.on_hand_delta), "on hand is its movements");
        assert_eq!(stock.reserved, sum(|movement| movement.reserved_delta), "reserved is its movements");
        assert_eq!(stock.allocated, sum(|movement| movement.allocated_delta), "allocated is its movements");
        assert_eq!(
            stock.last_movement_number,
            i64::try_from(movements.clone().count()).unwrap(),
            "movements are numbered"
        );

        let reservations = self.reservations.values().filter(|reservation| reservation.sku == *sku);
        let sum = |of: fn(&Reservation) -> i64| reservations.clone().map(of).sum::<i64>();
        assert_eq!(stock.reserved, sum(|reservation| reservation.reserved), "reserved is the sum of reservations");
        assert_eq!(
            stock.allocated,
            sum(|reservation| reservation.allocated),
            "allocated is what they have at locations"
        );
        assert_eq!(stock.backordered, sum(|reservation| reservation.backordered), "backordered is what they wait for");

        let levels = self.levels.values().filter(|level| level.sku == *sku);
        assert_eq!(stock.on_hand, levels.clone().map(|level| level.on_hand).sum::<i64>(), "on hand is its levels");
        assert_eq!(stock.located_shortfall, levels.clone().map(|level| level.shortfall).sum::<i64>());
        assert!(
            stock.reserved + stock.allocated <= stock.on_hand + stock.shortfall,
            "units that are not there are a shortfall"
        );
        for (location_id, units) in levels.clone().map(|level| (&level.location_id, level.available())) {
            assert_eq!(stock.available_at.of(location_id), units, "available is what the levels have");
        }
        let supply = Supply::of(stock, self.reach.as_ref());
        for country in COUNTRIES {
            let there = reservations.clone().filter(|reservation| reservation.ship_to_country == country);
            let sum = |of: fn(&Reservation) -> i64| there.clone().map(of).sum::<i64>();
            assert_eq!(stock.reserved_for.of(country), sum(|reservation| reservation.reserved));
            assert_eq!(stock.backordered_for.of(country), sum(|reservation| reservation.backordered));
            let waits = stock.backordered_for.of(country) > 0;
            assert!(!waits || supply.free_for(country) == 0, "no unit is free beside a backorder that it reaches");
            assert!(supply.promisable_to(country) <= supply.free_for(country));
        }
        if !self.removed.contains(sku) {
            assert_eq!(supply.missing(), 0, "every reserved unit keeps one that reaches its destination");
            assert_eq!(stock.shortfall, 0, "no unit is reserved twice");
            assert!(levels.clone().all(|level| level.shortfall == 0), "no unit is allocated twice");
        }
        let mut sequence: Vec<_> = reservations.filter_map(|reservation| reservation.backorder_sequence).collect();
        let count = sequence.len();
        sequence.sort_unstable();
        sequence.dedup();
        assert_eq!(sequence.len(), count, "no two backorders have the same sequence number");
    }
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
        let again = Step::Reserve { order: 0, lines, policy: ShortagePolicy::Backorder };
        world.apply(&again);
        let first = world.clone();
        world.apply(&again);
        prop_assert_eq!(world.reservations, first.reservations);
        prop_assert_eq!(world.stock, first.stock);
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
        world.apply(&Step::Reserve { order: 0, lines, policy: ShortagePolicy::Refuse });
        prop_assert_eq!(world.stock["A"].reserved, if sum <= units { sum } else { 0 });
        prop_assert_eq!(world.stock["A"].backordered, 0);
    }
}
