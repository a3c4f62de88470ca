//! What happens when a task fails: it is tried again later, and an exception says so when it keeps failing or is refused.

use proto::event::v1::ExceptionType;
use types::{
    Fault,
    retry::{
        self,
        task::{FAILURES_BEFORE_EXCEPTION, FIRST_PAUSE, LONGEST_PAUSE, REFUSED_PAUSE},
    },
};

use super::{History, Task};
use crate::{command::Command, context::Context, exception::Exception, needs::Needs, park::with_reason, rows::Rows};

/// Puts a task off after a failure. Opens an exception, or reports it again, after every 20th failure and every refusal.
pub(crate) struct PostponeTask {
    task: Task,
    fault: Fault,
}

/// Resolves the exception of a task that ends after all.
pub(crate) struct ResolveTaskFailure(Task);

impl PostponeTask {
    pub(crate) fn new(task: &Task, fault: &Fault) -> Self {
        Self { task: task.clone(), fault: fault.clone() }
    }
}

impl ResolveTaskFailure {
    pub(crate) fn new(task: &Task) -> Self {
        Self(task.clone())
    }
}

impl Command for PostponeTask {
    type Reply = ();
    const NAME: &'static str = "PostponeTask";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Self { task, fault } = self;
        let failures = task.history.failures + 1;
        let (reports, pause) = if fault.is_transient() {
            (failures % FAILURES_BEFORE_EXCEPTION == 0, retry::doubling(FIRST_PAUSE, LONGEST_PAUSE, failures))
        } else {
            (true, REFUSED_PAUSE)
        };
        tracing::info!(%fault, kind = task.kind, key = task.key, failures, "a task is tried again later");
        if reports {
            let facts = [
                ("kind", task.kind.clone()),
                ("key", task.key.clone()),
                ("due", task.due.as_micros().to_string()),
                ("failures", failures.to_string()),
            ];
            let summary = format!("task {} fails and is tried again", subject(&task.kind, &task.key));
            exception(task, failures).open(cx, summary, with_reason(facts, fault));
        }
        let history = History {
            failures,
            unended: 0,
            reported: task.history.reported.max(i64::from(reports)),
            lease_until: cx.now().after(pause),
            last_error: fault.to_string(),
        };
        cx.schedule(Task { history, ..task.clone() });
        Ok(())
    }
}

impl Command for ResolveTaskFailure {
    type Reply = ();
    const NAME: &'static str = "ResolveTaskFailure";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        exception(&self.0, self.0.history.failures).resolve(cx, "the task was done");
        Ok(())
    }
}

/// Names a task in an exception: `fulfillment.route:ord_…/release-1`.
pub(crate) fn subject(kind: &str, key: &str) -> String {
    format!("{kind}:{key}")
}

fn exception(task: &Task, failures: i64) -> Exception {
    let key = format!("{}/{failures}", task.claim);
    Exception::new(ExceptionType::TaskFailed, subject(&task.kind, &task.key), key)
        .correlation(&task.order_id)
        .account(task.account_id.as_ref())
}
