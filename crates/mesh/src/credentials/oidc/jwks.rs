//! The identity provider's keys: fetched when they are needed, kept while the provider is down.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, KeyAlgorithm, PublicKeyUse},
};
use rustls::crypto::CryptoProvider;
use serde_json::Value;
use tokio::time::Instant;
use types::Fault;

use super::super::{ConfigError, refusal};

/// How long keys are taken without asking whether they changed: a key that was withdrawn is taken no longer than this.
const FRESH: Duration = Duration::from_mins(10);
/// How long to wait before asking again, whatever tokens come.
const PAUSE: Duration = Duration::from_secs(30);
/// How long the provider may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How large an answer may be.
const LARGEST: usize = 1 << 20;

/// Where keys are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// At this address.
    Keys(String),
    /// Where this issuer's discovery document says.
    Issuer(String),
}

/// The keys of a provider.
#[derive(Debug)]
pub(super) struct Jwks {
    source: Source,
    http: reqwest::Client,
    held: Mutex<Held>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    keys: Vec<Key>,
    /// When they were fetched; never, when there are none.
    fetched: Option<Instant>,
    /// When the provider was last asked.
    asked: Option<Instant>,
    /// Whether it did not answer then.
    failed: bool,
}

#[derive(Debug, Clone)]
struct Key {
    id: Option<String>,
    algorithm: Option<KeyAlgorithm>,
    decoding: DecodingKey,
}

/// Why keys could not be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("no answer: {0}")]
    Http(#[from] reqwest::Error),
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("the answer is not the document it should be")]
    NoDocument,
    #[error("the discovery document is of another issuer")]
    OtherIssuer,
    #[error(transparent)]
    Unsafe(#[from] ConfigError),
}

impl Jwks {
    pub(super) fn new(source: Source) -> Result<Self, ConfigError> {
        let (Source::Keys(url) | Source::Issuer(url)) = &source;
        safe(url)?;
        if CryptoProvider::get_default().is_none() {
            return Err(ConfigError::NoCryptography);
        }
        let http = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self {
            source,
            http: http.map_err(ConfigError::Client)?,
            held: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// The key with this id, for this algorithm. An unknown one is asked for, but not more often than every 30 seconds.
    pub(super) async fn find(self: &Arc<Self>, id: Option<&str>, algorithm: Algorithm) -> Result<DecodingKey, Fault> {
        if let Some((key, fresh)) = self.held(id, algorithm) {
            if !fresh && self.may_ask() {
                // In the background: the provider may be down, and the held keys are still accepted.
                drop(self.ask());
            }
            return Ok(key);
        }
        if self.may_ask() {
            // In a task of its own, so that a caller that leaves does not end it for the others.
            drop(self.ask().await);
        }
        if let Some((key, _)) = self.held(id, algorithm) {
            return Ok(key);
        }
        if self.lock().failed || self.lock().fetched.is_none() {
            return Err(Fault::unavailable("the keys of the token's issuer cannot be fetched now"));
        }
        Err(refusal("key", "the token is signed with a key that its issuer does not have"))
    }

    fn held(&self, id: Option<&str>, algorithm: Algorithm) -> Option<(DecodingKey, bool)> {
        let held = self.lock();
        let mut fitting = held.keys.iter().filter(|key| key.fits(id, algorithm));
        let key = fitting.next()?;
        if id.is_none() && fitting.next().is_some() {
            return None;
        }
        let fresh = held.fetched.is_some_and(|fetched| fetched.elapsed() < FRESH);
        Some((key.decoding.clone(), fresh))
    }

    fn may_ask(&self) -> bool {
        self.lock().asked.is_none_or(|asked| asked.elapsed() >= PAUSE) || self.asking.try_lock().is_err()
    }

    /// Asks the provider, once for all who want it at a time.
    fn ask(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let jwks = self.clone();
        // Bounded by the client's timeout, so that shutdown need not wait for it.
        tokio::spawn(async move {
            let _one = jwks.asking.lock().await;
            if jwks.lock().asked.is_some_and(|asked| asked.elapsed() < PAUSE) {
                return;
            }
            jwks.lock().asked = Some(Instant::now());
            let fetched = jwks.fetch().await;
            let mut held = jwks.lock();
            held.failed = fetched.is_err();
            match fetched {
                Ok(keys) => {
                    tracing::debug!(keys = keys.len(), "the issuer's keys were fetched");
                    held.keys = keys;
                    held.fetched = Some(Instant::now());
                }
                Err(error) => tracing::warn!(%error, held = held.keys.len(), "the issuer's keys could not be fetched"),
            }
        })
    }

    async fn fetch(&self) -> Result<Vec<Key>, FetchError> {
        let url = match &self.source {
            Source::Keys(url) => url.clone(),
            Source::Issuer(issuer) => {
                let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
                let document = self.document(&place).await?;
                if document["issuer"] != issuer.as_str() {
                    return Err(FetchError::OtherIssuer);
                }
                let url = document["jwks_uri"].as_str().ok_or(FetchError::NoDocument)?;
                safe(url)?;
                url.to_owned()
            }
        };
        let mut document = self.document(&url).await?;
        let Value::Array(keys) = document["keys"].take() else { return Err(FetchError::NoDocument) };
        Ok(keys.into_iter().filter_map(Key::read).collect())
    }

    async fn document(&self, url: &str) -> Result<Value, FetchError> {
        let mut answer = self.http.get(url).send().await?.error_for_status()?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
        }
        serde_json::from_slice(&body).map_err(|_| FetchError::NoDocument)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Key {
    /// A key that signs; others and those of kinds that are not known here are left out.
    fn read(document: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(document).ok()?;
        let signs = jwk.common.public_key_use.as_ref().is_none_or(|meant| *meant == PublicKeyUse::Signature);
        let decoding = DecodingKey::from_jwk(&jwk).ok().filter(|_| signs)?;
        Some(Self { id: jwk.common.key_id, algorithm: jwk.common.key_algorithm, decoding })
    }

    fn fits(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let named = id.is_none_or(|id| self.id.as_deref() == Some(id));
        let meant = self.algorithm.is_none_or(|meant| meant == KeyAlgorithm::from(algorithm));
        named && meant && self.decoding.family() == algorithm.family()
    }
}

/// Keys that come over a wire anybody can write to prove nothing.
fn safe(url: &str) -> Result<(), ConfigError> {
    let parsed = reqwest::Url::parse(url).ok();
    match parsed {
        Some(parsed) if parsed.scheme() == "https" => Ok(()),
        Some(parsed) if parsed.scheme() == "http" && parsed.host_str().is_some_and(types::is_loopback_host) => Ok(()),
        _ => Err(ConfigError::Unsafe(url.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_a_safe_way_only() {
        for url in ["https://id.example/keys", "http://127.0.0.1:9400", "http://[::1]/keys", "http://localhost:1/x"] {
            assert!(safe(url).is_ok(), "{url}");
        }
        for url in ["http://id.example/keys", "http://10.0.0.1", "ftp://127.0.0.1", "id.example", "http://localhost.x"]
        {
            assert!(safe(url).is_err(), "{url}");
        }
    }
}
