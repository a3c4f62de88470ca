//! Storing a report as it came, and telling whether it came before.

use std::time::Duration;

use proto::partner::v1::PartnerMessage;
use store::{Command, Context, Needs, Rows, Task};
use types::{Fault, FulfillmentOrderId, MessageId};

use crate::{
    exception,
    message::{self, Arrival, BY_REFERENCE, Content, Direction, Message, Reference, State},
    partner::Partner,
    report::{self, Submission},
    wire,
    work::Work,
};

/// The task that applies a stored report.
pub(crate) const APPLY: &str = "partner.apply";

/// How long a report is left to the call that brought it, before the task applies it: longer than the call waits.
const LEFT_TO_THE_CALL: Duration = Duration::from_secs(10);

/// Stores a report. Answers the message: a new one, the first one when the same came before, or the quarantined one when
/// its reference was used before for other content.
pub(crate) struct ReceiveReport(pub Submission);

impl ReceiveReport {
    fn reference(&self) -> (types::PartnerId, String) {
        (self.0.partner_id.clone(), self.0.control_number.clone())
    }

    fn same_reference(&self) -> (types::PartnerId, Direction, String) {
        (self.0.partner_id.clone(), Direction::In, self.0.control_number.clone())
    }

    fn work(&self) -> Option<FulfillmentOrderId> {
        self.0.subject.parse().ok()
    }
}

impl Command for ReceiveReport {
    type Reply = PartnerMessage;
    const NAME: &'static str = "ReceiveReport";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Partner>(&self.0.partner_id);
        needs.row::<Reference>(&self.reference());
        // Most references are new, and then there is nothing to look for.
        if let Ok(Some(_)) = rows.get::<Reference>(&self.reference()) {
            needs.by::<Message>(BY_REFERENCE, &self.same_reference());
        }
        if let Some(work) = self.work() {
            needs.row::<Work>(&work);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let partner = rows.get::<Partner>(&self.0.partner_id)?;
        partner.ok_or_else(|| Fault::not_found("partner", &self.0.partner_id))?.check_live()?;

        let is_used = rows.get::<Reference>(&self.reference())?.is_some();
        let earlier = if is_used { rows.by::<Message>(BY_REFERENCE, &self.same_reference())? } else { Vec::new() };
        let same = earlier.into_iter().find(|message| message.content_hash == self.0.content_hash).cloned();
        if let Some(same) = same {
            let duplicates = same.duplicates + 1;
            let message = rows.put(Message { duplicates, update_time: cx.now(), ..same });
            cx.emit(message::told("partner.duplicate_ignored", &message));
            return Ok(wire::message(&message, Vec::new()));
        }

        let message = self.new_message(rows, cx)?;
        if is_used {
            let outcome = "the control number was used before, for other content".to_owned();
            let message = rows.put(Message { state: State::Quarantined, outcome, ..message });
            cx.emit(message::told("partner.duplicate_conflict", &message));
            cx.emit(exception::opened(exception::CONTROL_NUMBER_REUSED, &message));
            return Ok(wire::message(&message, Vec::new()));
        }
        let (partner_id, control_number) = self.reference();
        let message = rows.put(message);
        rows.put(Reference { partner_id, control_number, message_id: message.message_id.clone(), version: 0 });
        // Told once it is known what the report did, or that it has to wait: see `conclude`.
        cx.schedule(Task::new(APPLY, &message.message_id, cx.now().after(LEFT_TO_THE_CALL)));
        Ok(wire::message(&message, Vec::new()))
    }
}

impl ReceiveReport {
    fn new_message(&self, rows: &mut Rows, cx: &Context<'_>) -> Result<Message, Fault> {
        let Submission { partner_id, control_number, kind, subject, content, content_hash, .. } = &self.0;
        let work = match self.work() {
            // Somebody else's order is none of the partner's business.
            Some(work) => rows.get::<Work>(&work)?.filter(|work| work.partner_id == *partner_id),
            None => None,
        };
        let order_id = work.map(|work| work.order_id.clone()).unwrap_or_default();
        let message_id: MessageId = cx.new_id();
        rows.put(Content { message_id: message_id.clone(), content: content.clone(), version: 0 });
        Ok(Message {
            message_id,
            partner_id: partner_id.clone(),
            direction: Direction::In,
            control_number: control_number.clone(),
            kind: (*kind).to_owned(),
            state: State::Received,
            subject: subject.clone(),
            order_id,
            outcome: String::new(),
            content_type: report::CONTENT_TYPE.to_owned(),
            content_hash: content_hash.clone(),
            attempts: 0,
            duplicates: 0,
            arrival: Arrival::Excluded,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        })
    }
}
