//! Tracking reports of packages. A report that is about a package counts when its reporter is authoritative: the distributor, the
//! carrier, or the partner that runs the node. Which package a report is about is decided in `assignment.rs`.

use std::collections::{BTreeMap, BTreeSet};

use store::{Needs, Rows};
use types::{Fault, FulfillmentOrderId, ShipmentId, Timestamp};

use super::{FULFILLMENT_ORDER, FulfillmentOrderAggregate, PendingEvent, packages::Movement};
use crate::{
    assignment::{Candidate, Relation, relation},
    buffered_reports,
    doubts::{Doubt, Doubts},
    package::Package,
    package_status::fold,
    shipment::Shipment,
    tracking_report::{ReportDoubt, TrackingReport},
};

/// What changed of the reports of some keys.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReportChange<'a> {
    /// A report that is new.
    pub(crate) new: Option<&'a TrackingReport>,
    /// A report that is retracted now.
    pub(crate) retracted: Option<&'a TrackingReport>,
}

/// What a change of reports did to a fulfillment order.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Followed {
    /// Whether the new report may be about one of its packages.
    pub(crate) matched: bool,
    /// Whether the retracted report was about one of its packages.
    pub(crate) retracted: bool,
    /// Whether a shipment has a carrier now that had none.
    pub(crate) carrier_named: bool,
}

impl FulfillmentOrderAggregate {
    /// Requests the reports of packages of a fulfillment order.
    pub(crate) fn needs_reports(
        id: &FulfillmentOrderId,
        of: impl Fn(&Package, &Shipment) -> bool,
        rows: &Rows,
        needs: &mut Needs,
    ) {
        let shipments = rows.by::<Shipment>(FULFILLMENT_ORDER, id).unwrap_or_default();
        for package in rows.by::<Package>(FULFILLMENT_ORDER, id).into_iter().flatten() {
            let shipment = shipments.iter().find(|shipment| shipment.shipment_id == package.shipment_id);
            if shipment.is_some_and(|shipment| of(package, shipment)) {
                package.keys().iter().for_each(|key| buffered_reports::needs(key, rows, needs));
            }
        }
    }

    /// Folds the packages that have one of the keys again, after reports or packages with the keys changed.
    pub(crate) fn follow_reports(
        &mut self,
        keys: &BTreeSet<String>,
        change: ReportChange<'_>,
        rows: &Rows,
    ) -> Result<Followed, Fault> {
        let mut followed = Followed::default();
        let mut named = BTreeSet::new();
        let concerned: Vec<_> = self.positions(|package| package.keys().iter().any(|key| keys.contains(key)));
        for index in &concerned {
            let package = self.packages.get(*index).map(|one| (one.package_id.clone(), one.shipment_id.clone()));
            let Some((package_id, shipment_id)) = package else { continue };
            if let Some(new) = change.new {
                let relation = self.relation(*index, new, rows)?;
                followed.matched |= relation != Relation::Other;
                if relation == Relation::Authoritative {
                    self.pending.push(PendingEvent::Reported(
                        package_id.clone(),
                        Box::new(new.clone()),
                        change.retracted.cloned().map(Box::new),
                    ));
                    if self.name_carrier(&shipment_id, &new.carrier_id, None) {
                        named.insert(shipment_id);
                    }
                }
            }
            if let Some(retracted) = change.retracted
                && self.relation(*index, retracted, rows)? == Relation::Authoritative
            {
                followed.retracted = true;
                self.pending.push(PendingEvent::Retracted(package_id, Box::new(retracted.clone())));
            }
        }
        followed.carrier_named = !named.is_empty();
        let mut moved: BTreeMap<ShipmentId, Movement> = BTreeMap::new();
        let (mut reported, mut doubted) = (Vec::new(), Vec::new());
        for index in 0..self.packages.len() {
            let Some(shipment_id) = self.packages.get(index).map(|package| package.shipment_id.clone()) else {
                continue;
            };
            let is_named = named.contains(&shipment_id);
            if is_named || concerned.contains(&index) {
                let folded = self.refold(index, rows, moved.entry(shipment_id).or_default())?;
                doubted.extend(folded.doubted);
                reported.extend(folded.reported.into_iter().filter(|_| is_named));
            }
        }
        self.pending.extend(reported);
        self.pending
            .extend(moved.into_iter().map(|(shipment_id, movement)| PendingEvent::Moved(shipment_id, movement)));
        self.pending.extend(doubted);
        Ok(followed)
    }

    /// Names the carrier of a shipment. A tracking report names it when there is none, a report of the node at a time also in the
    /// place of one that was named earlier. Returns whether it is another one now.
    pub(super) fn name_carrier(&mut self, shipment_id: &ShipmentId, carrier_id: &str, at: Option<Timestamp>) -> bool {
        let shipment = self.shipments.iter_mut().find(|shipment| shipment.shipment_id == *shipment_id);
        shipment.is_some_and(|shipment| shipment.name_carrier(carrier_id, at))
    }

    /// Folds the reports of every package of a shipment again, whose carrier is another one now.
    pub(super) fn refold_shipment(
        &mut self,
        shipment_id: &ShipmentId,
        rows: &Rows,
        movement: &mut Movement,
    ) -> Result<Vec<PendingEvent>, Fault> {
        let mut events = Vec::new();
        for index in self.positions(|package| package.shipment_id == *shipment_id) {
            let folded = self.refold_entered(index, rows, movement)?;
            events.extend(folded);
        }
        Ok(events)
    }

    /// Folds the reports of a package again that is new or has changed, so that a rival that reports on it conflicts.
    pub(super) fn refold_entered(
        &mut self,
        index: usize,
        rows: &Rows,
        movement: &mut Movement,
    ) -> Result<Vec<PendingEvent>, Fault> {
        self.keys.extend(self.packages.get(index).map(Package::keys).unwrap_or_default());
        let Folded { mut reported, doubted } = self.refold(index, rows, movement)?;
        reported.extend(doubted);
        Ok(reported)
    }

    /// A package takes over what its reports amount to.
    fn refold(&mut self, index: usize, rows: &Rows, movement: &mut Movement) -> Result<Folded, Fault> {
        let Some((shipment, package)) = self.package(index) else { return Ok(Folded::default()) };
        let (mut counted, mut doubted) = (Vec::new(), Vec::new());
        for key in package.keys() {
            let candidates = self.candidates(&key, rows)?;
            for report in rows.under::<TrackingReport>(&key)? {
                match relation(report, &package.package_id, &candidates) {
                    _ if report.retract_time.is_some() => {}
                    Relation::Other => {}
                    Relation::Foreign => doubted.push((Doubt::Foreign, report)),
                    Relation::Ambiguous => doubted.push((Doubt::Ambiguous, report)),
                    Relation::Authoritative => counted.push(report),
                }
            }
        }
        let tracking = fold(counted.iter().copied().filter(|report| report.is_valid()), package.report_time);
        if tracking.deliver_time().is_none() {
            let is_early = |report: &TrackingReport| tracking.before_departure.contains(&report.report_id);
            let implausible = counted.iter().filter(|report| report.doubt != ReportDoubt::None || is_early(report));
            doubted.extend(implausible.map(|report| (Doubt::Implausible, *report)));
        }
        let mut doubts = Doubts::default();
        doubted.iter().for_each(|(doubt, _)| doubts.add(*doubt));
        let id = &package.package_id;
        let carrier_id = &shipment.carrier_id;
        let folded = Folded {
            reported: counted
                .into_iter()
                .map(|report| PendingEvent::Reported(id.clone(), Box::new(report.clone()), None))
                .collect(),
            doubted: doubted
                .into_iter()
                .map(|(doubt, report)| PendingEvent::Doubted {
                    package_id: id.clone(),
                    carrier_id: carrier_id.clone(),
                    doubt,
                    report: Box::new(report.clone()),
                })
                .collect(),
        };
        self.apply(index, &tracking, doubts, movement);
        Ok(folded)
    }

    fn relation(&self, index: usize, report: &TrackingReport, rows: &Rows) -> Result<Relation, Fault> {
        let Some(package) = self.packages.get(index) else { return Ok(Relation::Other) };
        if !package.keys().contains(&report.package_key) {
            return Ok(Relation::Other);
        }
        Ok(relation(report, &package.package_id, &self.candidates(&report.package_key, rows)?))
    }

    /// The packages that have a key: its own as they are now, and those of other fulfillment orders.
    fn candidates<'a>(&'a self, key: &str, rows: &'a Rows) -> Result<Vec<Candidate<'a>>, Fault> {
        let own_id = &self.order.header.fulfillment_order_id;
        let mut candidates = buffered_reports::candidates(key, rows)?;
        candidates.retain(|one| one.package.fulfillment_order_id != *own_id);
        let own = (0..self.packages.len()).filter_map(|index| self.package(index));
        let own = own.filter(|(_, package)| package.keys().iter().any(|one| one == key));
        candidates.extend(own.map(|(shipment, package)| Candidate { package, shipment }));
        Ok(candidates)
    }

    fn positions(&self, of: impl Fn(&Package) -> bool) -> Vec<usize> {
        self.packages.iter().enumerate().filter(|(_, package)| of(package)).map(|(index, _)| index).collect()
    }

    fn package(&self, index: usize) -> Option<(&Shipment, &Package)> {
        let package = self.packages.get(index)?;
        let shipment = self.shipments.iter().find(|shipment| shipment.shipment_id == package.shipment_id)?;
        Some((shipment, package))
    }
}

/// What folding the reports of a package again found.
#[derive(Debug, Default)]
struct Folded {
    /// The reports that are about it, by authoritative reporters.
    reported: Vec<PendingEvent>,
    /// The reports that are doubtful.
    doubted: Vec<PendingEvent>,
}
