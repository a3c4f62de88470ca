//! Packages that a node reports as labelled or as departed.

use std::collections::BTreeMap;

use mesh::wire::Checks;
use proto::{fulfillment::v1::ReportedPackage, types::v1::LineQuantity};
use store::{Proto, Rows};
use types::{Fault, ShipmentId, Timestamp};

use super::{FulfillmentOrderAggregate, PendingEvent};
use crate::{
    fulfillment_order::FulfillmentOrder,
    package::{Departure, Package, add, sum},
    package_status::Tracking,
    process::shipment_after_cancellation,
    report::PackageReport,
    shipment::Shipment,
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
}

/// Packages of a report, as they are in the aggregate.
struct Entry {
    /// The shipment that the report is about.
    shipment_id: ShipmentId,
    /// When it occurred.
    at: Timestamp,
    /// Indices of the reported packages, and whether each is new.
    packages: Vec<(usize, bool)>,
    /// Whether the report names the carrier of a shipment that had none.
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
        let packed = sum(entry.new_packages().filter_map(|index| self.packages.get(index)));
        if !packed.is_empty() || entry.names_carrier {
            let acceptance = self.order.start(entry.at);
            self.accepted(acceptance, entry.at);
            self.order.pack(&packed);
            self.pending.push(PendingEvent::Labelled(entry.shipment_id.clone(), entry.at));
            self.apply_entry(&entry, entry.shipment_id.clone(), Movement::default(), rows)?;
        }
        Ok(entry.shipment_id)
    }

    /// Packages left. One that left already changes nothing, but the node's report confirms an inferred departure. Contents
    /// other than those that a package left with need a person. Returns the shipment that the report is about.
    pub(crate) fn ship(&mut self, report: &PackageReport, rows: &Rows, now: Timestamp) -> Result<ShipmentId, Fault> {
        let entry = self.enter(report, now)?;
        let (mut leaving, mut differing) = (Vec::new(), Vec::new());
        for ((index, new), reported) in entry.packages.iter().zip(&report.packages) {
            let Some(package) = self.packages.get_mut(*index) else { continue };
            let contents = with_items(&self.order, reported);
            if package.has_left() && !package.holds(&contents.lines) {
                differing.push(PendingEvent::ContentsDiffer(package.package_id.clone(), contents.lines.clone()));
            }
            if !new && package.sscc.is_empty() {
                package.sscc.clone_from(&reported.sscc);
            }
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
        let own = Shipment::new(&self.order.header, &report.shipment_reference, &carrier_id, now)?;
        let mut packages = Vec::with_capacity(report.packages.len());
        for reported in &report.packages {
            let known = self.packages.iter().position(|one| one.tracking_number == reported.tracking_number);
            packages.push((known.unwrap_or(self.packages.len()), known.is_none()));
            if known.is_none() {
                self.packages.push(Package::new(&own, with_items(&self.order, reported), now)?);
            }
        }
        let first = packages.first().and_then(|(index, _)| self.packages.get(*index));
        let shipment_id = match first {
            Some(first) if packages.iter().all(|(_, new)| !new) => first.shipment_id.clone(),
            _ => own.shipment_id.clone(),
        };
        let is_known = self.shipments.iter().any(|shipment| shipment.shipment_id == shipment_id);
        let names_carrier = is_known && self.name_carrier(&shipment_id, &carrier_id);
        if !is_known {
            self.shipments.push(own);
        }
        Ok(Entry { shipment_id, at: report.occur_time.unwrap_or(now), packages, names_carrier })
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

    /// Applies the buffered reports of new packages, and of all packages whose carrier is named now. What moves by them counts
    /// with the movement of the same shipment.
    fn apply_entry(
        &mut self,
        entry: &Entry,
        shipment_id: ShipmentId,
        mut movement: Movement,
        rows: &Rows,
    ) -> Result<(), Fault> {
        let mut events = Vec::new();
        for index in entry.new_packages() {
            let buffered = self.apply_buffered(index, rows, &mut movement)?;
            let foreign = self.foreign_report_events(index, &buffered);
            events.extend(self.report_events(index, buffered));
            events.extend(foreign);
        }
        if entry.names_carrier {
            let mut others = Movement::default();
            let counted = if entry.shipment_id == shipment_id { &mut movement } else { &mut others };
            let named = self.apply_all_buffered(&entry.shipment_id, rows, counted)?;
            events.push(PendingEvent::Moved(entry.shipment_id.clone(), others));
            events.extend(named);
        }
        self.pending.push(PendingEvent::Moved(shipment_id, movement));
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
            }
        }
        let left = sum(leaving.iter().filter_map(|index| self.packages.get(*index)));
        let outcome = shipment_after_cancellation::ship(&mut self.order, &mut self.release, &left, at);
        movement.cancellation_lost = outcome.cancellation_lost;
        add(movement.left.entry(at).or_default(), left);
        add(&mut movement.over_shipped, outcome.over_shipped);
    }

    /// A package takes over what its authoritative reports amount to. A labelled package leaves when they imply that.
    pub(super) fn apply(&mut self, index: usize, tracking: &Tracking, movement: &mut Movement) {
        let labelled = self.packages.get(index).is_some_and(|package| !package.has_left());
        if let Some(at) = tracking.depart_time.filter(|_| labelled) {
            self.depart(&[index], at, Departure::Inferred, movement);
        }
        let Some(package) = self.packages.get_mut(index) else { return };
        if package.apply(tracking) {
            movement.deliver_time = movement.deliver_time.max(package.deliver_time.unwrap_or_default());
            add(&mut movement.delivered, package.lines().to_vec());
        }
    }
}

/// A reported package with the items of its lines.
fn with_items(order: &FulfillmentOrder, reported: &ReportedPackage) -> ReportedPackage {
    let lines = reported.lines.iter().filter_map(|unit| order.with_item(unit)).collect();
    ReportedPackage { lines, ..reported.clone() }
}
