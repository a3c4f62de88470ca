//! The reports of the partners on one fulfillment order: a pure function of a seed and the order.

mod disturb;
mod writer;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use self::{disturb::disturb, writer::Writer};

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
    /// A report's clock is hours ahead or behind; it is corrected later.
    pub skew: u32,
    /// A carrier reports a delivery that did not occur, and takes it back.
    pub misdeliver: u32,
    /// A package is refused and comes back to its sender.
    pub send_back: u32,
    /// A package is lost; some are found and delivered.
    pub lose: u32,
    /// A warehouse voids labels and prints others.
    pub void: u32,
    /// A warehouse reports packages that did not leave, and takes that back before they do.
    pub unload: u32,
}

impl Chances {
    /// The usual mishaps.
    pub const USUAL: Self = Self {
        reject: 20,
        short: 15,
        duplicate: 80,
        reorder: 80,
        delay: 60,
        drop: 20,
        conflict: 2,
        misdeliver: 8,
        send_back: 5,
        ..Self::NONE
    };
    /// No mishaps.
    pub const NONE: Self = Self {
        reject: 0,
        short: 0,
        duplicate: 0,
        reorder: 0,
        delay: 0,
        drop: 0,
        conflict: 0,
        skew: 0,
        misdeliver: 0,
        send_back: 0,
        lose: 0,
        void: 0,
        unload: 0,
    };
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
    /// Its lines.
    pub lines: Vec<Line>,
}

/// A line of a fulfillment order.
#[derive(Debug, Clone)]
pub struct Line {
    /// Of the order.
    pub number: i64,
    /// The item.
    pub sku: String,
    /// Units that were asked for.
    pub quantity: i64,
    /// Units of them that were cancelled since.
    pub cancelled: i64,
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
    // Generators of their own, so that scripts without these mishaps stay as they are.
    let clocks = StdRng::seed_from_u64(seed ^ fingerprint(&kind).rotate_left(17));
    let mut mistakes = StdRng::seed_from_u64(seed ^ fingerprint(&kind).rotate_left(31));
    let (reports, corrections) = (Vec::new(), Vec::new());
    let mut writer = Writer { fulfillment_order, name: &name, reports, corrections, clocks, skew: chances.skew };
    // A package's own, so that those of the others stay as they are when all units of one are cancelled.
    let of_package = |number: usize| StdRng::seed_from_u64(seed ^ fingerprint(&format!("{kind}-{number}")));

    if fulfillment_order.attempt == 1 && chance(&mut rng, chances.reject) {
        writer.warehouse("reject", 1, json!({"rejected": {"reason": "no capacity today"}}));
    } else {
        fulfil(&mut rng, &mut mistakes, of_package, chances, &mut writer);
    }
    let mut sent = disturb(&mut rng, chances, writer.reports);
    sent.extend(writer.corrections);
    sent
}

/// What is drawn does not depend on cancellations, so that a repeat after one has the same reports, with fewer units.
fn fulfil(
    rng: &mut StdRng,
    mistakes: &mut StdRng,
    of_package: impl Fn(usize) -> StdRng,
    chances: &Chances,
    writer: &mut Writer<'_>,
) {
    writer.warehouse("accept", 1, json!({"accepted": {}}));

    let (mut picked, mut short) = (Vec::new(), Vec::new());
    for Line { number, sku, quantity, cancelled } in &writer.fulfillment_order.lines {
        let wanted = quantity - cancelled;
        let missing = if chance(rng, chances.short) { rng.random_range(1..=*quantity) } else { 0 };
        let missing = missing.min(wanted);
        short.push((*number, sku.clone(), missing));
        picked.push((*number, sku.clone(), wanted - missing));
    }
    writer.warehouse("pick", 2, json!({"picked": {"picked": quantities(&picked), "short": quantities(&short)}}));

    let cartons = if picked.len() > 3 { rng.random_range(1..=3) } else { 1 };
    let packages: Vec<(usize, Value)> = picked
        .chunks(picked.len().div_ceil(cartons))
        .map(quantities)
        .enumerate()
        .filter(|(_, lines)| lines.as_array().is_some_and(|lines| !lines.is_empty()))
        .map(|(index, lines)| (index + 1, json!({"trackingNumber": writer.tracking(index + 1), "lines": lines})))
        .collect();
    if packages.is_empty() {
        return;
    }
    let shipment = json!({
        "shipmentReference": format!("S-{}", writer.name), "carrierId": writer.fulfillment_order.carrier_id,
        "packages": packages.iter().map(|(_, package)| package).collect::<Vec<_>>(),
    });
    if chance(mistakes, chances.void) {
        writer.warehouse("label-spoilt", 2, json!({ "labelled": spoilt(&shipment) }));
        writer.take_back("label-spoilt", "misprinted");
    }
    writer.warehouse("label", 3, json!({ "labelled": shipment }));
    if chance(mistakes, chances.unload) {
        writer.warehouse("load", 3, json!({ "shipped": shipment }));
        writer.take_back("load", "still on the dock");
    }
    writer.warehouse("ship", 4, json!({ "shipped": shipment }));
    for (number, _) in packages {
        carry(&writer.tracking(number), &mut of_package(number), chances, writer);
    }
}

/// The shipment under labels that are thrown away.
fn spoilt(shipment: &Value) -> Value {
    let mut spoilt = shipment.clone();
    let (reference, packages) = (shipment["shipmentReference"].as_str(), spoilt["packages"].as_array_mut());
    for package in packages.into_iter().flatten() {
        package["trackingNumber"] = json!(format!("{}-X", package["trackingNumber"].as_str().unwrap_or_default()));
    }
    spoilt["shipmentReference"] = json!(format!("{}-X", reference.unwrap_or_default()));
    spoilt
}

/// The carrier's reports on a package.
fn carry(tracking: &str, rng: &mut StdRng, chances: &Chances, writer: &mut Writer<'_>) {
    writer.milestone(tracking, 5, "MILESTONE_CODE_PICKED_UP", "AF");
    writer.milestone(tracking, 6, "MILESTONE_CODE_IN_TRANSIT", "X6");
    if chance(rng, chances.delay) {
        writer.milestone(tracking, 7, "MILESTONE_CODE_DELAYED", "SD");
    }
    writer.milestone(tracking, 8, "MILESTONE_CODE_OUT_FOR_DELIVERY", "AJ");
    if chance(rng, chances.send_back) {
        writer.milestone(tracking, 9, "MILESTONE_CODE_REFUSED", "A7");
        writer.milestone(tracking, 12, "MILESTONE_CODE_RETURNED_TO_SENDER", "A3");
        return;
    }
    if chance(rng, chances.lose) {
        writer.milestone(tracking, 9, "MILESTONE_CODE_LOST", "LOST");
        if rng.random() {
            return;
        }
    }
    if chance(rng, chances.misdeliver) {
        writer.misdelivery(tracking, 9);
    }
    writer.milestone(tracking, 10, "MILESTONE_CODE_DELIVERED", "D1");
    writer.proof(tracking, 10);
}

/// Lines with units.
fn quantities(lines: &[(i64, String, i64)]) -> Value {
    let lines = lines.iter().filter(|(_, _, quantity)| *quantity > 0);
    lines.map(|(line, sku, quantity)| json!({"lineNumber": line, "sku": sku, "quantity": quantity})).collect()
}

fn chance(rng: &mut StdRng, per_mille: u32) -> bool {
    rng.random_range(0..1_000) < per_mille
}

/// FNV-1a, so that scripts stay the same whatever the compiler.
pub(super) fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
            lines: (1..=5)
                .map(|number| Line { number, sku: format!("SKU-{number}"), quantity: 10, cancelled: 0 })
                .collect(),
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
    fn what_is_taken_back_was_reported_before_by_the_same_partner() {
        let chances = Chances { misdeliver: 1_000, void: 1_000, unload: 1_000, ..Chances::NONE };
        let reports = script(3, &chances, &fulfillment_order());
        let taken_back: Vec<_> = reports.iter().filter(|report| report.body["retracted"].is_object()).collect();
        assert!(taken_back.len() >= 3);
        for report in taken_back {
            let number = &report.body["retracted"]["controlNumber"];
            let earlier = reports.iter().find(|earlier| earlier.body["controlNumber"] == *number).unwrap();
            assert_eq!(earlier.partner_id, report.partner_id);
        }
    }

    #[test]
    fn a_repeat_after_a_cancellation_has_the_same_reports_with_fewer_units() {
        let chances = Chances { misdeliver: 500, send_back: 500, duplicate: 500, void: 500, ..Chances::NONE };
        let numbers = |of: &FulfillmentOrder| {
            let reports = script(5, &chances, of).into_iter();
            reports.map(|report| report.body["controlNumber"].to_string()).collect::<Vec<_>>()
        };
        let (whole, mut fewer) = (fulfillment_order(), fulfillment_order());
        fewer.lines[0].cancelled = 9;
        assert_eq!(numbers(&whole), numbers(&fewer));
        fewer.lines[0].cancelled = 10;
        let kept: Vec<_> = numbers(&fewer);
        assert!(kept.iter().all(|number| numbers(&whole).contains(number)), "nothing new is reported");
    }

    #[test]
    fn a_report_that_is_taken_back_is_never_sent_last() {
        let chances = Chances { misdeliver: 1_000, void: 1_000, unload: 1_000, drop: 900, ..Chances::NONE };
        for seed in 0..50 {
            let reports = script(seed, &chances, &fulfillment_order());
            for (at, report) in reports.iter().enumerate().filter(|(_, report)| report.body["retracted"].is_object()) {
                let number = &report.body["retracted"]["controlNumber"];
                assert!(reports[..at].iter().any(|earlier| earlier.body["controlNumber"] == *number), "seed {seed}");
            }
        }
    }

    #[test]
    fn a_duplicate_has_the_content_and_the_number_of_its_original() {
        let chances = Chances { duplicate: 1_000, ..Chances::NONE };
        let reports = script(3, &chances, &fulfillment_order());
        let first = &reports[0];
        assert_eq!(reports.iter().filter(|report| report.body == first.body).count(), 2);
    }
}
