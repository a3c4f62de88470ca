//! The registry of events, generated from the `waybill.options.v1.event` options of the contracts.
//!
//! An event is declared once, at its payload. A service emits a variant of its log's enum, so that type and payload belong
//! together; a follower matches the enum of the log that it follows, so that a new event needs a decision there.

use std::fmt;

use prost::{Name, bytes::Bytes};

use crate::MessageBytes;

/// Something that can be emitted.
pub trait EventPayload {
    /// The type of the event.
    fn event_type(&self) -> EventType;

    /// The payload as events carry it.
    fn to_any(&self) -> prost_types::Any;
}

/// The events of one service's log.
pub trait LogEvent: EventPayload + Sized {
    /// The service that owns the log, such as `order`.
    const SOURCE: &'static str;

    /// Reads the payload of an event of the log.
    fn decode(event: &crate::event::v1::Event) -> Result<Self, DecodeError>;
}

/// An event whose type or payload is not one of the log's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    event_type: String,
    problem: &'static str,
}

impl DecodeError {
    fn unknown(event: &crate::event::v1::Event) -> Self {
        Self { event_type: event.r#type.clone(), problem: "is not an event of this log" }
    }

    fn payload(event: &crate::event::v1::Event) -> Self {
        Self { event_type: event.r#type.clone(), problem: "has an unreadable payload" }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.event_type, self.problem)
    }
}

impl std::error::Error for DecodeError {}

impl EventSource {
    /// The service with this name; `None` when it declares no event.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|source| source.as_str() == name)
    }
}

impl EventType {
    /// The type with this name; `None` when it is not declared.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|event_type| event_type.as_str() == name)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn any(name: &str, payload: &impl MessageBytes) -> prost_types::Any {
    prost_types::Any { type_url: format!("type.googleapis.com/{name}"), value: payload.to_bytes().into() }
}

fn payload<M: MessageBytes + Name>(event: &crate::event::v1::Event) -> Result<M, DecodeError> {
    let payload = event.payload.as_ref().ok_or_else(|| DecodeError::payload(event))?;
    if payload.type_url.rsplit('/').next() != Some(&*M::full_name()) {
        return Err(DecodeError::payload(event));
    }
    M::from_bytes(Bytes::copy_from_slice(&payload.value)).map_err(|_| DecodeError::payload(event))
}

include!(concat!(env!("OUT_DIR"), "/events.rs"));
