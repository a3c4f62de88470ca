//! Events that a command emits.

use proto::{event::v1::Event, events::EventPayload};
use sha2::{Digest, Sha256};
use types::{AccountId, OrderId, Timestamp};

use crate::command::{Call, hex};

/// An event to append to the log.
#[derive(Debug, Clone)]
#[must_use]
pub struct NewEvent {
    event: Event,
    key: String,
}

impl NewEvent {
    /// An event about `subject`, which has `version` after it.
    ///
    /// The type, `subject` and `key` identify the event: emitted twice it stays one event. The version as key makes every
    /// change an event of its own; a partner's reference makes the same report from outside the same event.
    #[expect(clippy::needless_pass_by_value, reason = "callers have ids, texts and numbers, owned and borrowed")]
    pub fn new(payload: impl EventPayload, subject: impl ToString, version: i64, key: impl ToString) -> Self {
        let event = Event {
            r#type: payload.event_type().as_str().to_owned(),
            subject: subject.to_string(),
            subject_version: version,
            payload: Some(payload.to_any()),
            ..Event::default()
        };
        Self { event, key: key.to_string() }
    }

    /// The order it belongs to.
    pub fn order(self, order_id: &OrderId) -> Self {
        self.correlation(order_id)
    }

    /// The order it belongs to, as text; empty for none.
    #[expect(clippy::needless_pass_by_value, reason = "callers have ids and texts, owned and borrowed")]
    pub fn correlation(mut self, correlation_id: impl ToString) -> Self {
        self.event.correlation_id = correlation_id.to_string();
        self
    }

    /// The account it concerns, if it concerns one.
    pub fn account<'a>(mut self, account_id: impl Into<Option<&'a AccountId>>) -> Self {
        self.event.account_id = account_id.into().map(ToString::to_string).unwrap_or_default();
        self
    }

    /// When it happened, if not now, and the minutes east of UTC there.
    pub fn occurred(mut self, at: Timestamp, offset_minutes: i32) -> Self {
        self.event.occur_time = Some(to_proto(at));
        self.event.occur_offset_minutes = offset_minutes;
        self
    }

    /// Adds an earlier event that this one corrects.
    pub fn corrects(mut self, event_id: impl Into<String>) -> Self {
        self.event.corrects.push(event_id.into());
        self
    }

    /// Adds an earlier event that did not occur.
    pub fn retracts(mut self, event_id: impl Into<String>) -> Self {
        self.event.retracts.push(event_id.into());
        self
    }

    /// The event, all but its position.
    pub(crate) fn into_event(self, source: &str, call: &Call, now: Timestamp) -> Event {
        let Self { mut event, key } = self;
        event.event_id = event_id(source, &event.r#type, &event.subject, &key);
        source.clone_into(&mut event.source);
        event.occur_time = event.occur_time.or_else(|| Some(to_proto(now)));
        event.record_time = Some(to_proto(now));
        event.causation_id = call.causation_id.clone().or_else(|| call.request_id.clone()).unwrap_or_default();
        event.trace_parent = call.trace_parent.clone().unwrap_or_default();
        event.actor = call.actor.to_string();
        event
    }
}

/// The id of an event: a hash over what identifies it. Each part's length is hashed too, so that parts cannot run together.
pub(crate) fn event_id(source: &str, event_type: &str, subject: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    for part in [source, event_type, subject, key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex(hash.finalize().get(..16).unwrap_or_default())
}

fn to_proto(instant: Timestamp) -> prost_types::Timestamp {
    let (seconds, nanos) = instant.to_parts();
    prost_types::Timestamp { seconds, nanos }
}

/// The instant of a protobuf timestamp in microseconds; 0 when it is missing.
pub(crate) fn micros(instant: Option<&prost_types::Timestamp>) -> i64 {
    instant.and_then(|at| Timestamp::from_parts(at.seconds, at.nanos)).map_or(0, Timestamp::as_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_fact_do_not_run_together() {
        assert_ne!(event_id("order", "a", "bc", "d"), event_id("order", "ab", "c", "d"));
        assert_eq!(event_id("order", "a", "b", "c"), event_id("order", "a", "b", "c"));
        assert_eq!(event_id("order", "a", "b", "c").len(), 32);
    }
}
