//! How often, and after which pauses, reports are applied and messages are sent again.

use std::time::Duration;

/// How long the call that submitted a report waits for its effect. Less than a call may take, so that the partner is
/// answered at least that the report is stored.
pub(crate) const APPLY_WITHIN_CALL: Duration = Duration::from_secs(5);

/// How long after its receipt a report is applied by a task, unless the call did.
pub(crate) const APPLY_BY_TASK_AFTER: Duration = Duration::from_secs(10);

const _: () = assert!(APPLY_BY_TASK_AFTER.as_secs() > APPLY_WITHIN_CALL.as_secs(), "the call is still applying it");

/// Attempts to apply a report after which an exception is opened. It is applied again until that succeeds.
pub(crate) const APPLY_ATTEMPTS: i64 = 20;

/// Attempts to send a message after which it fails and an exception is opened.
pub(crate) const SEND_ATTEMPTS: i64 = 20;

/// Pause before a message to a suspended partner is looked at again.
pub(crate) const SUSPENDED_PAUSE: Duration = Duration::from_secs(300);

/// The longest pause that a partner can ask for.
pub(crate) const LONGEST_REQUESTED_PAUSE: Duration = Duration::from_secs(3_600);

/// The pause after so many attempts: 2, 4, 8, … seconds, at most five minutes.
pub(crate) fn pause(attempts: i64) -> Duration {
    let seconds = 1_u64.checked_shl(u32::try_from(attempts).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
    Duration::from_secs(seconds.clamp(2, 300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_five_minutes_and_no_further() {
        assert_eq!([1, 2, 8, 9, 64, i64::MAX].map(|attempts| pause(attempts).as_secs()), [2, 4, 256, 300, 300, 300]);
    }
}
