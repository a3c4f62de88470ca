//! API keys: how one is generated, what is stored of it, and its status.

pub(crate) mod create_key;
pub(crate) mod record_use;
pub(crate) mod revoke_key;

use std::fmt;

use mesh::wire::Checks;
use proto::partner::v1::ApiKeyStatus;
use rand::distr::{Alphanumeric, SampleString as _};
use types::{ApiClientId, ApiKeyId, Timestamp};

use crate::{
    api_client::{ApiClient, ApiClientState},
    message::hash,
    text_list::TextList,
};

/// The most live keys of an API client: the one in use, and the one that replaces it.
const MOST_LIVE: usize = 2;
/// Columns by which the keys of an API client are looked up.
const BY_API_CLIENT: &[&str] = &["api_client_id"];
/// The most scopes of a key.
const MOST_SCOPES: usize = 50;

store::record! {
    /// What is stored of a key, which is not the key itself.
    pub(crate) struct ApiKey in "api_keys" key (api_key_id: ApiKeyId) {
        /// The API client it belongs to.
        api_client_id: ApiClientId,
        /// The characters it begins with.
        prefix: String,
        /// SHA-256 of the whole key, hexadecimal.
        key_hash: String,
        /// What it may call; everything that its API client may when empty.
        scopes: TextList,
        /// When it was created.
        create_time: Timestamp,
        /// When it expires.
        expire_time: Option<Timestamp>,
        /// When it was last used.
        last_use_time: Option<Timestamp>,
        /// When it was revoked.
        revoke_time: Option<Timestamp>,
    }
}

impl ApiKey {
    /// Its status at this time, whatever the state of its API client.
    pub(crate) fn status(&self, now: Timestamp) -> ApiKeyStatus {
        match (self.revoke_time, self.expire_time) {
            (Some(_), _) => ApiKeyStatus::Revoked,
            (None, Some(end)) if end <= now => ApiKeyStatus::Expired,
            (None, _) => ApiKeyStatus::Live,
        }
    }

    /// Its status at this time as a key of its API client.
    pub(crate) fn status_of(&self, api_client: &ApiClient, now: Timestamp) -> ApiKeyStatus {
        match (self.status(now), api_client.state) {
            (ApiKeyStatus::Live, ApiClientState::Suspended) => ApiKeyStatus::Suspended,
            (status, _) => status,
        }
    }
}

/// A new key. It is returned to the caller that created it and is not stored.
pub(crate) struct NewKey {
    prefix: String,
    secret: String,
}

impl NewKey {
    /// Generates a key of at least 256 random bits, and a prefix by which people recognize it.
    pub(crate) fn generate() -> Self {
        let mut rng = rand::rng();
        Self { prefix: Alphanumeric.sample_string(&mut rng, 8), secret: Alphanumeric.sample_string(&mut rng, 44) }
    }

    /// The characters it begins with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key as it is presented.
    pub(crate) fn reveal(&self) -> String {
        format!("{}{}_{}", mesh::credentials::KEY_PREFIX, self.prefix, self.secret)
    }

    /// SHA-256 of the whole key, hexadecimal.
    pub(crate) fn hash(&self) -> String {
        hash(self.reveal().as_bytes())
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Reads what a key may call: classes of methods, services, and methods of the contracts.
fn parse_scopes(checks: &mut Checks, given: &[String]) -> TextList {
    if !checks.at_most("scopes", given.len(), MOST_SCOPES) {
        return TextList::default();
    }
    for (index, scope) in given.iter().enumerate() {
        if !is_scope(scope) {
            checks.wrong(format!("scopes[{index}]"), "is neither read nor write nor a service or method of the API");
        }
    }
    TextList(given.to_vec())
}

fn is_scope(scope: &str) -> bool {
    if mesh::credentials::CLASSES.contains(&scope) {
        return true;
    }
    let (service, method) = scope.split_once('/').map_or((scope, None), |(service, method)| (service, Some(method)));
    let service = proto::pool().get_service_by_name(service);
    service.is_some_and(|service| method.is_none_or(|method| service.methods().any(|known| known.name() == method)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_are_alike_and_none_is_shown_by_accident() {
        let (one, other) = (NewKey::generate(), NewKey::generate());
        assert_ne!(one.hash(), other.hash());
        assert_ne!(one.prefix(), other.prefix());
        assert!(one.reveal().starts_with(&format!("wbk_{}_", one.prefix())));
        assert!(!format!("{one:?}").contains(&one.secret));
    }

    #[test]
    fn a_scope_is_a_class_a_service_or_a_method() {
        for scope in
            ["read", "write", "waybill.partner.v1.PartnerService", "waybill.partner.v1.PartnerService/GetPartner"]
        {
            assert!(is_scope(scope), "{scope}");
        }
        for scope in
            ["", "reads", "waybill.partner.v1", "waybill.partner.v1.PartnerService/", "PartnerService/GetPartner"]
        {
            assert!(!is_scope(scope), "{scope}");
        }
    }
}
