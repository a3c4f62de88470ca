//! Corrects stock by a difference.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId};

use crate::{
    create_location::exists,
    ledger::Supply,
    publish::{About, publish},
    receive::levels,
    scope::Scope,
    stock::Location,
};

/// A correction.
pub(crate) struct AdjustStock {
    pub(crate) location_id: NodeId,
    pub(crate) sku: String,
    pub(crate) delta: i64,
    pub(crate) reason: String,
}

impl AdjustStock {
    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::default();
        scope.changes(rows, &self.sku, &self.location_id, self.delta);
        if self.delta > 0 {
            scope.frees(rows, &self.sku);
        }
        scope
    }
}

impl Command for AdjustStock {
    type Reply = wire::StockLevel;
    const NAME: &'static str = "AdjustStock";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::StockLevel, Fault> {
        exists(rows, &self.location_id)?;
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        ledger.stock(&self.sku)?;
        ledger.adjust(&self.location_id, &self.sku, self.delta, &self.reason)?;
        publish(ledger.finish()?, About::Stock, rows, cx);
        let item = Supply { sku: self.sku.clone(), quantity: 0 };
        let levels = levels(rows, &self.location_id, &[item], cx.now())?;
        levels.into_iter().next().ok_or_else(|| Fault::internal("an adjusted level is missing"))
    }
}
