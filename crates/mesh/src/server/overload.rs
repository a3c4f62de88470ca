//! The limit of concurrent calls of a server. It falls while calls take much longer than usual, and calls of low
//! priority are refused first. tower's limits are fixed and have no priorities.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderName};
use tokio::time::Instant;
use types::{Fault, Reason};

use crate::principal::{Kind, Principal};

/// Health is never shed, or an overloaded server would be killed.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// With which a caller makes a call less urgent: `interactive` or `batch`.
pub(crate) const PRIORITY: HeaderName = HeaderName::from_static("waybill-priority");
/// How long a shed caller is asked to wait, give or take a half.
const SHED_RETRY: Duration = Duration::from_millis(250);

/// How often the limit is adapted, and the least calls in between.
const WINDOW: Duration = Duration::from_millis(250);
const ENOUGH: u64 = 10;
/// The limit falls when calls together take this many times as long as usual.
const TOO_LONG: f64 = 2.5;
/// What is shorter is never long: waiting a little for one another is how commands share a commit.
const SHORT: f64 = 0.1;
/// How fast the usual follows what is: quickly down, up over half a minute, so that an overload does not become usual.
const FOLLOW: (f64, f64) = (0.2, 0.01);
/// The limit is not lowered below this: so many wait for a common commit without harm, and get more done by it.
const LEAST: usize = 256;

/// How urgent a call is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Priority {
    /// A service's own.
    Service,
    /// A person or program waits for the answer.
    #[default]
    Interactive,
    /// No one waits for the answer.
    Batch,
}

impl Priority {
    /// What the caller is, or less if it says so.
    pub(crate) fn of(principal: &Principal, headers: &HeaderMap) -> Self {
        let own = match principal.kind {
            Kind::Service => Self::Service,
            Kind::Person | Kind::Application | Kind::Partner => Self::Interactive,
        };
        let requested = match headers.get(PRIORITY).map(http::HeaderValue::as_bytes) {
            Some(b"batch") => Self::Batch,
            Some(b"interactive") => Self::Interactive,
            _ => Self::Service,
        };
        own.max(requested)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Interactive => "interactive",
            Self::Batch => "batch",
        }
    }

    /// How many of the calls that are worked on there may be for one more of this priority to be taken.
    fn share(self, limit: usize) -> usize {
        match self {
            Self::Service => limit,
            Self::Interactive => limit.saturating_mul(9).div_ceil(10),
            Self::Batch => limit.saturating_mul(7).div_ceil(10),
        }
    }
}

/// The limit of one server, over network and in-process calls.
#[derive(Debug)]
pub(crate) struct Limit {
    ceiling: usize,
    limit: AtomicUsize,
    in_flight: AtomicUsize,
    /// The most calls in flight since the limit was looked at.
    peak: AtomicUsize,
}

impl Limit {
    /// A limit that is never above this, and begins there.
    pub(crate) fn up_to(ceiling: usize) -> Self {
        let (in_flight, peak) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { ceiling, limit: AtomicUsize::new(ceiling), in_flight, peak }
    }

    /// Less by a fifth of what is used when calls take too long, slowly more when it is used and they do not.
    fn adapt(&self, times_usual: f64) {
        let (limit, peak) = (self.limit.load(Relaxed), self.peak.swap(0, Relaxed));
        let next = if times_usual > TOO_LONG {
            (limit.min(peak) / 5 * 4).max(LEAST)
        } else if peak >= limit / 2 {
            limit + limit.isqrt()
        } else {
            limit
        };
        self.limit.store(next.min(self.ceiling), Relaxed);
    }
}

/// Decides whether a call is worked on.
#[derive(Debug)]
pub(crate) struct Overload {
    member: String,
    limit: Arc<Limit>,
    methods: HashMap<String, Method>,
    began: Instant,
    /// When the limit is looked at next, in milliseconds from the beginning.
    due: AtomicU64,
    gauge: metrics::Gauge,
}

/// How long calls of a method take: since the limit was adapted, and usually.
#[derive(Debug, Default)]
struct Method {
    calls: AtomicU64,
    micros: AtomicU64,
    usual_micros: AtomicU64,
}

impl Overload {
    pub(crate) fn new<'a>(member: &str, limit: Arc<Limit>, paths: impl Iterator<Item = &'a str>) -> Self {
        let methods = paths.map(|path| (path.to_owned(), Method::default())).collect();
        let gauge = metrics::gauge!("rpc_server_concurrency_limit", "member" => member.to_owned());
        let due = AtomicU64::new(millis(WINDOW));
        Self { member: member.to_owned(), limit, methods, began: Instant::now(), due, gauge }
    }

    /// The right to work on a call, held until the handler has answered.
    pub(crate) fn admit(&self, path: &str, priority: Priority) -> Result<Option<Permit<'_>>, Fault> {
        if path.starts_with(HEALTH) {
            return Ok(None);
        }
        let limit = &self.limit;
        let now = limit.in_flight.fetch_add(1, Relaxed) + 1;
        if now > priority.share(limit.limit.load(Relaxed)) {
            limit.in_flight.fetch_sub(1, Relaxed);
            return Err(self.shed(priority));
        }
        limit.peak.fetch_max(now, Relaxed);
        Ok(Some(Permit { overload: self, method: self.methods.get(path), began: Instant::now() }))
    }

    fn shed(&self, priority: Priority) -> Fault {
        let labels = [("member", self.member.clone()), ("priority", priority.as_str().to_owned())];
        metrics::counter!("rpc_server_shed_total", &labels).increment(1);
        let shed = Fault::new(Reason::ResourceExhausted, "the server is working on as many calls as it can");
        Fault { retry_after: Some(SHED_RETRY.mul_f64(rand::random_range(0.5..1.5))), ..shed }
    }

    /// Looks at the limit when it is time, whoever comes first.
    fn look(&self, now: Instant) {
        let (now, due) = (millis(now.saturating_duration_since(self.began)), self.due.load(Relaxed));
        let next = now + millis(WINDOW);
        if now < due || self.due.compare_exchange(due, next, Relaxed, Relaxed).is_err() {
            return;
        }
        let Some(times_usual) = self.times_usual() else { return };
        self.limit.adapt(times_usual);
        self.gauge.set(self.limit.limit.load(Relaxed) as f64);
    }

    /// How many times longer the calls of the window took together than they usually do; `None` while they are few.
    fn times_usual(&self) -> Option<f64> {
        let total: u64 = self.methods.values().map(|method| method.calls.load(Relaxed)).sum();
        if total < ENOUGH {
            return None;
        }
        let (mut took, mut expected) = (0.0, 0.0);
        for method in self.methods.values() {
            let (calls, micros) = (method.calls.swap(0, Relaxed) as f64, method.micros.swap(0, Relaxed) as f64);
            if calls > 0.0 {
                let usual = method.usual(micros / calls);
                took += micros;
                expected += calls * usual.max(SHORT * 1e6);
            }
        }
        Some(took / expected)
    }
}

impl Method {
    /// What was usual before these calls, which then count a little.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds between two of u64")]
    fn usual(&self, mean: f64) -> f64 {
        let known = self.usual_micros.load(Relaxed) as f64;
        let weight = match known {
            0.0 => 1.0,
            _ if mean < known => FOLLOW.0,
            _ => FOLLOW.1,
        };
        self.usual_micros.store((known + (mean - known) * weight).round() as u64, Relaxed);
        if known == 0.0 { mean } else { known }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A call being worked on.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    overload: &'a Overload,
    method: Option<&'a Method>,
    began: Instant,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.overload.limit.in_flight.fetch_sub(1, Relaxed);
        if let Some(method) = self.method {
            let now = Instant::now();
            let took = now.saturating_duration_since(self.began);
            method.calls.fetch_add(1, Relaxed);
            method.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
            self.overload.look(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::role::Role;

    const PATH: &str = "/waybill.test.v1.ProbeService/Ask";

    fn overload(ceiling: usize) -> Overload {
        Overload::new("probe", Arc::new(Limit::up_to(ceiling)), [PATH].into_iter())
    }

    /// As many calls side by side as the server takes, each this long, again and again.
    async fn load(overload: &Overload, took: Duration, rounds: u32) -> usize {
        for _ in 0..rounds {
            let mut permits = Vec::new();
            while let Ok(permit) = overload.admit(PATH, Priority::Service) {
                permits.push(permit);
            }
            tokio::time::advance(took).await;
            drop(permits);
        }
        overload.limit.limit.load(Relaxed)
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_follows_how_long_calls_take() {
        let overload = overload(1_000);
        let usual = Duration::from_millis(150);
        assert_eq!(load(&overload, usual, 10).await, 1_000, "the ceiling is not passed");
        let lowered = load(&overload, 4 * usual, 5).await;
        assert!((LEAST + 1..600).contains(&lowered), "{lowered}");
        assert_eq!(load(&overload, 4 * usual, 14).await, LEAST, "and never below this");
        let raised = load(&overload, usual, 40).await;
        assert!(raised > LEAST, "{raised}");
        assert_eq!(overload.limit.in_flight.load(Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_are_short_in_any_case_lower_nothing() {
        let overload = overload(1_000);
        load(&overload, Duration::from_millis(2), 10).await;
        assert_eq!(load(&overload, Duration::from_millis(100), 10).await, 1_000);
    }

    #[test]
    fn the_less_urgent_give_way_first() {
        let overload = overload(10);
        let mut held = Vec::new();
        for (taken, priority) in [(7, Priority::Batch), (2, Priority::Interactive), (1, Priority::Service)] {
            for _ in 0..taken {
                held.push(overload.admit(PATH, priority).unwrap());
            }
            let fault = overload.admit(PATH, priority).unwrap_err();
            assert_eq!(fault.reason, Reason::ResourceExhausted);
            assert!(fault.retry_after.is_some());
        }
        assert!(overload.admit("/grpc.health.v1.Health/Check", Priority::Batch).unwrap().is_none());
        drop(held);
        assert_eq!(overload.limit.in_flight.load(Relaxed), 0);
    }

    #[test]
    fn a_caller_can_only_make_its_calls_less_urgent() {
        let person = Principal { roles: Role::Customer.into(), ..Principal::anonymous() };
        let service = Principal::service("order");
        let priority = |principal: &Principal, text| {
            Priority::of(principal, &HeaderMap::from_iter([(PRIORITY, HeaderValue::from_static(text))]))
        };
        assert_eq!(
            (priority(&person, "service"), priority(&person, "batch")),
            (Priority::Interactive, Priority::Batch)
        );
        assert_eq!((priority(&service, "nonsense"), priority(&service, "batch")), (Priority::Service, Priority::Batch));
        assert_eq!(Priority::of(&person, &HeaderMap::new()), Priority::Interactive);
    }
}
