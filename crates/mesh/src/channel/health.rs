//! The load and the health of one address: how fast it answers, and whether it is left out for a while.
//!
//! Written here because tower's p2c balancer can neither avoid an address for a repeat nor fall back to an ejected one
//! when no other is left, and its `PeakEwma` treats an address that fails fast as a fast one.

use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

/// The assumed latency of an address that has not answered yet, in seconds: low, so that a new one is tried.
const UNKNOWN: f64 = 0.000_1;
/// The least latency of a failure, in seconds: fast failures must not attract calls.
const FAILURE: f64 = 0.030;
/// The seconds in which a measured latency decays to 1/e.
const FORGETS: f64 = 10.0;
/// The number of failures in a row after which an address is ejected.
const IN_A_ROW: u32 = 3;
/// The share of failures in a window after which an address is ejected, once the window has this many calls.
const SHARE: f64 = 0.5;
const WINDOW: Duration = Duration::from_secs(10);
const WINDOW_CALLS: u32 = 20;
/// How long an address stays ejected: doubled each time it fails on return.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the end of one call means for the address.
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

/// The load and the health of one address.
#[derive(Debug)]
pub(super) struct Health {
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

impl Health {
    pub(super) fn new(now: Instant) -> Self {
        let window = Window { began: now, calls: 0, failures: 0 };
        Self { latency: UNKNOWN, measured: now, pending: 0, in_a_row: 0, window, ejections: 0, ejected: None }
    }

    /// The cost of one more call here: the decaying peak of latency, times the calls in flight.
    pub(super) fn cost(&self, now: Instant) -> f64 {
        self.faded(now) * f64::from(self.pending + 1)
    }

    fn faded(&self, now: Instant) -> f64 {
        self.latency * (-now.saturating_duration_since(self.measured).as_secs_f64() / FORGETS).exp()
    }

    /// Whether a call may go here. After an ejection one call at a time may, until one succeeds.
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

    /// Notes how a call ended. Returns whether the address should be ejected.
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

    /// Rises at once and falls slowly.
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

    /// Ejects the address, longer each time.
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

    fn fail(health: &mut Health, now: Instant) -> bool {
        health.begin();
        health.end(Outcome::Failed, MILLI, now)
    }

    #[test]
    fn an_address_is_left_out_after_failures_in_a_row() {
        let now = Instant::now();
        let mut health = Health::new(now);
        assert_eq!([(); 3].map(|()| fail(&mut health, now)), [false, false, true]);
        health.eject(now);
        assert!(!health.admits(now));
    }

    #[test]
    fn an_address_that_fails_every_other_call_is_left_out_too() {
        let now = Instant::now();
        let mut health = Health::new(now);
        let mut calls = 0;
        while !fail(&mut health, now) {
            health.begin();
            health.end(Outcome::Answered, MILLI, now);
            calls += 2;
        }
        assert!((18..=22).contains(&calls), "{calls}");
    }

    #[test]
    fn one_call_at_a_time_tries_an_address_that_returns() {
        let now = Instant::now();
        let mut health = Health::new(now);
        health.eject(now);
        let later = now + 2 * FIRST_PAUSE;
        assert!(health.admits(later));
        health.begin();
        assert!(!health.admits(later), "one is enough");
        assert!(health.end(Outcome::Failed, MILLI, later), "and its failure is evidence enough");
        health.eject(later);
        assert!(!health.admits(later + FIRST_PAUSE), "the pause grows");
        let much_later = later + 4 * FIRST_PAUSE;
        health.begin();
        health.end(Outcome::Nothing, MILLI, much_later);
        assert!(health.admits(much_later), "an inconclusive try does not count");
        health.begin();
        assert!(!health.end(Outcome::Answered, MILLI, much_later));
        assert!(health.admits(much_later) && !health.is_ejected());
    }

    #[test]
    fn slowness_and_waiting_calls_cost() {
        let now = Instant::now();
        let (mut fast, mut slow) = (Health::new(now), Health::new(now));
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
