//! Restarts routing tasks while inventory is unavailable, so that they are not given up.

use store::{AnyCommand, Command, Context, Needs, Rows, Task};
use types::{
    Fault,
    retry::routing::{INVENTORY_ATTEMPTS, INVENTORY_PAUSE},
};

/// Starts a task anew when it is about to be given up for a transient fault.
pub(super) fn restart_when_given_up(
    task: &Task,
    outcome: Result<Vec<Box<dyn AnyCommand>>, Fault>,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    match outcome {
        Err(fault) if fault.is_transient() && task.attempts >= INVENTORY_ATTEMPTS => {
            tracing::error!(%fault, kind = task.kind, key = task.key, "routing waits for inventory");
            Ok(vec![Box::new(RestartTask(task.clone()))])
        }
        outcome => outcome,
    }
}

/// Schedules a task again.
struct RestartTask(Task);

impl Command for RestartTask {
    type Reply = ();
    const NAME: &'static str = "RestartTask";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut task = self.0.clone();
        task.due = cx.now().after(INVENTORY_PAUSE);
        cx.schedule(task);
        Ok(())
    }
}
