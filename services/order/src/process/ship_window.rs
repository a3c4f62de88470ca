//! An order that is to be shipped at a time.
//!
//! 1. `PlaceOrder` (`place.rs`) takes `ship_not_before`, `requested_ship_time` and `cancel_after`. Stock is reserved as for any
//!    order, and the reservation lives as much longer (`process/confirmation.rs`).
//! 2. [`release_time`]: nothing is released before (`process/release.rs`). Units of an order that must not be shipped before a
//!    time are released then; those of an order that is wanted at a time are released earlier by what the slowest node needs that
//!    may ship it (`node.rs`).
//! 3. A task at that time ([`ReleaseTask`]) releases what is reserved by then. An order without a time in the future has none.
//! 4. From `cancel_after` on, [`ChangingOrder::cancel_when_late`] cancels what is open, as `CancelOrder` does
//!    (`process/cancellation.rs`): units that no node was asked for at once, the others if their nodes can still stop them. A task
//!    at that time ([`CancelTask`]) has it do so, whether a hold blocks the order or not; and every later change of the order
//!    does, so that nothing is released after a time during which the service stood still. Also units that turn out not to have
//!    left, or are to be replaced, are cancelled then: they were not shipped in time.

use std::time::Duration;

use store::{AnyCommand, Command, Context, Needs, Rows, Task, TaskHandler};
use types::{Fault, Id as _, OrderId, Timestamp};

use crate::{
    aggregate::{ChangingOrder, OrderAggregate},
    order::{Order, UnitTotals},
};

/// The kind of the task that releases what is reserved. Its key is the order's id.
const RELEASE: &str = "order.release";

/// The kind of the task that cancels what is open. Its key is the order's id.
const CANCEL: &str = "order.cancel_after";

/// Why what is open is cancelled.
const TOO_LATE: &str = "not shipped in time";

/// When units may be released, if that is later than `now`.
pub(crate) fn release_time(
    ship_not_before: Option<Timestamp>,
    requested_ship_time: Option<Timestamp>,
    handling_time: Duration,
    now: Timestamp,
) -> Option<Timestamp> {
    let requested = requested_ship_time.map(|requested| requested.before(handling_time));
    let times = ship_not_before.into_iter().chain(requested);
    times.max().filter(|release_time| *release_time > now)
}

/// Schedules the tasks of an order that is placed.
pub(crate) fn schedule(order: &Order, cx: &mut Context<'_>) {
    for (kind, due) in [(RELEASE, order.release_time), (CANCEL, order.cancel_after)] {
        if let Some(due) = due {
            cx.schedule(Task::new(kind, order.order_id.as_str(), due));
        }
    }
}

fn order_of(task: &Task) -> Result<OrderId, Fault> {
    task.key.parse().map_err(|_| Fault::internal(format!("{:?} is not an order", task.key)))
}

/// Takes the steps that are due: what is reserved is released, if nothing else blocks it, or what is open is cancelled.
#[derive(Debug)]
struct TakeDueSteps(OrderId);

impl Command for TakeDueSteps {
    type Reply = ();

    const NAME: &'static str = "TakeDueSteps";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.0, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = OrderAggregate::load(&self.0, rows)?;
        aggregate.change(cx.now(), |_| {});
        aggregate.save(rows, cx).map(|_| ())
    }
}

impl ChangingOrder {
    /// Cancels what is open once it is too late to ship it, unless that was requested already.
    pub(crate) fn cancel_when_late(&mut self, now: Timestamp) {
        let late = self.order.cancel_after.is_some_and(|cancel_after| cancel_after <= now);
        if late && self.order.cancel_time.is_none() && UnitTotals::leading(&self.lines).open() > 0 {
            self.cancel(TOO_LATE, now);
        }
    }
}

/// Runs the task that releases.
#[derive(Debug)]
pub(crate) struct ReleaseTask;

#[async_trait::async_trait]
impl TaskHandler for ReleaseTask {
    fn kind(&self) -> &'static str {
        RELEASE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        Ok(vec![Box::new(TakeDueSteps(order_of(task)?))])
    }
}

/// Runs the task that cancels.
#[derive(Debug)]
pub(crate) struct CancelTask;

#[async_trait::async_trait]
impl TaskHandler for CancelTask {
    fn kind(&self) -> &'static str {
        CANCEL
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        Ok(vec![Box::new(TakeDueSteps(order_of(task)?))])
    }
}
