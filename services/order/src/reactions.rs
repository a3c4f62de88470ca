//! What this service does about events: its own and those of the services that work on its orders.

mod fulfillment;
mod inventory;
mod own;
mod returns;

use std::str::FromStr;

use mesh::wire::MAX_QUANTITY;
use prost::{Message, Name};
use proto::{event::v1::Event, inventory::v1::Reservation, types::v1::LineQuantity};
use store::AnyCommand;
use types::Fault;

pub use fulfillment::Fulfillment;
pub use inventory::Inventory;
pub use own::Own;
pub use returns::Returns;

use crate::{
    fact::{Fact, Image, Units},
    record::RecordFact,
};

type Commands = Vec<Box<dyn AnyCommand>>;

/// The payload an event of its kind has.
fn payload<M: Message + Name + Default>(event: &Event) -> Result<M, Fault> {
    store::payload(event).ok_or_else(|| Fault::internal(format!("{} without its payload", event.r#type)))
}

/// An id in an event.
fn id<T: FromStr>(name: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|_| Fault::internal(format!("the event's {name} can not be read")))
}

fn record(order_id: &str, fact: Fact) -> Result<Commands, Fault> {
    Ok(vec![Box::new(RecordFact { order_id: id("order_id", order_id)?, fact })])
}

/// Units of lines; lines without any are left out.
fn units(lines: &[LineQuantity]) -> Result<Vec<Units>, Fault> {
    let read = |line: &LineQuantity| match line.quantity {
        0 => None,
        quantity @ 1..=MAX_QUANTITY => Some(Ok(Units { line_number: line.line_number.into(), quantity })),
        quantity => Some(Err(Fault::internal(format!("{quantity} is not a quantity")))),
    };
    lines.iter().filter_map(read).collect()
}

fn images(reservations: &[Reservation]) -> Vec<Image> {
    let image = |reservation: &Reservation| Image {
        line_number: reservation.line_number.into(),
        version: reservation.version,
        backordered: reservation.backordered,
    };
    reservations.iter().map(image).collect()
}
