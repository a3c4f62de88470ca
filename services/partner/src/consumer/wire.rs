//! Consumers and keys between the wire and the domain.

use mesh::wire::timestamp;
use proto::partner::v1::{
    ApiKey as ApiKeyReply, ApiKeyStanding, Consumer as ConsumerReply, ConsumerAccess, ConsumerKind, ConsumerState,
};

use super::{
    Consumer, Kind, State, access,
    key::{ApiKey, Standing},
};

/// A consumer.
pub(crate) fn consumer(consumer: &Consumer) -> ConsumerReply {
    let kind = match consumer.kind {
        Kind::Partner => ConsumerKind::Partner,
        Kind::Application => ConsumerKind::Application,
        Kind::Customer => ConsumerKind::Customer,
    };
    let state = match consumer.state {
        State::Live => ConsumerState::Live,
        State::Suspended => ConsumerState::Suspended,
    };
    let access = ConsumerAccess {
        roles: consumer.roles.0.iter().map(|role| access::role(role).into()).collect(),
        account_ids: consumer.account_ids.0.clone(),
    };
    ConsumerReply {
        consumer_id: consumer.consumer_id.to_string(),
        name: consumer.name.clone(),
        kind: kind.into(),
        access: Some(access),
        partner_id: consumer.partner_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        contact: consumer.contact.clone(),
        state: state.into(),
        etag: consumer.version.to_string(),
        create_time: Some(timestamp(consumer.create_time)),
        update_time: Some(timestamp(consumer.update_time)),
    }
}

/// Whose program it is; `None` when not said.
pub(crate) fn kind(kind: ConsumerKind) -> Option<Kind> {
    match kind {
        ConsumerKind::Unspecified => None,
        ConsumerKind::Partner => Some(Kind::Partner),
        ConsumerKind::Application => Some(Kind::Application),
        ConsumerKind::Customer => Some(Kind::Customer),
    }
}

/// Whether its keys work; they do when nothing is said.
pub(crate) fn state(state: ConsumerState) -> State {
    match state {
        ConsumerState::Unspecified | ConsumerState::Live => State::Live,
        ConsumerState::Suspended => State::Suspended,
    }
}

/// What is known of a key.
pub(crate) fn key(key: &ApiKey) -> ApiKeyReply {
    ApiKeyReply {
        api_key_id: key.api_key_id.to_string(),
        consumer_id: key.consumer_id.to_string(),
        prefix: key.prefix.clone(),
        scopes: key.scopes.0.clone(),
        create_time: Some(timestamp(key.create_time)),
        expire_time: key.expire_time.map(timestamp),
        last_use_time: key.last_use_time.map(timestamp),
        revoke_time: key.revoke_time.map(timestamp),
    }
}

/// Whether a key works.
pub(crate) fn standing(standing: Standing) -> ApiKeyStanding {
    match standing {
        Standing::Live => ApiKeyStanding::Live,
        Standing::Unknown => ApiKeyStanding::Unknown,
        Standing::Expired => ApiKeyStanding::Expired,
        Standing::Revoked => ApiKeyStanding::Revoked,
        Standing::Suspended => ApiKeyStanding::Suspended,
    }
}
