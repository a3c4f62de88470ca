//! What may not stand still without anybody knowing: reserved units whose time does not end, receipts that never are overdue.

use std::time::Duration;

use store::{Check, Command, Context, Heal, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    expire::expiry,
    reservation::Reservation,
    scheduled_receipt::{ReceiptKey, ScheduledReceipt, overdue},
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "reservation without its expiry task",
        find: "SELECT order_id, expire_time FROM reservations AS r WHERE reserved_sku IS NOT NULL AND reserved > 0 \
               AND expire_time IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.kind = 'reservation.expire' \
               AND t.key = r.order_id || '@' || r.expire_time)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(ExpireAgain { order_id: row.at(0)?, due: row.at(1)? }))),
    },
    Check {
        // Receipts whose time is to come are not read: there may be many, and they need their task only then.
        name: "overdue receipt that counts as supply",
        find: "SELECT sku, location_id, receipt_number FROM scheduled_receipts AS r WHERE expected_sku IS NOT NULL \
               AND expect_time < $1 AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.kind = 'receipt.overdue' \
               AND t.key = r.sku || '@' || r.expect_time)",
        unchanged_for: Some(Duration::from_secs(600)),
        heal: Heal::Command(|row| Ok(Box::new(OverdueAgain((row.at(0)?, row.at(1)?, row.at(2)?))))),
    },
];

/// Schedules the task that ends what an overdue receipt counts for.
struct OverdueAgain(ReceiptKey);

impl Command for OverdueAgain {
    type Reply = bool;
    const NAME: &'static str = "OverdueAgain";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ScheduledReceipt>(&self.0);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let stranded = rows.get::<ScheduledReceipt>(&self.0)?.filter(|receipt| receipt.expected_sku.is_some());
        if let Some(receipt) = stranded {
            cx.schedule(overdue(receipt));
        }
        Ok(stranded.is_some())
    }
}

/// Schedules the expiry of an order's reservations.
struct ExpireAgain {
    order_id: OrderId,
    due: Timestamp,
}

impl Command for ExpireAgain {
    type Reply = bool;
    const NAME: &'static str = "ExpireAgain";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.under::<Reservation>(&self.order_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut reservations = rows.under::<Reservation>(&self.order_id)?.into_iter();
        let stranded = reservations.find(|one| one.reserved > 0 && one.expire_time == Some(self.due));
        if let Some(reservation) = stranded {
            cx.schedule(expiry(reservation, self.due));
        }
        Ok(stranded.is_some())
    }
}
