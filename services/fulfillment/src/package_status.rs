//! The status of a package: all its tracking reports, folded by the time they occurred.
//!
//! The status is a function of the set of reports: in any order and with any repetition, the same reports give the same status.
//! The newest report by the time it occurred decides, except that a terminal status stays, so a late report downgrades
//! nothing. A delivery that is earlier than a return to the sender is a delivery; any other is the sender's. Lost is what is
//! neither delivered nor returned. A delivery more than five minutes before the package left does not count, and opens the
//! exception IMPLAUSIBLE_TIME.

use proto::fulfillment::v1::ProofOfDelivery;
use types::{Timestamp, TrackingReportId, limits::CLOCK_SKEW};

use crate::{milestone::MilestoneCode, problem::Problem, tracking_report::TrackingReport};

/// What all reports of a package amount to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tracking {
    /// The status and when it was reached.
    pub(crate) status: Option<(MilestoneCode, Timestamp)>,
    /// When the carrier expects to deliver, by its newest estimate.
    pub(crate) estimated_delivery_time: Option<Timestamp>,
    /// The first report that implies a departure.
    pub(crate) depart_time: Option<Timestamp>,
    /// The newest proof, of a package that is delivered.
    pub(crate) proof: Option<ProofOfDelivery>,
    /// Why the package may not reach the customer.
    pub(crate) problem: Option<Problem>,
    /// When the last report was recorded.
    pub(crate) last_record_time: Option<Timestamp>,
    /// Deliveries before the package left.
    pub(crate) before_departure: Vec<TrackingReportId>,
}

impl Tracking {
    /// Whether no further report is expected.
    pub(crate) fn is_terminal(&self) -> bool {
        let terminal = [MilestoneCode::Delivered, MilestoneCode::ReturnedToSender, MilestoneCode::Lost];
        self.status.is_some_and(|(code, _)| terminal.contains(&code))
    }

    /// When the package was delivered, if it was.
    pub(crate) fn deliver_time(&self) -> Option<Timestamp> {
        self.status.filter(|(code, _)| *code == MilestoneCode::Delivered).map(|(_, at)| at)
    }
}

/// Folds reports of one package that may count. `left` is when its node reports that it left, if it does.
pub(crate) fn fold<'a>(reports: impl IntoIterator<Item = &'a TrackingReport>, left: Option<Timestamp>) -> Tracking {
    let (deliveries, others): (Vec<_>, Vec<_>) =
        reports.into_iter().partition(|report| report.code == MilestoneCode::Delivered);
    let departures = others.iter().filter(|report| report.code.implies_departure()).map(|report| report.occur_time);
    let departed = departures.chain(left).min();
    let is_early = |report: &&TrackingReport| departed.is_some_and(|left| report.occur_time.after(CLOCK_SKEW) < left);
    let (early, deliveries): (Vec<_>, Vec<_>) = deliveries.into_iter().partition(is_early);

    let first = |code| others.iter().filter(|report| report.code == code).map(|report| report.occur_time).min();
    let delivered = deliveries.iter().map(|report| report.occur_time).min();
    let returned = first(MilestoneCode::ReturnedToSender);
    let terminal = match (delivered, returned) {
        (Some(delivered), returned) if returned.is_none_or(|returned| delivered < returned) => {
            Some((MilestoneCode::Delivered, delivered))
        }
        (_, Some(returned)) => Some((MilestoneCode::ReturnedToSender, returned)),
        (_, None) => first(MilestoneCode::Lost).map(|lost| (MilestoneCode::Lost, lost)),
    };
    let newest = others.iter().filter(|report| report.code.is_status());
    let newest = newest.map(|report| (report.occur_time, report.code)).max().map(|(at, code)| (code, at));
    let estimates = others.iter().filter_map(|report| Some((report.occur_time, report.estimate()?)));
    let departures = others.iter().filter(|report| report.code.implies_departure()).chain(&deliveries);
    let proofs =
        deliveries.iter().filter_map(|report| Some((report.occur_time, &report.report_id, report.proof.as_ref()?)));
    let newest_proof = proofs.max_by_key(|(signed, report_id, _)| (*signed, *report_id));
    let is_delivered = matches!(terminal, Some((MilestoneCode::Delivered, _)));
    let status = terminal.or(newest);
    let records = others.iter().chain(&deliveries).map(|report| report.record_time);
    Tracking {
        status,
        problem: Problem::of(status.map(|(code, _)| code), &others),
        last_record_time: records.max(),
        estimated_delivery_time: estimates.max().map(|(_, estimate)| estimate),
        depart_time: departures.map(|report| report.occur_time).min(),
        proof: newest_proof.filter(|_| is_delivered).map(|(_, _, proof)| proof.0.clone()),
        before_departure: early.into_iter().map(|report| report.report_id.clone()).collect(),
    }
}

#[cfg(test)]
mod tests;
