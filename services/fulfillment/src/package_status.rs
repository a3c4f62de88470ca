//! The status of a package: all its tracking reports, folded by the time they occurred.
//!
//! The status is a function of the set of reports: in any order and with any repetition, the same reports give the same status.
//! The newest report by the time it occurred decides, except that a terminal status stays, so a late report downgrades
//! nothing. Of several terminal statuses delivered takes precedence over returned, and returned over lost.

use proto::fulfillment::v1::ProofOfDelivery;
use types::Timestamp;

use crate::milestone::{Milestone, MilestoneCode, Proof};

/// What all reports of a package amount to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tracking {
    /// The status and when it was reached.
    pub(crate) status: Option<(MilestoneCode, Timestamp)>,
    /// When the carrier expects to deliver, by its newest estimate.
    pub(crate) estimated_delivery_time: Option<Timestamp>,
    /// The first report that implies a departure.
    pub(crate) depart_time: Option<Timestamp>,
    /// The newest proof.
    pub(crate) proof: Option<ProofOfDelivery>,
}

impl Tracking {
    /// When the package was delivered, if it was.
    pub(crate) fn deliver_time(&self) -> Option<Timestamp> {
        self.status.filter(|(code, _)| *code == MilestoneCode::Delivered).map(|(_, at)| at)
    }
}

/// Folds reports of one tracking number.
pub(crate) fn fold<'a>(
    milestones: impl IntoIterator<Item = &'a Milestone>,
    proofs: impl IntoIterator<Item = &'a Proof>,
) -> Tracking {
    let milestones: Vec<_> = milestones.into_iter().collect();
    let proofs: Vec<_> = proofs.into_iter().collect();
    let reports = milestones.iter().map(|milestone| (milestone.code, milestone.occur_time));
    let reports: Vec<_> =
        reports.chain(proofs.iter().map(|proof| (MilestoneCode::Delivered, proof.sign_time))).collect();

    let terminal = reports.iter().filter_map(|(code, at)| Some((code.terminal_rank()?, *at, *code))).min();
    let newest = reports.iter().filter(|(code, _)| code.is_status()).max_by_key(|(code, at)| (*at, *code)).copied();
    let estimates = milestones.iter().filter_map(|milestone| Some((milestone, milestone.estimated_delivery_time?)));
    let estimate = estimates.max_by_key(|(milestone, estimate)| (milestone.occur_time, *estimate));
    Tracking {
        status: terminal.map(|(_, at, code)| (code, at)).or(newest),
        estimated_delivery_time: estimate.map(|(_, estimate)| estimate),
        depart_time: reports.iter().filter(|(code, _)| code.implies_departure()).map(|(_, at)| *at).min(),
        proof: proofs.iter().max_by_key(|proof| proof.sign_time).map(|proof| proof.proof.0.clone()),
    }
}

#[cfg(test)]
mod tests;
