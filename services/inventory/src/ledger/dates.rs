//! When scheduled receipts are expected to fill backorders.

use std::collections::BTreeMap;

use types::{Fault, Timestamp};

use super::{Ledger, not_loaded};
use crate::{
    backorder::expect,
    reservation::LineKey,
    scheduled_receipt::{Arrivals, ReceiptKey, ScheduledReceipt},
};

/// What changes of an item: how many receipts count as supply, and when lines are expected.
struct Dated {
    sku: String,
    expected_receipts: i64,
    times: Vec<(LineKey, Option<Timestamp>)>,
}

impl Ledger {
    /// Dates the backorders of every changed item that has expected receipts, or had: all of both are loaded.
    pub(super) fn date_backorders(&mut self) -> Result<(), Fault> {
        let mut expected: BTreeMap<&str, Vec<&ScheduledReceipt>> = BTreeMap::new();
        let mut over: Vec<ReceiptKey> = Vec::new();
        for (key, receipt) in self.receipts.iter().filter(|(key, _)| self.stock.is_touched(&key.0)) {
            if receipt.is_expected(self.now) {
                expected.entry(&receipt.sku).or_default().push(receipt);
            } else if receipt.expected_sku.is_some() {
                over.push(key.clone());
            }
        }
        let mut dated = Vec::new();
        for sku in self.stock.touched() {
            let mut receipts = expected.remove(sku.as_str()).unwrap_or_default();
            let before = self.stock.before(&sku).map_or(0, |stock| stock.expected_receipts);
            if before > 0 || !receipts.is_empty() {
                receipts.sort_by_key(|receipt| receipt.expect_time);
                let times = self.times(&sku, &receipts)?;
                let expected_receipts = i64::try_from(receipts.len()).unwrap_or(i64::MAX);
                dated.push(Dated { sku, expected_receipts, times });
            }
        }
        for Dated { sku, expected_receipts, times } in dated {
            self.stock.edit(&sku).ok_or_else(not_loaded)?.expected_receipts = expected_receipts;
            for (key, time) in times {
                self.reservations.edit(&key).ok_or_else(not_loaded)?.backorder_expect_time = time;
            }
        }
        // What is overdue is no longer found among the receipts that count.
        for key in over {
            self.receipts.edit(&key).ok_or_else(not_loaded)?.expected_sku = None;
        }
        Ok(())
    }

    /// The lines that wait for an item and are expected at another time than before, or at none any more.
    fn times(&self, sku: &str, receipts: &[&ScheduledReceipt]) -> Result<Vec<(LineKey, Option<Timestamp>)>, Fault> {
        let levels = receipts.iter().filter_map(|receipt| self.level(sku, &receipt.location_id));
        let arrivals = Arrivals::new(self.stock(sku)?, levels);
        let waiting = self.waiting(sku);
        let keys: Vec<LineKey> = waiting.iter().map(|waiting| waiting.key.clone()).collect();
        let times = expect(&self.rules, arrivals, self.reach.as_ref(), waiting, receipts);
        let date = |key: LineKey| {
            let time = times.get(&key).copied();
            let present = self.reservations.get(&key)?;
            (present.backorder_expect_time != time).then_some((key, time))
        };
        Ok(keys.into_iter().filter_map(date).collect())
    }
}
