//! Answers an order as placing it would, and stores nothing.

use proto::order::v1 as contract;
use store::{Command, Context, Needs, Rows};
use types::Fault;

use super::PlaceOrder;

/// Validates an order.
#[derive(Debug)]
pub(crate) struct ValidateOrder(pub(crate) PlaceOrder);

impl Command for ValidateOrder {
    type Reply = contract::Order;

    const NAME: &'static str = "ValidateOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.0.needs(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Order, Fault> {
        let placed = self.0.check(rows, cx)?;
        let order = crate::wire::order(&placed.order, &placed.lines, &placed.groups, &placed.new_holds());
        // There is no such order to act on.
        Ok(contract::Order { order_id: String::new(), etag: String::new(), supported_actions: Vec::new(), ..order })
    }
}
