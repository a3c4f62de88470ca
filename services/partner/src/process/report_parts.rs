//! A report of which some parts are refused: the rest takes effect, and each refused part waits until it can.
//!
//! 1. A service refuses a report and names only elements of its lists, such as `items[3].sku`
//!    (`report_part.rs`). [`split`] stores them as [`ReportPart`]s before anything takes effect, so that every later attempt leaves out
//!    the same elements, and the report is applied without them, under the same request id.
//! 2. The rest took effect: [`finish`] makes the message PARTIALLY_APPLIED, which opens REPORT_INCOMPLETE. Its parts are tried again
//!    every hour for a day (`ApplyReports`, `process/report.rs`).
//! 3. A person removes the cause and replays the message, or one of its parts (`replay_message.rs`).
//! 4. Each part is a call of its own, whose request id is the message's with the number of the part: [`RecordPartAttempts`] records what
//!    became of it. When no part waits any more the message is APPLIED, and the exception is resolved.
//! 5. A later report takes the message back (`process/report/take_back.rs`): the parts that wait are dropped.

use proto::{events::PartnerEvent, partner::v1::PartnerMessage};
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, MessageId,
    retry::report::{PART_ATTEMPTS, PART_PAUSE},
};

use super::report::{self, Effect, explanation};
use crate::{
    events,
    message::{Message, MessageState},
    report_part::{BadElement, PartState, ReportPart},
    wire,
};

/// Asks for the parts of a message, if it has any.
pub(crate) fn need(message_id: &MessageId, rows: &Rows, needs: &mut Needs) {
    if let Ok(Some(message)) = rows.get::<Message>(message_id)
        && message.parts > 0
    {
        needs.under::<ReportPart>(message_id);
    }
}

/// The parts of a message.
fn of(message: &Message, rows: &Rows) -> Result<Vec<ReportPart>, Fault> {
    if message.parts == 0 {
        return Ok(Vec::new());
    }
    Ok(rows.under::<ReportPart>(&message.message_id)?.into_iter().cloned().collect())
}

/// Whether a part of a message waits.
pub(crate) fn is_waiting(message: &Message, part_number: i64, rows: &Rows) -> Result<bool, Fault> {
    let mut parts = of(message, rows)?.into_iter();
    Ok(parts.any(|part| part.part_number == part_number && part.state == PartState::Waiting))
}

/// Sets refused elements aside; the message stays RECEIVED.
pub(crate) fn split(message: Message, bad: &[BadElement], rows: &mut Rows) -> Message {
    let mut part_number = message.parts;
    for BadElement { list, element, problem } in bad {
        part_number += 1;
        rows.put(ReportPart {
            message_id: message.message_id.clone(),
            part_number,
            list: (*list).to_owned(),
            element: i64::try_from(*element).unwrap_or(i64::MAX),
            problem: problem.clone(),
            state: PartState::Waiting,
            version: 0,
        });
    }
    let outcome = format!("{part_number} parts were refused");
    rows.put(Message { parts: part_number, outcome, ..message })
}

/// The message after what is left of its report took effect. `left_out` parts were known when it was applied: with fewer than there
/// are now, another attempt had applied the report with those that it did not leave out.
pub(crate) fn finish(message: Message, left_out: i64, rows: &mut Rows, cx: &mut Context<'_>) -> Result<Message, Fault> {
    let mut parts = of(&message, rows)?;
    for part in parts.iter_mut().filter(|part| part.part_number > left_out && part.state == PartState::Waiting) {
        *part = rows.put(ReportPart { state: PartState::Applied, ..part.clone() });
    }
    let waiting: Vec<_> = parts.iter().filter(|part| part.state == PartState::Waiting).collect();
    if waiting.is_empty() {
        return Ok(Message { state: MessageState::Applied, ..message });
    }
    cx.schedule(report::task(&message, cx.now().after(PART_PAUSE)));
    let outcome = format!("{}, but {}", message.outcome, waits(&waiting));
    // From now on attempts to apply the parts are counted.
    Ok(Message { state: MessageState::PartiallyApplied, outcome, attempts: 1, ..message })
}

/// Drops the parts of a message that wait: its report is taken back.
pub(crate) fn drop_waiting(message: &Message, rows: &mut Rows) -> Result<(), Fault> {
    for part in of(message, rows)?.into_iter().filter(|part| part.state == PartState::Waiting) {
        rows.put(ReportPart { state: PartState::Dropped, ..part });
    }
    Ok(())
}

/// Says which parts wait, the first ones by name: `items[3] waits: sku no such item`.
fn waits(waiting: &[&ReportPart]) -> String {
    let named = waiting.iter().take(3).map(|part| format!("{} waits: {}", part.field(), part.problem));
    let more = waiting.len().saturating_sub(3);
    let more = (more > 0).then(|| format!("{more} more wait"));
    named.chain(more).collect::<Vec<_>>().join("; ")
}

/// Records attempts to apply parts of a message. Does nothing when none of them waits any more.
pub(crate) struct RecordPartAttempts {
    /// The message.
    pub message_id: MessageId,
    /// The numbers of the parts, and what they did or why they had no effect.
    pub results: Vec<(i64, Result<Effect, Fault>)>,
}

impl Command for RecordPartAttempts {
    type Reply = PartnerMessage;
    const NAME: &'static str = "RecordPartAttempts";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
        need(&self.message_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        if present.state != MessageState::PartiallyApplied {
            return Ok(wire::message(&present, Vec::new()));
        }
        let mut parts = of(&present, rows)?;
        for part in parts.iter_mut().filter(|part| part.state == PartState::Waiting) {
            let result = self.results.iter().find(|(number, _)| *number == part.part_number);
            match result.map(|(_, result)| result) {
                Some(Ok(_)) => *part = rows.put(ReportPart { state: PartState::Applied, ..part.clone() }),
                Some(Err(fault)) if !fault.is_transient() => {
                    *part = rows.put(ReportPart { problem: explanation(fault), ..part.clone() });
                }
                Some(Err(_)) | None => {}
            }
        }
        let waiting: Vec<_> = parts.iter().filter(|part| part.state == PartState::Waiting).collect();
        let tried = Message { attempts: present.attempts + 1, update_time: cx.now(), ..present };
        if !waiting.is_empty() {
            let message = rows.put(Message { outcome: waits(&waiting), ..tried });
            if message.attempts < PART_ATTEMPTS {
                cx.schedule(report::task(&message, cx.now().after(PART_PAUSE)));
            }
            return Ok(wire::message(&message, Vec::new()));
        }
        let outcome = "every part took effect".to_owned();
        let message = rows.put(Message { state: MessageState::Applied, outcome, ..tried });
        report::unschedule(&message, cx);
        cx.emit(events::message(PartnerEvent::PartnerMessageApplied, &message));
        events::move_exception(cx, MessageState::PartiallyApplied, &message, &message.outcome);
        Ok(wire::message(&message, Vec::new()))
    }
}
