//! Notes how many holds stand on an order: while one does, its reservations do not expire.

use store::{Command, Context, Needs, Work};
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

    fn needs(&self, _: &Work, needs: &mut Needs) {
        needs.row::<OrderHolds>(&self.order_id);
    }

    fn decide(&self, work: &mut Work, _: &mut Context<'_>) -> Result<(), Fault> {
        let version = work.get::<OrderHolds>(&self.order_id)?.map_or(0, |known| known.version);
        let open_holds = self.open_holds.max(0);
        work.put(OrderHolds { order_id: self.order_id.clone(), open_holds, version });
        Ok(())
    }
}
