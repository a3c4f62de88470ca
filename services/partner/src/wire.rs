//! Converts domain types to contract types.

use mesh::wire::timestamp;
use proto::partner::v1;

use crate::{
    api_client::{ApiClient, access},
    api_key::ApiKey,
    message::Message,
    partner::Partner,
    report_part::ReportPart,
};

/// A partner.
pub(crate) fn partner(partner: &Partner) -> v1::Partner {
    v1::Partner {
        partner_id: partner.partner_id.to_string(),
        name: partner.name.clone(),
        kind: v1::PartnerKind::from(partner.kind).into(),
        scac: partner.scac.clone(),
        endpoint_url: partner.endpoint_url.clone(),
        state: v1::PartnerState::from(partner.state).into(),
        etag: partner.version.to_string(),
        create_time: Some(timestamp(partner.create_time)),
        update_time: Some(timestamp(partner.update_time)),
    }
}

/// A message; lists and events are without its content.
pub(crate) fn message(message: &Message, content: Vec<u8>) -> v1::PartnerMessage {
    let count = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    v1::PartnerMessage {
        message_id: message.message_id.to_string(),
        partner_id: message.partner_id.to_string(),
        direction: v1::MessageDirection::from(message.direction).into(),
        control_number: message.control_number.clone(),
        r#type: message.message_type.clone(),
        state: v1::MessageState::from(message.state).into(),
        subject: message.subject.clone(),
        order_id: message.order_id.clone(),
        outcome: message.outcome.clone(),
        content_type: message.content_type.clone(),
        content: content.into(),
        content_hash: message.content_hash.clone(),
        attempts: count(message.attempts),
        duplicates: count(message.duplicates),
        create_time: Some(timestamp(message.create_time)),
        update_time: Some(timestamp(message.update_time)),
        parts: Vec::new(),
        recorded_as: message.recorded_as.clone(),
        retracted_by: message.retracted_by.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

/// A part of a report.
pub(crate) fn part(part: &ReportPart) -> v1::ReportPart {
    v1::ReportPart {
        part_number: i32::try_from(part.part_number).unwrap_or(i32::MAX),
        field: part.field(),
        problem: part.problem.clone(),
        state: v1::ReportPartState::from(part.state).into(),
    }
}

/// An API client.
pub(crate) fn api_client(api_client: &ApiClient) -> v1::ApiClient {
    let access = v1::ApiClientAccess {
        roles: api_client.roles.0.iter().map(|role| access::role(role).into()).collect(),
        account_ids: api_client.account_ids.0.clone(),
    };
    v1::ApiClient {
        api_client_id: api_client.api_client_id.to_string(),
        name: api_client.name.clone(),
        kind: v1::ApiClientKind::from(api_client.kind).into(),
        access: Some(access),
        partner_id: api_client.partner_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        contact: api_client.contact.clone(),
        state: v1::ApiClientState::from(api_client.state).into(),
        etag: api_client.version.to_string(),
        create_time: Some(timestamp(api_client.create_time)),
        update_time: Some(timestamp(api_client.update_time)),
    }
}

/// An API key without its secret.
pub(crate) fn api_key(key: &ApiKey) -> v1::ApiKey {
    v1::ApiKey {
        api_key_id: key.api_key_id.to_string(),
        api_client_id: key.api_client_id.to_string(),
        prefix: key.prefix.clone(),
        scopes: key.scopes.0.clone(),
        create_time: Some(timestamp(key.create_time)),
        expire_time: key.expire_time.map(timestamp),
        last_use_time: key.last_use_time.map(timestamp),
        revoke_time: key.revoke_time.map(timestamp),
    }
}
