//! The laws.

use super::{COUNTRIES, world::World};
use crate::{
    movement::Movement,
    reservation::{Reservation, SHORT_PICK_RANK},
    stock::Stock,
    supply::Supply,
};

impl World {
    pub(super) fn check(&self) {
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
            assert_eq!(*backordered > 0, reservation.backorder_time.is_some(), "a backorder began");
            let expected = reservation.backorder_expect_time;
            assert!(expected.is_none_or(|time| *backordered > 0 && time > self.now), "what waits is expected later");
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
            // Under rules that hold units back only lines that had the units before get them at once.
            let holds = self.rules.hold_units();
            let waits =
                there.clone().any(|line| line.backordered > 0 && (!holds || line.backorder_rank == SHORT_PICK_RANK));
            assert!(!waits || supply.free_for(country) == 0, "no unit is free beside a backorder that it reaches");
            assert!(supply.promisable_to(country) <= supply.free_for(country));
        }
        if !self.removed.contains(sku) {
            assert_eq!(supply.missing(), 0, "every reserved unit keeps one that reaches its destination");
            assert_eq!(stock.shortfall, 0, "no unit is reserved twice");
            assert!(levels.clone().all(|level| level.shortfall == 0), "no unit is allocated twice");
        }
        self.check_receipts(sku, stock);
        let mut sequence: Vec<_> = reservations.filter_map(|reservation| reservation.backorder_sequence).collect();
        let count = sequence.len();
        sequence.sort_unstable();
        sequence.dedup();
        assert_eq!(sequence.len(), count, "no two backorders have the same sequence number");
    }

    fn check_receipts(&self, sku: &str, stock: &Stock) {
        let receipts = self.receipts.values().filter(|receipt| receipt.sku == sku);
        for receipt in receipts.clone() {
            assert_eq!(receipt.expected_sku.is_some(), receipt.is_expected(self.now), "what is overdue counts no more");
            assert_eq!(receipt.open_time.is_some(), receipt.open() > 0, "what is to come is listed");
            assert!(receipt.quantity >= 0 && receipt.received >= 0);
        }
        let expected: Vec<_> = receipts.filter(|receipt| receipt.is_expected(self.now)).collect();
        assert_eq!(stock.expected_receipts, i64::try_from(expected.len()).unwrap(), "expected receipts are counted");
        let waiting = self.reservations.values().filter(|line| line.sku == sku);
        for line in waiting.filter(|line| line.backorder_expect_time.is_some()) {
            let until = expected.iter().filter(|receipt| Some(receipt.expect_time) <= line.backorder_expect_time);
            let units: i64 = until.map(|receipt| receipt.open()).sum();
            let free = if self.rules.hold_units() { stock.on_hand } else { 0 };
            assert!(units + free >= line.backordered, "no unit is expected that is not scheduled");
        }
    }
}
