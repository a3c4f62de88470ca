//! A node does not answer a fulfillment order in time.
//!
//! 1. [`schedule`] schedules the timeout task when the fulfillment order is created (`process/routing/allocate.rs`), if the
//!    node has a time to accept (`node.accept_within`).
//! 2. Any answer drops the task: [`cancel`], which saving calls (`aggregate.rs`). A hold that blocks the fulfillment order drops it
//!    too, because the node may not have been asked yet; with the end of the last one the whole time begins again
//!    (`process/hold.rs`).
//! 3. The task is due: [`TimeOutFulfillmentOrder`] withdraws the open units (`fulfillment_order/answers.rs`) and
//!    excludes the node from the release (`aggregate/answers.rs`): `fulfillment.timed_out`. The partner service
//!    withdraws its request (`services/partner/src/process/outbound_message.rs`).
//! 4. The units are deallocated and routed again as after a rejection (`deallocate_withdrawn`, `process/rejection.rs`).
//! 5. An acceptance that comes later is late (`process/acceptance.rs`).

use std::time::Duration;

use store::{AnyCommand, Command, Context, Needs, Rows, Task, TaskHandler};
use types::{Fault, FulfillmentOrderId, Id as _};

use crate::{aggregate::FulfillmentOrderAggregate, fulfillment_order::FulfillmentOrderHeader};

/// The kind of the timeout task. Its key is the id of the fulfillment order.
const TIMEOUT: &str = "fulfillment.accept";

/// Schedules the timeout of a fulfillment order whose time begins now.
pub(crate) fn schedule(header: &FulfillmentOrderHeader, accept_within: Duration, cx: &mut Context<'_>) {
    let task = Task::new(TIMEOUT, &header.fulfillment_order_id, cx.now().after(accept_within));
    cx.schedule(task.order(&header.order_id, &header.account_id));
}

/// Drops the timeout of a fulfillment order.
pub(crate) fn cancel(id: &FulfillmentOrderId, cx: &mut Context<'_>) {
    cx.unschedule(TIMEOUT, id.as_str());
}

/// Runs the timeout task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeoutTask;

#[async_trait::async_trait]
impl TaskHandler for TimeoutTask {
    fn kind(&self) -> &'static str {
        TIMEOUT
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let malformed = |_| Fault::internal(format!("{:?} is not the id of a fulfillment order", task.key));
        Ok(vec![Box::new(TimeOutFulfillmentOrder(task.key.parse().map_err(malformed)?))])
    }
}

/// Ends a node's time to accept a fulfillment order.
#[derive(Debug)]
struct TimeOutFulfillmentOrder(FulfillmentOrderId);

impl Command for TimeOutFulfillmentOrder {
    type Reply = ();
    const NAME: &'static str = "TimeOutFulfillmentOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.0, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.0, rows)?;
        aggregate.time_out(cx.now());
        aggregate.save(rows, cx)?;
        Ok(())
    }
}
