//! Cancelling what is open of an order.

use std::sync::Arc;

use mesh::Principal;
use proto::order::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use crate::{advance, order::action};

/// Cancels an order: units that are not at nodes at once, the others if their nodes can still stop them.
#[derive(Debug)]
pub struct CancelOrder {
    /// The order.
    pub order_id: OrderId,
    /// The etag that was read; any when empty.
    pub etag: String,
    /// Why, for people.
    pub reason: String,
    /// Who asks.
    pub caller: Arc<Principal>,
}

impl Command for CancelOrder {
    type Reply = wire::Order;

    const NAME: &'static str = "CancelOrder";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        advance::needs_with_holds(&self.order_id, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Order, Fault> {
        let mut progress = advance::begin(rows, &self.order_id, &self.etag, &self.caller, action::CANCEL)?;
        progress.cancel(&self.reason, cx.now());
        let progress = advance::save(progress, rows, cx)?;
        advance::answer(rows, &progress)
    }
}
