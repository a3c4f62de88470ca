//! Releases a hold: a person does, or its time is over.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use super::Hold;
use crate::{aggregate::OrderAggregate, numbered_task::NumberedTask, order::Action};

/// The task that releases a hold when its time is over.
pub(crate) const EXPIRE: NumberedTask = NumberedTask {
    kind: "order.hold_expire",
    command: |order_id, hold_number| Box::new(ExpireHold { order_id, hold_number }),
};

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
        EXPIRE.drop(&self.order_id, self.hold_number, cx);
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
