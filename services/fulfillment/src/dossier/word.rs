//! Whose word on a package counts: the distributor's own, its carrier's, and that of the partner whose node it left.
//!
//! What others say is kept, and a person is told. It counts as soon as the shipment names them as its carrier.

use std::collections::BTreeSet;

use store::{Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, ShipmentId};

use super::{Dossier, Movement, WORK};
use crate::{
    exception::{Exception, FOREIGN_REPORT},
    shipment::{Package, Shipment},
    tracking::{Milestone, Proof, Tracking, TrackingNumber, fold},
};

/// Asks for all that was said of a tracking number.
pub fn said_needs(number: &str, rows: &Rows, needs: &mut Needs) {
    if number_needs(number, rows, needs) {
        needs.under::<Milestone>(number);
        needs.under::<Proof>(number);
    }
}

/// Asks for the row that stands for a tracking number; answers whether it is there.
///
/// Each statement sees what is committed by then. So what the row stands for is read after it: what a rival writes
/// before is seen, and after it the row is not the one that was read.
pub fn number_needs(number: &str, rows: &Rows, needs: &mut Needs) -> bool {
    let key = number.to_owned();
    needs.row::<TrackingNumber>(&key);
    rows.get::<TrackingNumber>(&key).is_ok()
}

/// Writes the row that stands for a tracking number, because of which a rival decides again.
pub fn claim(number: &str, rows: &mut Rows) -> Result<(), Fault> {
    let new = || TrackingNumber { tracking_number: number.to_owned(), version: 0 };
    let row = rows.get::<TrackingNumber>(&number.to_owned())?.cloned().unwrap_or_else(new);
    rows.put(row);
    Ok(())
}

/// Everybody who said something of a tracking number.
fn reporters(number: &str, rows: &Rows) -> Result<BTreeSet<String>, Fault> {
    let milestones = rows.under::<Milestone>(number)?.into_iter().map(|said| said.reporter_id.clone());
    let proofs = rows.under::<Proof>(number)?.into_iter().map(|said| said.reporter_id.clone());
    Ok(milestones.chain(proofs).collect())
}

impl Dossier {
    /// Asks for what was said of the packages of shipments whose carrier is not known yet, for a report may name it.
    pub fn needs_unnamed(id: &FulfillmentOrderId, rows: &Rows, needs: &mut Needs) {
        let mut shipments = rows.by::<Shipment>(WORK, id).into_iter().flatten();
        if shipments.any(|shipment| shipment.carrier_id.is_empty()) {
            for package in rows.by::<Package>(WORK, id).into_iter().flatten() {
                said_needs(&package.tracking_number, rows, needs);
            }
        }
    }

    /// Whether the reporter's word on a package counts.
    pub fn hears(&self, package: &Package, reporter_id: &str) -> bool {
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == package.shipment_id);
        shipment.is_some_and(|shipment| shipment.hears(reporter_id))
    }

    /// Keeps who carries a shipment, when nobody said so before; answers whether that is news.
    pub fn name_carrier(&mut self, shipment_id: &ShipmentId, carrier_id: &str) -> bool {
        let shipment = self.shipments.iter_mut().find(|shipment| shipment.shipment_id == *shipment_id);
        let Some(shipment) = shipment.filter(|shipment| shipment.carrier_id.is_empty()) else { return false };
        carrier_id.clone_into(&mut shipment.carrier_id);
        !carrier_id.is_empty()
    }

    /// The package at a place follows the reports that count for it.
    pub fn catch_up(&mut self, place: usize, rows: &Rows, movement: &mut Movement) -> Result<(), Fault> {
        let Some(package) = self.packages.get(place) else { return Ok(()) };
        let tracking = self.tracking(package, rows)?;
        self.follow(place, &tracking, movement);
        Ok(())
    }

    /// A package whose reports count only now follows them. A rival's report of it may be on its way.
    pub fn begin_to_hear(&mut self, place: usize, rows: &mut Rows, movement: &mut Movement) -> Result<(), Fault> {
        if let Some(package) = self.packages.get(place) {
            claim(&package.tracking_number, rows)?;
        }
        self.catch_up(place, rows, movement)
    }

    /// A package follows the reports that count for it.
    pub fn catch_up_one(&mut self, package: &Package, rows: &Rows, movement: &mut Movement) -> Result<(), Fault> {
        match self.packages.iter().position(|one| one.package_id == package.package_id) {
            Some(place) => self.catch_up(place, rows, movement),
            None => Ok(()),
        }
    }

    /// All packages of a shipment follow the reports that count since it has a carrier.
    pub fn begin_to_hear_all(
        &mut self,
        shipment_id: &ShipmentId,
        rows: &mut Rows,
        movement: &mut Movement,
    ) -> Result<(), Fault> {
        for place in 0..self.packages.len() {
            if self.packages.get(place).is_some_and(|package| package.shipment_id == *shipment_id) {
                self.begin_to_hear(place, rows, movement)?;
            }
        }
        Ok(())
    }

    fn tracking(&self, package: &Package, rows: &Rows) -> Result<Tracking, Fault> {
        let number = package.tracking_number.as_str();
        let milestones = rows.under::<Milestone>(number)?.into_iter();
        let proofs = rows.under::<Proof>(number)?.into_iter();
        Ok(fold(
            milestones.filter(|said| self.hears(package, &said.reporter_id)),
            proofs.filter(|said| self.hears(package, &said.reporter_id)),
        ))
    }

    /// Tells what counts of all that was said of a package. To be told after `save`.
    pub fn tell_said(
        &self,
        shipment: &Shipment,
        package: &Package,
        rows: &Rows,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        for said in rows.under::<Milestone>(package.tracking_number.as_str())? {
            if shipment.hears(&said.reporter_id) {
                self.tell_milestone(shipment, package, said, cx);
            }
        }
        for said in rows.under::<Proof>(package.tracking_number.as_str())? {
            if shipment.hears(&said.reporter_id) {
                self.tell_proof(shipment, package, said.sign_time, cx);
            }
        }
        Ok(())
    }

    /// Tells a person of reports on a package by partners whose word does not count.
    pub fn open_foreign(
        &self,
        shipment: &Shipment,
        package: &Package,
        rows: &Rows,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        for reporter_id in reporters(&package.tracking_number, rows)? {
            if !shipment.hears(&reporter_id) {
                self.open_foreign_report(shipment, package, &reporter_id, cx);
            }
        }
        Ok(())
    }

    /// Tells a person that a partner reported on a package that is not its.
    pub fn open_foreign_report(&self, shipment: &Shipment, package: &Package, reporter_id: &str, cx: &mut Context<'_>) {
        let number = &package.tracking_number;
        let carrier = match shipment.carrier_id.as_str() {
            "" => "nobody is named as carrier".to_owned(),
            carrier => format!("{carrier} carries it"),
        };
        let facts = [
            ("tracking_number", number.clone()),
            ("reporter_id", reporter_id.to_owned()),
            ("carrier_id", shipment.carrier_id.clone()),
        ];
        let exception = foreign_report(shipment, format!("{number}/{reporter_id}"));
        exception.open(cx, format!("{reporter_id} reported on package {number}, but {carrier}"), facts);
    }

    /// Tells what counts since a shipment has a carrier. To be told after `save`.
    pub fn tell_named(&self, shipment: &Shipment, rows: &Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for package in self.packages_of(shipment) {
            self.tell_said(shipment, package, rows, cx)?;
        }
        self.resolve_foreign(shipment, rows, cx)
    }

    /// A package as it is now, and its shipment.
    pub fn find(&self, package: &Package) -> Option<(&Shipment, &Package)> {
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == package.shipment_id)?;
        Some((shipment, self.packages.iter().find(|one| one.package_id == package.package_id)?))
    }

    /// Tells that the carrier a shipment has now is the one who reported, when nobody else did.
    fn resolve_foreign(&self, shipment: &Shipment, rows: &Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut all = BTreeSet::new();
        for package in self.packages_of(shipment) {
            all.extend(reporters(&package.tracking_number, rows)?);
        }
        if all.contains(&shipment.carrier_id) && all.iter().all(|reporter_id| shipment.hears(reporter_id)) {
            foreign_report(shipment, shipment.carrier_id.clone()).resolve(cx, "the shipment names its carrier");
        }
        Ok(())
    }
}

fn foreign_report(shipment: &Shipment, key: String) -> Exception<'_> {
    Exception {
        kind: FOREIGN_REPORT,
        subject: shipment.shipment_id.to_string(),
        order_id: &shipment.order_id,
        account_id: &shipment.account_id,
        key,
    }
}
