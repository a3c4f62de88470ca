//! Why a package may not reach the customer: by its reports, or because there are none.

use std::time::Duration;

use proto::{event::v1::ExceptionType, fulfillment::v1 as contract};
use types::Timestamp;

use crate::{milestone::MilestoneCode, tracking_report::TrackingReport};

/// How long nothing may be reported of a package under way.
pub(crate) const SILENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many attempts to deliver a package are too many.
const TOO_MANY_ATTEMPTS: usize = 3;

store::text_enum! {
    /// Why a package may not reach the customer. Each opens an exception of the package.
    pub(crate) enum Problem = contract::PackageProblem {
        /// It is lost.
        Lost = "LOST",
        /// It is damaged.
        Damaged = "DAMAGED",
        /// The consignee refused it.
        Refused = "REFUSED",
        /// It is returned to the sender.
        ReturnedToSender = "RETURNED_TO_SENDER",
        /// The carrier reports a failure.
        Failed = "FAILED",
        /// Too many attempts to deliver it had no success.
        AttemptedTooOften = "ATTEMPTED_TOO_OFTEN",
        /// Nothing was reported of it for too long.
        Silent = "SILENT",
    }
}

store::text_enum! {
    /// What happens to the units of a package that is written off.
    pub(crate) enum Remedy = contract::WriteOffRemedy {
        /// They are shipped again.
        Replace = "REPLACE",
        /// They are cancelled.
        Cancel = "CANCEL",
    }
}

impl Problem {
    /// The type of its exception.
    pub(crate) const fn exception_type(self) -> ExceptionType {
        match self {
            Self::Lost => ExceptionType::PackageLost,
            Self::Damaged => ExceptionType::PackageDamaged,
            Self::Refused => ExceptionType::DeliveryRefused,
            Self::ReturnedToSender => ExceptionType::ReturnedToSender,
            Self::Failed => ExceptionType::DeliveryFailed,
            Self::AttemptedTooOften => ExceptionType::AttemptedTooOften,
            Self::Silent => ExceptionType::TrackingSilent,
        }
    }

    /// What a person can do about it, in the order in which it is tried.
    pub(crate) const fn next_actions(self) -> &'static str {
        match self {
            Self::Lost => "claim at the carrier, WriteOffPackage",
            Self::ReturnedToSender => "ReceiveReturn, InspectReturn, WriteOffPackage",
            Self::Damaged | Self::Refused | Self::Failed | Self::AttemptedTooOften => {
                "agree with consignee and carrier, WriteOffPackage"
            }
            Self::Silent => "ask the carrier, RecordMilestone, WriteOffPackage",
        }
    }

    /// What happened, for a person.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Lost => "is lost",
            Self::Damaged => "is damaged",
            Self::Refused => "was refused by the consignee",
            Self::ReturnedToSender => "comes back to its sender",
            Self::Failed => "could not be delivered",
            Self::AttemptedTooOften => "was not delivered in three or more attempts",
            Self::Silent => "is under way without a report for a week",
        }
    }

    /// The problem that reports of a package with a status amount to. What was refused or damaged stays so until it is delivered,
    /// lost or comes back.
    pub(crate) fn of(status: Option<MilestoneCode>, reports: &[&TrackingReport]) -> Option<Self> {
        let terminal = [
            (MilestoneCode::Delivered, None),
            (MilestoneCode::Lost, Some(Self::Lost)),
            (MilestoneCode::ReturnedToSender, Some(Self::ReturnedToSender)),
        ];
        let code = status?;
        if let Some((_, problem)) = terminal.into_iter().find(|(terminal, _)| *terminal == code) {
            return problem;
        }
        let lasting = [(MilestoneCode::Refused, Self::Refused), (MilestoneCode::Damaged, Self::Damaged)];
        let lasting = reports.iter().filter_map(|report| {
            let (_, problem) = lasting.iter().find(|(code, _)| *code == report.code)?;
            Some((report.occur_time, *problem))
        });
        if let Some((_, problem)) = lasting.max_by_key(|(at, problem)| (*at, *problem)) {
            return Some(problem);
        }
        let attempts = reports.iter().filter(|report| report.code == MilestoneCode::DeliveryAttempted);
        let mut attempts: Vec<Timestamp> = attempts.map(|report| report.occur_time).collect();
        attempts.sort_unstable();
        attempts.dedup();
        if attempts.len() >= TOO_MANY_ATTEMPTS {
            return Some(Self::AttemptedTooOften);
        }
        (code == MilestoneCode::Failure).then_some(Self::Failed)
    }
}
