//! Promises units to the lines of an order.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use crate::{
    ledger::{LineKey, Terms, Wanted},
    promise::Reservation,
    publish::{About, images, publish},
    receive::known_items,
    scope::{Scope, known},
};

/// What the lines of an order want in all.
pub(crate) struct Reserve {
    pub(crate) order_id: OrderId,
    pub(crate) lines: Vec<Wanted>,
    pub(crate) terms: Terms,
}

impl Reserve {
    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| (self.order_id.clone(), line.line_number))
    }

    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::of_lines(self.keys());
        for line in &self.lines {
            let present = known::<Reservation>(rows, &(self.order_id.clone(), line.line_number));
            if present.is_some_and(|present| line.quantity < present.requested) {
                scope.frees(rows, &line.sku);
            }
            scope.skus.insert(line.sku.clone());
        }
        scope
    }
}

impl Command for Reserve {
    type Reply = wire::ReserveResponse;
    const NAME: &'static str = "Reserve";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReserveResponse, Fault> {
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        known_items(&ledger, self.lines.iter().map(|line| line.sku.as_str()), "lines")?;
        ledger.reserve(&self.order_id, &self.lines, self.terms)?;
        publish(ledger.finish()?, About::reserving(&self.order_id), rows, cx);
        Ok(wire::ReserveResponse { reservations: images(rows, self.keys())? })
    }
}
