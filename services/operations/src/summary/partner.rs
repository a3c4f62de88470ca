//! Lines of the partner service's events.

use proto::{
    events::PartnerEvent,
    partner::v1::{ApiClientChanged, ApiKeyChanged, MessageChanged, PartnerChanged},
};

use super::{
    exception,
    format::{colon, one_line},
};

pub(super) fn line(event: PartnerEvent) -> Option<String> {
    Some(match event {
        PartnerEvent::PartnerCreated(payload) => format!("partner {} added", partner(payload)?),
        PartnerEvent::PartnerUpdated(payload) => format!("partner {} changed", partner(payload)?),
        PartnerEvent::ApiClientCreated(payload) => format!("API client {} added", api_client(payload)?),
        PartnerEvent::ApiClientUpdated(payload) => format!("API client {} changed", api_client(payload)?),
        PartnerEvent::ApiKeyCreated(payload) => format!("API key {} created", api_key(payload)?),
        PartnerEvent::ApiKeyRevoked(payload) => format!("API key {} revoked", api_key(payload)?),
        PartnerEvent::PartnerMessageReceived(payload) => {
            let Message { partner_id, document, .. } = message(payload)?;
            format!("{partner_id} sent {document}")
        }
        PartnerEvent::PartnerDuplicateIgnored(payload) => {
            let Message { partner_id, document, .. } = message(payload)?;
            format!("{partner_id} sent {document} again: duplicate ignored")
        }
        PartnerEvent::PartnerDuplicateConflict(payload) => {
            let Message { partner_id, control_number, .. } = message(payload)?;
            format!("{partner_id} used control number {control_number} again for other content")
        }
        PartnerEvent::PartnerMessageApplied(payload) => {
            let Message { partner_id, document, outcome, .. } = message(payload)?;
            format!("{document} of {partner_id} was applied{outcome}")
        }
        PartnerEvent::PartnerMessageRejected(payload) => {
            let Message { partner_id, document, outcome, .. } = message(payload)?;
            format!("{document} of {partner_id} was refused{outcome}")
        }
        PartnerEvent::PartnerMessageRetracted(payload) => {
            let Message { partner_id, document, .. } = message(payload)?;
            format!("{partner_id} took {document} back")
        }
        PartnerEvent::PartnerMessageReplayed(payload) => {
            let Message { partner_id, document, .. } = message(payload)?;
            format!("{document} of {partner_id} was replayed")
        }
        PartnerEvent::PartnerMessageSent(payload) => {
            let Message { partner_id, document, .. } = message(payload)?;
            format!("{document} sent to {partner_id}")
        }
        PartnerEvent::PartnerMessageInDoubt(payload) => {
            let Message { partner_id, document, .. } = message(payload)?;
            format!("{document} may not have reached {partner_id}: to be confirmed before it is sent again")
        }
        PartnerEvent::PartnerMessageFailed(payload) => {
            let Message { partner_id, document, outcome, .. } = message(payload)?;
            format!("{document} could not be sent to {partner_id}{outcome}")
        }
        PartnerEvent::ExceptionOpened(payload) => exception::opened(&payload),
        PartnerEvent::ExceptionResolved(payload) => exception::resolved(&payload),
    })
}

fn partner(payload: PartnerChanged) -> Option<String> {
    let partner = payload.partner?;
    Some(format!("{} ({})", one_line(&partner.name), partner.partner_id))
}

fn api_client(payload: ApiClientChanged) -> Option<String> {
    let api_client = payload.api_client?;
    Some(format!("{} ({})", one_line(&api_client.name), api_client.api_client_id))
}

/// The public prefix of a key, and its client.
fn api_key(payload: ApiKeyChanged) -> Option<String> {
    let key = payload.api_key?;
    Some(format!("{} of {}", key.prefix, key.api_client_id))
}

/// Parts of a line about a message.
struct Message {
    partner_id: String,
    control_number: String,
    /// The type with the control number, such as `report shipped (M-1)`.
    document: String,
    /// With a colon, or empty.
    outcome: String,
}

fn message(payload: MessageChanged) -> Option<Message> {
    let message = payload.message?;
    let control_number = one_line(&message.control_number);
    let message_type = message.r#type.replace(['.', '_'], " ");
    let document = if control_number.is_empty() { message_type } else { format!("{message_type} ({control_number})") };
    Some(Message { partner_id: message.partner_id, control_number, document, outcome: colon(&message.outcome) })
}
