//! An order cancels units of some lines while nodes ship it.
//!
//! 1. The order service emits `order.cancel_requested` with lines; [`CancelUnits`] reacts to it. Requests add up: each is for units
//!    beyond those of the requests before.
//! 2. So many units of each line are cancelled, those first that cost nobody anything:
//!    - units without a node, in any release of the order: unrouted ones at once, `fulfillment.cancelled`; those that a node has
//!      given up when inventory has deallocated them (`process/deallocation.rs`); planned ones when the plan is settled, as
//!      inventory may have allocated them (`release/aggregate/plan.rs`);
//!    - units at a node that has not accepted, the newest fulfillment order first. It is cancelled as a whole, because a request
//!      cannot be changed; units of it that are not cancelled are `reassigned`: they are deallocated and routed again;
//!    - units at a node that has accepted: it is asked for them, `fulfillment.cancellation_requested`, and goes on with the others
//!      (`fulfillment_order/stopping.rs`). One that could not stop units before is asked last.
//! 3. The node answers as in `process/cancellation.rs`, for all that it is asked for or for fewer units:
//!    `fulfillment.cancelled`, `fulfillment.cancellation_rejected`. What it ships before is not stopped.
//! 4. It does not find units: the order cancels those that are returned to it, as long as it has a request open. So [`keep_instead`]
//!    has as many others shipped: a node that stops them all the same leaves them to another one.

use std::cmp::Reverse;

use proto::types::v1::LineQuantity;
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId};

use super::{cancellation::ORDER, faster_node::subtract};
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::{FulfillmentLine, FulfillmentOrderHeader, RequestState},
    release::{ReleaseAggregate, Unassigned},
};

/// Cancels units of an order, as far as they can still be stopped.
#[derive(Debug)]
pub(super) struct CancelUnits {
    pub(super) order_id: OrderId,
    pub(super) lines: Vec<LineQuantity>,
    pub(super) reason: String,
}

/// Fulfillment orders of a lower rank are stopped first.
fn rank(state: RequestState) -> u8 {
    match state {
        RequestState::Submitted => 0,
        RequestState::Accepted | RequestState::CancellationRequested => 1,
        RequestState::CancellationRejected
        | RequestState::Rejected
        | RequestState::TimedOut
        | RequestState::CancellationAccepted => 2,
    }
}

impl CancelUnits {
    /// The fulfillment orders with open units, or with units that inventory is still to deallocate, those first that are stopped
    /// first.
    fn fulfillment_orders(&self, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
        let mut headers = Vec::new();
        for header in rows.by::<FulfillmentOrderHeader>(ORDER, &self.order_id)? {
            let lines = rows.under::<FulfillmentLine>(&header.fulfillment_order_id)?;
            if lines.iter().any(|line| line.open() + line.pending_deallocation > 0) {
                headers.push(header);
            }
        }
        headers.sort_by_key(|header| {
            (rank(header.request_state), Reverse((header.create_time, header.fulfillment_order_id.clone())))
        });
        Ok(headers.into_iter().map(|header| header.fulfillment_order_id.clone()).collect())
    }

    fn cancel_in_releases(
        &self,
        left: &mut Vec<LineQuantity>,
        from: Unassigned,
        rows: &mut Rows,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        for mut release in ReleaseAggregate::load_all(&self.order_id, rows)? {
            if release.cancel_units(left, from, &self.reason) {
                release.save(rows, cx)?;
            }
        }
        left.retain(|unit| unit.quantity > 0);
        Ok(())
    }
}

impl Command for CancelUnits {
    type Reply = ();
    const NAME: &'static str = "CancelUnits";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs_all(&self.order_id, rows, needs);
        needs.by::<FulfillmentOrderHeader>(ORDER, &self.order_id);
        for header in rows.by::<FulfillmentOrderHeader>(ORDER, &self.order_id).into_iter().flatten() {
            needs.under::<FulfillmentLine>(&header.fulfillment_order_id);
        }
        for id in self.fulfillment_orders(rows).into_iter().flatten() {
            FulfillmentOrderAggregate::needs(&id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut left = self.lines.clone();
        self.cancel_in_releases(&mut left, Unassigned::Unrouted, rows, cx)?;
        let fulfillment_orders = self.fulfillment_orders(rows)?;
        for id in &fulfillment_orders {
            let mut aggregate = FulfillmentOrderAggregate::load(id, rows)?;
            let cancelled = aggregate.cancel_pending(&left);
            if !cancelled.is_empty() {
                subtract(&mut left, &cancelled);
                aggregate.save(rows, cx)?;
            }
        }
        self.cancel_in_releases(&mut left, Unassigned::Planned, rows, cx)?;
        for id in &fulfillment_orders {
            let mut aggregate = FulfillmentOrderAggregate::load(id, rows)?;
            let cancelled = aggregate.cancel_units(&left, &self.reason, cx.now());
            if !cancelled.is_empty() {
                subtract(&mut left, &cancelled);
                aggregate.save(rows, cx)?;
            }
        }
        Ok(())
    }
}

/// The other fulfillment orders of the order whose nodes are asked to stop units.
fn others_asked(id: &FulfillmentOrderId, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
    let Some(own) = rows.get::<FulfillmentOrderHeader>(id)? else { return Ok(Vec::new()) };
    let asked = rows.by::<FulfillmentOrderHeader>(ORDER, &own.order_id)?.into_iter().filter(|header| {
        header.fulfillment_order_id != *id && header.request_state == RequestState::CancellationRequested
    });
    Ok(asked.map(|header| header.fulfillment_order_id.clone()).collect())
}

/// Requests the rows that [`keep_instead`] reads.
pub(super) fn needs_asked(id: &FulfillmentOrderId, rows: &Rows, needs: &mut Needs) {
    let Ok(Some(own)) = rows.get::<FulfillmentOrderHeader>(id) else { return };
    needs.by::<FulfillmentOrderHeader>(ORDER, &own.order_id);
    for other in others_asked(id, rows).into_iter().flatten() {
        FulfillmentOrderAggregate::needs(&other, rows, needs);
    }
}

/// The order has these units back from a fulfillment order, and cancels them instead of as many that nodes are asked to stop.
pub(super) fn keep_instead(
    id: &FulfillmentOrderId,
    returned: &mut [LineQuantity],
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    if returned.iter().all(|unit| unit.quantity == 0) {
        return Ok(());
    }
    for other in others_asked(id, rows)? {
        let mut aggregate = FulfillmentOrderAggregate::load(&other, rows)?;
        aggregate.keep_instead(returned);
        aggregate.save(rows, cx)?;
    }
    Ok(())
}
