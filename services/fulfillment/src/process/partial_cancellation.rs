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
//!    has as many others shipped, those first that no node was asked to stop. A node that stops units all the same leaves them to
//!    another one.
//! 5. The request and the returned units may cross: the order says with each request how many units it had back then. What was
//!    returned beyond that it cancels when it learns of it, and [`CancelUnits::leave_to_order`] asks no node for as many.
//!    `returned_accounted` of the release counts the returned units that are settled so.

use std::cmp::Reverse;

use proto::types::v1::LineQuantity;
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId};

use super::{cancellation::ORDER, faster_node::subtract};
use crate::{
    aggregate::{FulfillmentOrderAggregate, Returned},
    fulfillment_order::{FulfillmentLine, FulfillmentOrderHeader, RequestState},
    package::difference,
    release::{ReleaseAggregate, Unassigned},
};

/// Cancels units of an order, as far as they can still be stopped.
#[derive(Debug)]
pub(super) struct CancelUnits {
    pub(super) order_id: OrderId,
    pub(super) lines: Vec<LineQuantity>,
    /// Units that the order had back when it requested this, of all requests and releases together.
    pub(super) returned: Vec<LineQuantity>,
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

/// The fulfillment orders of an order with open units, or with units that inventory is still to deallocate, those first that are
/// stopped first.
fn fulfillment_orders(order_id: &OrderId, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
    let mut headers = Vec::new();
    for header in rows.by::<FulfillmentOrderHeader>(ORDER, order_id)? {
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

/// Requests the releases of an order, and the fulfillment orders with units that can be stopped.
pub(super) fn needs(order_id: &OrderId, rows: &Rows, needs: &mut Needs) {
    ReleaseAggregate::needs_all(order_id, rows, needs);
    needs.by::<FulfillmentOrderHeader>(ORDER, order_id);
    for header in rows.by::<FulfillmentOrderHeader>(ORDER, order_id).into_iter().flatten() {
        needs.under::<FulfillmentLine>(&header.fulfillment_order_id);
    }
    for id in fulfillment_orders(order_id, rows).into_iter().flatten() {
        FulfillmentOrderAggregate::needs(&id, rows, needs);
    }
}

impl CancelUnits {
    /// Takes off the units that the order itself cancels: returned ones that it did not know of when it made the request.
    fn leave_to_order(&self, left: &mut Vec<LineQuantity>, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut releases = ReleaseAggregate::load_all(&self.order_id, rows)?;
        for unit in left.iter_mut() {
            let known = self.returned.iter().filter(|known| known.line_number == unit.line_number);
            let known = known.fold(0_i64, |sum, known| sum.saturating_add(known.quantity));
            let of_line = releases.iter().map(|release| release.returned(unit.line_number));
            let (returned, accounted) = of_line.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            let settled = known.max(accounted).min(returned);
            let cancelled = unit.quantity.min(returned - settled);
            account(&mut releases, unit.line_number, settled + cancelled - accounted);
            unit.quantity -= cancelled;
        }
        left.retain(|unit| unit.quantity > 0);
        releases.into_iter().try_for_each(|release| release.save(rows, cx))
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
        self::needs(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut left = self.lines.clone();
        self.leave_to_order(&mut left, rows, cx)?;
        self.cancel_in_releases(&mut left, Unassigned::Unrouted, rows, cx)?;
        let fulfillment_orders = fulfillment_orders(&self.order_id, rows)?;
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

/// The order cancels units that were returned to it; as many that were to be cancelled here are kept.
pub(super) fn keep_instead(
    order_id: &OrderId,
    returned: Returned,
    rows: &mut Rows,
    cx: &mut Context<'_>,
) -> Result<(), Fault> {
    let Returned { units, mut left } = returned;
    if units.is_empty() {
        return Ok(());
    }
    let fulfillment_orders = fulfillment_orders(order_id, rows)?;
    for id in &fulfillment_orders {
        let mut aggregate = FulfillmentOrderAggregate::load(id, rows)?;
        aggregate.keep_pending(&mut left);
        aggregate.save(rows, cx)?;
    }
    let mut releases = ReleaseAggregate::load_all(order_id, rows)?;
    releases.iter_mut().for_each(|release| release.keep_planned(&mut left));
    releases.into_iter().try_for_each(|release| release.save(rows, cx))?;
    for id in &fulfillment_orders {
        let mut aggregate = FulfillmentOrderAggregate::load(id, rows)?;
        aggregate.keep_asked(&mut left);
        aggregate.save(rows, cx)?;
    }
    let mut releases = ReleaseAggregate::load_all(order_id, rows)?;
    for unit in difference(&units, &left) {
        account(&mut releases, unit.line_number, unit.quantity);
    }
    releases.into_iter().try_for_each(|release| release.save(rows, cx))
}

/// Counts so many returned units of a line as settled: no later request is set off against them.
fn account(releases: &mut [ReleaseAggregate], line_number: i32, mut units: i64) {
    for release in releases {
        units -= release.account_returned(line_number, units);
    }
}
