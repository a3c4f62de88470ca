//! What happens to reports on their way: they are sent twice, overtaken, late, lost, or reuse a number.

use rand::{Rng as _, rngs::StdRng};
use serde_json::json;

use super::{Chances, Report, chance};

/// Duplicates, reorders, delays and drops reports, and reuses a control number.
pub(super) fn disturb(rng: &mut StdRng, chances: &Chances, reports: Vec<Report>) -> Vec<Report> {
    let mut sent: Vec<Report> = Vec::with_capacity(reports.len() + 4);
    let mut lost = Vec::new();
    let taken_back: Vec<_> = reports.iter().map(|report| report.body["retracted"]["controlNumber"].clone()).collect();
    for mut report in reports {
        // When the partners stop before they send it, its retraction waits in vain.
        let is_taken_back = taken_back.contains(&report.body["controlNumber"]);
        if chance(rng, chances.drop) && !is_taken_back {
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
            let mistake = json!({
                "controlNumber": report.body["controlNumber"],
                "rejected": {"fulfillmentOrderId": "ful_unknown", "reason": "sent by mistake"},
            });
            let other = Report { body: mistake, ..report.clone() };
            sent.push(report);
            sent.push(other);
            continue;
        }
        let index = if overtakes { sent.len().saturating_sub(1) } else { sent.len() };
        sent.insert(index, report);
    }
    sent.extend(lost);
    sent
}
