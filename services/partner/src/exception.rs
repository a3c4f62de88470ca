//! What only a person can decide about a message.

use std::collections::HashMap;

use proto::event::v1::{ExceptionOpened, ExceptionResolved};
use store::NewEvent;

use crate::message::{Message, State};

/// A report was refused for good.
pub(crate) const REPORT_REJECTED: &str = "REPORT_REJECTED";
/// A report can not be applied for a long time.
pub(crate) const REPORT_DELAYED: &str = "REPORT_DELAYED";
/// A control number was used again for other content.
pub(crate) const CONTROL_NUMBER_REUSED: &str = "CONTROL_NUMBER_REUSED";
/// A message could not be sent.
pub(crate) const MESSAGE_FAILED: &str = "MESSAGE_FAILED";
/// Nobody knows whether a message arrived.
pub(crate) const MESSAGE_IN_DOUBT: &str = "MESSAGE_IN_DOUBT";

/// The case about a message is opened.
pub(crate) fn opened(kind: &str, message: &Message) -> NewEvent {
    let facts = HashMap::from([
        ("partner_id".to_owned(), message.partner_id.to_string()),
        ("control_number".to_owned(), message.control_number.clone()),
        ("message_type".to_owned(), message.kind.clone()),
        ("message_subject".to_owned(), message.subject.clone()),
    ]);
    let fact = ExceptionOpened {
        r#type: kind.to_owned(),
        subject: message.message_id.to_string(),
        order_id: message.order_id.clone(),
        summary: format!("{} of {}: {}", message.kind, message.partner_id, message.outcome),
        facts: facts.into_iter().collect(),
    };
    let key = format!("{kind}:{}", message.version);
    NewEvent::untyped("exception.opened", &message.message_id, message.version, key, &fact)
        .correlation(&message.order_id)
}

/// The cause of the case about a message is gone.
pub(crate) fn resolved(kind: &str, message: &Message, summary: &str) -> NewEvent {
    let fact = ExceptionResolved {
        r#type: kind.to_owned(),
        subject: message.message_id.to_string(),
        order_id: message.order_id.clone(),
        summary: summary.to_owned(),
    };
    let key = format!("{kind}:{}", message.version);
    NewEvent::untyped("exception.resolved", &message.message_id, message.version, key, &fact)
        .correlation(&message.order_id)
}

/// The case of the state before is gone, and that of the state now is opened, unless they are the same.
pub(crate) fn moved(before: State, message: &Message, summary: &str) -> impl Iterator<Item = NewEvent> {
    let (left, entered) =
        if before == message.state { (None, None) } else { (of_state(before), of_state(message.state)) };
    let left = left.map(|kind| resolved(kind, message, summary));
    left.into_iter().chain(entered.map(|kind| opened(kind, message)))
}

/// The case that stands open while a message is in this state.
pub(crate) fn of_state(state: State) -> Option<&'static str> {
    match state {
        State::Rejected => Some(REPORT_REJECTED),
        State::Quarantined => Some(CONTROL_NUMBER_REUSED),
        State::Failed => Some(MESSAGE_FAILED),
        State::InDoubt => Some(MESSAGE_IN_DOUBT),
        State::Received | State::Applied | State::Pending | State::Sent | State::Acknowledged => None,
    }
}
