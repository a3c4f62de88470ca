//! How often and after which pauses something is tried again, and what happens at the end.
//!
//! | what | how often | pauses | what happens at the end | where |
//! |---|---|---|---|---|
//! | [`call`] between members | 3 attempts, within the deadline and the budget of repeats | random, up to 50 ms, then up to 100 ms, after the pause that the answer asks for (1 s with UNAVAILABLE) | the caller receives the last answer | `mesh` `channel/retry.rs` |
//! | [`batch`] in conflict with another process | 8 attempts; 3 for several commands together, then 8 for each alone | random, up to 2 ms, doubling up to 64 ms | the command fails as UNAVAILABLE; as ALREADY_EXISTS when its new row exists | `store` `writer.rs` |
//! | [`follower`] of a log | until it stops | 50 ms, doubling to 5 s, each shortened by up to half | none: it continues at its position | `store` `follower.rs` |
//! | [`task`] | until it is done, each attempt at most 50 s | 2 s, doubling to 512 s; 1 h after a refusal | none: a refusal, and every 20th failure, opens an exception, and the attempts continue | `store` `task/runner.rs`, `task/failure.rs` |
//! | [`task`] whose process died | until it is done; from the 10th such attempt on it runs alone, after the lease of 60 s | none | none: such attempts are not failures | `store` `task/runner.rs` |
//! | [`routing`] of a release | 3 plans of one attempt | none | units that are not allocated wait, with the exception UNASSIGNED, until stock or nodes change | `fulfillment` `release/aggregate/plan.rs` |
//! | [`report`] of a partner | by the call for 5 s, by a task 10 s after the receipt, then until it succeeds | 2 s, doubling to 300 s | after 20 attempts an exception; the attempts continue | `partner` `process/report.rs` |
//! | part of a [`report`] that was refused | 24 attempts | 1 h | the exception that was opened with the first stays | `partner` `process/report_parts.rs` |
//! | [`sending`] to a partner | 20 attempts, none while the partner is suspended | 2 s, doubling to 300 s, or what the partner asks, up to 1 h | the message fails with an exception | `partner` `process/outbound_message.rs` |
//!
//! Not in this table, because it is about addresses and not about calls: a failing address of a member is left out for
//! 1 s, doubling to 60 s (`mesh` `channel/health.rs`); an unreachable one is connected to again after 1 s, doubling to
//! 30 s (`mesh` `channel/endpoint.rs`); the identity provider's keys are asked for at most every 30 s (`mesh`
//! `credentials/oidc/jwks.rs`).
//!
//! The two exceptions of partners are opened at [`report::ATTEMPTS_BEFORE_EXCEPTION`] and [`sending::ATTEMPTS`], that of a
//! task at each [`task::FAILURES_BEFORE_EXCEPTION`].

use std::time::Duration;

/// A call from one member to another.
pub mod call {
    use super::Duration;

    /// The most attempts, the first included.
    pub const ATTEMPTS: u32 = 3;

    /// The longest pause after the first attempt. The longest doubles with each further attempt.
    pub const FIRST_PAUSE: Duration = Duration::from_millis(50);
}

/// A batch of commands, or a statement, in conflict with another process.
pub mod batch {
    use super::Duration;

    /// The most attempts of one command, the first included.
    pub const ATTEMPTS: u32 = 8;

    /// The most attempts of several commands together, before each is applied alone.
    pub const ATTEMPTS_TOGETHER: u32 = 3;

    /// The longest pause after the first attempt. The longest doubles with each further attempt.
    pub const FIRST_PAUSE: Duration = Duration::from_millis(2);

    /// The longest pause after any attempt.
    pub const LONGEST_PAUSE: Duration = Duration::from_millis(64);
}

/// Following another service's log.
pub mod follower {
    use super::Duration;

    /// The pause after the first interruption. It doubles with each further one that follows without an event between.
    pub const FIRST_PAUSE: Duration = Duration::from_millis(50);

    /// The longest pause.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(5);
}

/// A task.
pub mod task {
    use super::Duration;

    /// Failures after which an exception is opened, or reported again. Attempts that ended with their process are none.
    pub const FAILURES_BEFORE_EXCEPTION: i64 = 20;

    /// Attempts in a row that ended with their process, after which the task is suspected to be the cause.
    pub const SUSPECT: i64 = 10;

    /// How long a claimed task is left to its runner.
    pub const LEASE: Duration = Duration::from_secs(60);

    /// The longest time of one attempt.
    pub const TIME_LIMIT: Duration = Duration::from_secs(50);

    /// The pause after the first failure. It doubles with each further one.
    pub const FIRST_PAUSE: Duration = Duration::from_secs(2);

    /// The longest pause.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(512);

    /// The pause after a refusal, which another attempt hardly changes.
    pub const REFUSED_PAUSE: Duration = Duration::from_secs(3_600);

    const _: () = assert!(TIME_LIMIT.as_secs() < LEASE.as_secs(), "another runner has begun the task");
}

/// Routing a release.
pub mod routing {
    /// The most plans of one routing attempt.
    pub const PLANS: i64 = 3;
}

/// Applying a report of a partner.
pub mod report {
    use super::Duration;

    /// How long the call that submitted a report waits for its effect. Less than a call may take, so that the partner is
    /// answered at least that the report is stored.
    pub const WITHIN_CALL: Duration = Duration::from_secs(5);

    /// How long after its receipt a report is applied by a task, unless the call did.
    pub const BY_TASK_AFTER: Duration = Duration::from_secs(10);

    /// The pause between two attempts to apply the parts of a report that were refused.
    pub const PART_PAUSE: Duration = Duration::from_secs(3_600);

    /// The most attempts to apply them, the one with the whole report included; then they wait for a person.
    pub const PART_ATTEMPTS: i64 = 25;

    /// Attempts after which an exception is opened. The report is applied again until that succeeds.
    pub const ATTEMPTS_BEFORE_EXCEPTION: i64 = 20;

    /// The pause after the first attempt. It doubles with each further attempt.
    pub const FIRST_PAUSE: Duration = Duration::from_secs(2);

    /// The longest pause.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

    const _: () = assert!(BY_TASK_AFTER.as_secs() > WITHIN_CALL.as_secs(), "the call is still applying it");
}

/// Sending a message to a partner.
pub mod sending {
    use super::Duration;

    /// The most attempts, after which the message fails and an exception is opened.
    pub const ATTEMPTS: i64 = 20;

    /// The pause after the first attempt. It doubles with each further attempt.
    pub const FIRST_PAUSE: Duration = Duration::from_secs(2);

    /// The longest pause that is not the partner's wish.
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(300);

    /// The longest pause that a partner can ask for.
    pub const LONGEST_REQUESTED_PAUSE: Duration = Duration::from_secs(3_600);

    /// The pause before a message to a suspended partner is looked at again.
    pub const SUSPENDED_PAUSE: Duration = Duration::from_secs(300);
}

/// The pause after so many attempts, at least one: `first`, doubling up to `longest`.
pub fn doubling(first: Duration, longest: Duration, attempts: impl TryInto<u32>) -> Duration {
    let doublings = attempts.try_into().unwrap_or(u32::MAX).saturating_sub(1);
    first.saturating_mul(2_u32.saturating_pow(doublings)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_to_the_longest_and_no_further() {
        let seconds = |attempts: i64| doubling(sending::FIRST_PAUSE, sending::LONGEST_PAUSE, attempts).as_secs();
        assert_eq!([1, 2, 8, 9, 64, i64::MAX].map(seconds), [2, 4, 256, 300, 300, 300]);
    }

    #[test]
    fn a_task_pauses_longest_after_its_ninth_failure() {
        let seconds = |attempts: i64| doubling(task::FIRST_PAUSE, task::LONGEST_PAUSE, attempts).as_secs();
        assert_eq!([1, 8, 9, 10, 20].map(seconds), [2, 256, 512, 512, 512]);
    }
}
