//! Ends a change that is not confirmed: a person withdraws it, or its time is over.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1::{self as contract, OrderChangeState};
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, limits::MAX_TEXT};

use crate::{aggregate::OrderAggregate, numbered_task::NumberedTask, order::Action};

/// The task that ends a change that is not confirmed in time.
pub(crate) const EXPIRE: NumberedTask = NumberedTask {
    kind: "order.change_expire",
    command: |order_id, change_number| Box::new(ExpireChange { order_id, change_number }),
};

/// Withdraws a proposed change.
#[derive(Debug)]
pub(crate) struct WithdrawChange {
    order_id: OrderId,
    change_number: i64,
    reason: String,
    caller: Arc<Principal>,
}

impl WithdrawChange {
    /// Reads the request.
    pub(crate) fn parse(
        request: &contract::WithdrawOrderChangeRequest,
        caller: &Arc<Principal>,
    ) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        if request.change_number < 1 {
            checks.wrong("change_number", "must be at least 1");
        }
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        checks.done()?;
        let (order_id, change_number, reason) = (checked(order_id)?, request.change_number.into(), checked(reason)?);
        Ok(Self { order_id, change_number, reason, caller: caller.clone() })
    }
}

/// The change of an order that waits to be confirmed.
pub(super) fn proposed(aggregate: &OrderAggregate, change_number: i64) -> Result<&contract::OrderChange, Fault> {
    let open = aggregate.change.as_ref().filter(|_| aggregate.order.proposed_change == Some(change_number));
    let open = open.ok_or_else(|| Fault::not_supported(format!("change {change_number} is not proposed")))?;
    Ok(&open.change.change.0)
}

impl Command for WithdrawChange {
    type Reply = contract::OrderChange;

    const NAME: &'static str = "WithdrawOrderChange";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::OrderChange, Fault> {
        let mut aggregate = OrderAggregate::load_for(&self.order_id, "", &self.caller, Action::WithdrawChange, rows)?;
        proposed(&aggregate, self.change_number)?;
        let now = cx.now();
        aggregate.change(now, |order| order.drop_change(OrderChangeState::Withdrawn, &self.reason, now));
        EXPIRE.drop(&self.order_id, self.change_number, cx);
        checked(aggregate.save(rows, cx)?.change_to_contract())
    }
}

/// Ends a change whose time is over. One that is not proposed any more stays as it is.
#[derive(Debug)]
struct ExpireChange {
    order_id: OrderId,
    change_number: i64,
}

impl Command for ExpireChange {
    type Reply = ();

    const NAME: &'static str = "ExpireOrderChange";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        if aggregate.order.proposed_change != Some(self.change_number) {
            return Ok(());
        }
        let now = cx.now();
        aggregate.change(now, |order| order.drop_change(OrderChangeState::Expired, "not confirmed in time", now));
        aggregate.save(rows, cx).map(|_| ())
    }
}
