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
//!    - units of accepted fulfillment orders, the newest first. The node is asked for them, `fulfillment.cancellation_requested`,
//!      goes on with the others, and answers as in `process/cancellation.rs`.
//! 5. Stopped: inventory frees the superseded units. The order does not count them as cancelled: it has counted them as shipped.
//! 6. Not stopped: the node ships too. The order counts what is beyond its lines as over-shipped, and only then opens OVER_SHIPPED.
//! 7. The faster node takes its shipment back, or corrects it to fewer units (`report/corrections.rs`): [`give_back`]. Its units go
//!    back to where they would be without it, and not to the node, which had given them up:
//!    - another node has shipped them too, or is going to: they are its units;
//!    - another node was asked to stop, and has not: the units are no longer superseded. When it stops them all the same, they are
//!      `reassigned` as in 4;
//!    - another node has stopped: no node has them. They are `free` in `shipment.departure_retracted`: inventory reserves them
//!      again (`services/inventory/src/restore_consumed.rs`), `inventory.replacement_reserved`, and the order releases them again.
//!    - no other node had them: they are the node's again, open there and allocated.

use std::cmp::Reverse;

use proto::{order::v1::OrderReleaseSuperseded, types::v1::LineQuantity};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId, ShipmentId};

use super::cancellation::ORDER;
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::{FulfillmentOrderHeader, RequestState},
    package::add,
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
            subtract(&mut left, &superseded);
            aggregate.save(rows, cx)?;
        }
        for id in self.open(rows)? {
            let mut aggregate = FulfillmentOrderAggregate::load(&id, rows)?;
            let doubled = aggregate.double(&left);
            subtract(&mut left, &doubled);
            aggregate.save(rows, cx)?;
        }
        Ok(())
    }
}

pub(crate) fn subtract(units: &mut Vec<LineQuantity>, taken: &[LineQuantity]) {
    for taken in taken {
        if let Some(line) = units.iter_mut().find(|line| line.line_number == taken.line_number) {
            line.quantity -= taken.quantity;
        }
    }
    units.retain(|line| line.quantity > 0);
}

/// The other fulfillment orders of the order.
fn others(id: &FulfillmentOrderId, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
    let Some(own) = rows.get::<FulfillmentOrderHeader>(id)? else { return Ok(Vec::new()) };
    let all = rows.by::<FulfillmentOrderHeader>(ORDER, &own.order_id)?.into_iter();
    Ok(all.map(|header| header.fulfillment_order_id.clone()).filter(|other| other != id).collect())
}

/// Requests the other fulfillment orders of the order, to which [`give_back`] may give units.
pub(crate) fn needs_others(id: &FulfillmentOrderId, rows: &Rows, needs: &mut Needs) {
    let Ok(Some(own)) = rows.get::<FulfillmentOrderHeader>(id) else { return };
    needs.by::<FulfillmentOrderHeader>(ORDER, &own.order_id);
    for other in others(id, rows).into_iter().flatten() {
        FulfillmentOrderAggregate::needs(&other, rows, needs);
    }
}

/// Gives units of a shipment that were taken back to the nodes that were to ship them; those of nodes that have stopped are free.
pub(crate) fn give_back(
    aggregate: &mut FulfillmentOrderAggregate,
    shipment_id: &ShipmentId,
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    let mut left = aggregate.stayed_beyond();
    if left.is_empty() {
        return Ok(());
    }
    let (mut here, mut free) = (Vec::new(), Vec::new());
    for id in others(&aggregate.order().header.fulfillment_order_id, rows)? {
        let mut other = FulfillmentOrderAggregate::load(&id, rows)?;
        let restored = other.restore(&left);
        other.save(rows, cx)?;
        subtract(&mut left, &restored.here);
        subtract(&mut left, &restored.free);
        add(&mut here, restored.here);
        add(&mut free, restored.free);
    }
    aggregate.leave_to_others(shipment_id, here, &free);
    Ok(())
}
