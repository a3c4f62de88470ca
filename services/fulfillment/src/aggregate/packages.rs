//! Packages that a node reports as labelled or as departed.

use std::collections::BTreeMap;

use mesh::wire::Checks;
use proto::{fulfillment::v1::ReportedPackage, types::v1::LineQuantity};
use store::{Proto, Rows};
use types::{Fault, ShipmentId, Timestamp};

use super::{FulfillmentOrderAggregate, PendingEvent};
use crate::{
    doubts::Doubts,
    fulfillment_order::FulfillmentOrder,
    milestone::MilestoneCode,
    package::{Departure, KnownPackages, Package, add, sum},
    package_status::Tracking,
    process::shipment_after_cancellation,
    report::PackageReport,
    shipment::{ReportedContents, Shipment},
    tracking_report::{believed, is_before_request, is_future},
    wire::known_lines,
};

/// What moved in one shipment. There is one for each shipment and command, because the shipment's version is the key of its
/// events.
#[derive(Debug, Clone, Default)]
pub(super) struct Movement {
    /// Units that left, by when they left: inventory has to know which stock counts already lack them.
    pub(super) left: BTreeMap<Timestamp, Vec<LineQuantity>>,
    /// Whether they left against the order's cancellation.
    pub(super) cancellation_lost: bool,
    /// Units beyond what was to be shipped.
    pub(super) over_shipped: Vec<LineQuantity>,
    /// Units that were delivered.
    pub(super) delivered: Vec<LineQuantity>,
    /// When they were delivered.
    pub(super) deliver_time: Timestamp,
    /// Units that were not delivered after all.
    pub(super) undelivered: Vec<LineQuantity>,
    /// Units that did not leave after all, by when they were said to have left.
    pub(super) stayed: BTreeMap<Timestamp, Vec<LineQuantity>>,
    /// Of the units that stayed, those that their node was not to ship.
    pub(super) stayed_beyond: Vec<LineQuantity>,
    /// Of the units that stayed, those that another node has, or had until it stopped.
    pub(super) elsewhere: Vec<LineQuantity>,
    /// Of those, the ones that no node has any more.
    pub(super) free: Vec<LineQuantity>,
}

/// Packages of a report, as they are in the aggregate.
struct Entry {
    /// The shipment that the report is about.
    shipment_id: ShipmentId,
    /// When it occurred.
    at: Timestamp,
    /// Indices of the reported packages, and whether each is new.
    packages: Vec<(usize, bool)>,
    /// Whether the report names another carrier of the shipment than was known.
    names_carrier: bool,
}

impl Entry {
    fn new_packages(&self) -> impl Iterator<Item = usize> {
        self.packages.iter().filter(|(_, new)| *new).map(|(index, _)| *index)
    }
}

impl FulfillmentOrderAggregate {
    /// Packages are packed and labelled. Returns the shipment that the report is about.
    pub(crate) fn label(&mut self, report: &PackageReport, rows: &Rows, now: Timestamp) -> Result<ShipmentId, Fault> {
        let entry = self.enter(report, now)?;
        let mut again = Vec::new();
        let mut is_retimed = false;
        for ((index, new), reported) in entry.packages.iter().zip(&report.packages) {
            let ship_to = self.packages.get(*index).and_then(|package| self.own_ship_to(&package.shipment_id));
            let Some(package) = self.packages.get_mut(*index) else { continue };
            let replaces_void = package.void_time.take().is_some();
            // A repeat that names no time is not of another one.
            if *new || replaces_void || report.occur_time.is_some() {
                is_retimed |= package.label_time.replace(entry.at) != Some(entry.at);
            }
            if replaces_void {
                // The label that takes the place of a void one may be of other contents.
                package.contents = Proto(with_items(&self.order, reported));
                package.ship_to = ship_to;
                again.push(package.clone());
            }
        }
        let packed = sum(entry.new_packages().filter_map(|index| self.packages.get(index)).chain(&again));
        if !packed.is_empty() || entry.names_carrier {
            let acceptance = self.order.start(entry.at);
            self.accepted(acceptance, entry.at);
            self.pending.push(PendingEvent::Labelled(entry.shipment_id.clone(), entry.at));
        }
        if !packed.is_empty() || entry.names_carrier || is_retimed {
            self.apply_entry(&entry, entry.shipment_id.clone(), Movement::default(), rows)?;
        }
        Ok(entry.shipment_id)
    }

    /// Packages left. One that left already changes nothing, but the node's report confirms an inferred departure. Contents
    /// other than those that a package left with need a person. Returns the shipment that the report is about.
    pub(crate) fn ship(&mut self, report: &PackageReport, rows: &Rows, now: Timestamp) -> Result<ShipmentId, Fault> {
        let entry = self.enter(report, now)?;
        let (mut leaving, mut differing) = (Vec::new(), Vec::new());
        for ((index, _), reported) in entry.packages.iter().zip(&report.packages) {
            let Some(package) = self.packages.get_mut(*index) else { continue };
            let contents = with_items(&self.order, reported);
            if package.has_left() && !package.holds(&contents.lines) {
                let of = |shipment: &&mut Shipment| shipment.shipment_id == package.shipment_id;
                if let Some(shipment) = self.shipments.iter_mut().find(of) {
                    shipment.contents = ReportedContents::Differ;
                }
                differing.push(PendingEvent::ContentsDiffer(package.package_id.clone(), contents.lines.clone()));
            }
            package.name_also(reported);
            package.report_departure(entry.at);
            match package.departure {
                Departure::None => {
                    // The report is newer than the label.
                    package.contents = Proto(contents);
                    leaving.push(*index);
                }
                Departure::Inferred => package.departure = Departure::Reported,
                Departure::Reported => {}
            }
        }
        let mut movement = Movement::default();
        self.depart(&leaving, entry.at, Departure::Reported, &mut movement);
        let shipment_id = self.shipment_of(&leaving, &entry);
        self.apply_entry(&entry, shipment_id.clone(), movement, rows)?;
        self.pending.extend(differing);
        Ok(shipment_id)
    }

    /// Adds the reported packages that are new. A package of any shipment of the fulfillment order is not.
    fn enter(&mut self, report: &PackageReport, now: Timestamp) -> Result<Entry, Fault> {
        let mut checks = Checks::new();
        for (at, package) in report.packages.iter().enumerate() {
            known_lines(&self.order, &format!("packages[{at}].lines"), &package.lines, &mut checks);
        }
        checks.done()?;

        let carrier_id = report.carrier_id.as_ref().map(ToString::to_string).unwrap_or_default();
        let request_time = self.order.header.create_time;
        let (doubtful, plausible) = match report.occur_time {
            Some(claimed) if is_before_request(claimed, request_time) => (Some(claimed), None),
            claimed => (claimed.filter(|claimed| is_future(*claimed, now)), claimed),
        };
        let at = believed(plausible, now);
        let own = Shipment::new(&self.order.header, &report.shipment_reference, &carrier_id, at, now)?;
        let mut known = KnownPackages::of(&self.packages);
        let mut packages = Vec::with_capacity(report.packages.len());
        for reported in &report.packages {
            let index = known.find(reported, &own.shipment_id);
            packages.push((index.unwrap_or(self.packages.len()), index.is_none()));
            if index.is_none() {
                let ship_to = self.own_ship_to(&own.shipment_id);
                let package = Package { ship_to, ..Package::new(&own, with_items(&self.order, reported), now)? };
                known.add(self.packages.len(), &package);
                self.packages.push(package);
            }
        }
        let first = packages.first().and_then(|(index, _)| self.packages.get(*index));
        let shipment_id = match first {
            Some(first) if packages.iter().all(|(_, new)| !new) => first.shipment_id.clone(),
            _ => own.shipment_id.clone(),
        };
        let is_known = self.shipments.iter().any(|shipment| shipment.shipment_id == shipment_id);
        let names_carrier = is_known && self.name_carrier(&shipment_id, &carrier_id, Some(at));
        if !is_known {
            self.shipments.push(own);
        }
        if let Some(claimed) = doubtful {
            self.pending.push(PendingEvent::ImplausiblyTimed(shipment_id.clone(), claimed));
        }
        Ok(Entry { shipment_id, at, packages, names_carrier })
    }

    /// The shipment whose movement a report reports: that of the packages that leave, when none of them is of its own.
    fn shipment_of(&self, leaving: &[usize], entry: &Entry) -> ShipmentId {
        let mut shipments = leaving.iter().filter_map(|index| self.packages.get(*index)).map(|one| &one.shipment_id);
        match shipments.next() {
            Some(first) if *first != entry.shipment_id && !shipments.any(|other| *other == entry.shipment_id) => {
                first.clone()
            }
            _ => entry.shipment_id.clone(),
        }
    }

    /// Folds the reports of packages again: of the reported ones, and of all whose carrier is another one now. What moves by
    /// them counts with the movement of the same shipment.
    fn apply_entry(
        &mut self,
        entry: &Entry,
        shipment_id: ShipmentId,
        movement: Movement,
        rows: &Rows,
    ) -> Result<(), Fault> {
        let mut events = Vec::new();
        let mut moved = BTreeMap::from([(shipment_id, movement)]);
        for (index, _) in &entry.packages {
            let Some(of) = self.packages.get(*index).map(|package| package.shipment_id.clone()) else { continue };
            events.extend(self.refold_entered(*index, rows, moved.entry(of).or_default())?);
        }
        if entry.names_carrier {
            let counted = moved.entry(entry.shipment_id.clone()).or_default();
            events.extend(self.refold_shipment(&entry.shipment_id, rows, counted)?);
        }
        self.pending
            .extend(moved.into_iter().map(|(shipment_id, movement)| PendingEvent::Moved(shipment_id, movement)));
        self.pending.extend(events);
        Ok(())
    }

    /// Packages leave.
    fn depart(&mut self, leaving: &[usize], at: Timestamp, departure: Departure, movement: &mut Movement) {
        if leaving.is_empty() {
            return;
        }
        for index in leaving {
            if let Some(package) = self.packages.get_mut(*index) {
                package.departure = departure;
                package.ship_time = Some(at);
                if package.void_time.take().is_some() {
                    self.pending.push(PendingEvent::VoidedLabelUsed(package.package_id.clone()));
                }
            }
        }
        let left = sum(leaving.iter().filter_map(|index| self.packages.get(*index)));
        self.left(left, at, movement);
    }

    /// Counts units that left.
    pub(super) fn left(&mut self, left: Vec<LineQuantity>, at: Timestamp, movement: &mut Movement) {
        if left.is_empty() {
            return;
        }
        let outcome = shipment_after_cancellation::ship(&mut self.order, &mut self.release, &left, at);
        movement.cancellation_lost = outcome.cancellation_lost;
        add(movement.left.entry(at).or_default(), left);
        add(&mut movement.over_shipped, outcome.over_shipped);
    }

    /// A departure that was inferred from reports did not take place: they are retracted, or are about another package.
    fn stay(&mut self, index: usize, movement: &mut Movement) {
        let Some(package) = self.packages.get_mut(index) else { return };
        package.departure = Departure::None;
        let at = package.ship_time.take().unwrap_or_default();
        let lines = package.lines().to_vec();
        add(&mut movement.stayed_beyond, self.order.unship(&lines));
        add(movement.stayed.entry(at).or_default(), lines);
    }

    /// A package takes over what its authoritative reports amount to. A labelled package leaves when they imply that.
    pub(super) fn apply(&mut self, index: usize, tracking: &Tracking, doubts: Doubts, movement: &mut Movement) {
        let counted = self.packages.get(index).map(|package| (package.departure, package.remedy));
        match (counted, tracking.depart_time) {
            (Some((Departure::None, _)), Some(at)) => self.depart(&[index], at, Departure::Inferred, movement),
            // The units of a package that is written off are replaced or cancelled already.
            (Some((Departure::Inferred, None)), None) => self.stay(index, movement),
            _ => {}
        }
        let Some(package) = self.packages.get_mut(index) else { return };
        let (before, status) = (package.deliver_time, package.status);
        package.apply(tracking);
        let is_delivered = |status| status == MilestoneCode::Delivered;
        if package.remedy.is_some() && is_delivered(package.status) && !is_delivered(status) {
            self.pending.push(PendingEvent::DeliveredAfterWriteOff(package.package_id.clone()));
        }
        package.doubts = doubts;
        match (before, package.deliver_time) {
            (None, Some(at)) => {
                movement.deliver_time = movement.deliver_time.max(at);
                add(&mut movement.delivered, package.lines().to_vec());
            }
            (Some(_), None) => add(&mut movement.undelivered, package.lines().to_vec()),
            _ => {}
        }
    }
}

/// A reported package with the items of its lines.
pub(super) fn with_items(order: &FulfillmentOrder, reported: &ReportedPackage) -> ReportedPackage {
    let lines = reported.lines.iter().filter_map(|unit| order.with_item(unit)).collect();
    ReportedPackage { lines, ..reported.clone() }
}
