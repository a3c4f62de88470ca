//! Buffered reports: every tracking report of a tracking number, whether or not a package has the number yet, and whether or
//! not its reporter is authoritative for the package.

use std::collections::BTreeSet;

use store::{Needs, Rows};
use types::Fault;

use crate::{
    milestone::{Milestone, MilestoneCode, Proof, TrackingNumber},
    package::Package,
    package_status::{Tracking, fold},
};

/// The column by which packages of a tracking number are found.
const TRACKING_NUMBER: &[&str] = &["tracking_number"];

/// A tracking report.
#[derive(Debug, Clone)]
pub(crate) enum TrackingReport {
    Milestone(Milestone),
    Proof(Proof),
}

impl TrackingReport {
    /// The tracking number.
    pub(crate) fn tracking_number(&self) -> &str {
        match self {
            Self::Milestone(milestone) => &milestone.tracking_number,
            Self::Proof(proof) => &proof.tracking_number,
        }
    }

    /// Who reports; empty for the distributor.
    pub(crate) fn reporter_id(&self) -> &str {
        match self {
            Self::Milestone(milestone) => &milestone.reporter_id,
            Self::Proof(proof) => &proof.reporter_id,
        }
    }

    /// Who carries the package; empty when not known.
    pub(crate) fn carrier_id(&self) -> &str {
        match self {
            Self::Milestone(milestone) => &milestone.carrier_id,
            Self::Proof(proof) => &proof.carrier_id,
        }
    }
}

/// A report that was not buffered before this command. Only [`buffer`] makes one.
#[derive(Debug)]
pub(crate) struct NewReport(TrackingReport);

impl NewReport {
    /// The report.
    pub(crate) fn report(&self) -> &TrackingReport {
        &self.0
    }
}

/// Buffers a report; returns it unless it was buffered before.
pub(crate) fn buffer(report: TrackingReport, rows: &mut Rows) -> Result<Option<NewReport>, Fault> {
    let tracking_number = report.tracking_number().to_owned();
    let buffered = match report {
        TrackingReport::Milestone(milestone) => {
            let Milestone { reporter_id, code, occur_time, raw_code, .. } = milestone.clone();
            let key = (tracking_number.clone(), reporter_id, code, occur_time, raw_code);
            let is_new = rows.get::<Milestone>(&key)?.is_none();
            is_new.then(|| TrackingReport::Milestone(rows.put(milestone)))
        }
        TrackingReport::Proof(proof) => {
            let key = (tracking_number.clone(), proof.reporter_id.clone(), proof.sign_time);
            let is_new = rows.get::<Proof>(&key)?.is_none();
            is_new.then(|| TrackingReport::Proof(rows.put(proof)))
        }
    };
    if buffered.is_some() {
        write_tracking_number(&tracking_number, rows)?;
    }
    Ok(buffered.map(NewReport))
}

/// The reports of one tracking number.
#[derive(Debug, Default)]
pub(crate) struct BufferedReports {
    milestones: Vec<Milestone>,
    proofs: Vec<Proof>,
}

impl BufferedReports {
    /// Requests the rows that [`load`](Self::load) reads.
    ///
    /// The row of the tracking number is read before them: each statement sees what is committed by then, so a row that a rival
    /// commits before that is seen, and one that it commits after that makes this command conflict.
    pub(crate) fn needs(tracking_number: &str, rows: &Rows, needs: &mut Needs) {
        if needs_tracking_number(tracking_number, rows, needs) {
            needs.under::<Milestone>(tracking_number);
            needs.under::<Proof>(tracking_number);
        }
    }

    /// The reports of a tracking number.
    pub(crate) fn load(tracking_number: &str, rows: &Rows) -> Result<Self, Fault> {
        Ok(Self {
            milestones: rows.under::<Milestone>(tracking_number)?.into_iter().cloned().collect(),
            proofs: rows.under::<Proof>(tracking_number)?.into_iter().cloned().collect(),
        })
    }

    /// What the reports of some reporters amount to.
    pub(crate) fn tracking(&self, of: impl Fn(&str) -> bool) -> Tracking {
        let milestones = self.milestones.iter().filter(|milestone| of(&milestone.reporter_id));
        fold(milestones, self.proofs.iter().filter(|proof| of(&proof.reporter_id)))
    }

    /// The status that the milestones of one reporter amount to.
    pub(crate) fn status_by(&self, reporter_id: &str) -> MilestoneCode {
        let own = self.milestones.iter().filter(|milestone| milestone.reporter_id == reporter_id);
        fold(own, []).status.map_or(MilestoneCode::Unspecified, |(code, _)| code)
    }

    /// Everybody who reported.
    pub(crate) fn reporters(&self) -> BTreeSet<&str> {
        let milestones = self.milestones.iter().map(|milestone| milestone.reporter_id.as_str());
        milestones.chain(self.proofs.iter().map(|proof| proof.reporter_id.as_str())).collect()
    }

    /// Each report, milestones first.
    pub(crate) fn into_reports(self) -> impl Iterator<Item = TrackingReport> {
        let milestones = self.milestones.into_iter().map(TrackingReport::Milestone);
        milestones.chain(self.proofs.into_iter().map(TrackingReport::Proof))
    }
}

/// Requests the packages of a tracking number, after its row.
pub(crate) fn needs_packages(tracking_number: &str, rows: &Rows, needs: &mut Needs) {
    if needs_tracking_number(tracking_number, rows, needs) {
        needs.by::<Package>(TRACKING_NUMBER, tracking_number);
    }
}

/// Packages with a tracking number, oldest first.
pub(crate) fn packages(tracking_number: &str, rows: &Rows) -> Result<Vec<Package>, Fault> {
    let mut packages: Vec<_> = rows.by::<Package>(TRACKING_NUMBER, tracking_number)?.into_iter().cloned().collect();
    packages.sort_by(|a, b| (a.create_time, &a.package_id).cmp(&(b.create_time, &b.package_id)));
    Ok(packages)
}

/// Writes the row of a tracking number, so that a rival that does the same conflicts.
pub(crate) fn write_tracking_number(tracking_number: &str, rows: &mut Rows) -> Result<(), Fault> {
    let new = || TrackingNumber { tracking_number: tracking_number.to_owned(), version: 0 };
    let row = rows.get::<TrackingNumber>(&tracking_number.to_owned())?.cloned().unwrap_or_else(new);
    rows.put(row);
    Ok(())
}

/// Requests the row of a tracking number; returns whether it is loaded.
fn needs_tracking_number(tracking_number: &str, rows: &Rows, needs: &mut Needs) -> bool {
    let key = tracking_number.to_owned();
    needs.row::<TrackingNumber>(&key);
    rows.get::<TrackingNumber>(&key).is_ok()
}
