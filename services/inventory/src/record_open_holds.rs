//! Records how many holds are open on an order. While any is open, its reservations do not expire.

use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId};

store::record! {
    /// How many holds are open on an order.
    pub(crate) struct OpenHolds in "open_holds" key (order_id: OrderId) {
        open_holds: i64,
    }
}

/// The number of open holds of an order changed.
pub(crate) struct RecordOpenHolds {
    pub(crate) order_id: OrderId,
    pub(crate) open_holds: i64,
}

impl Command for RecordOpenHolds {
    type Reply = ();
    const NAME: &'static str = "RecordOpenHolds";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<OpenHolds>(&self.order_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let version = rows.get::<OpenHolds>(&self.order_id)?.map_or(0, |known| known.version);
        let open_holds = self.open_holds.max(0);
        rows.put(OpenHolds { order_id: self.order_id.clone(), open_holds, version });
        Ok(())
    }
}
