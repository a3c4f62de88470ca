//! Summarizes an event in one line for a person.
//!
//! Pure. The build fails when an event has no line.

mod exception;
mod format;
mod fulfillment;
mod inventory;
mod order;
mod partner;
mod returns;
mod shipment;

use proto::{
    event::v1::Event,
    events::{EventSource, LogEvent},
};

/// The event as one line for a person. An event that is unknown here, or has an incomplete payload, is summarized by the
/// name of its type.
pub fn summary(event: &Event) -> String {
    let line = EventSource::from_name(&event.source).and_then(|source| match source {
        EventSource::Order => line(event, order::line),
        EventSource::Inventory => line(event, inventory::line),
        EventSource::Fulfillment => line(event, fulfillment::line),
        EventSource::Returns => line(event, returns::line),
        EventSource::Partner => line(event, partner::line),
        EventSource::Operations => line(event, |payload| exception::line(payload, &event.actor)),
    });
    let line = line.unwrap_or_else(|| event.r#type.clone());
    if !event.retracts.is_empty() {
        return format!("{line} (retracts an earlier report)");
    }
    if !event.corrects.is_empty() {
        return format!("{line} (corrects an earlier report)");
    }
    line
}

fn line<E: LogEvent>(event: &Event, line: impl FnOnce(E) -> Option<String>) -> Option<String> {
    E::decode(event).ok().and_then(line)
}
