//! What a node takes back or corrects of its reports, and packages that a person writes off.

use std::collections::BTreeSet;

use proto::{fulfillment::v1::ReportedPackage, types::v1::LineQuantity};
use store::{Proto, Rows};
use types::{Fault, PackageId, ShipmentId, Timestamp};

use super::{
    FulfillmentOrderAggregate, PendingEvent,
    packages::{Movement, with_items},
};
use crate::{
    package::{Departure, KnownPackages, Package, add, difference},
    package_key,
    problem::{Problem, Remedy},
    process::found_units,
    shipment::{ReportedContents, Shipment},
};

impl FulfillmentOrderAggregate {
    /// The labels of packages that have not left are void: their units are to be packed again.
    pub(crate) fn void_labels(
        &mut self,
        reference: &str,
        names: &[String],
        at: Timestamp,
    ) -> Result<ShipmentId, Fault> {
        let (shipment_id, named) = self.named(reference, names)?;
        let mut voided = Vec::new();
        for (_, package) in self.packages.iter_mut().enumerate().filter(|(index, _)| named.contains(index)) {
            if package.has_left() && !names.is_empty() {
                return Err(Fault::not_supported("a package has left: RetractShipment takes that back"));
            }
            if !package.has_left() && package.void_time.is_none() {
                package.void_time = Some(at);
                add(&mut voided, package.lines().to_vec());
            }
        }
        if !voided.is_empty() {
            self.pending.push(PendingEvent::Voided(shipment_id.clone(), voided, at));
        }
        Ok(shipment_id)
    }

    /// Packages did not leave. What a carrier reports of them still implies that they did.
    pub(crate) fn retract_departures(
        &mut self,
        reference: &str,
        names: &[String],
        rows: &Rows,
    ) -> Result<ShipmentId, Fault> {
        let (shipment_id, named) = self.named(reference, names)?;
        if self.packages.iter().enumerate().any(|(index, one)| named.contains(&index) && one.remedy.is_some()) {
            return Err(Fault::not_supported("a package is written off"));
        }
        let mut movement = Movement::default();
        let mut events = Vec::new();
        for index in named {
            let Some(package) = self.packages.get_mut(index).filter(|one| one.report_time.is_some()) else { continue };
            package.report_time = None;
            package.departure = Departure::Inferred;
            events.extend(self.refold_entered(index, rows, &mut movement)?);
        }
        self.pending.push(PendingEvent::Moved(shipment_id.clone(), movement));
        self.pending.extend(events);
        Ok(shipment_id)
    }

    /// Units of shipments that were taken back and that the node was not to ship.
    pub(crate) fn stayed_beyond(&self) -> Vec<LineQuantity> {
        let mut units = Vec::new();
        for event in &self.pending {
            if let PendingEvent::Moved(_, movement) = event {
                add(&mut units, movement.stayed_beyond.clone());
            }
        }
        units
    }

    /// Of the units of a shipment that were taken back, those that another node has, and those that no node has any more.
    pub(crate) fn leave_to_others(&mut self, shipment_id: &ShipmentId, here: Vec<LineQuantity>, free: &[LineQuantity]) {
        let mut elsewhere = here;
        add(&mut elsewhere, free.to_vec());
        self.order.leave_to_others(&elsewhere);
        for event in &mut self.pending {
            if let PendingEvent::Moved(moved, movement) = event
                && moved == shipment_id
            {
                add(&mut movement.elsewhere, std::mem::take(&mut elsewhere));
                add(&mut movement.free, free.to_vec());
                break;
            }
        }
    }

    /// Packages left with other contents than were reported: the difference left, or did not leave after all.
    pub(crate) fn correct_contents(
        &mut self,
        reference: &str,
        reported: &[ReportedPackage],
    ) -> Result<ShipmentId, Fault> {
        let (shipment_id, named) = self.named(reference, &[])?;
        let known = KnownPackages::of(&self.packages);
        let mut movement = Movement::default();
        for (at, report) in reported.iter().enumerate() {
            let index = known.find(report, &shipment_id).filter(|index| named.contains(index));
            let package = index.and_then(|index| self.packages.get_mut(index));
            let unknown =
                || Fault::invalid(format!("packages[{at}].tracking_number"), "is not a package of the shipment");
            let package = package.ok_or_else(unknown)?;
            if package.remedy.is_some() {
                return Err(Fault::not_supported("a package is written off"));
            }
            let contents = with_items(&self.order, report);
            let (more, less) =
                (difference(&contents.lines, package.lines()), difference(package.lines(), &contents.lines));
            let (sscc, number) = (package.sscc.clone(), package.tracking_number.clone());
            package.contents = Proto(ReportedPackage { sscc, tracking_number: number, lines: contents.lines });
            let (ship_time, deliver_time) = (package.ship_time, package.deliver_time);
            if let Some(left) = ship_time {
                add(&mut movement.stayed_beyond, self.order.unship(&less));
                if deliver_time.is_some() {
                    add(&mut movement.undelivered, less.clone());
                    add(&mut movement.delivered, more.clone());
                    movement.deliver_time = movement.deliver_time.max(deliver_time.unwrap_or_default());
                }
                if !less.is_empty() {
                    add(movement.stayed.entry(left).or_default(), less);
                }
                self.left(more, left, &mut movement);
            }
        }
        self.pending.push(PendingEvent::Moved(shipment_id.clone(), movement));
        let of = |shipment: &&mut Shipment| shipment.shipment_id == shipment_id;
        if let Some(shipment) = self.shipments.iter_mut().find(of)
            && shipment.contents == ReportedContents::Differ
        {
            shipment.contents = ReportedContents::Agree;
            self.pending.push(PendingEvent::ContentsCorrected(shipment_id.clone()));
        }
        Ok(shipment_id)
    }

    /// Units were not picked, and others were found after all (`process/found_units.rs`).
    pub(crate) fn retract_pick(
        &mut self,
        picked: &[LineQuantity],
        short: &[LineQuantity],
        at: Timestamp,
        rows: &Rows,
    ) -> Result<(), Fault> {
        let lines = self.order.unpick(picked);
        let mut found = Vec::new();
        for (units, deallocated) in self.order.find(short)? {
            if let Some(line) = self.release.line_mut(units.line_number.into())
                && !line.give_back(deallocated)
            {
                return Err(found_units::whereabouts(&self.order.header.fulfillment_order_id, line, rows)?);
            }
            found.push(units);
        }
        if !lines.is_empty() || !found.is_empty() {
            self.pending.push(PendingEvent::PickRetracted { lines, found, at });
        }
        Ok(())
    }

    /// A person who read the shipment with this etag ends the wait for a package. The same again changes nothing.
    pub(crate) fn write_off(
        &mut self,
        package_id: &PackageId,
        etag: &str,
        remedy: Remedy,
        claim: &str,
        reason: &str,
    ) -> Result<(), Fault> {
        let package = self.packages.iter_mut().find(|package| package.package_id == *package_id);
        let package = package.ok_or_else(|| Fault::not_found("package", package_id))?;
        if package.remedy == Some(remedy) {
            return Ok(());
        }
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == package.shipment_id);
        let version = shipment.map_or(0, |shipment| shipment.version);
        let refreshed = |fault: Fault| fault.refreshed(&package.supported_actions(), version);
        Fault::check_etag("shipment", etag, version).map_err(refreshed)?;
        if !package.can_be_written_off() {
            let message = "only a package that left, is not delivered and is not written off can be written off";
            return Err(refreshed(Fault::not_supported(message)));
        }
        package.remedy = Some(remedy);
        package.problem = None;
        package.report_due = None;
        let claim = if claim.is_empty() { reason } else { claim };
        self.pending.push(PendingEvent::WrittenOff(package_id.clone(), claim.to_owned()));
        Ok(())
    }

    /// Nothing was reported of a package for too long, unless something was since.
    pub(crate) fn note_silence(&mut self, package_id: &PackageId, now: Timestamp) {
        let package = self.packages.iter_mut().find(|package| package.package_id == *package_id);
        if let Some(package) = package.filter(|package| package.report_due.is_some_and(|due| due <= now)) {
            package.report_due = None;
            package.problem.get_or_insert(Problem::Silent);
        }
    }

    /// A shipment of the node by its reference, and the positions of its packages with these names; of all when there is none.
    fn named(&self, reference: &str, names: &[String]) -> Result<(ShipmentId, BTreeSet<usize>), Fault> {
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_reference == reference);
        let shipment = shipment.ok_or_else(|| Fault::invalid("shipment_reference", "is not of a shipment"))?;
        let shipment_id = shipment.shipment_id.clone();
        let own: Vec<_> =
            self.packages.iter().enumerate().filter(|(_, package)| package.shipment_id == shipment_id).collect();
        let mut named = BTreeSet::new();
        for (at, name) in names.iter().enumerate() {
            let key = package_key::of_number(name);
            let is_named = |package: &Package| package.package_key == key || package.sscc == *name;
            let found = own.iter().find(|(_, package)| is_named(package));
            let unknown = || Fault::invalid(format!("package_names[{at}]"), "is not a package of the shipment");
            named.insert(found.ok_or_else(unknown)?.0);
        }
        if names.is_empty() {
            named.extend(own.iter().map(|(index, _)| *index));
        }
        Ok((shipment_id, named))
    }
}
