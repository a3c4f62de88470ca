//! Whatever happens in whatever order, what an account is counted to owe is what its orders, its invoices and its receivables say.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{Shipment, ShipmentShipped},
    order::v1 as contract,
    types::v1::Money,
};
use testkit::each;
use types::share_of_line;

use super::{credit, growth::try_grow, limit, receivables};
use crate::world::{World, order_of, quantities};

/// How many histories are tried on each database.
const HISTORIES: usize = 6;

/// Something that happens to the account, or to one of its orders.
#[derive(Debug, Clone)]
enum Step {
    Place(i64),
    /// Orders so many units instead.
    Grow(usize, i64),
    Ship(usize, i64),
    Deliver(usize, i64),
    TakeBack(usize, i64),
    StockComes(usize),
    Cancel(usize),
    ReleaseHold(usize),
    Receivables(i64),
    Limit(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let (order, units) = (0_usize..4, 1_i64..6);
    prop_oneof![
        3 => (1_i64..9).prop_map(Step::Place),
        3 => (order.clone(), 1_i64..14).prop_map(|(order, units)| Step::Grow(order, units)),
        4 => (order.clone(), units.clone()).prop_map(|(order, units)| Step::Ship(order, units)),
        4 => (order.clone(), units.clone()).prop_map(|(order, units)| Step::Deliver(order, units)),
        2 => (order.clone(), units).prop_map(|(order, units)| Step::TakeBack(order, units)),
        2 => order.clone().prop_map(Step::StockComes),
        1 => order.clone().prop_map(Step::Cancel),
        1 => order.prop_map(Step::ReleaseHold),
        2 => (-3_i64..12).prop_map(Step::Receivables),
        2 => (0_i64..20).prop_map(Step::Limit),
    ]
}

/// What happened to the account so far.
struct History {
    world: World,
    orders: Vec<String>,
    /// Those that a person approved.
    approved: BTreeSet<String>,
    /// Units of each that are at nodes or left with one.
    released: BTreeMap<String, i64>,
    /// Versions of reservations.
    version: i64,
}

impl History {
    async fn take(&mut self, step: &Step) {
        let world = &self.world;
        world.clock.advance(Duration::from_secs(60));
        if let Step::Place(units) = step {
            let customer_po = format!("PO-{}", self.orders.len());
            let mut order = order_of(&customer_po, &[("TEA", *units)]);
            order.lines[0].discount_basis_points = 333;
            let placed = world.place(order).await;
            self.orders.push(placed.order_id);
            return;
        }
        let of = |order: &usize| self.orders.get(*order);
        match step {
            Step::Place(_) => {}
            Step::Receivables(units) => {
                receivables(world, *units).await;
            }
            Step::Limit(units) => {
                limit(world, Some(*units)).await;
            }
            Step::Grow(order, units) => {
                let Some(id) = of(order) else { return };
                // Refused when the order has ended, or has a change already.
                let _refused = try_grow(world, id, *units).await;
            }
            Step::Ship(order, units) => {
                let Some(id) = of(order) else { return };
                world.ships(&world.get(id).await, &format!("shm_{id}"), &[(1, *units)]).await;
            }
            Step::Deliver(order, units) => {
                let Some(id) = of(order) else { return };
                world.delivers(&world.get(id).await, &format!("shm_{id}"), &[(1, *units)]).await;
            }
            Step::TakeBack(order, units) => {
                let Some(id) = of(order) else { return };
                let shipment =
                    Shipment { shipment_id: format!("shm_{id}"), order_id: id.clone(), ..Default::default() };
                let lines = quantities(&[(1, *units)]);
                let stayed = ShipmentShipped { shipment: Some(shipment), lines, ..Default::default() };
                let event = FulfillmentEvent::ShipmentDepartureRetracted(stayed);
                world.fulfillment_emits(&world.get(id).await, &event).await;
            }
            Step::StockComes(order) => {
                let Some(id) = of(order) else { return };
                self.version += 1;
                world.stock_came(id, 1, self.version, 0).await;
            }
            Step::Cancel(order) => {
                let Some(id) = of(order) else { return };
                // Refused when there is nothing to cancel.
                let _refused = world.cancel(id).await;
                world.drain().await;
            }
            Step::ReleaseHold(order) => {
                let Some(id) = of(order) else { return };
                self.approved.insert(id.clone());
                for hold in world.get(id).await.holds {
                    let (order_id, hold_number) = (id.clone(), hold.hold_number);
                    let request = contract::ReleaseHoldRequest { order_id, hold_number, ..Default::default() };
                    world.orders.clone().release_hold(request).await.unwrap();
                    world.drain().await;
                }
            }
        }
    }

    /// The counted amounts follow from what callers are shown of the orders and invoices.
    async fn check(&mut self, steps: &[Step]) {
        let shown = credit(&self.world).await;
        let (mut open, mut held, mut more_released) = (0, Vec::new(), false);
        for id in &self.orders {
            let order = self.world.get(id).await;
            open += open_minor(&order);
            if order.holds.iter().any(|hold| hold.placed_by == "order") {
                held.push(unreleased_minor(&order));
            }
            let units = order.lines[0].counters.unwrap();
            let released = units.released + units.shipped - units.over_shipped;
            let before = self.released.insert(id.clone(), released).unwrap_or_default();
            more_released |= before < released && !self.approved.contains(id);
        }
        let minor = |amount: &Option<Money>| amount.as_ref().map_or(0, |amount| amount.minor_units);
        let held_minor = held.iter().sum();
        assert_eq!((minor(&shown.open_orders), minor(&shown.held_orders)), (open, held_minor), "{steps:?}");
        assert_eq!(minor(&shown.ready_to_invoice), self.ready_minor(&shown).await, "{steps:?}");
        let granted = minor(&shown.exposure) - held_minor;
        let is_shipping = matches!(steps.last(), Some(Step::Ship(..)));
        // Nothing is released beyond the limit, except what a person approved; nodes may ship what was not released to them.
        if let (true, Some(limit)) = (more_released && !is_shipping, &shown.credit_limit) {
            assert!(granted <= limit.minor_units, "{steps:?}");
        }
        // What is held does not fit, the oldest order first.
        match (held.first(), &shown.credit_limit) {
            (Some(oldest), Some(limit)) => assert!(granted + oldest > limit.minor_units, "{steps:?}"),
            (oldest, _) => assert_eq!(oldest, None, "{steps:?}"),
        }
    }

    /// What became ready to invoice, less credits, since the recorded receivables include it.
    async fn ready_minor(&self, shown: &contract::AccountCredit) -> i64 {
        let mut orders = self.world.orders.clone();
        let request = contract::ListInvoiceReadinessRequest { page_size: 500, ..Default::default() };
        let ready = orders.list_invoice_readiness(request).await.unwrap().into_inner().readiness;
        let request = contract::ListProposedCreditsRequest { page_size: 500, ..Default::default() };
        let credits = orders.list_proposed_credits(request).await.unwrap().into_inner().credits;
        let ready = ready.into_iter().map(|ready| (ready.ready_time, ready.amount.unwrap().minor_units));
        let credits = credits.into_iter().map(|credit| (credit.propose_time, -credit.amount.unwrap().minor_units));
        let instant = |time: &Option<prost_types::Timestamp>| time.as_ref().and_then(mesh::wire::from_timestamp);
        let included = instant(&shown.includes_ready_until);
        ready.chain(credits).filter(|(time, _)| instant(time) > included).map(|(_, minor)| minor).sum()
    }
}

/// The amount of what is wanted of the order and not ready to invoice.
fn open_minor(order: &contract::Order) -> i64 {
    let line = &order.lines[0];
    let units = line.counters.unwrap();
    let wanted = share_of_line(line.amount_minor, units.ordered, units.ordered - units.cancelled);
    wanted - (line.invoice_ready_minor - line.credited_minor)
}

/// The part of it that is of units which are not at nodes.
fn unreleased_minor(order: &contract::Order) -> i64 {
    let line = &order.lines[0];
    let units = line.counters.unwrap();
    let unreleased = units.unallocated + units.backordered + units.reserved;
    let share = |quantity| share_of_line(line.amount_minor, units.ordered, quantity);
    let wanted = units.ordered - units.cancelled;
    share(wanted) - share(wanted - unreleased)
}

#[tokio::test]
async fn what_is_counted_is_the_sum_over_the_orders_after_any_interleaving() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    for _ in 0..HISTORIES {
        let steps = prop::collection::vec(step(), 12..30).new_tree(&mut runner).unwrap().current();
        each(World::furnished, async |world| {
            world.inventory.leave("TEA", 14);
            limit(&world, Some(12)).await;
            let mut history =
                History { world, orders: Vec::new(), approved: BTreeSet::new(), released: BTreeMap::new(), version: 1 };
            for (at, step) in steps.iter().enumerate() {
                history.take(step).await;
                history.check(&steps[..=at]).await;
            }
        })
        .await;
    }
}
