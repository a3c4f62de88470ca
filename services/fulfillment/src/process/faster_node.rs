//! A node ships units that another node has by now: it had rejected them, not answered in time or not found them, or it ships more
//! than it was asked for. The first goods to leave count, and nobody else is to ship them again.
//!
//! 1. The departure takes units from what is unrouted or only planned (`ReleaseAggregate::reclaim`,
//!    `process/shipment_after_cancellation.rs`). What inventory allocated for such a plan is freed when the plan is settled
//!    (`process/routing/allocate.rs`): `fulfillment.cancelled`, with a node and without a fulfillment order.
//! 2. The rest: `shipment.shipped` says which units are beyond what the node was still to ship, and `shipment.over_shipped` says so
//!    to people. Whether they are to be shipped by another node is known to the order: it may wait for stock for them, or may have
//!    released them again before it learned of the shipment.
//! 3. The order counts them (`services/order/src/process/closing.rs`). Of those that are released it emits
//!    `order.release_superseded`, after every release that it made without knowing of the shipment. [`supersede`] reacts to it.
//! 4. [`SupersedeUnits`] stops as many units as left, those first that cost nobody anything:
//!    - units that are unrouted or only planned, in any release of the order;
//!    - units at a node that was asked to stop already;
//!    - units that a node has not accepted, the newest fulfillment order first. It is cancelled as a whole, `fulfillment.cancelled`,
//!      because a request cannot be changed; units of it that nobody shipped are `reassigned`: they are deallocated and routed
//!      again (`process/deallocation.rs`);
//!    - units of accepted fulfillment orders, the newest first, if all its open units left with another node. It is asked to
//!      stop, `fulfillment.cancellation_requested`, and answers as in `process/cancellation.rs`. When only some of its units
//!      left, it goes on: a node stops all of it or nothing, and the customer would wait for the others, which is worse than
//!      units too many, which the customer does not owe.
//! 5. Stopped: inventory frees the superseded units. The order does not count them as cancelled: it has counted them as shipped.
//! 6. Not stopped: the node ships too. The order counts what is beyond its lines as over-shipped, and only then opens OVER_SHIPPED.

use std::cmp::Reverse;

use proto::{order::v1::OrderReleaseSuperseded, types::v1::LineQuantity};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId};

use super::cancellation::ORDER;
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::{FulfillmentOrderHeader, RequestState},
    reactions::id,
    release::ReleaseAggregate,
};

/// Why the other node is stopped, as it is told.
pub(crate) const SHIPPED_ALREADY: &str = "the units were shipped already";

/// Reacts to released units that left although they are asked of another node.
pub(crate) fn supersede(payload: OrderReleaseSuperseded) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let OrderReleaseSuperseded { order_id, lines, .. } = payload;
    Ok(vec![Box::new(SupersedeUnits { order_id: id(&order_id)?, lines })])
}

/// Stops other nodes from shipping units of an order that were shipped.
#[derive(Debug)]
struct SupersedeUnits {
    order_id: OrderId,
    lines: Vec<LineQuantity>,
}

impl SupersedeUnits {
    /// The open fulfillment orders of the order, those first that are stopped first.
    fn open(&self, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
        let headers = rows.by::<FulfillmentOrderHeader>(ORDER, &self.order_id)?;
        let mut open: Vec<_> = headers.into_iter().filter(|header| header.execution_state.is_open()).collect();
        open.sort_by_key(|header| {
            (rank(header.request_state), Reverse((header.create_time, header.fulfillment_order_id.clone())))
        });
        Ok(open.into_iter().map(|header| header.fulfillment_order_id.clone()).collect())
    }
}

/// Fulfillment orders of a lower rank are stopped first.
fn rank(state: RequestState) -> u8 {
    match state {
        RequestState::CancellationRequested => 0,
        RequestState::Submitted => 1,
        RequestState::Accepted
        | RequestState::Rejected
        | RequestState::TimedOut
        | RequestState::CancellationAccepted
        | RequestState::CancellationRejected => 2,
    }
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
