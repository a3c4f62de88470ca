//! Stock came in, or was freed at a node: whoever waits for it is routed again.

use std::collections::BTreeSet;

use proto::{
    event::v1::Event,
    inventory::v1::{ReservationsChanged, SnapshotReported, StockChanged},
};
use store::{AnyCommand, Reactions};
use types::{Fault, OrderId};

use super::read;
use crate::route::{RouteWaiting, Trigger};

/// Follows the inventory service's log.
#[derive(Debug, Clone, Copy)]
pub struct OnInventory;

#[async_trait::async_trait]
impl Reactions for OnInventory {
    fn name(&self) -> &'static str {
        "fulfillment.inventory"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "inventory.received",
            "inventory.restocked",
            "inventory.adjusted",
            "inventory.snapshot_reported",
            "inventory.deallocated",
        ]
    }

    async fn react(&self, event: &Event) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let more: BTreeSet<String> = match event.r#type.as_str() {
            "inventory.received" | "inventory.restocked" | "inventory.adjusted" => {
                let StockChanged { movement, .. } = read(event)?;
                movement.into_iter().filter(|one| one.on_hand_delta > 0).map(|one| one.sku).collect()
            }
            "inventory.snapshot_reported" => {
                let SnapshotReported { movements, .. } = read(event)?;
                movements.into_iter().filter(|one| one.on_hand_delta > 0).map(|one| one.sku).collect()
            }
            "inventory.deallocated" => {
                let ReservationsChanged { allocations, .. } = read(event)?;
                allocations.into_iter().map(|one| one.sku).collect()
            }
            _ => BTreeSet::new(),
        };
        // What an order gives back itself is routed again by the one who took it back.
        let cause: Option<OrderId> = event.correlation_id.parse().ok();
        let again = |sku| Box::new(RouteWaiting { trigger: Trigger::Stock { sku, cause: cause.clone() } });
        Ok(more.into_iter().map(|sku| again(sku) as Box<dyn AnyCommand>).collect())
    }
}
