//! Buffered reports: every tracking report of a key, whether or not a package has the key yet, and whether or not its reporter is
//! authoritative for the package.

use store::{Needs, Rows};
use types::{Fault, TrackingReportId};

use crate::{
    assignment::Candidate, milestone::MilestoneCode, package::Package, package_key::SSCC_PREFIX, package_status::fold,
    shipment::Shipment, tracking_report::TrackingReport,
};

/// The columns by which packages of a key are found.
const PACKAGE_KEY: &[&str] = &["package_key"];
const SSCC: &[&str] = &["sscc"];

/// The column by which a report is found.
pub(crate) const REPORT_ID: &[&str] = &["report_id"];

store::record! {
    /// One row for all reports and packages with a key. Whoever adds or retracts a report, adds a package, or names the carrier of
    /// one, writes it, so that of two replicas neither misses the other's.
    pub(crate) struct PackageKey in "package_keys" key (package_key: String) {}
}

/// Buffers a report; returns it unless it was buffered before.
pub(crate) fn buffer(report: TrackingReport, rows: &mut Rows) -> Result<Option<TrackingReport>, Fault> {
    if rows.get::<TrackingReport>(&(report.package_key.clone(), report.report_id.clone()))?.is_some() {
        return Ok(None);
    }
    write_key(&report.package_key, rows)?;
    Ok(Some(rows.put(report)))
}

/// The report with an id.
pub(crate) fn find(report_id: &TrackingReportId, rows: &Rows) -> Result<Option<TrackingReport>, Fault> {
    Ok(rows.by::<TrackingReport>(REPORT_ID, report_id)?.into_iter().next().cloned())
}

/// Requests the reports and the packages of a key, with their shipments.
///
/// The row of the key is read before them: each statement sees what is committed by then, so a row that a rival commits before
/// that is seen, and one that it commits after that makes this command conflict.
pub(crate) fn needs(key: &str, rows: &Rows, needs: &mut Needs) {
    let row = key.to_owned();
    needs.row::<PackageKey>(&row);
    if rows.get::<PackageKey>(&row).is_err() {
        return;
    }
    needs.under::<TrackingReport>(key);
    let (columns, value) = lookup(key);
    needs.by::<Package>(columns, value);
    for package in rows.by::<Package>(columns, value).into_iter().flatten() {
        needs.row::<Shipment>(&package.shipment_id);
    }
}

/// Packages with a key, oldest first.
pub(crate) fn packages<'r>(key: &str, rows: &'r Rows) -> Result<Vec<&'r Package>, Fault> {
    let (columns, value) = lookup(key);
    let mut packages = rows.by::<Package>(columns, value)?;
    packages.sort_by_key(|package| (package.create_time, &package.package_id));
    Ok(packages)
}

/// Packages with a key as they are stored, with their shipments.
pub(crate) fn candidates<'r>(key: &str, rows: &'r Rows) -> Result<Vec<Candidate<'r>>, Fault> {
    let mut candidates = Vec::new();
    for package in packages(key, rows)? {
        let shipment = rows.get::<Shipment>(&package.shipment_id)?;
        candidates.extend(shipment.map(|shipment| Candidate { package, shipment }));
    }
    Ok(candidates)
}

/// The status that all reports of a key by one reporter amount to.
pub(crate) fn status_by(reporter_id: &str, key: &str, rows: &Rows) -> Result<MilestoneCode, Fault> {
    let reports = rows.under::<TrackingReport>(key)?.into_iter();
    let own = reports.filter(|report| report.reporter_id == reporter_id && report.is_valid() && report.proof.is_none());
    Ok(fold(own, None).status.map_or(MilestoneCode::Unspecified, |(code, _)| code))
}

/// Writes the row of a key, so that a rival that does the same conflicts.
pub(crate) fn write_key(key: &str, rows: &mut Rows) -> Result<(), Fault> {
    let new = || PackageKey { package_key: key.to_owned(), version: 0 };
    let row = rows.get::<PackageKey>(&key.to_owned())?.cloned().unwrap_or_else(new);
    rows.put(row);
    Ok(())
}

/// How packages of a key are found.
fn lookup(key: &str) -> (&'static [&'static str], &str) {
    match key.strip_prefix(SSCC_PREFIX) {
        Some(sscc) => (SSCC, sscc),
        None => (PACKAGE_KEY, key),
    }
}
