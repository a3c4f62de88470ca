//! The reports of the partners on one fulfillment order: a pure function of a seed and the order.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

/// How often things go wrong, each out of 1,000.
#[derive(Debug, Clone, Copy)]
pub struct Chances {
    /// A warehouse rejects a fulfillment order at its first attempt.
    pub reject: u32,
    /// A warehouse cannot find all units of a line.
    pub short: u32,
    /// A report is sent twice.
    pub duplicate: u32,
    /// A report is overtaken by the next one.
    pub reorder: u32,
    /// A report comes late.
    pub delay: u32,
    /// A report is lost, and sent again after all others.
    pub drop: u32,
    /// A report's number is used again for other content.
    pub conflict: u32,
    /// A report's clock is hours ahead or behind.
    pub skew: u32,
}

impl Chances {
    /// The usual mishaps.
    pub const USUAL: Self =
        Self { reject: 20, short: 15, duplicate: 80, reorder: 80, delay: 60, drop: 20, conflict: 2, skew: 0 };
    /// No mishaps.
    pub const NONE: Self =
        Self { reject: 0, short: 0, duplicate: 0, reorder: 0, delay: 0, drop: 0, conflict: 0, skew: 0 };
}

/// A fulfillment order as a warehouse sees it.
#[derive(Debug, Clone)]
pub struct FulfillmentOrder {
    /// `ful_…`.
    pub fulfillment_order_id: String,
    /// The customer's number of the order.
    pub customer_po: String,
    /// The warehouse that fulfills it.
    pub partner_id: String,
    /// The carrier that will transport it.
    pub carrier_id: String,
    /// Which release of the order it serves.
    pub release_number: i64,
    /// How often the release was routed.
    pub attempt: i64,
    /// Creation time, microseconds since the epoch.
    pub create_micros: i64,
    /// Order line, SKU, units.
    pub lines: Vec<(i64, String, i64)>,
}

/// One report, to be sent `delay_millis` after the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Milliseconds to wait first.
    pub delay_millis: u64,
    /// Who reports.
    pub partner_id: String,
    /// The body of the call.
    pub body: Value,
}

/// All reports of the warehouse and the carrier on a fulfillment order, in the order they are sent.
pub fn script(seed: u64, chances: &Chances, fulfillment_order: &FulfillmentOrder) -> Vec<Report> {
    // Random choices depend only on what is the same in every run; control numbers are unique to the fulfillment order.
    let kind = format!(
        "{}-{}-{}-{}",
        fulfillment_order.customer_po,
        fulfillment_order.release_number,
        fulfillment_order.attempt,
        fulfillment_order.partner_id
    );
    let mut rng = StdRng::seed_from_u64(seed ^ fingerprint(&kind));
    let id = &fulfillment_order.fulfillment_order_id;
    let name = format!("{}-{}", fulfillment_order.customer_po, id.get(id.len().saturating_sub(8)..).unwrap_or(id));
    // A generator of its own, so that scripts without skew stay as they are.
    let clocks = StdRng::seed_from_u64(seed ^ fingerprint(&kind).rotate_left(17));
    let (reports, corrections) = (Vec::new(), Vec::new());
    let mut writer = Writer { fulfillment_order, name: &name, reports, corrections, clocks, skew: chances.skew };

    if fulfillment_order.attempt == 1 && chance(&mut rng, chances.reject) {
        writer.warehouse("reject", 1, json!({"rejected": {"reason": "no capacity today"}}));
    } else {
        fulfil(&mut rng, chances, &mut writer);
    }
    let mut sent = disturb(&mut rng, chances, writer.reports);
    sent.extend(writer.corrections);
    sent
}

fn fulfil(rng: &mut StdRng, chances: &Chances, writer: &mut Writer<'_>) {
    writer.warehouse("accept", 1, json!({"accepted": {}}));

    let (mut picked, mut short) = (Vec::new(), Vec::new());
    for (line, sku, quantity) in &writer.fulfillment_order.lines {
        let missing = if chance(rng, chances.short) { rng.random_range(1..=*quantity) } else { 0 };
        if missing > 0 {
            short.push((*line, sku.clone(), missing));
        }
        if missing < *quantity {
            picked.push((*line, sku.clone(), quantity - missing));
        }
    }
    writer.warehouse("pick", 2, json!({"picked": {"picked": quantities(&picked), "short": quantities(&short)}}));
    if picked.is_empty() {
        return;
    }

    let cartons = if picked.len() > 3 { rng.random_range(1..=3) } else { 1 };
    let packages: Vec<Value> = picked
        .chunks(picked.len().div_ceil(cartons))
        .enumerate()
        .map(|(number, lines)| {
            json!({"trackingNumber": format!("{}-{}", writer.name, number + 1), "lines": quantities(lines)})
        })
        .collect();
    let shipment = json!({
        "shipmentReference": format!("S-{}", writer.name), "carrierId": writer.fulfillment_order.carrier_id,
        "packages": packages,
    });
    writer.warehouse("label", 3, json!({ "labelled": shipment }));
    writer.warehouse("ship", 4, json!({ "shipped": shipment }));

    for package in &packages {
        let tracking = package["trackingNumber"].as_str().unwrap_or_default();
        writer.milestone(tracking, 5, "MILESTONE_CODE_PICKED_UP", "AF");
        writer.milestone(tracking, 6, "MILESTONE_CODE_IN_TRANSIT", "X6");
        if chance(rng, chances.delay) {
            writer.milestone(tracking, 7, "MILESTONE_CODE_DELAYED", "SD");
        }
        writer.milestone(tracking, 8, "MILESTONE_CODE_OUT_FOR_DELIVERY", "AJ");
        writer.milestone(tracking, 9, "MILESTONE_CODE_DELIVERED", "D1");
        writer.proof(tracking, 9);
    }
}

/// Duplicates, reorders, delays and drops reports, and reuses a control number.
fn disturb(rng: &mut StdRng, chances: &Chances, reports: Vec<Report>) -> Vec<Report> {
    let mut sent: Vec<Report> = Vec::with_capacity(reports.len() + 4);
    let mut lost = Vec::new();
    for mut report in reports {
        if chance(rng, chances.drop) {
            lost.push(report);
            continue;
        }
        if chance(rng, chances.delay) {
            report.delay_millis += rng.random_range(5..40);
        }
        let overtakes = chance(rng, chances.reorder);
        if chance(rng, chances.duplicate) {
            sent.push(report.clone());
        }
        if chance(rng, chances.conflict) {
            let mut other = report.clone();
            other.body["rejected"] = json!({"fulfillmentOrderId": "ful_unknown", "reason": "sent by mistake"});
            for kind in ["accepted", "picked", "labelled", "shipped", "milestone", "proofOfDelivery"] {
                other.body.as_object_mut().map(|body| body.remove(kind));
            }
            sent.push(report.clone());
            sent.push(other);
            continue;
        }
        let index = if overtakes { sent.len().saturating_sub(1) } else { sent.len() };
        sent.insert(index, report);
    }
    sent.extend(lost);
    sent
}

struct Writer<'a> {
    fulfillment_order: &'a FulfillmentOrder,
    name: &'a str,
    reports: Vec<Report>,
    /// Reports of skewed clocks again, at their right times. They are sent last.
    corrections: Vec<Report>,
    clocks: StdRng,
    skew: u32,
}

impl Writer<'_> {
    fn warehouse(&mut self, step: &str, hour: i64, mut report: Value) {
        let time = self.time(hour);
        for payload in report.as_object_mut().into_iter().flat_map(|report| report.values_mut()) {
            payload["fulfillmentOrderId"] = json!(self.fulfillment_order.fulfillment_order_id);
            payload["occurTime"] = json!(time.0);
        }
        self.push(&self.fulfillment_order.partner_id, step, report);
    }

    fn milestone(&mut self, tracking: &str, hour: i64, code: &str, raw: &str) {
        let report = |time: &str| {
            let milestone = json!({"trackingNumber": tracking, "code": code, "rawCode": raw, "occurTime": time});
            json!({"milestone": {"milestone": milestone}})
        };
        let (time, right) = self.time(hour);
        self.push_corrected(&format!("{raw}-{tracking}"), report(&time), right.map(|right| report(&right)));
    }

    fn proof(&mut self, tracking: &str, hour: i64) {
        let report = |time: &str| {
            let proof = json!({"signedBy": "goods inward", "signTime": time});
            json!({"proofOfDelivery": {"trackingNumber": tracking, "proofOfDelivery": proof}})
        };
        let (time, right) = self.time(hour);
        self.push_corrected(&format!("POD-{tracking}"), report(&time), right.map(|right| report(&right)));
    }

    /// A report of the carrier, and again with its right time when its clock was off.
    fn push_corrected(&mut self, step: &str, report: Value, right: Option<Value>) {
        let carrier = self.fulfillment_order.carrier_id.clone();
        self.push(&carrier, step, report);
        if let Some(right) = right {
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
        let right = self.fulfillment_order.create_micros + hour * 1_000;
        (rfc3339(right + off), (off != 0).then(|| rfc3339(right)))
    }

    fn push(&mut self, partner: &str, step: &str, mut body: Value) {
        body["controlNumber"] = json!(format!("{}-{step}", self.name));
        self.reports.push(Report { delay_millis: 0, partner_id: partner.to_owned(), body });
    }
}

fn quantities(lines: &[(i64, String, i64)]) -> Value {
    lines.iter().map(|(line, sku, quantity)| json!({"lineNumber": line, "sku": sku, "quantity": quantity})).collect()
}

fn chance(rng: &mut StdRng, per_mille: u32) -> bool {
    rng.random_range(0..1_000) < per_mille
}

/// FNV-1a, so that scripts stay the same whatever the compiler.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The instant as RFC 3339 with microseconds.
fn rfc3339(micros: i64) -> String {
    let (seconds, nanos) = types::Timestamp::from_micros(micros).to_parts();
    prost_types::Timestamp { seconds, nanos }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fulfillment_order() -> FulfillmentOrder {
        FulfillmentOrder {
            fulfillment_order_id: "ful_1".to_owned(),
            customer_po: "PO-1".to_owned(),
            partner_id: "par_w".to_owned(),
            carrier_id: "par_c".to_owned(),
            release_number: 1,
            attempt: 1,
            create_micros: 1_700_000_000_000_000,
            lines: (1..=5).map(|line| (line, format!("SKU-{line}"), 10)).collect(),
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_script() {
        assert_eq!(script(7, &Chances::USUAL, &fulfillment_order()), script(7, &Chances::USUAL, &fulfillment_order()));
    }

    #[test]
    fn without_mishaps_every_unit_is_shipped_once() {
        let shipped: i64 = script(1, &Chances::NONE, &fulfillment_order())
            .iter()
            .filter_map(|report| report.body["shipped"]["packages"].as_array().cloned())
            .flatten()
            .flat_map(|package| package["lines"].as_array().cloned().unwrap_or_default())
            .filter_map(|line| line["quantity"].as_i64())
            .sum();
        assert_eq!(shipped, 50);
    }

    #[test]
    fn a_duplicate_has_the_content_and_the_number_of_its_original() {
        let chances = Chances { duplicate: 1_000, ..Chances::NONE };
        let reports = script(3, &chances, &fulfillment_order());
        let first = &reports[0];
        assert_eq!(reports.iter().filter(|report| report.body == first.body).count(), 2);
    }
}
