//! A node rejects a fulfillment order.
//!
//! 1. `RejectFulfillmentOrder` ([`RejectFulfillmentOrder`]) withdraws the open units (`fulfillment_order/answers.rs`)
//!    and excludes the node from the release (`aggregate/answers.rs`): `fulfillment.rejected`. When the node had been
//!    asked to stop, the units are cancelled instead: `fulfillment.cancelled` (`process/cancellation.rs`).
//! 2. [`deallocate_withdrawn`] reacts to the event: inventory deallocates the units and keeps them reserved
//!    (`inventory.Deallocate` with REASSIGN, `services/inventory/src/deallocate.rs`).
//! 3. `RecordDeallocation` (`process/deallocation.rs`) moves them from the node to the unrouted units of the release.
//! 4. The release is routed again without the node (`RouteTask`, `process/routing.rs`). Units that no node may take
//!    open the exception UNASSIGNED (`process/rerouting.rs`).

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{
    event::v1::Event,
    fulfillment::v1::{FulfillmentOrder, FulfillmentOrderChanged, RejectFulfillmentOrderRequest},
    inventory::v1::DeallocationPolicy,
};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, Timestamp, limits::MAX_TEXT};

use super::deallocation;
use crate::{aggregate::FulfillmentOrderAggregate, inventory::Inventory, keys, tracking_report::believed};

/// Records that a node rejected a fulfillment order.
#[derive(Debug)]
pub(crate) struct RejectFulfillmentOrder {
    fulfillment_order_id: FulfillmentOrderId,
    reason: String,
    /// When the node rejected; now when absent.
    occur_time: Option<Timestamp>,
}

impl RejectFulfillmentOrder {
    /// Reads the request.
    pub(crate) fn parse(request: &RejectFulfillmentOrderRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let id = checks.id("fulfillment_order_id", &request.fulfillment_order_id);
        let reason = checks.optional_text("reason", &request.reason, MAX_TEXT);
        let occur_time = checks.optional_time("occur_time", request.occur_time.as_ref());
        checks.done()?;
        let fulfillment_order_id = checked(id)?;
        Ok(Self { fulfillment_order_id, reason: checked(reason)?, occur_time: checked(occur_time)? })
    }
}

impl Command for RejectFulfillmentOrder {
    type Reply = FulfillmentOrder;
    const NAME: &'static str = "RejectFulfillmentOrder";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<FulfillmentOrder, Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        aggregate.reject(believed(self.occur_time, cx.now()), &self.reason);
        Ok(aggregate.save(rows, cx)?.snapshot())
    }
}

/// Has the withdrawn units of a rejected or timed out fulfillment order deallocated, to be routed to another node.
pub(crate) async fn deallocate_withdrawn(
    inventory: &Inventory,
    event: &Event,
    payload: FulfillmentOrderChanged,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let FulfillmentOrderChanged { fulfillment_order, lines } = payload;
    let (request_id, policy) = (keys::deallocation(&event.event_id), DeallocationPolicy::Reassign);
    deallocation::deallocate(inventory, request_id, event, fulfillment_order, lines, policy).await
}
