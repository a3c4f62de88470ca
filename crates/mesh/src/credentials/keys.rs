//! API keys: whose key has a hash, asked once for many calls.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::time::Instant;
use types::Fault;

use super::{Hash, refusal, scopes::Scopes};
use crate::principal::Principal;

/// How many keys are remembered at most.
const MOST: usize = 10_000;
/// How long it is remembered that a key is no good, so that whoever tries again and again does not ask each time.
const NO_GOOD: Duration = Duration::from_secs(5);
/// How long asking may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a key is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Who calls with it.
    pub principal: Principal,
    /// What it may call.
    pub scopes: Scopes,
}

/// Whether a key works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Live(Grant),
    /// There is no such key.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its consumer is suspended.
    Suspended,
}

/// Asks whose key has a hash.
pub type KeyLookup = Arc<dyn Fn([u8; 32]) -> BoxFuture<'static, Result<Standing, Fault>> + Send + Sync>;

type Answer = Shared<BoxFuture<'static, Result<Arc<Standing>, Fault>>>;

/// The keys that were asked for lately.
pub(super) struct Keys {
    look_up: KeyLookup,
    remembered: Duration,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    entries: HashMap<Hash, Entry>,
    swept: Option<Instant>,
}

struct Entry {
    until: Instant,
    answer: Answer,
}

impl Keys {
    pub(super) fn new(look_up: KeyLookup, remembered: Duration) -> Self {
        Self { look_up, remembered, known: Mutex::default() }
    }

    /// What a key is good for.
    pub(super) async fn find(&self, key: Hash) -> Result<Grant, Fault> {
        let (answer, asked) = self.answer(key);
        let standing = match answer.await {
            Ok(standing) => standing,
            Err(fault) => {
                self.remember_until(key, asked);
                tracing::warn!(%fault, "an API key could not be looked up");
                return Err(Fault::unavailable("API keys can not be checked now"));
            }
        };
        let (what, message) = match standing.as_ref() {
            Standing::Live(grant) => return Ok(grant.clone()),
            Standing::Unknown => ("unknown", "the API key is not known"),
            Standing::Expired => ("expired", "the API key has expired"),
            Standing::Revoked => ("revoked", "the API key was revoked"),
            Standing::Suspended => ("suspended", "the API key's consumer is suspended"),
        };
        self.remember_until(key, asked + NO_GOOD);
        Err(refusal(what, message))
    }

    /// The answer about a key and when it was asked for: one that is remembered or under way, or a new one.
    fn answer(&self, key: Hash) -> (Answer, Instant) {
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known.entries.get(&key).filter(|entry| now < entry.until) {
            return (entry.answer.clone(), now);
        }
        let asking = (self.look_up)(key);
        let answer = async move {
            match tokio::time::timeout(PATIENCE, asking).await {
                Ok(standing) => standing.map(Arc::new),
                Err(_) => Err(Fault::unavailable("no answer in time")),
            }
        };
        let answer = answer.boxed().shared();
        known.keep(key, Entry { until: now + self.remembered, answer: answer.clone() }, now);
        (answer, now)
    }

    /// Remembers an answer no longer than this.
    fn remember_until(&self, key: Hash, until: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = known.entries.get_mut(&key) {
            entry.until = entry.until.min(until);
        }
    }
}

impl Known {
    /// Keeps an entry if there is room for it.
    fn keep(&mut self, key: Hash, entry: Entry, now: Instant) {
        let crowded = self.entries.len() >= MOST;
        if crowded && self.swept.is_none_or(|swept| swept + Duration::from_secs(1) <= now) {
            self.entries.retain(|_, entry| now < entry.until);
            self.swept = Some(now);
        }
        if self.entries.len() < MOST || self.entries.contains_key(&key) {
            self.entries.insert(key, entry);
        }
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

    use super::*;

    /// Keys of which those whose hash begins with 1 work, and how often they were asked for.
    fn keys() -> (Keys, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let look_up: KeyLookup = Arc::new(move |key| {
            counted.fetch_add(1, Ordering::Relaxed);
            let grant = Grant { principal: Principal::nobody(), scopes: Scopes::default() };
            let standing = match key[0] {
                1 => Ok(Standing::Live(grant)),
                2 => Err(Fault::unavailable("down")),
                _ => Ok(Standing::Unknown),
            };
            async move {
                tokio::task::yield_now().await;
                standing
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
        tokio::time::advance(NO_GOOD).await;
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
        keys.find([1; 32]).await.unwrap();
        for number in 0..MOST + 100 {
            let mut key = [0; 32];
            key[8..16].copy_from_slice(&number.to_le_bytes());
            keys.find(key).await.unwrap_err();
        }
        let known = keys.known.lock().unwrap();
        assert_eq!(known.entries.len(), MOST);
        assert!(known.entries.contains_key(&[1; 32]), "a key that works is not crowded out");
    }
}
