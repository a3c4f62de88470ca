//! An event as one line for a person.
//!
//! Pure. Every kind the contracts name has a line of its own; one that is not known here is told by its name.

mod exception;
mod fulfillment;
mod inventory;
mod order;
mod partner;
mod returns;
mod shipment;
mod words;

use proto::event::v1::Event;

/// The event as one line for a person.
pub fn summary(event: &Event) -> String {
    let lines = [
        order::line,
        inventory::line,
        fulfillment::line,
        shipment::line,
        returns::line,
        partner::line,
        exception::line,
    ];
    let known = lines.into_iter().find_map(|line| line(event));
    let line = known.unwrap_or_else(|| event.r#type.clone());
    if !event.retracts.is_empty() {
        return format!("{line} (takes back an earlier report)");
    }
    if !event.corrects.is_empty() {
        return format!("{line} (corrects an earlier report)");
    }
    line
}
