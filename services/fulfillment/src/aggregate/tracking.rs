//! Tracking reports of packages. A report is applied when its reporter is authoritative: the distributor, the carrier, or the
//! partner that runs the node. Any other report stays buffered and needs a person, until the shipment names its reporter as
//! carrier.

use std::collections::BTreeSet;

use store::{Needs, Rows};
use types::{Fault, FulfillmentOrderId, PackageId, ShipmentId};

use super::{FULFILLMENT_ORDER, FulfillmentOrderAggregate, PendingEvent, packages::Movement};
use crate::{
    buffered_reports::{BufferedReports, NewReport},
    package::Package,
    shipment::Shipment,
};

impl FulfillmentOrderAggregate {
    /// Requests the buffered reports of packages of shipments without a carrier, for a report may name it.
    pub(crate) fn needs_reports_without_carrier(id: &FulfillmentOrderId, rows: &Rows, needs: &mut Needs) {
        let mut shipments = rows.by::<Shipment>(FULFILLMENT_ORDER, id).into_iter().flatten();
        if shipments.any(|shipment| shipment.carrier_id.is_empty()) {
            for package in rows.by::<Package>(FULFILLMENT_ORDER, id).into_iter().flatten() {
                BufferedReports::needs(&package.tracking_number, rows, needs);
            }
        }
    }

    /// Applies a new report to a package with its tracking number.
    pub(crate) fn apply_report(
        &mut self,
        package_id: &PackageId,
        report: &NewReport,
        rows: &Rows,
    ) -> Result<(), Fault> {
        let report = report.report();
        let index = self.packages.iter().position(|package| package.package_id == *package_id);
        let Some(index) = index else { return Ok(()) };
        let Some((shipment, _)) = self.package(index) else { return Ok(()) };
        if !shipment.is_authoritative(report.reporter_id()) {
            self.pending.push(PendingEvent::ForeignReport(package_id.clone(), report.reporter_id().to_owned()));
            return Ok(());
        }
        let shipment_id = shipment.shipment_id.clone();
        self.pending.push(PendingEvent::Reported(package_id.clone(), report.clone()));
        let mut movement = Movement::default();
        if self.name_carrier(&shipment_id, report.carrier_id()) {
            let reports = self.apply_all_buffered(&shipment_id, rows, &mut movement)?;
            self.pending.extend(reports);
        } else {
            self.apply_authoritative(index, rows, &mut movement)?;
        }
        self.pending.push(PendingEvent::Moved(shipment_id, movement));
        Ok(())
    }

    /// Names the carrier of a shipment that has none; returns whether it has one now.
    pub(super) fn name_carrier(&mut self, shipment_id: &ShipmentId, carrier_id: &str) -> bool {
        let shipment = self.shipments.iter_mut().find(|shipment| shipment.shipment_id == *shipment_id);
        let Some(shipment) = shipment.filter(|shipment| shipment.carrier_id.is_empty()) else { return false };
        carrier_id.clone_into(&mut shipment.carrier_id);
        !carrier_id.is_empty()
    }

    /// Applies the buffered reports of every package of a shipment that names its carrier now; returns their pending events.
    /// Foreign reports are resolved when every reporter is authoritative now.
    pub(super) fn apply_all_buffered(
        &mut self,
        shipment_id: &ShipmentId,
        rows: &Rows,
        movement: &mut Movement,
    ) -> Result<Vec<PendingEvent>, Fault> {
        let mut events = Vec::new();
        let mut reporters = BTreeSet::new();
        for index in 0..self.packages.len() {
            if self.packages.get(index).is_some_and(|package| package.shipment_id == *shipment_id) {
                let reports = self.apply_buffered(index, rows, movement)?;
                reporters.extend(reports.reporters().into_iter().map(str::to_owned));
                events.extend(self.report_events(index, reports));
            }
        }
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == *shipment_id);
        let resolved = |shipment: &Shipment| {
            reporters.contains(&shipment.carrier_id) && reporters.iter().all(|one| shipment.is_authoritative(one))
        };
        if shipment.is_some_and(resolved) {
            events.push(PendingEvent::ForeignReportsResolved(shipment_id.clone()));
        }
        Ok(events)
    }

    /// Applies the buffered reports of a package whose reporters may have become authoritative; returns all of them.
    pub(super) fn apply_buffered(
        &mut self,
        index: usize,
        rows: &Rows,
        movement: &mut Movement,
    ) -> Result<BufferedReports, Fault> {
        let tracking_number = self.packages.get(index).map(|package| package.tracking_number.clone());
        self.tracking_numbers.extend(tracking_number);
        self.apply_authoritative(index, rows, movement)
    }

    /// A package takes over what all its authoritative reports amount to; returns all its reports.
    fn apply_authoritative(
        &mut self,
        index: usize,
        rows: &Rows,
        movement: &mut Movement,
    ) -> Result<BufferedReports, Fault> {
        let Some((shipment, package)) = self.package(index) else { return Ok(BufferedReports::default()) };
        let reports = BufferedReports::load(&package.tracking_number, rows)?;
        let tracking = reports.tracking(|reporter_id| shipment.is_authoritative(reporter_id));
        self.apply(index, &tracking, movement);
        Ok(reports)
    }

    /// The pending events of the authoritative reports of a package.
    pub(super) fn report_events(&self, index: usize, reports: BufferedReports) -> Vec<PendingEvent> {
        let Some((shipment, package)) = self.package(index) else { return Vec::new() };
        let authoritative = reports.into_reports().filter(|report| shipment.is_authoritative(report.reporter_id()));
        authoritative.map(|report| PendingEvent::Reported(package.package_id.clone(), report)).collect()
    }

    /// The pending events of the reports of a package by reporters that are not authoritative.
    pub(super) fn foreign_report_events(&self, index: usize, reports: &BufferedReports) -> Vec<PendingEvent> {
        let Some((shipment, package)) = self.package(index) else { return Vec::new() };
        let foreign = reports.reporters().into_iter().filter(|reporter_id| !shipment.is_authoritative(reporter_id));
        let event = |reporter_id: &str| PendingEvent::ForeignReport(package.package_id.clone(), reporter_id.to_owned());
        foreign.map(event).collect()
    }

    fn package(&self, index: usize) -> Option<(&Shipment, &Package)> {
        let package = self.packages.get(index)?;
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == package.shipment_id)?;
        Some((shipment, package))
    }
}
