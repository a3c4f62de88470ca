//! Estimates of carriers that are taken back: the promise is what it would be without them.

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{
        Milestone, MilestoneCode, Package, Shipment, ShipmentDelivered, ShipmentMilestoneRecorded, ShipmentShipped,
        ShipmentWrittenOff, TrackingReportRetracted, WriteOffRemedy,
    },
    order::v1::{self as contract, PromiseConfidence, PromiseReason},
};
use testkit::each;

use crate::world::{
    World,
    calendar::{end_of, june, node, promise},
    order_of, quantities,
};

/// What happens to an order of three units, which leave in two packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Both packages leave, on the day that was promised.
    Leave,
    /// The carrier estimates the delivery of package A.
    EstimateA,
    /// It takes that back.
    RetractA,
    /// The carrier estimates the delivery of package B.
    EstimateB,
    /// Both packages are delivered.
    Deliver,
    /// They are not after all.
    Undeliver,
}

const OF_A: &[(i32, i64)] = &[(1, 2)];
const OF_B: &[(i32, i64)] = &[(1, 1)];
const DAY_A: u64 = 23;
const DAY_B: u64 = 19;

fn at(day: u64) -> Option<prost_types::Timestamp> {
    Some(mesh::wire::timestamp(june(day, 9)))
}

fn package(id: &str, units: &[(i32, i64)], estimate: Option<prost_types::Timestamp>) -> Package {
    Package {
        package_id: id.to_owned(),
        lines: quantities(units),
        estimated_delivery_time: estimate,
        ship_time: at(16),
        ..Default::default()
    }
}

/// The shipment with its packages, after estimates of them.
fn shipment(order: &contract::Order, a: Option<prost_types::Timestamp>, b: Option<prost_types::Timestamp>) -> Shipment {
    Shipment {
        shipment_id: "shm_1".to_owned(),
        order_id: order.order_id.clone(),
        node_id: "nod_a".to_owned(),
        packages: vec![package("pkg_a", OF_A, a), package("pkg_b", OF_B, b)],
        ..Default::default()
    }
}

fn estimate(package: &str, units: &[(i32, i64)], day: u64) -> FulfillmentEvent {
    FulfillmentEvent::ShipmentMilestoneRecorded(ShipmentMilestoneRecorded {
        shipment_id: "shm_1".to_owned(),
        package_id: package.to_owned(),
        milestone: Some(Milestone { estimated_delivery_time: at(day), ..Default::default() }),
        lines: quantities(units),
        estimated_delivery_time: at(day),
        ..Default::default()
    })
}

fn retraction(order: &contract::Order, a: Option<prost_types::Timestamp>) -> FulfillmentEvent {
    FulfillmentEvent::ShipmentReportRetracted(TrackingReportRetracted {
        shipment_id: "shm_1".to_owned(),
        package_id: "pkg_a".to_owned(),
        shipment: Some(shipment(order, a, None)),
        ..Default::default()
    })
}

impl Step {
    fn event(self, order: &contract::Order, before: &[Self]) -> FulfillmentEvent {
        let estimated_a = before.contains(&Self::EstimateA) && !before.contains(&Self::RetractA);
        let estimated_b = before.contains(&Self::EstimateB);
        let shipment = shipment(order, at(DAY_A).filter(|_| estimated_a), at(DAY_B).filter(|_| estimated_b));
        let (shipment, lines) = (Some(shipment), quantities(&[(1, 3)]));
        match self {
            Self::Leave => FulfillmentEvent::ShipmentShipped(ShipmentShipped { shipment, lines, ..Default::default() }),
            Self::EstimateA => estimate("pkg_a", OF_A, DAY_A),
            Self::EstimateB => estimate("pkg_b", OF_B, DAY_B),
            Self::RetractA => retraction(order, None),
            Self::Deliver => {
                let delivered = ShipmentDelivered { shipment, lines, deliver_time: None };
                FulfillmentEvent::ShipmentDelivered(delivered)
            }
            Self::Undeliver => {
                let undelivered = ShipmentDelivered { shipment, lines, deliver_time: None };
                FulfillmentEvent::ShipmentDeliveryRetracted(undelivered)
            }
        }
    }
}

/// Emits an event on the day that was promised.
fn emit(world: &World, order: &contract::Order, event: &FulfillmentEvent) {
    let event = testkit::event(&order.order_id, event);
    let occur_time = Some(mesh::wire::timestamp(june(16, 20)));
    world.fulfillment_log.append(proto::event::v1::Event { occur_time, ..event });
}

/// The same; returns the order after it.
async fn occurs(world: &World, order: &contract::Order, event: &FulfillmentEvent) -> contract::Order {
    emit(world, order, event);
    world.drain().await;
    world.get(&order.order_id).await
}

/// Places an order of three units, and emits the events of some steps.
async fn take(world: &World, po: &str, steps: &[Step]) -> contract::Order {
    let order = world.try_place(order_of(po, &[("TEA", 3)])).await.unwrap();
    world.drain().await;
    for (number, step) in steps.iter().enumerate() {
        emit(world, &order, &step.event(&order, &steps[..number]));
    }
    order
}

/// The order after them.
async fn after(world: &World, po: &str, steps: &[Step]) -> contract::Order {
    let order = take(world, po, steps).await;
    world.drain().await;
    world.get(&order.order_id).await
}

/// Every order of the steps in which what is taken back was there before.
fn orders(steps: &[Step]) -> Vec<Vec<Step>> {
    let Some((first, rest)) = steps.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for tail in orders(rest) {
        for place in 0..=tail.len() {
            let mut with = tail.clone();
            with.insert(place, *first);
            all.push(with);
        }
    }
    let comes_before = |steps: &[Step], one, other| {
        let place = |wanted| steps.iter().position(|step| *step == wanted);
        place(one).zip(place(other)).is_none_or(|(one, other)| one < other)
    };
    all.retain(|steps| {
        comes_before(steps, Step::EstimateA, Step::RetractA)
            && comes_before(steps, Step::Deliver, Step::Undeliver)
            && comes_before(steps, Step::Leave, Step::Undeliver)
    });
    all
}

fn reasons(events: &testkit::Events) -> Vec<PromiseReason> {
    let changed = events.payloads::<contract::OrderPromiseChanged>(EventType::OrderPromiseChanged);
    changed.iter().flat_map(|changed| &changed.lines).map(contract::PromiseChange::reason).collect()
}

#[tokio::test]
async fn in_every_order_of_events_the_promise_is_what_it_is_without_the_report_that_was_taken_back() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let mut pairs = Vec::new();
        let delivered = [Step::Leave, Step::EstimateA, Step::RetractA, Step::EstimateB, Step::Deliver];
        let undelivered = [Step::Leave, Step::EstimateA, Step::RetractA, Step::Deliver, Step::Undeliver];
        for steps in orders(&delivered).into_iter().chain(orders(&undelivered)) {
            let without: Vec<_> =
                steps.iter().copied().filter(|step| ![Step::EstimateA, Step::RetractA].contains(step)).collect();
            let number = pairs.len();
            let with = take(&world, &format!("PO-{number}"), &steps).await;
            let without = take(&world, &format!("PO-{number}-without"), &without).await;
            pairs.push((steps, with.order_id, without.order_id));
        }
        world.drain().await;
        let mut undone = 0;
        for (steps, with, without) in &pairs {
            let (with, without) = (world.get(with).await, world.get(without).await);
            assert_eq!(promise(&with, 0), promise(&without, 0), "{steps:?}");
            assert_eq!(with.promised_delivery_time, without.promised_delivery_time, "{steps:?}");
            let reasons = reasons(&world.events_of(&with.order_id).await);
            let expected = reasons.contains(&PromiseReason::CarrierEstimate);
            undone += u32::from(reasons.contains(&PromiseReason::EstimateRetracted));
            assert!(expected || !reasons.contains(&PromiseReason::EstimateRetracted), "{steps:?}: {reasons:?}");
        }
        assert!(undone > 10, "{undone} of {}", pairs.len());
    })
    .await;
}

#[tokio::test]
async fn an_estimate_that_is_taken_back_leaves_the_one_before_and_then_our_own_date() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let order = after(&world, "PO-1", &[Step::Leave, Step::EstimateB]).await;
        let own = (end_of("2025-06-16"), end_of("2025-06-17"), PromiseConfidence::Confirmed);
        let by_carrier = |day| (own.0, at(day), PromiseConfidence::Carrier);
        let order = occurs(&world, &order, &estimate("pkg_a", OF_A, 20)).await;
        let order = occurs(&world, &order, &estimate("pkg_a", OF_A, 26)).await;
        assert_eq!(promise(&order, 0), by_carrier(26));
        let order = occurs(&world, &order, &retraction(&order, at(20))).await;
        assert_eq!(
            (promise(&order, 0), order.lines[0].promise_reason()),
            (by_carrier(20), PromiseReason::EstimateRetracted)
        );
        // Not all units are in packages with an estimate: what we know of the others may be later.
        let order = occurs(&world, &order, &retraction(&order, None)).await;
        assert_eq!(promise(&order, 0), by_carrier(DAY_B));
        let again = occurs(&world, &order, &retraction(&order, None)).await;
        assert_eq!(again, order, "nothing is written");
        let retracted = PromiseReason::EstimateRetracted;
        let expected = [PromiseReason::CarrierEstimate; 3].into_iter().chain([retracted, retracted]);
        let events = world.events_of(&order.order_id).await;
        assert_eq!(reasons(&events), expected.collect::<Vec<_>>());
        let changed: Vec<contract::OrderPromiseChanged> = events.payloads(EventType::OrderPromiseChanged);
        let last = &changed[4].lines[0];
        let dates = [&last.before, &last.after].map(|promise| promise.as_ref().unwrap().promised_delivery_time);
        assert_eq!(dates, [at(20), at(DAY_B)]);
    })
    .await;
}

#[tokio::test]
async fn the_estimate_of_a_package_that_is_written_off_or_stayed_counts_no_more() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let own = (end_of("2025-06-16"), end_of("2025-06-17"), PromiseConfidence::Confirmed);
        let order = after(&world, "PO-1", &[Step::Leave, Step::EstimateA]).await;
        assert_eq!(promise(&order, 0).1, at(DAY_A));
        let written_off = ShipmentWrittenOff {
            shipment: Some(shipment(&order, at(DAY_A), None)),
            package_id: "pkg_a".to_owned(),
            lines: quantities(OF_A),
            remedy: WriteOffRemedy::Cancel.into(),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentWrittenOff(written_off)).await;
        assert_ne!(promise(&order, 0).1, at(DAY_A));
        assert_ne!(promise(&order, 0).2, PromiseConfidence::Carrier);

        let order = after(&world, "PO-2", &[Step::Leave, Step::EstimateA]).await;
        let mut stayed = shipment(&order, at(DAY_A), None);
        stayed.packages.iter_mut().for_each(|package| package.ship_time = None);
        let stayed = ShipmentShipped { shipment: Some(stayed), lines: quantities(&[(1, 3)]), ..Default::default() };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentDepartureRetracted(stayed)).await;
        assert_eq!(promise(&order, 0), own);
        let left = Step::Leave.event(&order, &[]);
        let order = occurs(&world, &order, &left).await;
        assert_eq!(promise(&order, 0), own);
    })
    .await;
}

#[tokio::test]
async fn a_delivery_that_is_taken_back_lets_the_estimates_count_again() {
    each(World::furnished, async |world| {
        world.nodes_are(&[node("nod_a", 1)]).await;
        let order = after(&world, "PO-1", &[Step::Leave, Step::Deliver, Step::EstimateA, Step::Undeliver]).await;
        assert_eq!(promise(&order, 0).1, at(DAY_A));
        // What is delivered keeps its promise.
        let delivered = Package { status: MilestoneCode::Delivered.into(), ..package("pkg_a", OF_A, at(DAY_A)) };
        let order = after(&world, "PO-2", &[Step::Leave, Step::Deliver, Step::EstimateA]).await;
        assert_eq!(promise(&order, 0).1, end_of("2025-06-17"));
        let one_back = ShipmentDelivered {
            shipment: Some(Shipment { packages: vec![delivered], ..shipment(&order, None, None) }),
            lines: quantities(OF_B),
            deliver_time: None,
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::ShipmentDeliveryRetracted(one_back)).await;
        assert_eq!(promise(&order, 0).1, end_of("2025-06-17"));
    })
    .await;
}
