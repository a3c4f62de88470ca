//! All rows there are, and how steps change them.

use std::{collections::BTreeMap, time::Duration};

use types::{AccountId, Fault, NodeId, Timestamp};

use super::{COUNTRIES, LOCATIONS, SKUS, Step, order_id};
use crate::{
    backorder::{BackorderRules, Criteria},
    item::HandlingClass,
    ledger::{DeallocationPolicy, Ledger, LedgerRows, OutboundQuantity, TakenBack, Terms, outcome::Outcome},
    movement::{Movement, MovementKind},
    quantity::{AllocationLine, ItemQuantity, RequestedLine},
    reach::Reach,
    reservation::{Allocation, LineAtLocation, LineKey, Reservation},
    scheduled_receipt::{ReceiptKey, ScheduledReceipt},
    stock::{Level, Stock, StockKey},
};

/// All rows there are.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) reach: Option<Reach>,
    pub(super) rules: BackorderRules,
    pub(super) stock: BTreeMap<String, Stock>,
    pub(super) levels: BTreeMap<StockKey, Level>,
    pub(super) reservations: BTreeMap<LineKey, Reservation>,
    pub(super) allocations: BTreeMap<LineAtLocation, Allocation>,
    pub(super) receipts: BTreeMap<ReceiptKey, ScheduledReceipt>,
    pub(super) movements: Vec<Movement>,
    /// Items of which units were removed by something else than a shipment of allocated units.
    pub(super) removed: Vec<String>,
}

/// Two orders are of one account.
fn account_id(order: usize) -> AccountId {
    format!("acc_{}", order % 2).parse().unwrap()
}

/// Line 3 shares its item with line 1.
fn sku_of(line: i64) -> String {
    SKUS[usize::try_from((line - 1) % 2).unwrap()].to_owned()
}

fn receipt(sku: usize, location: usize, number: usize) -> ReceiptKey {
    (SKUS[sku].to_owned(), LOCATIONS[location].parse().unwrap(), format!("number-{number}"))
}

impl World {
    pub(super) fn new() -> Self {
        let now = Timestamp::from_micros(1_750_000_000_000_000);
        let stock = SKUS.map(|sku| (sku.to_owned(), Stock::none_of(sku.to_owned(), HandlingClass::Ambient, now)));
        Self { now, stock: stock.into(), ..Self::default() }
    }

    pub(super) fn ledger(&self) -> Ledger {
        let rows = LedgerRows {
            stock: self.stock.values().cloned().collect(),
            levels: self.levels.values().cloned().collect(),
            reservations: self.reservations.values().cloned().collect(),
            allocations: self.allocations.values().cloned().collect(),
            receipts: self.receipts.values().cloned().collect(),
        };
        Ledger::new(self.now, self.reach.clone(), self.rules.clone(), rows)
    }

    /// As the task does when receipts are overdue, and when the rules change.
    fn touch_all(&mut self) {
        let mut ledger = self.ledger();
        SKUS.iter().for_each(|sku| ledger.touch(sku).unwrap());
        self.absorb(ledger.finish().expect("every backorder was loaded"));
    }

    /// Applies a step; a refused one changes nothing.
    pub(super) fn apply(&mut self, step: &Step) {
        if let Step::Wait { seconds } = step {
            self.now = self.now.after(Duration::from_secs(*seconds));
            return self.touch_all();
        }
        if let Step::Rules { criteria, percent, hold } = step {
            self.rules.criteria = Criteria(criteria.clone());
            (self.rules.max_account_share_percent, self.rules.hold_for_release) = (*percent, *hold);
            return self.touch_all();
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
                ledger.retract(TakenBack::new(movement, []), &movement.location_id.parse().unwrap(), "")
            }
            Step::Reserve { order, lines, policy, elsewhere } => {
                let lines: BTreeMap<i64, i64> = lines.into_iter().collect();
                let other = COUNTRIES[(order + 1) % COUNTRIES.len()];
                let line = |(line_number, quantity)| RequestedLine { line_number, sku: sku_of(line_number), quantity };
                let lines: Vec<RequestedLine> = lines.into_iter().map(line).collect();
                ledger.reserve(
                    &order_id(order),
                    &account_id(order),
                    &lines,
                    &Terms {
                        ship_to_country: COUNTRIES[order % COUNTRIES.len()].to_owned(),
                        line_countries: elsewhere.into_iter().map(|line| (line, other.to_owned())).collect(),
                        shortage_policy: policy,
                        expire_after: Some(30_000_000),
                        priority: None,
                        promise_time: None,
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
            Step::Schedule { sku, location, number, units, ahead } => {
                let expect_time = self.now.after(Duration::from_secs(ahead));
                ledger.schedule(&receipt(sku, location, number), units, Some(expect_time))
            }
            Step::Come { sku, location, number, units } => {
                let item = ItemQuantity { sku: SKUS[sku].to_owned(), quantity: units };
                ledger.receive(MovementKind::Received, &node(location), &item, "", self.now)?;
                ledger.count_down(&receipt(sku, location, number), units)
            }
            Step::Prioritize { order, line, priority, promise } => {
                let key = (order_id(order), line);
                let promise_time = promise.map(Timestamp::from_micros);
                if ledger.reservation(&key).is_none() {
                    return Ok(());
                }
                ledger.prioritize(&key, Some(priority), promise_time)
            }
            Step::ReleaseBackorders { sku } => self.release(SKUS[sku], ledger),
            Step::Wait { .. } | Step::Rules { .. } => Ok(()),
        }
    }

    /// A release gives exactly what its preview says.
    fn release(&self, sku: &str, ledger: &mut Ledger) -> Result<(), Fault> {
        let preview = self.ledger().preview_release(sku)?;
        assert_eq!(ledger.release_backorders(sku)?, preview);
        for share in preview {
            let before = &self.reservations[&share.waiting.key];
            let after = ledger.reservation(&share.waiting.key).unwrap();
            assert_eq!((after.reserved, after.backordered), (before.reserved + share.units, share.rest()));
        }
        Ok(())
    }

    /// What is scheduled of an item comes in on time, and nothing else happens: every line is filled when it was expected.
    pub(super) fn live_to_see(mut self, sku: &str) {
        let expected = self.reservations.clone();
        let dated = |key: &LineKey| expected.get(key).and_then(|line| line.backorder_expect_time);
        let give = |ledger: &mut Ledger| {
            ledger.touch(sku).unwrap();
            ledger.release_backorders(sku).unwrap();
        };
        let mut ledger = self.ledger();
        give(&mut ledger);
        self.absorb(ledger.finish().unwrap());
        let receipts = self.receipts.values().filter(|one| one.sku == sku && one.is_expected(self.now));
        let mut receipts: Vec<ScheduledReceipt> = receipts.cloned().collect();
        receipts.sort_by_key(|receipt| receipt.expect_time);
        for together in receipts.chunk_by(|one, other| one.expect_time == other.expect_time) {
            self.now = together[0].expect_time;
            let waited = self.reservations.clone();
            let mut ledger = self.ledger();
            for receipt in together {
                let item = ItemQuantity { sku: sku.to_owned(), quantity: receipt.open() };
                ledger.receive(MovementKind::Received, &receipt.location_id, &item, "", self.now).unwrap();
                ledger.count_down(&receipt.key(), receipt.open()).unwrap();
            }
            give(&mut ledger);
            self.absorb(ledger.finish().unwrap());
            for (key, line) in self.reservations.iter().filter(|(_, line)| line.sku == sku) {
                let filled_now = waited[key].backordered > 0 && line.backordered == 0;
                assert_eq!(filled_now, dated(key) == Some(self.now), "{key:?} is filled when it is expected");
            }
        }
        let waits = self.reservations.iter().filter(|(_, line)| line.sku == sku && line.backordered > 0);
        waits.for_each(|(key, _)| assert_eq!(dated(key), None, "{key:?} is not expected and waits"));
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
        self.receipts.extend(outcome.receipts.into_iter().map(|change| (change.after.key(), change.after)));
        self.movements.extend(outcome.movements);
    }
}
