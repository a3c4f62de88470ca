//! What the service does about events: the order's, inventory's and its own.

mod inventory;
mod order;
mod own;

pub use inventory::OnInventory;
pub use order::OnOrder;
pub use own::OnOwn;

use prost::{Message, Name};
use proto::event::v1::Event;
use types::Fault;

/// The payload of an event of a known type.
fn read<M: Message + Name + Default>(event: &Event) -> Result<M, Fault> {
    store::payload(event)
        .ok_or_else(|| Fault::internal(format!("the payload of {} is not {}", event.r#type, M::full_name())))
}

/// An id in a payload.
fn id<I: types::Id>(text: &str) -> Result<I, Fault> {
    text.parse().map_err(|error: types::IdError| Fault::internal(format!("{text:?} in an event: {error}")))
}
