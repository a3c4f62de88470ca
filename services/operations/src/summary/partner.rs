//! What the partner service tells.

use proto::{
    event::v1::Event,
    partner::v1::{ApiClientChanged, ApiKeyChanged, MessageChanged, PartnerChanged, PartnerMessage},
};
use store::payload;

use super::words::{because, one_line};

pub(super) fn line(event: &Event) -> Option<String> {
    let tell: fn(&PartnerMessage) -> String = match event.r#type.as_str() {
        "partner.created" => return Some(format!("partner {} added", partner(event)?)),
        "partner.updated" => return Some(format!("partner {} changed", partner(event)?)),
        "api_client.created" => return Some(format!("api_client {} added", api_client(event)?)),
        "api_client.updated" => return Some(format!("api_client {} changed", api_client(event)?)),
        "api_key.created" => return Some(format!("API key {} made", api_key(event)?)),
        "api_key.revoked" => return Some(format!("API key {} revoked", api_key(event)?)),
        "partner.message_received" => |message| format!("{} sent {}", message.partner_id, document(message)),
        "partner.duplicate_ignored" => {
            |message| format!("{} sent {} again: nothing done twice", message.partner_id, document(message))
        }
        "partner.duplicate_conflict" => |message| {
            let reference = one_line(&message.control_number);
            format!("{} used the reference {reference} again for something else", message.partner_id)
        },
        "partner.message_applied" => |message| {
            format!("{} of {} took effect{}", document(message), message.partner_id, because(&message.outcome))
        },
        "partner.message_rejected" => |message| {
            format!("{} of {} was refused{}", document(message), message.partner_id, because(&message.outcome))
        },
        "partner.message_replayed" => {
            |message| format!("{} of {} was tried once more", document(message), message.partner_id)
        }
        "partner.message_sent" => |message| format!("{} sent to {}", document(message), message.partner_id),
        "partner.message_in_doubt" => |message| {
            let (what, partner) = (document(message), &message.partner_id);
            format!("{what} may not have reached {partner}: to be asked before it is sent again")
        },
        "partner.message_failed" => |message| {
            format!("{} could not be sent to {}{}", document(message), message.partner_id, because(&message.outcome))
        },
        _ => return None,
    };
    Some(tell(&payload::<MessageChanged>(event)?.message?))
}

fn partner(event: &Event) -> Option<String> {
    let partner = payload::<PartnerChanged>(event)?.partner?;
    Some(format!("{} ({})", one_line(&partner.name), partner.partner_id))
}

fn api_client(event: &Event) -> Option<String> {
    let api_client = payload::<ApiClientChanged>(event)?.api_client?;
    Some(format!("{} ({})", one_line(&api_client.name), api_client.api_client_id))
}

/// Which key, as far as anybody may know it, and whose.
fn api_key(event: &Event) -> Option<String> {
    let key = payload::<ApiKeyChanged>(event)?.api_key?;
    Some(format!("{} of {}", key.prefix, key.api_client_id))
}

/// What kind of document, and its number on the partner's side.
fn document(message: &PartnerMessage) -> String {
    let kind = message.r#type.replace(['.', '_'], " ");
    if message.control_number.is_empty() { kind } else { format!("{kind} ({})", one_line(&message.control_number)) }
}
