//! Ends the time of an order's reserved units, unless the order is on hold or has allocated units.

use store::{AnyCommand, Command, Context, Needs, Rows, Task, TaskHandler};
use types::{Fault, OrderId, Timestamp};

use crate::{
    ledger::Cause, process::reservation::ReservationEvent, record_open_holds::OpenHolds, reservation::Reservation,
    working_set::WorkingSet,
};

/// Kind of the tasks. The key is `order@microseconds`: lines that expire together share one.
const EXPIRE: &str = "reservation.expire";

/// The task that ends the time of a reservation.
pub(crate) fn expiry(reservation: &Reservation, due: Timestamp) -> Task {
    let Reservation { order_id, account_id, .. } = reservation;
    Task::new(EXPIRE, format!("{order_id}@{}", due.as_micros()), due).order(order_id, account_id)
}

/// Ends the time of an order's reserved units.
pub(crate) struct Expire {
    order_id: OrderId,
}

impl Command for Expire {
    type Reply = ();
    const NAME: &'static str = "ExpireReservations";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<OpenHolds>(&self.order_id);
        WorkingSet::of_order(rows, &self.order_id).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let open_holds = rows.get::<OpenHolds>(&self.order_id)?.map_or(0, |known| known.open_holds);
        let mut ledger = WorkingSet::of_order(rows, &self.order_id).load(rows, cx.now())?;
        ledger.expire(&self.order_id, open_holds)?;
        ledger.save(&Cause::Reservation(&self.order_id, ReservationEvent::Expired), rows, cx)
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
        let order_id = order_id.ok_or_else(|| Fault::internal("the key of an expiry task names no order"))?;
        Ok(vec![Box::new(Expire { order_id })])
    }
}
