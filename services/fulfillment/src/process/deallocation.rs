//! Inventory deallocates units that a node is not to ship. The processes of a rejection, a timeout and a short pick share it.
//!
//! 1. [`deallocate`] asks inventory (`inventory.rs`), under a key made from the event that causes it.
//! 2. [`RecordDeallocation`] moves the units from the node to the unrouted units of the release, or returns them to the order
//!    (`process/unfulfillable.rs`). Units that the node shipped meanwhile stay with it
//!    (`process/shipment_after_cancellation.rs`). Of those that are returned, the order cancels as many as it still wants to
//!    cancel: no node is to stop others instead (`process/partial_cancellation.rs`).
//! 3. Unrouted units are routed again (`RouteTask`, `process/routing.rs`); those of a cancelled order are cancelled
//!    when the release is saved (`release/aggregate.rs`).

use proto::{
    event::v1::Event,
    fulfillment::v1::FulfillmentOrder,
    inventory::v1::{DeallocationPolicy, Reservation},
    types::v1::LineQuantity,
};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId};

use super::partial_cancellation;
use crate::{
    aggregate::FulfillmentOrderAggregate, fulfillment_order::FulfillmentOrderHeader, inventory::Inventory,
    reactions::id,
};

/// Has units of a fulfillment order deallocated because of an event, under this request id.
pub(crate) async fn deallocate(
    inventory: &Inventory,
    request_id: String,
    event: &Event,
    fulfillment_order: Option<FulfillmentOrder>,
    lines: Vec<LineQuantity>,
    policy: DeallocationPolicy,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let fulfillment_order = present(fulfillment_order)?;
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let reservations = inventory.deallocate(request_id, event, &fulfillment_order, &lines, policy).await?;
    let reservations_after_short = (policy == DeallocationPolicy::Short).then_some(reservations);
    Ok(vec![Box::new(RecordDeallocation {
        fulfillment_order_id: id(&fulfillment_order.fulfillment_order_id)?,
        lines,
        reservations_after_short,
        event_id: event.event_id.clone(),
    })])
}

/// The fulfillment order of an event.
pub(crate) fn present(fulfillment_order: Option<FulfillmentOrder>) -> Result<FulfillmentOrder, Fault> {
    fulfillment_order.ok_or_else(|| Fault::internal("an event about a fulfillment order has none"))
}

/// Records that inventory deallocated units.
#[derive(Debug)]
pub(crate) struct RecordDeallocation {
    fulfillment_order_id: FulfillmentOrderId,
    /// The units.
    pub(crate) lines: Vec<LineQuantity>,
    /// The order's reservations, when the node could not find the units. Other units are reserved, or backordered.
    pub(crate) reservations_after_short: Option<Vec<Reservation>>,
    /// The event that caused it.
    pub(crate) event_id: String,
}

impl Command for RecordDeallocation {
    type Reply = ();
    const NAME: &'static str = "RecordDeallocation";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        FulfillmentOrderAggregate::needs(&self.fulfillment_order_id, rows, needs);
        let header = rows.get::<FulfillmentOrderHeader>(&self.fulfillment_order_id).ok().flatten();
        if let Some(header) = header.filter(|_| self.reservations_after_short.is_some()) {
            partial_cancellation::needs(&header.order_id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = FulfillmentOrderAggregate::load(&self.fulfillment_order_id, rows)?;
        let order_id = aggregate.order().header.order_id.clone();
        let returned = aggregate.deallocated(self);
        aggregate.save(rows, cx)?;
        partial_cancellation::keep_instead(&order_id, returned, rows, cx)
    }
}
