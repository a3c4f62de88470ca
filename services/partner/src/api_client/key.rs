//! API keys: how one is made, what is kept of it, whether it works.

use std::fmt;

use mesh::wire::Checks;
use proto::partner::v1::ApiKeyChanged;
use rand::distr::{Alphanumeric, SampleString as _};
use store::NewEvent;
use types::{ApiClientId, ApiKeyId, Timestamp};

use super::{ApiClient, State, wire, words::Words};
use crate::message::hash;

/// How many keys of an API client may work at once: the one in use, and the one that replaces it.
pub(crate) const MOST_LIVE: usize = 2;
/// Columns by which the keys of an API client are looked up.
pub(crate) const BY_CONSUMER: &[&str] = &["api_client_id"];
/// How many scopes a key may have.
const MOST_SCOPES: usize = 50;

store::record! {
    /// What is kept of a key, which is not the key.
    pub(crate) struct ApiKey in "api_keys" key (api_key_id: ApiKeyId) {
        /// Whose it is.
        api_client_id: ApiClientId,
        /// How it begins.
        prefix: String,
        /// SHA-256 of the whole key, hexadecimal.
        key_hash: String,
        /// What it may call; everything its API client may when empty.
        scopes: Words,
        /// When it was made.
        create_time: Timestamp,
        /// When it stops working by itself.
        expire_time: Option<Timestamp>,
        /// When it was last used.
        last_use_time: Option<Timestamp>,
        /// When it was revoked.
        revoke_time: Option<Timestamp>,
    }
}

/// Whether a key works, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyStatus {
    Live,
    Unknown,
    Expired,
    Revoked,
    Suspended,
}

impl ApiKey {
    /// Whether it works by itself at this time, whatever its API client is.
    pub(crate) fn status(&self, now: Timestamp) -> KeyStatus {
        match (self.revoke_time, self.expire_time) {
            (Some(_), _) => KeyStatus::Revoked,
            (None, Some(end)) if end <= now => KeyStatus::Expired,
            (None, _) => KeyStatus::Live,
        }
    }

    /// Whether it works for its API client at this time.
    pub(crate) fn status_of(&self, api_client: &ApiClient, now: Timestamp) -> KeyStatus {
        match (self.status(now), api_client.state) {
            (KeyStatus::Live, State::Suspended) => KeyStatus::Suspended,
            (status, _) => status,
        }
    }
}

/// A new key. It is shown to whoever asked for it and kept nowhere.
pub(crate) struct NewKey {
    prefix: String,
    secret: String,
}

impl NewKey {
    /// Makes a key of 256 random bits or a little more, besides the prefix that people tell it by.
    pub(crate) fn generate() -> Self {
        let mut rng = rand::rng();
        Self { prefix: Alphanumeric.sample_string(&mut rng, 8), secret: Alphanumeric.sample_string(&mut rng, 44) }
    }

    /// How it begins.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key as it is presented.
    pub(crate) fn reveal(&self) -> String {
        format!("{}{}_{}", mesh::credentials::KEY_PREFIX, self.prefix, self.secret)
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        hash(self.reveal().as_bytes())
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// Reads what a key may call: classes of methods, services and methods that the contracts have.
pub(crate) fn scopes(checks: &mut Checks, given: &[String]) -> Words {
    if given.len() > MOST_SCOPES {
        checks.wrong("scopes", format!("must be at most {MOST_SCOPES}"));
        return Words::default();
    }
    for (index, scope) in given.iter().enumerate() {
        if !is_scope(scope) {
            checks.wrong(format!("scopes[{index}]"), "is neither read nor write nor a service or method of the API");
        }
    }
    Words(given.to_vec())
}

fn is_scope(scope: &str) -> bool {
    if mesh::credentials::CLASSES.contains(&scope) {
        return true;
    }
    let (service, method) = scope.split_once('/').map_or((scope, None), |(service, method)| (service, Some(method)));
    let service = proto::pool().get_service_by_name(service);
    service.is_some_and(|service| method.is_none_or(|method| service.methods().any(|known| known.name() == method)))
}

/// A fact about a key as it is now.
pub(crate) fn told(kind: &'static str, key: &ApiKey) -> NewEvent {
    let fact = ApiKeyChanged { api_key: Some(wire::key(key)) };
    NewEvent::untyped(kind, &key.api_key_id, key.version, key.version, &fact)
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
