//! What may not stand still without anybody knowing: reports that nobody applies, and messages that nobody sends.

use store::{Check, Command, Context, Heal, Needs, Rows};
use types::{Fault, MessageId};

use crate::{
    message::{Message, MessageState},
    process::{outbound_message, report},
};

pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "report that nobody applies",
        find: "SELECT message_id FROM messages AS m WHERE state = 'RECEIVED' AND NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'partner.apply' AND t.key = m.message_id)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(WorkAgain { message_id: row.at(0)? }))),
    },
    Check {
        name: "message that nobody sends",
        find: "SELECT m.message_id FROM messages AS m JOIN partners AS p ON p.partner_id = m.partner_id \
               WHERE m.state IN ('PENDING', 'IN_DOUBT') AND p.endpoint_url <> '' AND NOT EXISTS \
               (SELECT 1 FROM tasks AS t WHERE t.kind = 'partner.send' AND t.key = m.message_id)",
        unchanged_for: None,
        heal: Heal::Command(|row| Ok(Box::new(WorkAgain { message_id: row.at(0)? }))),
    },
];

/// Schedules that a report is applied, or a message is sent.
struct WorkAgain {
    message_id: MessageId,
}

impl Command for WorkAgain {
    type Reply = bool;
    const NAME: &'static str = "WorkAgain";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<bool, Fault> {
        let Some(message) = rows.get::<Message>(&self.message_id)? else { return Ok(false) };
        let task = match message.state {
            MessageState::Received => report::task(message, cx.now()),
            MessageState::Pending | MessageState::InDoubt => outbound_message::task(message, cx.now()),
            MessageState::Applied
            | MessageState::PartiallyApplied
            | MessageState::Rejected
            | MessageState::Quarantined
            | MessageState::Retracted
            | MessageState::Held
            | MessageState::Sent
            | MessageState::Acknowledged
            | MessageState::Failed => return Ok(false),
        };
        cx.schedule(task);
        Ok(true)
    }
}
