//! A node accepts a fulfillment order, in time or after it was withdrawn from the node.
//!
//! 1. `AcceptFulfillmentOrder` ([`AcceptFulfillmentOrder`]) records the answer. Picking, packing and shipping imply it
//!    (`FulfillmentOrder::start` and `ship` in `fulfillment_order/`).
//! 2. In time: `fulfillment.accepted`; saving drops the timeout task (`aggregate.rs`).
//! 3. After a rejection, a timeout or a cancellation: `fulfillment.cancellation_requested`, and the exception LATE_ACCEPTANCE
//!    (`fulfillment_order/answers.rs`, `aggregate/answers.rs`). The partner service asks the node to stop
//!    (`services/partner/src/process/outbound_message.rs`).
//! 4. The node stops (`AnswerCancellation`, `process/cancellation.rs`) or ships
//!    (`process/shipment_after_cancellation.rs`).
//! 5. Either resolves the exception (`FulfillmentOrder::resolve_late_acceptance`, emitted by `aggregate/events.rs`).

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::fulfillment::v1::{AcceptFulfillmentOrderRequest, FulfillmentOrder};
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, Timestamp};

use crate::{aggregate::FulfillmentOrderAggregate, tracking_report::believed};

/// Records that a node accepted a fulfillment order.
#[derive(Debug)]
pub(crate) struct AcceptFulfillmentOrder {
    fulfillment_order_id: FulfillmentOrderId,
    /// When the node accepted; now when absent.
    occur_time: Option<Timestamp>,
}

impl AcceptFulfillmentOrder {
    /// Reads the request.
    pub(crate) fn parse(request: &AcceptFulfillmentOrderRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        Ok(Self { fulfillment_order_id: checked(id)?, occur_time: checked(occur_time)? })
    }
}

impl Command for AcceptFulfillmentOrder {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "AcceptFulfillmentOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        aggregate.accept(believed(self.occur_time, cx.now()));
        Ok(aggregate.save(rows, cx)?.snapshot())
    }
}
