//! When scheduled receipts are expected to fill what waits.

use std::collections::BTreeMap;

use types::Timestamp;

use super::{BackorderRules, Share, Waiting, deal};
use crate::{
    reach::Reach,
    reservation::LineKey,
    scheduled_receipt::{Arrivals, ScheduledReceipt},
};

/// When each line is expected to have all its units, if receipts bring them: each time's units are dealt as they would be then.
/// Free units that wait for a release are dealt before; nobody knows when that is.
pub(crate) fn expect(
    rules: &BackorderRules,
    mut arrivals: Arrivals,
    reach: Option<&Reach>,
    waiting: Vec<Waiting>,
    receipts: &[&ScheduledReceipt],
) -> BTreeMap<LineKey, Timestamp> {
    let mut waiting = unfilled(deal(rules, arrivals.stock(), reach, waiting));
    let mut times = BTreeMap::new();
    for receipts in receipts.chunk_by(|one, other| one.expect_time == other.expect_time) {
        if waiting.is_empty() {
            break;
        }
        receipts.iter().for_each(|receipt| arrivals.arrive(receipt));
        let shares = deal(rules, arrivals.stock(), reach, waiting);
        let filled = shares.iter().filter(|share| share.rest() == 0).map(|share| share.waiting.key.clone());
        times.extend(
            filled.zip(std::iter::repeat(receipts.first().map_or_else(Timestamp::default, |one| one.expect_time))),
        );
        waiting = unfilled(shares);
    }
    times
}

/// What still waits.
fn unfilled(shares: Vec<Share>) -> Vec<Waiting> {
    let rest = |share: Share| Waiting { units: share.rest(), ..share.waiting };
    shares.into_iter().filter(|share| share.rest() > 0).map(rest).collect()
}
