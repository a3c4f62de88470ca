//! What follows from the service's own facts: inventory has units back, and they are found another node.

use mesh::{Channel, fault};
use proto::{
    event::v1::Event,
    fulfillment::v1::{FulfillmentCancelled, FulfillmentOrder, FulfillmentOrderChanged, FulfillmentPicked},
    inventory::v1::{
        AllocationRequest, DeallocateRequest, DeallocationPolicy, ReleaseRequest, Reservation,
        inventory_service_client::InventoryServiceClient,
    },
    types::v1::LineQuantity,
};
use store::{AnyCommand, Reactions};
use types::Fault;

use super::{id, read};
use crate::{
    keys,
    route::{Returned, RouteWaiting, TakeBack, Trigger},
};

/// Follows the service's own log. Each call's request id is made from the event, so that a repeat is answered as the
/// first was.
#[derive(Debug, Clone)]
pub struct OnOwn {
    inventory: InventoryServiceClient<Channel>,
}

impl OnOwn {
    /// Asks inventory behind this channel.
    pub fn new(inventory: Channel) -> Self {
        Self { inventory: InventoryServiceClient::new(inventory) }
    }

    /// Has inventory take units back from the work's node.
    async fn deallocate(
        &self,
        event: &Event,
        work: &FulfillmentOrder,
        lines: &[LineQuantity],
        policy: DeallocationPolicy,
    ) -> Result<Vec<Reservation>, Fault> {
        let at_node = |unit: &LineQuantity| AllocationRequest {
            line_number: unit.line_number,
            location_id: work.node_id.clone(),
            quantity: unit.quantity,
        };
        let request = DeallocateRequest {
            request_id: keys::deallocation(&event.event_id),
            order_id: work.order_id.clone(),
            allocations: lines.iter().map(at_node).collect(),
            policy: policy.into(),
            occur_time: event.occur_time,
        };
        let reply = self.inventory.clone().deallocate(request).await.map_err(|status| fault(&status))?;
        Ok(reply.into_inner().reservations)
    }

    /// Has inventory take back units that were held for the order and never were at a node.
    async fn give_back(&self, event: &Event, order_id: &str, lines: Vec<LineQuantity>) -> Result<(), Fault> {
        let request_id = keys::giving_back(&event.event_id);
        let request = ReleaseRequest { request_id, order_id: order_id.to_owned(), lines };
        self.inventory.clone().release(request).await.map(|_| ()).map_err(|status| fault(&status))
    }

    async fn take_back(
        &self,
        event: &Event,
        work: Option<FulfillmentOrder>,
        lines: Vec<LineQuantity>,
        policy: DeallocationPolicy,
    ) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let work = present(work)?;
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        let reservations = self.deallocate(event, &work, &lines, policy).await?;
        let short = policy == DeallocationPolicy::Short;
        let returned = if short { Returned::Short(reservations) } else { Returned::Untouched };
        let fulfillment_order_id = id(&work.fulfillment_order_id)?;
        Ok(vec![Box::new(TakeBack { fulfillment_order_id, lines, returned, event_id: event.event_id.clone() })])
    }
}

#[async_trait::async_trait]
impl Reactions for OnOwn {
    fn name(&self) -> &'static str {
        "fulfillment.fulfillment"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "fulfillment.rejected",
            "fulfillment.timed_out",
            "fulfillment.short_picked",
            "fulfillment.cancelled",
            "node.created",
            "node.updated",
        ]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        match event.r#type.as_str() {
            "fulfillment.rejected" | "fulfillment.timed_out" => {
                let FulfillmentOrderChanged { fulfillment_order } = read(event)?;
                let lines = fulfillment_order.as_ref().map(taken_back).unwrap_or_default();
                self.take_back(event, fulfillment_order, lines, DeallocationPolicy::Reassign).await
            }
            "fulfillment.short_picked" => {
                let FulfillmentPicked { fulfillment_order, lines } = read(event)?;
                self.take_back(event, fulfillment_order, lines, DeallocationPolicy::Short).await
            }
            "fulfillment.cancelled" => {
                let FulfillmentCancelled { fulfillment_order, lines } = read(event)?;
                let work = present(fulfillment_order)?;
                if work.node_id.is_empty() {
                    self.give_back(event, &work.order_id, lines).await?;
                } else {
                    self.deallocate(event, &work, &lines, DeallocationPolicy::Cancel).await?;
                }
                Ok(Vec::new())
            }
            "node.created" | "node.updated" => Ok(vec![Box::new(RouteWaiting { trigger: Trigger::Node })]),
            _ => Ok(Vec::new()),
        }
    }
}

fn present(work: Option<FulfillmentOrder>) -> Result<FulfillmentOrder, Fault> {
    work.ok_or_else(|| Fault::internal("an event about work has none"))
}

/// What a node that will not do the work gives back: all that is neither shipped nor short.
fn taken_back(work: &FulfillmentOrder) -> Vec<LineQuantity> {
    let lines = work.lines.iter().filter(|line| line.cancelled > 0);
    let units = lines.map(|line| LineQuantity {
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantity: line.cancelled,
    });
    units.collect()
}
