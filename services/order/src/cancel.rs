//! Cancels the open units of an order. The whole process is in `process/cancellation.rs`.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, limits::MAX_TEXT};

use crate::{aggregate::OrderAggregate, order::Action};

/// Cancels an order: units that are not at nodes at once, the others if their nodes can still stop them.
#[derive(Debug)]
pub(crate) struct CancelOrder {
    order_id: OrderId,
    etag: String,
    reason: String,
    caller: Arc<Principal>,
}

impl CancelOrder {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::CancelOrderRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.id("order_id", &request.order_id);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        checks.done()?;
        let (order_id, reason) = (checked(order_id)?, checked(reason)?);
        Ok(Self { order_id, etag: request.etag.clone(), reason, caller: caller.clone() })
    }
}

impl Command for CancelOrder {
    type Reply = contract::Order;

    const NAME: &'static str = "CancelOrder";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        OrderAggregate::needs_with_holds(&self.order_id, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let mut aggregate = OrderAggregate::load_for(&self.order_id, &self.etag, &self.caller, Action::Cancel, rows)?;
        aggregate.change(cx.now(), |aggregate| aggregate.cancel(&self.reason, cx.now()));
        aggregate.save_and_show(rows, cx)
    }
}
