//! Recording what became of a report when it was applied.

use std::time::Duration;

use proto::partner::v1::PartnerMessage;
use store::{Command, Context, Needs, Rows, Task};
use types::{Fault, MessageId};

use crate::{
    exception,
    message::{self, Message, State},
    receive::APPLY,
    wire,
};

/// After how many attempts a person is told that a report can not be applied.
const LONG: i64 = 20;

/// What a report did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    /// For people.
    pub outcome: String,
    /// The order it belongs to; empty when not known.
    pub order_id: String,
}

/// Records an attempt to apply a report. Does nothing when another attempt was recorded as the last before.
pub(crate) struct ConcludeReport {
    /// The report.
    pub message_id: MessageId,
    /// What it did, or why it did nothing; a transient fault leaves it to the task.
    pub result: Result<Effect, Fault>,
}

impl Command for ConcludeReport {
    type Reply = PartnerMessage;
    const NAME: &'static str = "ConcludeReport";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        if present.state != State::Received {
            return Ok(wire::message(&present, Vec::new()));
        }
        let attempts = present.attempts + 1;
        let tried = Message { attempts, update_time: cx.now(), ..present };
        let message = match &self.result {
            Ok(effect) => {
                let order_id =
                    if effect.order_id.is_empty() { tried.order_id.clone() } else { effect.order_id.clone() };
                let applied = Message { state: State::Applied, outcome: effect.outcome.clone(), order_id, ..tried };
                let applied = rows.put(applied);
                cx.unschedule(APPLY, self.message_id.to_string().as_str());
                cx.emit(message::told("partner.message_applied", &applied));
                applied
            }
            Err(fault) if fault.is_transient() => {
                let outcome = format!("not applied yet: {}", fault.message);
                let delayed = rows.put(Message { outcome, ..tried });
                if attempts == 1 {
                    cx.emit(message::told("partner.message_received", &delayed));
                }
                cx.schedule(Task::new(APPLY, &self.message_id, cx.now().after(pause(attempts))));
                if attempts == LONG {
                    cx.emit(exception::opened(exception::REPORT_DELAYED, &delayed));
                }
                return Ok(wire::message(&delayed, Vec::new()));
            }
            Err(fault) => {
                let rejected = rows.put(Message { state: State::Rejected, outcome: explained(fault), ..tried });
                cx.unschedule(APPLY, self.message_id.to_string().as_str());
                cx.emit(message::told("partner.message_rejected", &rejected));
                cx.emit(exception::opened(exception::REPORT_REJECTED, &rejected));
                rejected
            }
        };
        if message.attempts > LONG {
            cx.emit(exception::resolved(exception::REPORT_DELAYED, &message, "the report was looked at"));
        }
        Ok(wire::message(&message, Vec::new()))
    }
}

/// How long to wait after so many attempts: 2, 4, 8, … seconds, at most five minutes.
pub(crate) fn pause(attempts: i64) -> Duration {
    let seconds = 1_u64.checked_shl(u32::try_from(attempts).unwrap_or(u32::MAX)).unwrap_or(u64::MAX);
    Duration::from_secs(seconds.clamp(2, 300))
}

/// A refusal for the partner: the reason, and every wrong field.
fn explained(fault: &Fault) -> String {
    let wrong: Vec<_> = fault.violations.iter().map(|one| format!("{}: {}", one.field, one.description)).collect();
    let text = if wrong.is_empty() { fault.message.clone() } else { wrong.join("; ") };
    format!("{}: {text}", fault.reason.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_to_five_minutes_and_no_further() {
        assert_eq!([1, 2, 8, 9, 64, i64::MAX].map(|attempts| pause(attempts).as_secs()), [2, 4, 256, 300, 300, 300]);
    }
}
