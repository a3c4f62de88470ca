//! Lets a person know when routing or allocation fails for long: the exception UNASSIGNED opens while the task is tried again.

use std::time::Duration;

use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task};
use types::{Fault, OrderId, retry::task::FIRST_PAUSE};

use crate::release::{Release, ReleaseAggregate};

/// The outcome of a task about a release. When it failed for a moment and units have waited for longer than `unrouted_after`,
/// UNASSIGNED opens once, and the task is tried again. Only a failed attempt reads anything.
pub(super) async fn report_when_overdue(
    db: &Db,
    unrouted_after: Duration,
    task: &Task,
    release: Option<(OrderId, i64)>,
    outcome: Result<Vec<Box<dyn AnyCommand>>, Fault>,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let fault = match outcome {
        Err(fault) if fault.is_transient() => fault,
        outcome => return outcome,
    };
    if let Some(key) = release
        && let Some(known) = db.load::<Release>(&key).await?
        && known.unassigned_time.is_none()
        && db.clock().now().since(known.unrouted_time) >= unrouted_after
    {
        let (order_id, release_number) = key;
        let report = ReportOverdue { order_id, release_number, unrouted_after };
        return Ok(vec![Box::new(report), Box::new(TryAgain(task.clone()))]);
    }
    Err(fault)
}

/// Opens UNASSIGNED for a release whose units have waited for a route for long.
struct ReportOverdue {
    order_id: OrderId,
    release_number: i64,
    unrouted_after: Duration,
}

impl Command for ReportOverdue {
    type Reply = ();
    const NAME: &'static str = "ReportOverdueRelease";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs(&self.order_id, self.release_number, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Some(mut release) = ReleaseAggregate::load(&self.order_id, self.release_number, rows)? else {
            return Ok(());
        };
        if release.is_overdue(self.unrouted_after, cx.now()) {
            release.report_overdue(cx.now());
            release.save(rows, cx)?;
        }
        Ok(())
    }
}

/// Schedules a task again.
struct TryAgain(Task);

impl Command for TryAgain {
    type Reply = ();
    const NAME: &'static str = "TryAgain";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.schedule(self.0.again(cx.now().after(FIRST_PAUSE)));
        Ok(())
    }
}
