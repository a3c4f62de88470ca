//! A node ships units that another node has by now: it had rejected them, not answered in time or not found them, or it ships more
//! than it was asked for. The first goods to leave count, and nobody else is to ship them again.
//!
//! 1. The departure takes units from what is unrouted or only planned (`ReleaseAggregate::reclaim`,
//!    `process/shipment_after_cancellation.rs`). What inventory allocated for such a plan is freed when the plan is settled
//!    (`process/routing/allocate.rs`): `fulfillment.cancelled`, with a node and without a fulfillment order.
//! 2. The rest: `shipment.over_shipped`. [`supersede`] reacts to it: [`SupersedeUnits`] does the same with the other releases of
//!    the order, and finds the lines in its open fulfillment orders, the newest first (`FulfillmentOrder::supersede`).
//! 3. A node that has not accepted stops at once: `fulfillment.cancelled`. One that has is asked to stop,
//!    `fulfillment.cancellation_requested`, and answers as in `process/cancellation.rs`.
//! 4. Stopped: inventory frees the superseded units. A fulfillment order is stopped as a whole, so units of it that nobody
//!    shipped are `reassigned`: they are deallocated and routed again (`process/deallocation.rs`).
//! 5. Too late: the node ships too. The order counts what is beyond its lines as over-shipped, and only then opens OVER_SHIPPED
//!    (`services/order/src/process/closing.rs`).

use std::cmp::Reverse;

use proto::{fulfillment::v1::ShipmentOverShipped, types::v1::LineQuantity};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId};

use super::cancellation::ORDER;
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::{ExecutionState, FulfillmentOrderHeader},
    reactions::id,
    release::ReleaseAggregate,
};

/// Why the other node is stopped, as it is told.
pub(crate) const SHIPPED_ALREADY: &str = "the units were shipped already";

/// Reacts to units that left although another node may have them.
pub(crate) fn supersede(payload: ShipmentOverShipped) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let ShipmentOverShipped { order_id, lines, .. } = payload;
    Ok(vec![Box::new(SupersedeUnits { order_id: id(&order_id)?, lines })])
}

/// Stops other nodes from shipping units of an order that were shipped.
#[derive(Debug)]
struct SupersedeUnits {
    order_id: OrderId,
    lines: Vec<LineQuantity>,
}

impl SupersedeUnits {
    /// The open fulfillment orders of the order, the newest first.
    fn open(&self, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
        let headers = rows.by::<FulfillmentOrderHeader>(ORDER, &self.order_id)?;
        let mut open: Vec<_> = headers.into_iter().filter(|header| is_open(header)).collect();
        open.sort_by_key(|header| Reverse((header.create_time, header.fulfillment_order_id.clone())));
        Ok(open.into_iter().map(|header| header.fulfillment_order_id.clone()).collect())
    }
}

fn is_open(header: &FulfillmentOrderHeader) -> bool {
    matches!(header.execution_state, ExecutionState::Open | ExecutionState::InProgress)
}

impl Command for SupersedeUnits {
    type Reply = ();
    const NAME: &'static str = "SupersedeUnits";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs_all(&self.order_id, rows, needs);
        needs.by::<FulfillmentOrderHeader>(ORDER, &self.order_id);
        for id in self.open(rows).into_iter().flatten() {
            FulfillmentOrderAggregate::needs(&id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut left = self.lines.clone();
        for mut release in ReleaseAggregate::load_all(&self.order_id, rows)? {
            let mut reclaimed = 0;
            for line in &mut left {
                let units = release.reclaim(line.line_number.into(), 0, line.quantity);
                line.quantity -= units;
                reclaimed += units;
            }
            if reclaimed > 0 {
                release.save(rows, cx)?;
            }
        }
        left.retain(|line| line.quantity > 0);
        for id in self.open(rows)? {
            let mut aggregate = FulfillmentOrderAggregate::load(&id, rows)?;
            let superseded = aggregate.supersede(&left, SHIPPED_ALREADY, cx.now());
            if superseded.is_empty() {
                continue;
            }
            for units in superseded {
                if let Some(line) = left.iter_mut().find(|line| line.line_number == units.line_number) {
                    line.quantity -= units.quantity;
                }
            }
            left.retain(|line| line.quantity > 0);
            aggregate.save(rows, cx)?;
        }
        Ok(())
    }
}
