//! API keys: looks up the API client whose key has a hash, once for many calls.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use moka::future::Cache;
use tokio::time::Instant;
use types::Fault;

use super::{Hash, refusal, scopes::Scopes};
use crate::principal::Principal;

/// The most keys that are remembered.
const MOST: u64 = 10_000;
/// How long it is remembered that a key does not work, so that repeated attempts do not each cost a call.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// The longest that a look-up may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The access that a key gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who calls with it.
    pub principal: Principal,
    /// What it may call.
    pub scopes: Scopes,
}

/// Whether a key works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyStatus {
    /// It does.
    Live(Grant),
    /// There is no such key.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its API client is suspended.
    Suspended,
}

/// Returns the status of the key that has a hash.
pub type KeyLookup = Arc<dyn Fn([u8; 32]) -> BoxFuture<'static, Result<KeyStatus, Fault>> + Send + Sync>;

/// The keys that were looked up lately.
pub(super) struct Keys {
    look_up: KeyLookup,
    remembered: Duration,
    known: Cache<Hash, Arc<Known>>,
}

/// What a look-up returned. The cache's own expiry does not follow the runtime's clock, which tests stop.
struct Known {
    until: Instant,
    status: Result<KeyStatus, Fault>,
}

impl Keys {
    pub(super) fn new(look_up: KeyLookup, remembered: Duration) -> Self {
        Self { look_up, remembered, known: Cache::new(MOST) }
    }

    /// The access that a key gives. Callers that ask at once share one look-up.
    pub(super) async fn find(&self, key: Hash) -> Result<Grant, Fault> {
        let now = Instant::now();
        let known = self.known.entry(key).or_insert_with_if(self.ask(key), |known| known.until <= now).await;
        let (what, message) = match &known.value().status {
            Ok(KeyStatus::Live(grant)) => return Ok(grant.clone()),
            Ok(KeyStatus::Unknown) => ("unknown", "the API key is not known"),
            Ok(KeyStatus::Expired) => ("expired", "the API key has expired"),
            Ok(KeyStatus::Revoked) => ("revoked", "the API key was revoked"),
            Ok(KeyStatus::Suspended) => ("suspended", "the API key's client is suspended"),
            Err(fault) => {
                tracing::warn!(%fault, "an API key could not be looked up");
                return Err(Fault::unavailable("API keys cannot be checked now"));
            }
        };
        Err(refusal(what, message))
    }

    async fn ask(&self, key: Hash) -> Arc<Known> {
        let asked = Instant::now();
        let status = tokio::time::timeout(TIMEOUT, (self.look_up)(key)).await;
        let status = status.unwrap_or_else(|_| Err(Fault::unavailable("no answer in time")));
        let remembered = match &status {
            Ok(KeyStatus::Live(_)) => self.remembered,
            Ok(KeyStatus::Unknown | KeyStatus::Expired | KeyStatus::Revoked | KeyStatus::Suspended) => {
                self.remembered.min(REFUSED_FOR)
            }
            Err(_) => Duration::ZERO,
        };
        Arc::new(Known { until: asked + remembered, status })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("remembered", &self.remembered).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt as _;

    use super::*;

    /// Keys of which those whose hash begins with 1 work, and how often they were asked for.
    fn keys() -> (Keys, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let look_up: KeyLookup = Arc::new(move |key| {
            counted.fetch_add(1, Ordering::Relaxed);
            let grant = Grant { principal: Principal::anonymous(), scopes: Scopes::default() };
            let status = match key[0] {
                1 => Ok(KeyStatus::Live(grant)),
                2 => Err(Fault::unavailable("down")),
                _ => Ok(KeyStatus::Unknown),
            };
            async move {
                tokio::task::yield_now().await;
                status
            }
            .boxed()
        });
        (Keys::new(look_up, Duration::from_mins(1)), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_asked_for_once_a_minute_and_once_for_many_calls() {
        let (keys, asked) = keys();
        let calls = futures::future::join_all((0..50).map(|_| keys.find([1; 32]))).await;
        assert!(calls.iter().all(Result::is_ok));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokio::time::advance(Duration::from_secs(59)).await;
        keys.find([1; 32]).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        keys.find([1; 32]).await.unwrap();
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn that_a_key_is_no_good_is_remembered_shortly_and_that_nobody_knows_not_at_all() {
        let (keys, asked) = keys();
        for _ in 0..3 {
            assert_eq!(keys.find([0; 32]).await.unwrap_err().facts[0].1, "unknown");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokio::time::advance(REFUSED_FOR).await;
        keys.find([0; 32]).await.unwrap_err();
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        for times in 3..5 {
            assert!(keys.find([2; 32]).await.unwrap_err().is_transient());
            assert_eq!(asked.load(Ordering::Relaxed), times);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_whoever_tries_keys() {
        let (keys, _) = keys();
        for number in 0..MOST + 100 {
            if number % 1_000 == 0 {
                keys.find([1; 32]).await.unwrap();
            }
            let mut key = [0; 32];
            key[8..16].copy_from_slice(&number.to_le_bytes());
            keys.find(key).await.unwrap_err();
        }
        keys.known.run_pending_tasks().await;
        assert_eq!(keys.known.entry_count(), MOST);
        assert!(keys.known.contains_key(&[1; 32]), "a key that is used is not crowded out");
    }
}
