//! To which package a tracking report belongs, of those that it may name.
//!
//! Carriers reuse numbers, and two carriers may use the same one. So a name means a package only together with its carrier and a
//! time: from a week before the package is labelled until half a year after it is labelled or leaves, whichever is later, and no
//! longer than until a package with the same name and carrier is labelled at least a month later. The relation is a function of the
//! report and the packages, whatever came first.

use std::{collections::BTreeSet, time::Duration};

use types::{PackageId, Timestamp};

use crate::{package::Package, shipment::Shipment, tracking_report::TrackingReport};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long before its label is reported a package may be on its way: nodes report late.
pub(crate) const EARLY: Duration = DAY.saturating_mul(7);

/// How long after its label or departure a package may be on its way.
const LONGEST: Duration = DAY.saturating_mul(183);

/// How long no carrier uses a number again.
const UNIQUE: Duration = DAY.saturating_mul(30);

/// How a report relates to a package that it may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It is about the package, and its reporter is authoritative.
    Authoritative,
    /// It may be about the package, but its reporter is not authoritative for any that it may be about.
    Foreign,
    /// It may be about packages of several carriers, and does not name one.
    Ambiguous,
    /// It is about another package.
    Other,
}

/// A package that a report may name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) package: &'a Package,
    pub(crate) shipment: &'a Shipment,
}

impl Candidate<'_> {
    /// Whether the report may be about the package, as its time is.
    fn is_current(&self, at: Timestamp) -> bool {
        let (first, last) = self.package.at_node();
        first <= at.after(EARLY) && at <= last.after(LONGEST)
    }

    /// Whether the name means a newer package of the same carrier by then.
    fn is_superseded(&self, at: Timestamp, candidates: &[Self]) -> bool {
        candidates.iter().any(|newer| {
            agree(&self.shipment.carrier_id, &newer.shipment.carrier_id)
                && newer.is_current(at)
                && newer.package.at_node().0.since(self.package.at_node().0) >= UNIQUE
        })
    }

    /// Whether the report counts for the package, if it is about it.
    fn trusts(&self, report: &TrackingReport) -> bool {
        let Shipment { carrier_id, partner_id, .. } = self.shipment;
        // The partner that runs the node may bring the goods to the carrier itself.
        let same_carrier = agree(carrier_id, &report.carrier_id) || report.carrier_id == partner_id.to_string();
        self.shipment.is_authoritative(&report.reporter_id) && same_carrier
    }
}

/// Whether two carriers may be the same: they are, or one is not known.
fn agree(one: &str, other: &str) -> bool {
    one.is_empty() || other.is_empty() || one == other
}

/// How a report relates to one of the packages that have its key.
pub(crate) fn relation(report: &TrackingReport, package_id: &PackageId, candidates: &[Candidate<'_>]) -> Relation {
    let at = report.believed_time();
    let meant: Vec<_> =
        candidates.iter().filter(|one| one.is_current(at) && !one.is_superseded(at, candidates)).collect();
    let trusting: Vec<_> = meant.iter().filter(|one| one.trusts(report)).collect();
    let is = |one: &Candidate<'_>| one.package.package_id == *package_id;
    if !meant.iter().any(|one| is(one)) {
        return Relation::Other;
    }
    if trusting.is_empty() {
        return Relation::Foreign;
    }
    if !trusting.iter().any(|one| is(one)) {
        return Relation::Other;
    }
    let carriers: BTreeSet<_> = trusting.iter().map(|one| &one.shipment.carrier_id).collect();
    if carriers.iter().filter(|carrier| !carrier.is_empty()).count() > 1 {
        Relation::Ambiguous
    } else {
        Relation::Authoritative
    }
}

#[cfg(test)]
mod tests;
