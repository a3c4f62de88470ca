//! The carrier's estimates of the packages that a line is in, and the delivery that follows from them.
//!
//! They are kept apart from the promise that the order's own dates make, so that an estimate that is taken back leaves the promise
//! that there would be without it.

use prost::{DecodeError, Message, bytes::Bytes};
use proto::MessageBytes;
use store::Proto;
use types::Timestamp;

use super::{PromiseReason, is_same};
use crate::order_line::OrderLine;

/// The column; NULL when no package of the line has an estimate.
pub(crate) type Column = Option<Proto<Estimates>>;

/// The estimates of a line.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Estimates {
    /// Those of its packages, each once.
    #[prost(message, repeated, tag = "1")]
    packages: Vec<Estimate>,
}

/// The estimate of a package.
#[derive(Clone, PartialEq, Message)]
struct Estimate {
    #[prost(string, tag = "1")]
    package_id: String,
    /// Units of the line in the package.
    #[prost(int64, tag = "2")]
    units: i64,
    /// When it is to be delivered, in microseconds.
    #[prost(int64, tag = "3")]
    delivery_micros: i64,
}

impl MessageBytes for Estimates {
    fn to_bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        Self::decode(bytes)
    }
}

impl Estimates {
    /// The last delivery, and the units that are in packages with an estimate.
    fn last(&self) -> Option<(Timestamp, i64)> {
        let last = self.packages.iter().map(|package| package.delivery_micros).max()?;
        let units = self.packages.iter().map(|package| package.units).fold(0, i64::saturating_add);
        Some((Timestamp::from_micros(last), units))
    }
}

impl OrderLine {
    /// A carrier has estimated the delivery of a package with units of the line. What is delivered keeps its promise.
    pub(crate) fn estimate(&mut self, package_id: &str, units: i64, delivery: Timestamp) {
        if !self.is_all_delivered() {
            self.keep_estimate(package_id, units, Some(delivery));
            self.follow_estimates(PromiseReason::CarrierEstimate);
        }
    }

    /// A carrier has taken a report of a package back, which leaves this estimate. A promise that followed from it follows from what
    /// is left, also when the units are delivered.
    pub(crate) fn retract_estimate(&mut self, package_id: &str, units: i64, left: Option<Timestamp>) {
        self.keep_estimate(package_id, units, left);
        if !self.is_all_delivered() || self.carrier_delivery_time.is_some() {
            self.apply_estimates(PromiseReason::EstimateRetracted);
        }
    }

    /// Takes over what the estimates promise, after any change of the line.
    pub(crate) fn follow_estimates(&mut self, reason: PromiseReason) {
        if !self.is_all_delivered() {
            self.apply_estimates(reason);
        }
    }

    fn is_all_delivered(&self) -> bool {
        let open = self.unallocated + self.backordered + self.reserved + self.released;
        open == 0 && self.shipped > 0 && self.shipped == self.delivered
    }

    fn keep_estimate(&mut self, package_id: &str, units: i64, delivery: Option<Timestamp>) {
        let mut estimates = self.carrier_estimates.take().map(|kept| kept.0).unwrap_or_default();
        estimates.packages.retain(|package| package.package_id != package_id);
        estimates.packages.extend(delivery.map(|delivery| Estimate {
            package_id: package_id.to_owned(),
            units,
            delivery_micros: delivery.as_micros(),
        }));
        estimates.packages.sort_by(|one, other| one.package_id.cmp(&other.package_id));
        self.carrier_estimates = (!estimates.packages.is_empty()).then_some(Proto(estimates));
    }

    fn apply_estimates(&mut self, reason: PromiseReason) {
        let promised = self.delivery_promised();
        // A time that is nearly the same stays as it is.
        let estimated =
            self.estimated_delivery().map(|at| promised.filter(|_| is_same(promised, Some(at))).unwrap_or(at));
        self.change_promise(reason, |line| line.carrier_delivery_time = estimated);
    }

    /// What the estimates promise instead of the order's own date: the last of them when all units are in packages that have one,
    /// and otherwise only a later time. Units that wait are later than any package.
    fn estimated_delivery(&self) -> Option<Timestamp> {
        if self.shipped == 0 || !self.promise_basis.has_units() || self.reserved + self.backordered > 0 {
            return None;
        }
        let (last, units) = self.carrier_estimates.as_ref()?.0.last()?;
        let is_whole = units >= self.ordered + self.over_shipped - self.cancelled;
        let is_later = self.promised_delivery_time.is_none_or(|promised| promised < last);
        (is_whole || is_later).then_some(last)
    }
}
