//! Notes how many holds stand on an order: while one does, its reservations do not expire.

use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use crate::promise::OrderHolds;

/// The number of holds on an order changed.
pub(crate) struct NoteHolds {
    pub(crate) order_id: OrderId,
    pub(crate) open_holds: i64,
}

impl Command for NoteHolds {
    type Reply = ();
    const NAME: &'static str = "NoteHolds";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<OrderHolds>(&self.order_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let version = rows.get::<OrderHolds>(&self.order_id)?.map_or(0, |known| known.version);
        let open_holds = self.open_holds.max(0);
        rows.put(OrderHolds { order_id: self.order_id.clone(), open_holds, version });
        Ok(())
    }
}
