//! Records how many exceptions of an order are open: it shows as EXCEPTION while any is.

use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use crate::{aggregate::OrderAggregate, order::Order};

/// Operations says how many exceptions of an order are open.
#[derive(Debug)]
pub(crate) struct RecordExceptions {
    pub(crate) order_id: OrderId,
    pub(crate) open_exceptions: i64,
}

impl Command for RecordExceptions {
    type Reply = ();

    const NAME: &'static str = "RecordExceptions";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        OrderAggregate::needs(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        // An exception may name an order that there is not; were that refused, it would open the next exception.
        if rows.get::<Order>(&self.order_id)?.is_none() {
            return Ok(());
        }
        let mut aggregate = OrderAggregate::load(&self.order_id, rows)?;
        aggregate.change(cx.now(), |aggregate| aggregate.order.open_exceptions = self.open_exceptions.max(0));
        aggregate.save(rows, cx).map(|_| ())
    }
}
