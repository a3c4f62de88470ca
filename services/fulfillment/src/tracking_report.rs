//! Tracking reports: milestones and proofs of delivery, by what they name the package with.

use std::time::Duration;

use proto::fulfillment::v1 as contract;
use store::Proto;
use types::{Fault, Id as _, Timestamp, TrackingReportId, limits::CLOCK_SKEW};

use crate::{assignment::EARLY, milestone::MilestoneCode, package_key::PackageName, shipment::derived_id};

/// How old a report may be when it is recorded.
const OLDEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

store::text_enum! {
    /// Why the time of a report cannot be right, as far as it was known when it was recorded.
    pub enum ReportDoubt {
        /// It can.
        None = "NONE",
        /// More than five minutes in the future.
        Future = "FUTURE",
        /// More than a year old.
        TooOld = "TOO_OLD",
    }
}

store::record! {
    /// One report. A proof of delivery is a delivery. The same key, reporter, carrier, code, raw code and time are the same
    /// report.
    pub struct TrackingReport in "tracking_reports" key (package_key: String, report_id: TrackingReportId) {
        /// The partner that reports; empty for the distributor.
        reporter_id: String,
        /// Who carries the package; empty when not known.
        carrier_id: String,
        /// What it means.
        code: MilestoneCode,
        /// When it occurred.
        occur_time: Timestamp,
        /// As it was reported.
        milestone: Proto<contract::Milestone>,
        /// What proves the delivery, if it is a proof.
        proof: Option<Proto<contract::ProofOfDelivery>>,
        /// Why its time cannot be right.
        doubt: ReportDoubt,
        /// When it was retracted, if it was.
        retract_time: Option<Timestamp>,
        /// Why it was retracted.
        retract_reason: String,
        /// When it was recorded here.
        record_time: Timestamp,
    }
}

/// When what a node reports occurred, as far as that is believable: what is said to occur in the future occurred by now.
/// Tracking reports keep a time up to five minutes ahead instead, because a carrier's reports are ordered by its own clock.
pub(crate) fn believed(occur_time: Option<Timestamp>, now: Timestamp) -> Timestamp {
    occur_time.map_or(now, |at| at.min(now))
}

/// Whether a time is further ahead than the clock of a partner may be.
pub(crate) fn is_future(occur_time: Timestamp, now: Timestamp) -> bool {
    occur_time > now.after(CLOCK_SKEW)
}

/// Whether a node cannot have handled packages at a time: it is more than a week before the node was asked to.
pub(crate) fn is_before_request(occur_time: Timestamp, request_time: Timestamp) -> bool {
    occur_time.after(EARLY) < request_time
}

impl TrackingReport {
    /// A milestone that is not recorded yet.
    pub fn milestone(
        reporter_id: String,
        carrier_id: String,
        code: MilestoneCode,
        occur_time: Timestamp,
        milestone: contract::Milestone,
    ) -> Result<Self, Fault> {
        let package_key = PackageName::of(&milestone).key();
        let time = occur_time.as_micros();
        let identity = format!("{reporter_id}/{carrier_id}/{}/{time}/{}", code.as_str(), milestone.raw_code);
        Ok(Self {
            report_id: derived_id(&package_key, &identity)?,
            package_key,
            reporter_id,
            carrier_id,
            code,
            occur_time,
            milestone: Proto(milestone),
            proof: None,
            doubt: ReportDoubt::None,
            retract_time: None,
            retract_reason: String::new(),
            record_time: Timestamp::default(),
            version: 0,
        })
    }

    /// A proof of delivery that is not recorded yet.
    pub fn proof(
        reporter_id: String,
        carrier_id: String,
        sign_time: Timestamp,
        name: &PackageName,
        proof: contract::ProofOfDelivery,
    ) -> Result<Self, Fault> {
        let delivery = contract::Milestone {
            code: contract::MilestoneCode::Delivered.into(),
            raw_code: "POD".to_owned(),
            occur_time: Some(mesh::wire::timestamp(sign_time)),
            ..name.to_milestone()
        };
        let delivered = Self::milestone(reporter_id, carrier_id, MilestoneCode::Delivered, sign_time, delivery)?;
        let report_id = derived_id(delivered.report_id.as_str(), "proof")?;
        Ok(Self { report_id, proof: Some(Proto(proof)), ..delivered })
    }

    /// The report as it is recorded at an instant.
    pub(crate) fn recorded(self, now: Timestamp) -> Self {
        let doubt = if is_future(self.occur_time, now) {
            ReportDoubt::Future
        } else if now.since(self.occur_time) > OLDEST {
            ReportDoubt::TooOld
        } else {
            ReportDoubt::None
        };
        Self { doubt, record_time: now, ..self }
    }

    /// When it occurred as far as that is believable, which decides to which package it belongs.
    pub(crate) fn believed_time(&self) -> Timestamp {
        if self.doubt == ReportDoubt::None { self.occur_time } else { self.record_time }
    }

    /// Whether it may count: its time may be right, and it was not retracted.
    pub(crate) fn is_valid(&self) -> bool {
        self.doubt == ReportDoubt::None && self.retract_time.is_none()
    }

    /// When the carrier expects to deliver, if it says so.
    pub(crate) fn estimate(&self) -> Option<Timestamp> {
        self.milestone.0.estimated_delivery_time.as_ref().and_then(mesh::wire::from_timestamp)
    }

    /// What names the package, for people.
    pub(crate) fn package_name(&self) -> String {
        PackageName::of(&self.milestone.0).to_string()
    }
}
