//! API keys: looks up the API client whose key has a hash, once for many calls.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use moka::future::Cache;
use tokio::time::Instant;
use types::Fault;

use super::{Hash, changes::KeyChanges, refusal, scopes::Scopes};
use crate::principal::Principal;

/// The most keys that are remembered.
const MOST: u64 = 10_000;
/// How long it is remembered that a key does not work, so that repeated attempts do not each cost a call.
const REFUSED_FOR: Duration = Duration::from_secs(5);
/// The longest that a look-up may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a key that worked goes on working while it cannot be looked up, and how often it is tried to.
const UNCONFIRMED: (Duration, Duration) = (Duration::from_mins(1), Duration::from_secs(1));

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
    pub(super) changes: KeyChanges,
    known: Cache<Hash, Arc<Known>>,
}

/// What a look-up returned. The cache's own expiry does not follow the runtime's clock, which tests stop.
struct Known {
    /// When it was returned, and until when it counts.
    asked: Instant,
    until: Instant,
    /// How many changes of keys there had been.
    changes: u64,
    status: Result<KeyStatus, Fault>,
}

impl Keys {
    pub(super) fn new(look_up: KeyLookup, remembered: Duration) -> Self {
        Self { look_up, remembered, changes: KeyChanges::default(), known: Cache::new(MOST) }
    }

    /// How often a stream that was begun with a key makes sure of it.
    pub(super) fn pause(&self) -> Duration {
        self.remembered.max(Duration::from_secs(1))
    }

    /// The access that a key gives. Callers that ask at once share one look-up.
    pub(super) async fn find(&self, key: Hash) -> Result<Grant, Fault> {
        let changes = self.changes.count();
        let known = loop {
            let now = Instant::now();
            let earlier = self.known.get(&key).await;
            let entry = self.known.entry(key);
            let outdated = |known: &Arc<Known>| known.until <= now || known.changes < changes;
            let known = entry.or_insert_with_if(self.ask(key, earlier), outdated).await.into_value();
            // Who waited for a look-up that began before the last change makes one of its own.
            if known.changes >= changes {
                break known;
            }
        };
        let (what, message) = match &known.status {
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

    async fn ask(&self, key: Hash, earlier: Option<Arc<Known>>) -> Arc<Known> {
        let (asked, changes) = (Instant::now(), self.changes.count());
        let status = tokio::time::timeout(TIMEOUT, (self.look_up)(key)).await;
        let status = status.unwrap_or_else(|_| Err(Fault::unavailable("no answer in time")));
        let remembered = match &status {
            Ok(KeyStatus::Live(_)) => self.remembered,
            Ok(KeyStatus::Unknown | KeyStatus::Expired | KeyStatus::Revoked | KeyStatus::Suspended) => {
                self.remembered.min(REFUSED_FOR)
            }
            Err(fault) => {
                let (most, pause) = UNCONFIRMED;
                let good = |known: &Arc<Known>| {
                    let recent = known.changes == changes && asked < known.asked + most;
                    recent && matches!(known.status, Ok(KeyStatus::Live(_)))
                };
                if let Some(earlier) = earlier.filter(good) {
                    tracing::warn!(%fault, "an API key could not be looked up again: it goes on working for a while");
                    let (asked, status) = (earlier.asked, earlier.status.clone());
                    return Arc::new(Known { asked, until: Instant::now() + pause, changes, status });
                }
                Duration::ZERO
            }
        };
        Arc::new(Known { asked, until: asked + remembered, changes, status })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("remembered", &self.remembered).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use futures::FutureExt as _;
    use tokio::sync::Notify;

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
    async fn a_change_is_asked_for_at_once_and_once_for_many_calls() {
        let (keys, asked) = keys();
        keys.find([1; 32]).await.unwrap();
        for changes in 1..4 {
            keys.changes.announce();
            let calls = futures::future::join_all((0..50).map(|_| keys.find([1; 32]))).await;
            assert!(calls.iter().all(Result::is_ok));
            assert_eq!(asked.load(Ordering::Relaxed), 1 + changes);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_that_began_before_a_change_does_not_count_after_it() {
        let revoked = Arc::new(AtomicBool::new(false));
        let (answering, read) = (Arc::new(Notify::new()), revoked.clone());
        let wait = answering.clone();
        let look_up: KeyLookup = Arc::new(move |_| {
            let grant = Grant { principal: Principal::anonymous(), scopes: Scopes::default() };
            let gone = read.load(Ordering::Relaxed);
            let (status, wait) = (if gone { KeyStatus::Revoked } else { KeyStatus::Live(grant) }, wait.clone());
            async move {
                if !gone {
                    wait.notified().await;
                }
                Ok(status)
            }
            .boxed()
        });
        let keys = Keys::new(look_up, Duration::from_mins(1));
        let mut before = std::pin::pin!(keys.find([1; 32]));
        assert!(before.as_mut().now_or_never().is_none());
        revoked.store(true, Ordering::Relaxed);
        keys.changes.announce();
        let mut after = std::pin::pin!(keys.find([1; 32]));
        assert!(after.as_mut().now_or_never().is_none(), "it waits for the look-up that has begun");
        answering.notify_one();
        assert!(before.await.is_ok(), "who asked before the change may be told what was true then");
        assert_eq!(after.await.unwrap_err().facts[0].1, "revoked");
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_worked_goes_on_for_a_while_when_nobody_can_be_asked() {
        let down = Arc::new(AtomicBool::new(false));
        let read = down.clone();
        let look_up: KeyLookup = Arc::new(move |_| {
            let grant = Grant { principal: Principal::anonymous(), scopes: Scopes::default() };
            let down = read.load(Ordering::Relaxed);
            let status = if down { Err(Fault::unavailable("down")) } else { Ok(KeyStatus::Live(grant)) };
            async move { status }.boxed()
        });
        let keys = Keys::new(look_up, Duration::from_secs(5));
        keys.find([1; 32]).await.unwrap();
        down.store(true, Ordering::Relaxed);
        for _ in 0..59 {
            tokio::time::advance(Duration::from_secs(1)).await;
            assert!(keys.find([1; 32]).await.is_ok());
        }
        assert!(keys.find([2; 32]).await.unwrap_err().is_transient(), "one that was not known before is not trusted");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(keys.find([1; 32]).await.unwrap_err().is_transient());
        keys.changes.announce();
        down.store(false, Ordering::Relaxed);
        keys.find([1; 32]).await.unwrap();
        down.store(true, Ordering::Relaxed);
        keys.changes.announce();
        assert!(keys.find([1; 32]).await.unwrap_err().is_transient(), "after a change it has to be confirmed");
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
