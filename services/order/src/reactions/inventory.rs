//! Inventory's events: items are copied, reservations taken over.

use async_trait::async_trait;
use proto::{
    event::v1::Event,
    inventory::v1::{ItemChanged, ReservationsChanged},
};
use store::Reactions;
use types::Fault;

use super::{Commands, images, payload, record};
use crate::{fact::Fact, item::StoreItems};

/// Follows inventory.
#[derive(Debug)]
pub struct Inventory;

#[async_trait]
impl Reactions for Inventory {
    fn name(&self) -> &'static str {
        "order.inventory"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            "item.created",
            "item.updated",
            "inventory.reserved",
            "inventory.reservation_released",
            "inventory.reservation_expired",
        ]
    }

    async fn react(&self, event: &Event) -> Result<Commands, Fault> {
        if event.r#type.starts_with("item.") {
            let ItemChanged { item } = payload(event)?;
            return Ok(vec![Box::new(StoreItems(item.into_iter().collect()))]);
        }
        let changed: ReservationsChanged = payload(event)?;
        record(&changed.order_id, Fact::Reserved(images(&changed.reservations)))
    }
}
