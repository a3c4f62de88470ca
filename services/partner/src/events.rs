//! Builds the events and exceptions of this service.

use proto::{
    event::v1::ExceptionType,
    events::PartnerEvent,
    partner::v1::{ApiClientChanged, ApiKeyChanged, MessageChanged, PartnerChanged},
};
use store::{Context, Exception, NewEvent};

use crate::{
    api_client::ApiClient,
    api_key::ApiKey,
    message::{Message, MessageState},
    partner::Partner,
    wire,
};

/// An event about a partner as it is now.
pub(crate) fn partner(event: fn(PartnerChanged) -> PartnerEvent, partner: &Partner) -> NewEvent {
    let payload = PartnerChanged { partner: Some(wire::partner(partner)) };
    NewEvent::new(event(payload), &partner.partner_id, partner.version, partner.version)
}

/// An event about an API client as it is now.
pub(crate) fn api_client(event: fn(ApiClientChanged) -> PartnerEvent, api_client: &ApiClient) -> NewEvent {
    let payload = ApiClientChanged { api_client: Some(wire::api_client(api_client)) };
    NewEvent::new(event(payload), &api_client.api_client_id, api_client.version, api_client.version)
}

/// An event about an API key as it is now.
pub(crate) fn api_key(event: fn(ApiKeyChanged) -> PartnerEvent, key: &ApiKey) -> NewEvent {
    let payload = ApiKeyChanged { api_key: Some(wire::api_key(key)) };
    NewEvent::new(event(payload), &key.api_key_id, key.version, key.version)
}

/// An event about a message as it is now.
pub(crate) fn message(event: fn(MessageChanged) -> PartnerEvent, message: &Message) -> NewEvent {
    let payload = MessageChanged { message: Some(wire::message(message, Vec::new())) };
    let event = NewEvent::new(event(payload), &message.message_id, message.version, message.version);
    event.correlation(&message.order_id).account(message.account_id.as_ref())
}

/// Opens an exception about a message.
pub(crate) fn open_exception(cx: &mut Context<'_>, exception_type: ExceptionType, message: &Message) {
    let facts = [
        ("partner_id", message.partner_id.to_string()),
        ("control_number", message.control_number.clone()),
        ("message_type", message.message_type.clone()),
        ("message_subject", message.subject.clone()),
    ];
    let summary = format!("{} of {}: {}", message.message_type, message.partner_id, message.outcome);
    exception(exception_type, message).open(cx, summary, facts);
}

/// Resolves an exception about a message.
pub(crate) fn resolve_exception(cx: &mut Context<'_>, exception_type: ExceptionType, message: &Message, summary: &str) {
    exception(exception_type, message).resolve(cx, summary);
}

/// Resolves the exception of the state that a message left, and opens that of the state it is in now.
pub(crate) fn move_exception(cx: &mut Context<'_>, left: MessageState, message: &Message, summary: &str) {
    if left == message.state {
        return;
    }
    if let Some(exception_type) = left.exception_type() {
        resolve_exception(cx, exception_type, message, summary);
    }
    if let Some(exception_type) = message.state.exception_type() {
        open_exception(cx, exception_type, message);
    }
}

fn exception(exception_type: ExceptionType, message: &Message) -> Exception {
    Exception::new(exception_type, &message.message_id, message.version)
        .version(message.version)
        .correlation(&message.order_id)
        .account(message.account_id.as_ref())
}
