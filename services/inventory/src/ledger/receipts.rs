//! Units that are to come in: scheduled, and counted down when they do.

use types::{Fault, Timestamp};

use super::{Ledger, not_loaded};
use crate::scheduled_receipt::{ReceiptKey, ScheduledReceipt};

impl Ledger {
    /// Schedules a receipt, or changes it. Without a time the one that is known stays.
    pub(crate) fn schedule(
        &mut self,
        key: &ReceiptKey,
        quantity: i64,
        expect_time: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let (known, now) = (self.receipts.get(key), self.now);
        let present = known.map_or((0, now), |receipt| (receipt.quantity, receipt.expect_time));
        let scheduled = (quantity, expect_time.unwrap_or(present.1));
        if present != scheduled && (quantity > 0 || present.0 > 0) {
            let receipt = self.receipts.make(key, || ScheduledReceipt::none_for(key.clone(), now));
            ((receipt.quantity, receipt.expect_time), receipt.update_time) = (scheduled, now);
            self.stock.edit(&key.0).ok_or_else(not_loaded)?.receipt_changes += 1;
        }
        Ok(())
    }

    /// Units under the number of a receipt came in, whether it is scheduled yet or not; with a negative number they did not after
    /// all.
    pub(crate) fn count_down(&mut self, key: &ReceiptKey, units: i64) -> Result<(), Fault> {
        let now = self.now;
        let receipt = self.receipts.make(key, || ScheduledReceipt::none_for(key.clone(), now));
        receipt.received = receipt.received.saturating_add(units).max(0);
        receipt.update_time = now;
        self.stock.edit(&key.0).ok_or_else(not_loaded)?.receipt_changes += 1;
        Ok(())
    }
}
