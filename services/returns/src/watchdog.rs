//! Returns that nobody ends: goods that were received and not inspected, inspected and not closed, or that never came.

use std::time::Duration;

use proto::event::v1::ExceptionType;
use store::{Check, Command, Context, Exception, Heal, Needs, Rows};
use types::{Fault, ReturnId};

use crate::rma::Return;

const DAY: Duration = Duration::from_secs(24 * 3_600);

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "return that nobody ends",
        find: "SELECT return_id FROM returns WHERE state IN ('RECEIVED', 'INSPECTED') AND overdue_time IS NULL \
               AND update_time < $1",
        unchanged_for: Some(DAY.saturating_mul(3)),
        heal: Heal::Command(|row| Ok(Box::new(ReportOverdue { return_id: row.at(0)? }))),
    },
    Check {
        name: "return that never comes",
        find: "SELECT return_id FROM returns WHERE state IN ('AUTHORIZED', 'PARTIALLY_RECEIVED') \
               AND overdue_time IS NULL AND update_time < $1",
        unchanged_for: Some(DAY.saturating_mul(30)),
        heal: Heal::Command(|row| Ok(Box::new(ReportOverdue { return_id: row.at(0)? }))),
    },
];

/// Opens an exception about a return that stands still. The next step of the return resolves it.
struct ReportOverdue {
    return_id: ReturnId,
}

impl Command for ReportOverdue {
    type Reply = bool;
    const NAME: &'static str = "ReportOverdueReturn";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Return>(&self.return_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let overdue = rows.get::<Return>(&self.return_id)?.filter(|rma| rma.overdue_time.is_none()).cloned();
        if let Some(rma) = overdue {
            let rma = rows.put(Return { overdue_time: Some(cx.now()), ..rma });
            let state = rma.state.as_str();
            let facts = [("state", state.to_owned()), ("since", rma.update_time.as_micros().to_string())];
            exception(&rma).open(cx, format!("the return is {state} and nobody ends it"), facts);
        }
        // Somebody was slow: nothing was lost.
        Ok(false)
    }
}

/// Takes a step of a return: an exception about its standing still is resolved.
pub(crate) fn step(rma: &mut Return, cx: &mut Context<'_>) {
    if rma.overdue_time.take().is_some() {
        exception(rma).resolve(cx, "the return goes on");
    }
}

fn exception(rma: &Return) -> Exception {
    Exception::new(ExceptionType::ReturnOverdue, &rma.return_id, rma.version)
        .order(&rma.order_id)
        .account(&rma.account_id)
}
