//! ApiClients and keys between the wire and the domain.

use mesh::wire::timestamp;
use proto::partner::v1::{
    ApiClient as ApiClientReply, ApiClientAccess, ApiClientKind, ApiClientState, ApiKey as ApiKeyReply, ApiKeyStatus,
};

use super::{
    ApiClient, Kind, State, access,
    key::{ApiKey, KeyStatus},
};

/// An API client.
pub(crate) fn api_client(api_client: &ApiClient) -> ApiClientReply {
    let kind = match api_client.kind {
        Kind::Partner => ApiClientKind::Partner,
        Kind::Application => ApiClientKind::Application,
        Kind::Customer => ApiClientKind::Customer,
    };
    let state = match api_client.state {
        State::Live => ApiClientState::Live,
        State::Suspended => ApiClientState::Suspended,
    };
    let access = ApiClientAccess {
        roles: api_client.roles.0.iter().map(|role| access::role(role).into()).collect(),
        account_ids: api_client.account_ids.0.clone(),
    };
    ApiClientReply {
        api_client_id: api_client.api_client_id.to_string(),
        name: api_client.name.clone(),
        kind: kind.into(),
        access: Some(access),
        partner_id: api_client.partner_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        contact: api_client.contact.clone(),
        state: state.into(),
        etag: api_client.version.to_string(),
        create_time: Some(timestamp(api_client.create_time)),
        update_time: Some(timestamp(api_client.update_time)),
    }
}

/// Whose program it is; `None` when not said.
pub(crate) fn kind(kind: ApiClientKind) -> Option<Kind> {
    match kind {
        ApiClientKind::Unspecified => None,
        ApiClientKind::Partner => Some(Kind::Partner),
        ApiClientKind::Application => Some(Kind::Application),
        ApiClientKind::Customer => Some(Kind::Customer),
    }
}

/// Whether its keys work; they do when nothing is said.
pub(crate) fn state(state: ApiClientState) -> State {
    match state {
        ApiClientState::Unspecified | ApiClientState::Live => State::Live,
        ApiClientState::Suspended => State::Suspended,
    }
}

/// What is known of a key.
pub(crate) fn key(key: &ApiKey) -> ApiKeyReply {
    ApiKeyReply {
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

/// Whether a key works.
pub(crate) fn status(status: KeyStatus) -> ApiKeyStatus {
    match status {
        KeyStatus::Live => ApiKeyStatus::Live,
        KeyStatus::Unknown => ApiKeyStatus::Unknown,
        KeyStatus::Expired => ApiKeyStatus::Expired,
        KeyStatus::Revoked => ApiKeyStatus::Revoked,
        KeyStatus::Suspended => ApiKeyStatus::Suspended,
    }
}
