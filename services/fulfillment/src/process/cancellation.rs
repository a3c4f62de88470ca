//! An order is cancelled while nodes ship it.
//!
//! 1. The order service emits `order.cancel_requested` (`services/order/src/process/cancellation.rs`); [`CancelOrder`] reacts
//!    to it, or `CancelUnits` when it names units (`process/partial_cancellation.rs`). For a single fulfillment order, or some of its
//!    units, `RequestCancellation` ([`RequestCancellation`]) starts at step 3.
//! 2. Every release of the order is cancelled (`release/aggregate.rs`): its unrouted units now, and those that nodes give up
//!    later when they are deallocated. `fulfillment.cancelled`, without a node.
//! 3. Every open fulfillment order is asked to stop (`FulfillmentOrder::request_cancellation`). One that its node has not
//!    accepted is cancelled at once (step 5); else `fulfillment.cancellation_requested`, and the partner service asks the node.
//! 4. `AnswerCancellation` ([`AnswerCancellation`]) records the node's answer (`fulfillment_order/stopping.rs`). Too
//!    late: `fulfillment.cancellation_rejected`, and the node ships (`process/shipment_after_cancellation.rs`).
//! 5. Stopped: `fulfillment.cancelled` with the units. A node that stops fewer units than it was asked for has also answered for
//!    the others: `fulfillment.cancellation_rejected`.
//! 6. [`deallocate_cancelled`] reacts to it: inventory deallocates units at a node (`Deallocate` with CANCEL), or releases those
//!    without one (`Release`). The order service counts the units as cancelled
//!    (`services/order/src/process/cancellation.rs`), except those that another node shipped (`process/faster_node.rs`). Units
//!    that are only taken from this node are deallocated with REASSIGN and routed again.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    event::v1::Event,
    fulfillment::v1::{
        self, AnswerCancellationRequest, CancellationAnswer, FulfillmentCancelled, RequestCancellationRequest,
    },
    inventory::v1::DeallocationPolicy,
    order::v1::OrderCancelRequested,
    types::v1::LineQuantity,
};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, OrderId, Timestamp, limits::MAX_TEXT};

use super::{
    deallocation::{self, present},
    partial_cancellation::CancelUnits,
};
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::FulfillmentOrderHeader,
    inventory::Inventory,
    keys,
    package::add,
    reactions::id,
    release::ReleaseAggregate,
    tracking_report::believed,
    wire::{check_units, known_lines},
};

/// The column by which fulfillment orders of an order are found.
pub(super) const ORDER: &[&str] = &["order_id"];

/// Why units without a node are cancelled, when it is not told.
pub(crate) const CANCELLED_BY_ORDER: &str = "cancelled by the order";

/// Cancels everything that an order has here, as far as it can still be stopped.
#[derive(Debug)]
struct CancelOrder {
    order_id: OrderId,
    reason: String,
}

/// Reacts to the cancellation of an order, or of units of it.
pub(crate) fn cancel_order(payload: OrderCancelRequested) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let OrderCancelRequested { order_id, reason, lines, returned } = payload;
    let order_id = id(&order_id)?;
    if lines.is_empty() {
        return Ok(vec![Box::new(CancelOrder { order_id, reason })]);
    }
    Ok(vec![Box::new(CancelUnits { order_id, lines, returned, reason })])
}

impl CancelOrder {
    fn fulfillment_orders(&self, rows: &Rows) -> Result<Vec<FulfillmentOrderId>, Fault> {
        let headers = rows.by::<FulfillmentOrderHeader>(ORDER, &self.order_id)?;
        Ok(headers.into_iter().map(|header| header.fulfillment_order_id.clone()).collect())
    }
}

impl Command for CancelOrder {
    type Reply = ();
    const NAME: &'static str = "CancelOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs_all(&self.order_id, rows, needs);
        needs.by::<FulfillmentOrderHeader>(ORDER, &self.order_id);
        for id in self.fulfillment_orders(rows).into_iter().flatten() {
            FulfillmentOrderAggregate::needs(&id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for mut release in ReleaseAggregate::load_all(&self.order_id, rows)? {
            release.cancel(cx.now(), &self.reason);
            release.save(rows, cx)?;
        }
        for id in self.fulfillment_orders(rows)? {
            let mut aggregate = FulfillmentOrderAggregate::load(&id, rows)?;
            if !aggregate.order().ended() {
                aggregate.request_cancellation(cx.now(), &self.reason)?;
                aggregate.save(rows, cx)?;
            }
        }
        Ok(())
    }
}

/// Asks a node to stop a fulfillment order.
#[derive(Debug)]
pub(crate) struct RequestCancellation {
    fulfillment_order_id: FulfillmentOrderId,
    reason: String,
    /// All open units when empty.
    lines: Vec<LineQuantity>,
    /// Not compared when empty.
    etag: String,
}

impl RequestCancellation {
    /// Reads the request.
    pub(crate) fn parse(request: &RequestCancellationRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        check_units("lines", &request.lines, 1, &mut checks);
        checks.done()?;
        let (lines, etag) = (request.lines.clone(), request.etag.clone());
        Ok(Self { fulfillment_order_id: checked(id)?, reason: checked(reason)?, lines, etag })
    }
}

impl Command for RequestCancellation {
    type Reply = v1::FulfillmentOrder;
    const NAME: &'static str = "RequestCancellation";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::FulfillmentOrder, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        aggregate.check_etag(&self.etag)?;
        if self.lines.is_empty() {
            let requested = aggregate.request_cancellation(cx.now(), &self.reason);
            requested.map_err(|fault| aggregate.refreshed(fault))?;
        } else {
            let units = self.stoppable(&aggregate)?;
            aggregate.cancel_units(&units, &self.reason, cx.now());
        }
        Ok(aggregate.save(rows, cx)?.snapshot())
    }
}

impl RequestCancellation {
    /// The units with the items of their lines, if so many more can be stopped.
    fn stoppable(&self, aggregate: &FulfillmentOrderAggregate) -> Result<Vec<LineQuantity>, Fault> {
        let order = aggregate.order();
        if order.ended() {
            let ended = Fault::not_supported("the fulfillment order has ended");
            return Err(aggregate.refreshed(ended));
        }
        let mut checks = Checks::new();
        let units = known_lines(order, "lines", &self.lines, &mut checks);
        for (index, unit) in self.lines.iter().enumerate() {
            let most = order.stoppable(unit.line_number.into());
            if unit.quantity > most {
                let problem = format!("only {most} units of the line are open and not asked for");
                checks.wrong(format!("lines[{index}].quantity"), problem);
            }
        }
        checks.done()?;
        Ok(units)
    }
}

/// Records what a node answered when it was asked to stop.
#[derive(Debug)]
pub(crate) struct AnswerCancellation {
    fulfillment_order_id: FulfillmentOrderId,
    answer: CancellationAnswer,
    /// The units that it stopped; all that it was asked for when empty.
    lines: Vec<LineQuantity>,
    /// Why, for people.
    reason: String,
    /// When the node answered; now when absent.
    occur_time: Option<Timestamp>,
}

impl AnswerCancellation {
    /// Reads the request.
    pub(crate) fn parse(request: &AnswerCancellationRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
        let answer = checks.choice("answer", request.answer);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        check_units("lines", &request.lines, 0, &mut checks);
        if !request.lines.is_empty() && request.answer() != CancellationAnswer::Accepted {
            checks.wrong("lines", "must be empty unless the answer is ACCEPTED");
        }
        checks.done()?;
        Ok(Self {
            fulfillment_order_id: checked(id)?,
            answer: checked(answer)?,
            lines: request.lines.clone(),
            reason: checked(reason)?,
            occur_time: checked(occur_time)?,
        })
    }
}

impl Command for AnswerCancellation {
    type Reply = v1::FulfillmentOrder;
    const NAME: &'static str = "AnswerCancellation";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<v1::FulfillmentOrder, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        let at = believed(self.occur_time, cx.now());
        let mut checks = Checks::new();
        let lines = known_lines(aggregate.order(), "lines", &self.lines, &mut checks);
        checks.done()?;
        let named = (!lines.is_empty()).then_some(lines.as_slice());
        let answered = aggregate.answer_cancellation(self.answer, named, &self.reason, at);
        answered.map_err(|fault| aggregate.refreshed(fault))?;
        Ok(aggregate.save(rows, cx)?.snapshot())
    }
}

/// Has cancelled units deallocated from their node, or released when they have none, and the others routed again.
pub(crate) async fn deallocate_cancelled(
    inventory: &Inventory,
    event: &Event,
    payload: FulfillmentCancelled,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let FulfillmentCancelled { fulfillment_order, mut lines, reassigned, superseded } = payload;
    let fulfillment_order = present(fulfillment_order)?;
    add(&mut lines, superseded);
    if fulfillment_order.node_id.is_empty() {
        inventory.release(event, &fulfillment_order.order_id, lines).await?;
    } else if !lines.is_empty() {
        let request_id = keys::deallocation(&event.event_id);
        inventory.deallocate(request_id, event, &fulfillment_order, &lines, DeallocationPolicy::Cancel).await?;
    }
    let (request_id, policy) = (keys::reassignment(&event.event_id), DeallocationPolicy::Reassign);
    deallocation::deallocate(inventory, request_id, event, Some(fulfillment_order), reassigned, policy).await
}
