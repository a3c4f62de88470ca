//! Records what an attempt to apply a report came to.

use proto::{event::v1::ExceptionType, events::PartnerEvent, partner::v1::PartnerMessage};
use store::{Command, Context, Needs, Rows};
use types::{
    Fault, MessageId, Reason,
    retry::{
        self,
        report::{ATTEMPTS_BEFORE_EXCEPTION, FIRST_PAUSE, LONGEST_PAUSE},
    },
};

use super::{
    Effect,
    take_back::{self, About, TakenBack},
    task, unschedule,
};
use crate::{
    events,
    message::{Message, MessageState},
    process::report_parts,
    report_part::BadElement,
    wire,
};

/// Records an attempt to apply a report. Does nothing when the message is not RECEIVED any more.
pub(crate) struct RecordReportAttempt {
    /// The message.
    pub message_id: MessageId,
    /// What it did, or why it had no effect. After a transient fault it is applied again.
    pub result: Result<Effect, Fault>,
    /// The elements that were refused, when the rest may take effect.
    pub bad: Vec<BadElement>,
    /// How many parts were left out.
    pub left_out: i64,
    /// Earlier messages that it took back, whatever became of the rest.
    pub taken_back: Vec<TakenBack>,
    /// The order of the earlier messages that it names. It is the report's own when it is refused too.
    pub about: About,
}

impl RecordReportAttempt {
    pub(super) fn failed(message_id: &MessageId, fault: Fault) -> Self {
        Self {
            message_id: message_id.clone(),
            result: Err(fault),
            bad: Vec::new(),
            left_out: 0,
            taken_back: Vec::new(),
            about: About::default(),
        }
    }
}

impl RecordReportAttempt {
    /// Marks the messages that were taken back. Returns false when one of them changed since, and is left as it is.
    fn mark_taken_back(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let mut unchanged = true;
        for TakenBack { message_id, state } in &self.taken_back {
            let message = rows.get::<Message>(message_id)?.cloned();
            let message = message.ok_or_else(|| Fault::not_found("message", message_id))?;
            if message.state == *state {
                take_back::mark(message, &self.message_id, rows, cx)?;
            } else if message.state != MessageState::Retracted {
                unchanged = false;
            }
        }
        Ok(unchanged)
    }
}

impl Command for RecordReportAttempt {
    type Reply = PartnerMessage;
    const NAME: &'static str = "RecordReportAttempt";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
        report_parts::need(&self.message_id, rows, needs);
        for TakenBack { message_id, .. } in &self.taken_back {
            needs.row::<Message>(message_id);
            report_parts::need(message_id, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        if present.state != MessageState::Received {
            return Ok(wire::message(&present, Vec::new()));
        }
        // What was undone may be less than what a message did that changed meanwhile.
        let changed = Err(Fault::unavailable("the report that it takes back has changed meanwhile"));
        let result = if self.mark_taken_back(rows, cx)? { &self.result } else { &changed };
        if !self.bad.is_empty() {
            // Another attempt may have set the same elements aside.
            let present =
                if self.left_out == present.parts { report_parts::split(present, &self.bad, rows) } else { present };
            cx.schedule(task(&present, cx.now()));
            return Ok(wire::message(&present, Vec::new()));
        }
        let attempts = present.attempts + 1;
        let About { order_id, account_id } = self.about.clone();
        let (order_id, account_id) = if present.order_id.is_empty() {
            (order_id, account_id.or_else(|| present.account_id.clone()))
        } else {
            (present.order_id.clone(), present.account_id.clone())
        };
        let tried = Message { attempts, order_id, account_id, update_time: cx.now(), ..present };
        let (event, recorded) = match result {
            Ok(Effect { outcome, order_id, account_id, recorded_as }) => {
                let order_id = if order_id.is_empty() { tried.order_id.clone() } else { order_id.clone() };
                let account_id = account_id.parse().ok().or_else(|| tried.account_id.clone());
                let (outcome, recorded_as) = (outcome.clone(), recorded_as.clone());
                let applied = Message { outcome, recorded_as, order_id, account_id, ..tried };
                unschedule(&applied, cx);
                let applied = report_parts::finish(applied, self.left_out, rows, cx)?;
                (PartnerEvent::PartnerMessageApplied as fn(_) -> _, applied)
            }
            // The report took effect with other parts than were left out now.
            Err(fault) if fault.reason == Reason::RequestIdReused && tried.parts > 0 => {
                unschedule(&tried, cx);
                (PartnerEvent::PartnerMessageApplied as fn(_) -> _, report_parts::finish(tried, 0, rows, cx)?)
            }
            Err(fault) if fault.is_transient() => {
                let delayed = rows.put(Message { outcome: format!("not applied yet: {}", fault.message), ..tried });
                if attempts == 1 {
                    cx.emit(events::message(PartnerEvent::PartnerMessageReceived, &delayed));
                }
                if attempts == ATTEMPTS_BEFORE_EXCEPTION {
                    events::open_exception(cx, ExceptionType::ReportDelayed, &delayed);
                }
                let pause = retry::doubling(FIRST_PAUSE, LONGEST_PAUSE, attempts);
                cx.schedule(task(&delayed, cx.now().after(pause)));
                return Ok(wire::message(&delayed, Vec::new()));
            }
            Err(fault) => {
                let rejected = Message { state: MessageState::Rejected, outcome: explanation(fault), ..tried };
                (PartnerEvent::PartnerMessageRejected as fn(_) -> _, rejected)
            }
        };
        let message = rows.put(recorded);
        if message.state == MessageState::Rejected {
            unschedule(&message, cx);
        }
        cx.emit(events::message(event, &message));
        events::move_exception(cx, MessageState::Received, &message, &message.outcome);
        if attempts > ATTEMPTS_BEFORE_EXCEPTION {
            events::resolve_exception(cx, ExceptionType::ReportDelayed, &message, "the report was applied or rejected");
        }
        Ok(wire::message(&message, Vec::new()))
    }
}

/// A refusal for the partner: the reason, and every wrong field.
pub(crate) fn explanation(fault: &Fault) -> String {
    let wrong: Vec<_> = fault.violations.iter().map(|one| format!("{}: {}", one.field, one.description)).collect();
    let text = if wrong.is_empty() { fault.message.clone() } else { wrong.join("; ") };
    format!("{}: {text}", fault.reason.as_str())
}
