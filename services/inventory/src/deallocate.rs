//! Takes allocated units back from locations.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, Timestamp};

use crate::{
    allocate::{lines, picked},
    ledger::{Pick, Taken},
    publish::{About, DEALLOCATED, images, publish},
    scope::Scope,
};

/// Where to take how much back, and what becomes of it.
pub(crate) struct Deallocate {
    pub(crate) order_id: OrderId,
    pub(crate) picks: Vec<Pick>,
    pub(crate) taken: Taken,
    /// When a location did not find them; now when not known.
    pub(crate) occur_time: Option<Timestamp>,
}

impl Deallocate {
    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = picked(rows, &self.order_id, &self.picks);
        // Reassigned units stay the order's own.
        if self.taken != Taken::Reassigned {
            scope.skus.clone().iter().for_each(|sku| scope.frees(rows, sku));
        }
        scope
    }
}

impl Command for Deallocate {
    type Reply = wire::DeallocateResponse;
    const NAME: &'static str = "Deallocate";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::DeallocateResponse, Fault> {
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for pick in &self.picks {
            ledger.deallocate(&self.order_id, pick, self.taken, occur_time)?;
        }
        publish(ledger.finish()?, About::Promises(&self.order_id, DEALLOCATED), rows, cx);
        Ok(wire::DeallocateResponse { reservations: images(rows, lines(&self.order_id, &self.picks))? })
    }
}
