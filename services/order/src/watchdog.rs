//! What may not stand still without anybody knowing: orders that were never reserved, reserved units that nothing holds, orders
//! that nobody cancels in time, and holds of the credit check that nothing releases.

use std::time::Duration;

use store::{Check, Command, Context, Heal, Needs, Rows};
use types::{Fault, OrderId};

use crate::{
    aggregate::OrderAggregate,
    process::{credit_check::ReleaseCreditHolds, ship_window},
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "order that was never reserved",
        find: "FROM orders AS o JOIN events AS e ON e.correlation_id = o.order_id \
               WHERE o.state = 'SUBMITTED' AND o.create_time < $1 AND e.type = 'order.submitted'",
        unchanged_for: Some(Duration::from_secs(600)),
        heal: Heal::Replay("order.order"),
    },
    Check {
        name: "reserved units that nothing holds",
        find: "SELECT DISTINCT l.order_id FROM order_lines AS l JOIN orders AS o ON o.order_id = l.order_id \
               WHERE l.reserved > 0 AND l.open_holds = 0 AND o.state = 'CONFIRMED' AND o.order_holds = 0",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(ReleaseAgain { order_id: row.at(0)? }))),
    },
    Check {
        name: "order that nobody cancels in time",
        find: "SELECT order_id FROM orders AS o WHERE state IN ('SUBMITTED', 'CONFIRMED') AND cancel_after IS NOT NULL \
               AND cancel_time IS NULL AND NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'order.cancel_after' AND t.key = o.order_id)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(CancelInTime { order_id: row.at(0)? }))),
    },
    Check {
        name: "credit holds that nothing releases",
        find: "SELECT account_id FROM account_credit AS c WHERE held_orders > 0 AND \
               (limit_minor IS NULL OR open_minor - held_minor + ready_minor + receivables_minor <= limit_minor) AND NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'order.release_credit_holds' AND t.key = c.account_id)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(ReleaseCreditHolds(row.at(0)?)))),
    },
];

/// Takes the steps that the counters of an order call for.
struct ReleaseAgain {
    order_id: OrderId,
}

impl Command for ReleaseAgain {
    type Reply = bool;
    const NAME: &'static str = "ReleaseAgain";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        let before = (aggregate.order.release_number, aggregate.order.hold_count);
        aggregate.change(cx.now(), |_| {});
        let stranded = (aggregate.order.release_number, aggregate.order.hold_count) > before;
        if stranded {
            aggregate.save(rows, cx)?;
        }
        Ok(stranded)
    }
}

/// Cancels what is open when it is too late, and has it cancelled when it is not too late yet.
struct CancelInTime {
    order_id: OrderId,
}

impl Command for CancelInTime {
    type Reply = bool;
    const NAME: &'static str = "CancelInTime";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        if aggregate.order.cancel_after.is_some_and(|cancel_after| cancel_after > cx.now()) {
            ship_window::schedule(&aggregate.order, cx);
            return Ok(true);
        }
        aggregate.change(cx.now(), |_| {});
        let stranded = aggregate.order.cancel_time.is_some();
        if stranded {
            aggregate.save(rows, cx)?;
        }
        Ok(stranded)
    }
}
