//! Takes back in what a return found fit to be sold again. The order has no claim on it any more.

use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, OrderId, Timestamp};

use crate::{
    create_location::exists,
    ledger::Supply,
    movement::Kind,
    publish::{About, publish},
    scope::Scope,
    stock::Location,
};

/// Units of a return to be sold again.
pub(crate) struct Restock {
    pub(crate) return_id: String,
    pub(crate) order_id: OrderId,
    pub(crate) location_id: NodeId,
    pub(crate) items: Vec<Supply>,
    pub(crate) occur_time: Option<Timestamp>,
}

impl Restock {
    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::default();
        for item in &self.items {
            scope.frees(rows, &item.sku);
            scope.places.insert((item.sku.clone(), self.location_id.clone()));
        }
        scope
    }
}

impl Command for Restock {
    type Reply = ();
    const NAME: &'static str = "Restock";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        exists(rows, &self.location_id)?;
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for item in &self.items {
            ledger.take_in(Kind::Restocked, &self.location_id, item, &self.return_id, occur_time)?;
        }
        publish(ledger.finish()?, About::Returned(&self.order_id), rows, cx);
        Ok(())
    }
}
