//! Writes the reports of a warehouse and a carrier on one fulfillment order, each with its number and time.

use rand::{Rng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::{FulfillmentOrder, Report, chance};

/// The reports written so far.
pub(super) struct Writer<'a> {
    pub(super) fulfillment_order: &'a FulfillmentOrder,
    /// What control numbers begin with.
    pub(super) name: &'a str,
    pub(super) reports: Vec<Report>,
    /// Reports of skewed clocks again, at their right times. They are sent last.
    pub(super) corrections: Vec<Report>,
    /// Draws which clocks are skewed.
    pub(super) clocks: StdRng,
    /// How often, out of 1,000.
    pub(super) skew: u32,
}

impl Writer<'_> {
    /// A report of the warehouse on its fulfillment order.
    pub(super) fn warehouse(&mut self, step: &str, hour: i64, mut report: Value) {
        let time = self.time(hour);
        for payload in report.as_object_mut().into_iter().flat_map(|report| report.values_mut()) {
            payload["fulfillmentOrderId"] = json!(self.fulfillment_order.fulfillment_order_id);
            payload["occurTime"] = json!(time.0);
        }
        self.push(&self.fulfillment_order.partner_id, step, report);
    }

    /// A milestone of a package.
    pub(super) fn milestone(&mut self, tracking: &str, hour: i64, code: &str, raw: &str) {
        let report = |time: &str| {
            let milestone = json!({"trackingNumber": tracking, "code": code, "rawCode": raw, "occurTime": time});
            json!({"milestone": {"milestone": milestone}})
        };
        let (time, right) = self.time(hour);
        self.push_corrected(&format!("{raw}-{tracking}"), report(&time), right.map(|right| report(&right)));
    }

    /// The carrier delivered to the wrong door, and takes that back.
    pub(super) fn misdelivery(&mut self, tracking: &str, hour: i64) {
        let step = format!("D1-{tracking}-wrong");
        let time = rfc3339(self.right_time(hour));
        let milestone = json!({
            "trackingNumber": tracking, "code": "MILESTONE_CODE_DELIVERED", "rawCode": "D1", "occurTime": time,
        });
        let carrier = self.fulfillment_order.carrier_id.clone();
        self.push(&carrier, &step, json!({"milestone": {"milestone": milestone}}));
        let earlier = self.control_number(&step);
        self.push(&carrier, &format!("{step}-retracted"), retraction(&earlier, "delivered next door"));
    }

    /// The warehouse takes back one of its reports.
    pub(super) fn take_back(&mut self, step: &str, reason: &str) {
        let earlier = self.control_number(step);
        self.push(&self.fulfillment_order.partner_id, &format!("{step}-retracted"), retraction(&earlier, reason));
    }

    /// The proof that a package was delivered.
    pub(super) fn proof(&mut self, tracking: &str, hour: i64) {
        let report = |time: &str| {
            let proof = json!({"signedBy": "goods inward", "signTime": time});
            json!({"proofOfDelivery": {"trackingNumber": tracking, "proofOfDelivery": proof}})
        };
        let (time, right) = self.time(hour);
        self.push_corrected(&format!("POD-{tracking}"), report(&time), right.map(|right| report(&right)));
    }

    /// A report of the carrier, and again with its right time when its clock was off: in the place of the wrong one, or beside it.
    fn push_corrected(&mut self, step: &str, report: Value, right: Option<Value>) {
        let carrier = self.fulfillment_order.carrier_id.clone();
        self.push(&carrier, step, report);
        if let Some(mut right) = right {
            if self.clocks.random() {
                right["corrects"] = json!(self.control_number(step));
            }
            self.push(&carrier, &format!("{step}-corrected"), right);
            self.corrections.extend(self.reports.pop());
        }
    }

    /// Hours of the real world are milliseconds here. A skewed clock is off by real hours: then the right time too.
    fn time(&mut self, hour: i64) -> (String, Option<String>) {
        const REAL_HOUR: i64 = 3_600_000_000;
        let off = if self.skew > 0 && chance(&mut self.clocks, self.skew) {
            self.clocks.random_range(-12..=12) * REAL_HOUR
        } else {
            0
        };
        let right = self.right_time(hour);
        (rfc3339(right + off), (off != 0).then(|| rfc3339(right)))
    }

    fn right_time(&self, hour: i64) -> i64 {
        self.fulfillment_order.create_micros + hour * 1_000
    }

    /// The tracking number of a package.
    pub(super) fn tracking(&self, package: usize) -> String {
        format!("{}-{package}", self.name)
    }

    fn control_number(&self, step: &str) -> String {
        format!("{}-{step}", self.name)
    }

    fn push(&mut self, partner: &str, step: &str, mut body: Value) {
        body["controlNumber"] = json!(self.control_number(step));
        self.reports.push(Report { delay_millis: 0, partner_id: partner.to_owned(), body });
    }
}

/// Takes back an earlier report of the same partner.
fn retraction(earlier: &str, reason: &str) -> Value {
    json!({"retracted": {"controlNumber": earlier, "reason": reason}})
}

/// The instant as RFC 3339 with microseconds.
fn rfc3339(micros: i64) -> String {
    let (seconds, nanos) = types::Timestamp::from_micros(micros).to_parts();
    prost_types::Timestamp { seconds, nanos }.to_string()
}
