//! How well one address answers: how fast, and whether it is to be left out for a while.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

/// What an address is taken to need before it has answered once: little, so that a new one is tried.
const UNKNOWN: f64 = 0.000_1;
/// What a failure is taken to need at least: quick ones must not attract calls.
const FAILURE: f64 = 0.030;
/// How long it takes until a measured latency counts for little.
const FORGETS: f64 = 10.0;
/// How many failures in a row leave an address out.
const IN_A_ROW: u32 = 3;
/// The share of failures that leaves an address out, over a window, once the window has this many calls.
const SHARE: f64 = 0.5;
const WINDOW: Duration = Duration::from_secs(10);
const WINDOW_CALLS: u32 = 20;
/// How long an address is left out: doubled each time it fails on return.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What one call tells of the address that answered it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It works.
    Answered,
    /// It failed in a way another address might not.
    Failed,
    /// Nothing: the caller gave up, or the address is alive and busy.
    Nothing,
}

impl Outcome {
    /// Internal errors do not count: they are of the call, and as likely elsewhere.
    pub(super) fn of(code: Code) -> Self {
        match code {
            Code::Unavailable | Code::DeadlineExceeded | Code::Unknown => Self::Failed,
            Code::ResourceExhausted | Code::Cancelled => Self::Nothing,
            Code::Ok
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss
            | Code::Unauthenticated => Self::Answered,
        }
    }
}

/// The standing of one address.
#[derive(Debug)]
pub(super) struct Standing {
    latency: f64,
    measured: Instant,
    pending: u32,
    in_a_row: u32,
    window: Window,
    ejections: u32,
    ejected: Option<Ejected>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    calls: u32,
    failures: u32,
}

#[derive(Debug, Clone, Copy)]
struct Ejected {
    until: Instant,
    probed: bool,
}

impl Standing {
    pub(super) fn new(now: Instant) -> Self {
        let window = Window { began: now, calls: 0, failures: 0 };
        Self { latency: UNKNOWN, measured: now, pending: 0, in_a_row: 0, window, ejections: 0, ejected: None }
    }

    /// What one more call here is taken to cost: the peak of latency, slowly forgotten, times those that wait for it.
    pub(super) fn cost(&self, now: Instant) -> f64 {
        self.faded(now) * f64::from(self.pending + 1)
    }

    fn faded(&self, now: Instant) -> f64 {
        self.latency * (-now.saturating_duration_since(self.measured).as_secs_f64() / FORGETS).exp()
    }

    /// Whether a call may go here: after a pause one at a time does, until it is known how that went.
    pub(super) fn admits(&self, now: Instant) -> bool {
        self.ejected.is_none_or(|ejected| ejected.until <= now && !ejected.probed)
    }

    pub(super) fn is_ejected(&self) -> bool {
        self.ejected.is_some()
    }

    pub(super) fn begin(&mut self) {
        self.pending += 1;
        if let Some(ejected) = &mut self.ejected {
            ejected.probed = true;
        }
    }

    /// Notes how a call ended, and answers whether the address should be left out.
    pub(super) fn end(&mut self, outcome: Outcome, took: Duration, now: Instant) -> bool {
        self.pending = self.pending.saturating_sub(1);
        match outcome {
            Outcome::Nothing => {
                self.measure(took.as_secs_f64().max(self.faded(now)), now);
                if let Some(ejected) = &mut self.ejected {
                    ejected.probed = false;
                }
                false
            }
            Outcome::Answered => {
                self.measure(took.as_secs_f64(), now);
                (self.in_a_row, self.ejected, self.ejections) = (0, None, 0);
                self.count(now, 0);
                false
            }
            Outcome::Failed => {
                self.measure(took.as_secs_f64().max(FAILURE), now);
                self.in_a_row = self.in_a_row.saturating_add(1);
                self.count(now, 1);
                let Window { calls, failures, .. } = self.window;
                let often = calls >= WINDOW_CALLS && f64::from(failures) >= SHARE * f64::from(calls);
                self.in_a_row >= IN_A_ROW || often || self.is_ejected()
            }
        }
    }

    /// Up at once, down slowly: a peak is remembered longer than a lucky call.
    fn measure(&mut self, took: f64, now: Instant) {
        let known = self.faded(now);
        let weight = (-now.saturating_duration_since(self.measured).as_secs_f64() / FORGETS).exp().min(0.9);
        self.latency = if took > known { took } else { known * weight + took * (1.0 - weight) };
        self.measured = now;
    }

    fn count(&mut self, now: Instant, failures: u32) {
        if now.saturating_duration_since(self.window.began) >= WINDOW {
            self.window = Window { began: now, calls: 0, failures: 0 };
        }
        self.window.calls += 1;
        self.window.failures += failures;
    }

    /// Leaves the address out, longer each time.
    pub(super) fn eject(&mut self, now: Instant) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.ejections.min(6)).min(LONGEST_PAUSE);
        self.ejections += 1;
        self.ejected = Some(Ejected { until: now + pause.mul_f64(rand::random_range(0.8..1.2)), probed: false });
        self.window = Window { began: now, calls: 0, failures: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    fn fail(standing: &mut Standing, now: Instant) -> bool {
        standing.begin();
        standing.end(Outcome::Failed, MILLI, now)
    }

    #[test]
    fn an_address_is_left_out_after_failures_in_a_row() {
        let now = Instant::now();
        let mut standing = Standing::new(now);
        assert_eq!([(); 3].map(|()| fail(&mut standing, now)), [false, false, true]);
        standing.eject(now);
        assert!(!standing.admits(now));
    }

    #[test]
    fn an_address_that_fails_every_other_call_is_left_out_too() {
        let now = Instant::now();
        let mut standing = Standing::new(now);
        let mut calls = 0;
        while !fail(&mut standing, now) {
            standing.begin();
            standing.end(Outcome::Answered, MILLI, now);
            calls += 2;
        }
        assert!((18..=22).contains(&calls), "{calls}");
    }

    #[test]
    fn one_call_at_a_time_tries_an_address_that_returns() {
        let now = Instant::now();
        let mut standing = Standing::new(now);
        standing.eject(now);
        let later = now + 2 * FIRST_PAUSE;
        assert!(standing.admits(later));
        standing.begin();
        assert!(!standing.admits(later), "one is enough");
        assert!(standing.end(Outcome::Failed, MILLI, later), "and its failure tells enough");
        standing.eject(later);
        assert!(!standing.admits(later + FIRST_PAUSE), "the pause grows");
        let much_later = later + 4 * FIRST_PAUSE;
        standing.begin();
        standing.end(Outcome::Nothing, MILLI, much_later);
        assert!(standing.admits(much_later), "a try that told nothing does not count");
        standing.begin();
        assert!(!standing.end(Outcome::Answered, MILLI, much_later));
        assert!(standing.admits(much_later) && !standing.is_ejected());
    }

    #[test]
    fn slowness_and_waiting_calls_cost() {
        let now = Instant::now();
        let (mut fast, mut slow) = (Standing::new(now), Standing::new(now));
        for _ in 0..50 {
            fast.begin();
            fast.end(Outcome::Answered, MILLI, now);
            slow.begin();
            slow.end(Outcome::Answered, 40 * MILLI, now);
        }
        assert!(fast.cost(now) * 20.0 < slow.cost(now));
        for _ in 0..60 {
            fast.begin();
        }
        assert!(fast.cost(now) > slow.cost(now));
        assert!(slow.cost(now + Duration::from_secs(60)) < 0.001, "old latencies are forgotten");
    }
}
