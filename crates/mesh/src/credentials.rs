//! Credentials of callers from outside: bearer tokens of an identity provider, API keys, and the token of the first
//! administrator.
//!
//! They are checked where a call enters the mesh: at the gateway, and at every server for callers that are not members.
//! Members send each other the principal; it is accepted from the process itself, from a member with a certificate, and
//! from a caller with the mesh's own token.

mod changes;
mod config;
mod ended;
mod keys;
mod oidc;
mod presented;
mod scopes;

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use types::{Fault, Reason};

pub use config::{Config, ConfigError, read_token};
pub(crate) use oidc::install as install_token_verifier;

pub use changes::KeyChanges;
pub use ended::Caller;
pub use keys::{Grant, KeyLookup, KeyStatus};
pub use oidc::Algorithm;
pub use presented::KEY_PREFIX;
pub use scopes::{CLASSES, Scopes};

use crate::{
    access::Rule,
    peer::Peer,
    principal::{Accounts, Kind, Principal},
    role::Role,
};
use ended::Proof;
use keys::Keys;
use oidc::Oidc;
use presented::Presented;

/// Shows a member that its caller is one, where certificates do not.
pub(crate) const MESH_TOKEN: HeaderName = HeaderName::from_static("waybill-mesh-token");

/// SHA-256 of a credential. How long comparing hashes takes does not depend on how much of a guess is right.
pub(crate) type Hash = [u8; 32];

/// Identifies callers by what they present.
#[derive(Debug)]
pub struct Authenticator {
    oidc: Option<Oidc>,
    keys: Keys,
    administrator: Option<Hash>,
    members: Vec<Hash>,
}

impl Authenticator {
    /// Checks credentials as configured; `keys` looks up API keys by their hash.
    pub fn new(config: &Config, keys: KeyLookup) -> Result<Self, ConfigError> {
        let administrator = config.admin_token()?;
        let mesh = config.mesh_tokens()?;
        Ok(Self {
            oidc: Oidc::new(config)?,
            keys: Keys::new(keys, config.api_key_cache),
            administrator: administrator.map(|token| hash(token.reveal())),
            members: mesh.iter().map(|token| hash(token.reveal())).collect(),
        })
    }

    /// Forgets the keys it knows whenever these are announced to have changed.
    #[must_use]
    pub fn with_key_changes(mut self, changes: KeyChanges) -> Self {
        self.keys.changes = changes;
        self
    }

    /// The caller by the credentials in a call's headers; anonymous when there are none.
    ///
    /// A credential that is no good is refused, whatever the method is.
    pub fn authenticate<'a>(
        &'a self,
        headers: &'a HeaderMap,
        path: &'a str,
        rule: Option<&'a Rule>,
    ) -> BoxFuture<'a, Result<Caller, Fault>> {
        Box::pin(async move {
            let caller = self.identify(headers, path, rule).await;
            if let Err(fault) = &caller
                && let Some((_, what)) = fault.facts.iter().find(|(name, _)| *name == FACT)
            {
                metrics::counter!("credentials_refused", "what" => what.clone()).increment(1);
                tracing::debug!(what, path, "a credential was refused");
            }
            caller
        })
    }

    async fn identify(&self, headers: &HeaderMap, path: &str, rule: Option<&Rule>) -> Result<Caller, Fault> {
        match Presented::read(headers)? {
            Presented::Nothing => Ok(Caller { principal: Principal::anonymous(), proof: Proof::Lasting }),
            Presented::Key(key) => {
                let (key, changes) = (hash(key), self.keys.changes.count());
                let grant = self.keys.find(key).await?;
                grant.scopes.admit(path, rule)?;
                Ok(Caller { principal: grant.principal, proof: Proof::Key { key, changes } })
            }
            Presented::Token(token) if self.administrator == Some(hash(token)) => {
                Ok(Caller { principal: first_administrator(), proof: Proof::Lasting })
            }
            Presented::Token(token) => match &self.oidc {
                Some(oidc) => {
                    let (principal, end) = oidc.verify(token).await?;
                    Ok(Caller { principal, proof: Proof::Until(end) })
                }
                None => Err(refusal("unknown", "the token is not known")),
            },
        }
    }

    /// Whether the caller is a member, whose principal is accepted.
    pub(crate) fn trusts(&self, peer: Option<&Peer>, headers: &HeaderMap) -> bool {
        match peer {
            Some(Peer::Process | Peer::Member(_)) => true,
            Some(Peer::Address(_)) | None => {
                let shown = headers.get(MESH_TOKEN).map(|token| Hash::from(Sha256::digest(token.as_bytes())));
                shown.is_some_and(|shown| self.members.contains(&shown))
            }
        }
    }
}

/// Removes credentials from the headers: nothing behind the check needs them.
pub fn strip(headers: &mut HeaderMap) {
    for name in [http::header::AUTHORIZATION, presented::API_KEY, MESH_TOKEN] {
        headers.remove(name);
    }
}

/// A caller is refused because of its credential; `what` says to a program what is wrong with it.
pub(crate) fn refusal(what: &'static str, message: impl Into<String>) -> Fault {
    Fault::new(Reason::Unauthenticated, message).fact(FACT, what)
}

/// Names the fact that says what is wrong with a credential.
const FACT: &str = "credential";

/// How a caller that was refused may sign in, in the words of RFC 6750.
pub(crate) fn challenge(fault: &Fault) -> HeaderValue {
    let plain = HeaderValue::from_static("Bearer realm=\"waybill\"");
    if !fault.facts.iter().any(|(name, _)| *name == FACT) {
        return plain;
    }
    let quotable = |c: &char| (c.is_ascii_graphic() || *c == ' ') && !matches!(c, '"' | '\\');
    let described: String = fault.message.chars().filter(quotable).collect();
    let text = format!("Bearer realm=\"waybill\", error=\"invalid_token\", error_description=\"{described}\"");
    HeaderValue::try_from(text).unwrap_or(plain)
}

/// The holder of the token for the first administrator.
fn first_administrator() -> Principal {
    Principal {
        kind: Kind::Application,
        subject: "admin-token".to_owned(),
        roles: Role::Administrator.into(),
        accounts: Accounts::All,
        partner: None,
        key: None,
    }
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_says_what_is_wrong_in_words_that_can_be_quoted() {
        let missing = Fault::new(Reason::Unauthenticated, "the caller did not say who it is");
        assert_eq!(challenge(&missing), "Bearer realm=\"waybill\"");
        let expired = refusal("expired", "the \"token\"\r\nhas expired");
        let expected = "Bearer realm=\"waybill\", error=\"invalid_token\", error_description=\"the tokenhas expired\"";
        assert_eq!(challenge(&expired), expected);
    }
}
