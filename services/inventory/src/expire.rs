//! Gives reserved units back when their time is over, unless the order is on hold or at work.

use store::{AnyCommand, Command, Context, Needs, Rows, Task, TaskHandler};
use types::{Fault, OrderId};

use crate::{
    promise::{OrderHolds, Reservation},
    publish::{About, EXPIRED, publish},
    scope::Scope,
};

/// Kind of the tasks. The key is `order@microseconds`: lines that expire together share one.
pub(crate) const EXPIRE: &str = "reservation.expire";

/// Ends the time of an order's reserved units.
pub(crate) struct Expire {
    pub(crate) order_id: OrderId,
}

impl Expire {
    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::default();
        scope.orders.insert(self.order_id.clone());
        for reservation in rows.under::<Reservation>(&self.order_id).into_iter().flatten() {
            if reservation.reserved > 0 {
                scope.frees(rows, &reservation.sku);
            }
        }
        scope
    }
}

impl Command for Expire {
    type Reply = ();
    const NAME: &'static str = "ExpireReservations";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<OrderHolds>(&self.order_id);
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let open_holds = rows.get::<OrderHolds>(&self.order_id)?.map_or(0, |holds| holds.open_holds);
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        let expiry = ledger.expire(&self.order_id, open_holds)?;
        tracing::debug!(order_id = %self.order_id, ?expiry, "the time of reserved units was over");
        publish(ledger.finish()?, About::Promises(&self.order_id, EXPIRED), rows, cx);
        Ok(())
    }
}

/// Runs the tasks.
#[derive(Debug)]
pub(crate) struct ExpireTasks;

#[async_trait::async_trait]
impl TaskHandler for ExpireTasks {
    fn kind(&self) -> &'static str {
        EXPIRE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let order_id = task.key.split('@').next().and_then(|order_id| order_id.parse().ok());
        let order_id = order_id.ok_or_else(|| Fault::internal("the key of an expiry is not an order's"))?;
        Ok(vec![Box::new(Expire { order_id })])
    }
}
