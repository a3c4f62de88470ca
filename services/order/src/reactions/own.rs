//! Its own events: stock is reserved for what is submitted, and given back for what is cancelled.

use std::time::Duration;

use async_trait::async_trait;
use mesh::Channel;
use proto::{
    event::v1::Event,
    inventory::v1::{ReleaseRequest, ReserveRequest, ShortagePolicy, inventory_service_client::InventoryServiceClient},
    order::v1::{FillPolicy, OrderLinesCancelled, OrderSubmitted},
    types::v1::LineQuantity,
};
use store::Reactions;
use types::{Fault, Reason};

use super::{Commands, images, payload, record};
use crate::fact::Fact;

/// Reserves and gives back stock.
#[derive(Debug)]
pub struct Own {
    inventory: InventoryServiceClient<Channel>,
    expire_after: Duration,
}

impl Own {
    /// Reserves with `inventory`, for as long as `expire_after`.
    pub fn new(inventory: InventoryServiceClient<Channel>, expire_after: Duration) -> Self {
        Self { inventory, expire_after }
    }

    async fn reserve(&self, event: &Event) -> Result<Commands, Fault> {
        let OrderSubmitted { order } = payload(event)?;
        let order = order.ok_or_else(|| Fault::internal("order.submitted without its order"))?;
        let ordered = order.lines.iter().map(|line| LineQuantity {
            line_number: line.line_number,
            sku: line.sku.clone(),
            quantity: line.counters.unwrap_or_default().ordered,
        });
        let shortage_policy = match order.fill_policy() {
            FillPolicy::FillOrKill => ShortagePolicy::Refuse,
            FillPolicy::Unspecified | FillPolicy::FillAll | FillPolicy::FillAllAvailable => ShortagePolicy::Backorder,
        };
        let request = ReserveRequest {
            request_id: format!("{}:reserve", event.event_id),
            order_id: order.order_id.clone(),
            lines: ordered.collect(),
            shortage_policy: shortage_policy.into(),
            expire_after: Some(mesh::wire::duration(self.expire_after)),
        };
        match self.inventory.clone().reserve(request).await {
            Ok(reserved) => record(&order.order_id, Fact::Reserved(images(&reserved.into_inner().reservations))),
            Err(status) => match mesh::fault(&status) {
                fault if fault.reason == Reason::InsufficientStock => {
                    record(&order.order_id, Fact::Refused(fault.message))
                }
                fault => Err(fault),
            },
        }
    }

    /// What the release left comes as inventory's own event.
    async fn give_back(&self, event: &Event) -> Result<Commands, Fault> {
        let OrderLinesCancelled { order_id, lines, .. } = payload(event)?;
        let request = ReleaseRequest { request_id: format!("{}:release", event.event_id), order_id, lines };
        match self.inventory.clone().release(request).await.map_err(|status| mesh::fault(&status)) {
            Err(fault) if fault.reason != Reason::NotFound => Err(fault),
            // What was never reserved needs not to be given back.
            Ok(_) | Err(_) => Ok(Commands::new()),
        }
    }
}

#[async_trait]
impl Reactions for Own {
    fn name(&self) -> &'static str {
        "order.own"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["order.submitted", "order.line_cancelled"]
    }

    async fn react(&self, event: &Event) -> Result<Commands, Fault> {
        match event.r#type.as_str() {
            "order.submitted" => self.reserve(event).await,
            _ => self.give_back(event).await,
        }
    }
}
