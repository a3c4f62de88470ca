//! Releases a hold: a person does, or its time is over.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{AnyCommand, Command, Context, Needs, Rows, Task, TaskHandler};
use types::{Fault, OrderId};

use super::Hold;
use crate::{aggregate::OrderAggregate, order::Action};

/// The kind of the task that releases a hold when its time is over. Its key is `order/hold number`.
const EXPIRE: &str = "order.hold_expire";

/// Releases a hold.
#[derive(Debug)]
pub(crate) struct ReleaseHold {
    order_id: OrderId,
    etag: String,
    hold_number: i64,
    caller: Arc<Principal>,
}

impl ReleaseHold {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::ReleaseHoldRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        if request.hold_number < 1 {
            checks.wrong("hold_number", "must be at least 1");
        }
        checks.done()?;
        let (etag, hold_number) = (request.etag.clone(), request.hold_number.into());
        Ok(Self { order_id: checked(order_id)?, etag, hold_number, caller: caller.clone() })
    }
}

impl Command for ReleaseHold {
    type Reply = contract::Order;

    const NAME: &'static str = "ReleaseHold";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let mut aggregate =
            OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, Action::ReleaseHold, rows)?;
        let hold = rows.get::<Hold>(&(self.order_id.clone(), self.hold_number))?;
        let hold = hold.ok_or_else(|| Fault::not_found("hold", self.hold_number))?.clone();
        if hold.release_time.is_some() {
            return Err(Fault::not_supported(format!("hold {} is released already", self.hold_number)));
        }
        drop_expiry(&hold, cx);
        let released_by = Some(self.caller.subject.clone());
        aggregate.change(cx.now(), |aggregate| aggregate.release_hold(hold, released_by, cx.now()));
        aggregate.save_and_show(rows, cx)
    }
}

/// Releases a hold whose time is over. One that is released already stays so.
#[derive(Debug)]
struct ExpireHold {
    order_id: OrderId,
    hold_number: i64,
}

impl Command for ExpireHold {
    type Reply = ();

    const NAME: &'static str = "ExpireHold";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let hold = rows.get::<Hold>(&(self.order_id.clone(), self.hold_number))?.cloned();
        let Some(hold) = hold.filter(|hold| hold.release_time.is_none()) else { return Ok(()) };
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        aggregate.change(cx.now(), |aggregate| aggregate.release_hold(hold, None, cx.now()));
        aggregate.save(rows, cx).map(|_| ())
    }
}

fn key(hold: &Hold) -> String {
    format!("{}/{}", hold.order_id, hold.hold_number)
}

/// Schedules the release of a hold that has an end.
pub(super) fn schedule_expiry(hold: &Hold, cx: &mut Context<'_>) {
    if let Some(expire_time) = hold.expire_time {
        cx.schedule(Task::new(EXPIRE, key(hold), expire_time));
    }
}

fn drop_expiry(hold: &Hold, cx: &mut Context<'_>) {
    if hold.expire_time.is_some() {
        cx.unschedule(EXPIRE, &key(hold));
    }
}

/// Runs the task.
#[derive(Debug)]
pub(crate) struct ExpireTask;

#[async_trait::async_trait]
impl TaskHandler for ExpireTask {
    fn kind(&self) -> &'static str {
        EXPIRE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let hold =
            task.key.split_once('/').and_then(|(order, number)| Some((order.parse().ok()?, number.parse().ok()?)));
        let (order_id, hold_number) = hold.ok_or_else(|| Fault::internal(format!("{:?} names no hold", task.key)))?;
        Ok(vec![Box::new(ExpireHold { order_id, hold_number })])
    }
}
