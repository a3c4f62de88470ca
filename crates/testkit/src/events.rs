//! Events that a service emitted.

use std::{collections::HashMap, ops::Deref};

use prost::Name;
use proto::{
    event::v1::{Event, ExceptionOpened},
    events::{EventType, SharedEvent},
};

/// Events of one log, oldest first.
#[derive(Debug, Clone)]
pub struct Events(pub(crate) Vec<Event>);

impl Deref for Events {
    type Target = [Event];

    fn deref(&self) -> &[Event] {
        &self.0
    }
}

impl Events {
    /// The events of one type.
    pub fn of(&self, event_type: EventType) -> Vec<Event> {
        self.0.iter().filter(|event| event.r#type == event_type.as_str()).cloned().collect()
    }

    /// The type of each event.
    pub fn types(&self) -> Vec<EventType> {
        self.0.iter().map(|event| EventType::from_name(&event.r#type).unwrap()).collect()
    }

    /// How many events there are of each type.
    pub fn counts(&self) -> HashMap<EventType, usize> {
        let mut counts = HashMap::new();
        for event_type in self.types() {
            *counts.entry(event_type).or_default() += 1;
        }
        counts
    }

    /// The payloads of the events of one type, each of which has to be an `M`.
    pub fn payloads<M: Name + Default>(&self, event_type: EventType) -> Vec<M> {
        self.of(event_type).iter().map(|event| event.payload.as_ref().unwrap().to_msg().unwrap()).collect()
    }

    /// The types of the exceptions that were opened, also of those that were resolved since.
    pub fn opened_exceptions(&self) -> Vec<String> {
        self.payloads::<ExceptionOpened>(EventType::ExceptionOpened).into_iter().map(|opened| opened.r#type).collect()
    }

    /// The type and the subject of each exception that is open.
    pub fn open_exceptions(&self) -> Vec<(String, String)> {
        let mut open = Vec::new();
        for event in &self.0 {
            match SharedEvent::decode(event).unwrap() {
                Some(SharedEvent::ExceptionOpened(opened)) => open.push((opened.r#type, opened.subject)),
                Some(SharedEvent::ExceptionResolved(resolved)) => {
                    let resolved = (resolved.r#type, resolved.subject);
                    open.retain(|exception| *exception != resolved);
                }
                None => {}
            }
        }
        open
    }
}
