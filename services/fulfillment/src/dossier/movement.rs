//! Packages leave and arrive: what that moves, and what is told of it.

use std::collections::BTreeMap;

use proto::{
    fulfillment::v1::{
        ProofOfDeliveryCaptured, ShipmentDelivered, ShipmentMilestoneRecorded, ShipmentOverShipped, ShipmentShipped,
    },
    types::v1::LineQuantity,
};
use store::{Context, NewEvent};
use types::{Id as _, Timestamp};

use super::Dossier;
use crate::{
    exception::{CONTENTS_DIFFER, Exception, OVER_SHIPPED},
    fulfillment_order::number,
    shipment::{self, Departure, Package, Shipment, State},
    tracking::{Milestone, Tracking},
    wire,
};

/// What moved in one shipment. There is one for each shipment and command, for what is told of it is named by the
/// shipment's version.
#[derive(Debug, Clone, Default)]
pub struct Movement {
    /// Units that left, by when they left: whoever keeps stock has to know which count has seen them leave.
    pub left: BTreeMap<Timestamp, Vec<LineQuantity>>,
    /// Whether they left against the order's wish.
    pub lost: bool,
    /// Units too many.
    pub over: Vec<LineQuantity>,
    /// Units that arrived.
    pub arrived: Vec<LineQuantity>,
    /// When they arrived.
    pub arrive_time: Timestamp,
}

impl Dossier {
    /// Packages leave. `leaving` are their places in `packages`.
    pub fn depart(&mut self, leaving: &[usize], at: Timestamp, how: Departure, movement: &mut Movement) {
        if leaving.is_empty() {
            return;
        }
        for place in leaving {
            if let Some(package) = self.packages.get_mut(*place) {
                package.departure = how;
                package.ship_time = Some(at);
            }
        }
        let left = shipment::sum(leaving.iter().filter_map(|place| self.packages.get(*place)));
        movement.lost = self.work.cancellation_is_lost() || self.book.release.cancel_time.is_some();
        self.work.order.accept_time.get_or_insert(at);
        let mut over = Vec::new();
        for reclaimed in self.work.ship(&left) {
            let line = self.book.lines.iter_mut().find(|line| line.line_number == reclaimed.line_number);
            let reclaimed_here = line.map_or(0, |line| line.reclaim(reclaimed.given_up));
            let too_many = reclaimed.given_up - reclaimed_here + reclaimed.beyond;
            if too_many > 0 {
                let line_number = number(reclaimed.line_number);
                over.push(LineQuantity { line_number, sku: reclaimed.sku, quantity: too_many });
            }
        }
        add(movement.left.entry(at).or_default(), left);
        add(&mut movement.over, over);
    }

    /// A package follows what its carrier says. One of which only the label was known has left when that follows.
    pub fn follow(&mut self, place: usize, tracking: &Tracking, movement: &mut Movement) {
        let labelled = self.packages.get(place).is_some_and(|package| !package.left());
        if let Some(at) = tracking.depart_time.filter(|_| labelled) {
            self.depart(&[place], at, Departure::Inferred, movement);
        }
        let Some(package) = self.packages.get_mut(place) else { return };
        if package.follow(tracking) {
            let lines = package.lines().to_vec();
            movement.arrive_time = movement.arrive_time.max(package.deliver_time.unwrap_or_default());
            add(&mut movement.arrived, lines);
        }
    }

    /// Tells what moved. To be told after `save`.
    pub fn tell_movement(&self, shipment: &Shipment, movement: Movement, cx: &mut Context<'_>) {
        let Movement { left, lost, over, arrived, arrive_time } = movement;
        let last_leave = left.last_key_value().map(|(at, _)| *at).unwrap_or_default();
        if !left.is_empty() {
            self.tell_answer(last_leave, cx);
        }
        for (number, (at, lines)) in left.into_iter().enumerate() {
            let key = match number {
                0 => shipment.version.to_string(),
                _ => format!("{}/{number}", shipment.version),
            };
            let shipped = ShipmentShipped { shipment: Some(self.shipment(shipment)), lines, cancellation_lost: lost };
            cx.emit(self.shipment_fact("shipment.shipped", shipment, key, &shipped).occurred(at, 0));
        }
        if !over.is_empty() {
            let told = ShipmentOverShipped {
                shipment_id: shipment.shipment_id.to_string(),
                order_id: shipment.order_id.to_string(),
                lines: over,
            };
            let fact = self.shipment_fact("shipment.over_shipped", shipment, shipment.version, &told);
            cx.emit(fact.occurred(last_leave, 0));
            self.open_over_shipped(shipment, &told.lines, cx);
        }
        if !arrived.is_empty() {
            let all = shipment.state == State::Delivered;
            let kind = if all { "shipment.delivered" } else { "shipment.partially_delivered" };
            let delivered = ShipmentDelivered {
                shipment: Some(self.shipment(shipment)),
                lines: arrived,
                deliver_time: Some(mesh::wire::timestamp(arrive_time)),
            };
            cx.emit(self.shipment_fact(kind, shipment, shipment.version, &delivered).occurred(arrive_time, 0));
        }
        self.tell_end(last_leave, cx);
    }

    fn open_over_shipped(&self, shipment: &Shipment, lines: &[LineQuantity], cx: &mut Context<'_>) {
        let units = lines.iter().fold(0_i64, |sum, line| sum.saturating_add(line.quantity));
        let exception = Exception {
            kind: OVER_SHIPPED,
            subject: shipment.shipment_id.to_string(),
            order_id: &shipment.order_id,
            account_id: &shipment.account_id,
            key: shipment.version.to_string(),
        };
        let facts = [
            ("fulfillment_order_id", shipment.fulfillment_order_id.to_string()),
            ("node_id", shipment.node_id.to_string()),
            ("units", units.to_string()),
        ];
        exception.open(cx, format!("{units} units more than asked for left {}", shipment.node_id), facts);
    }

    /// Tells a person that a package at a place left with other units than it is reported with. What is in it stays as
    /// it is: others have counted it. The same report again is the same fact.
    pub fn open_contents_differ(&self, place: usize, reported: &[LineQuantity], cx: &mut Context<'_>) {
        let Some((shipment, package)) = self.packages.get(place).and_then(|package| self.find(package)) else { return };
        let number = &package.tracking_number;
        let (recorded, reported) = (text(package.lines()), text(reported));
        let exception = Exception {
            kind: CONTENTS_DIFFER,
            subject: shipment.shipment_id.to_string(),
            order_id: &shipment.order_id,
            account_id: &shipment.account_id,
            key: format!("{number}/{reported}"),
        };
        let facts = [
            ("tracking_number", number.clone()),
            ("fulfillment_order_id", shipment.fulfillment_order_id.to_string()),
            ("node_id", shipment.node_id.to_string()),
            ("recorded", recorded),
            ("reported", reported),
        ];
        let summary = format!("package {number} left {} with other contents than are reported now", shipment.node_id);
        exception.open(cx, summary, facts);
    }

    /// Tells a carrier's report of a package.
    pub fn tell_milestone(&self, shipment: &Shipment, package: &Package, said: &Milestone, cx: &mut Context<'_>) {
        let told = ShipmentMilestoneRecorded {
            shipment_id: shipment.shipment_id.to_string(),
            package_id: package.package_id.to_string(),
            milestone: Some(wire::milestone(said)),
            status: wire::code(package.status).into(),
        };
        let fact = self.shipment_fact("shipment.milestone_recorded", shipment, said.fact_key(), &told);
        cx.emit(fact.occurred(said.occur_time, wire::count(said.occur_offset_minutes)));
    }

    /// Tells a proof of a package.
    pub fn tell_proof(&self, shipment: &Shipment, package: &Package, sign_time: Timestamp, cx: &mut Context<'_>) {
        let told = ProofOfDeliveryCaptured {
            shipment_id: shipment.shipment_id.to_string(),
            package_id: package.package_id.to_string(),
            proof_of_delivery: package.proof.as_ref().map(|proof| proof.0.clone()),
        };
        let key = format!("{}/{}", package.package_id, sign_time.as_micros());
        cx.emit(self.shipment_fact("shipment.pod_captured", shipment, key, &told).occurred(sign_time, 0));
    }

    /// A fact about a shipment.
    pub fn shipment_fact<M: prost::Message + prost::Name>(
        &self,
        kind: &'static str,
        shipment: &Shipment,
        key: impl ToString,
        payload: &M,
    ) -> NewEvent {
        NewEvent::untyped(kind, shipment.shipment_id.as_str(), shipment.version, key, payload)
            .order(&shipment.order_id)
            .account(&shipment.account_id)
    }
}

/// Units for people, by line: `1: 10 A, 2: 3 B`.
fn text(units: &[LineQuantity]) -> String {
    let mut units: Vec<_> = units.iter().collect();
    units.sort_by_key(|unit| unit.line_number);
    let one = |unit: &LineQuantity| format!("{}: {} {}", unit.line_number, unit.quantity, unit.sku);
    units.into_iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Adds units to those of the same line.
fn add(to: &mut Vec<LineQuantity>, units: Vec<LineQuantity>) {
    for unit in units {
        match to.iter_mut().find(|sum| sum.line_number == unit.line_number) {
            Some(sum) => sum.quantity = sum.quantity.saturating_add(unit.quantity),
            None => to.push(unit),
        }
    }
}
