//! Trying a message again that a person has looked at.

use mesh::wire::Checks;
use proto::partner::v1::{PartnerMessage, ReplayMessageRequest};
use store::{Command, Context, Needs, Rows, Task};
use types::{Fault, FulfillmentOrderId, MessageId};

use crate::{
    exception,
    message::{self, Arrival, Direction, Message, State},
    receive::APPLY,
    request::REQUESTED,
    sending::SEND,
    wire,
    work::{self, Work},
};

/// Makes a rejected or quarantined report one to apply, and a failed message one to send.
pub(crate) struct ReplayMessage {
    /// The message.
    pub message_id: MessageId,
}

impl ReplayMessage {
    /// Reads the request.
    pub(crate) fn parse(request: &ReplayMessageRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let message_id = checks.id("message_id", &request.message_id);
        checks.done()?;
        let message_id = message_id.ok_or_else(|| Fault::internal("a checked request can not be read"))?;
        Ok(Self { message_id })
    }
}

impl Command for ReplayMessage {
    type Reply = PartnerMessage;
    const NAME: &'static str = "ReplayMessage";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
        if let Ok(Some(message)) = rows.get::<Message>(&self.message_id)
            && let Some(work) = requested(message)
        {
            needs.row::<Work>(&work);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        if !matches!(present.state, State::Rejected | State::Quarantined | State::Failed) {
            let state = present.state.as_str();
            return Err(Fault::not_supported(format!("a message that is {state} can not be replayed")));
        }
        if let Some(work) = requested(&present)
            && rows.get::<Work>(&work)?.is_some_and(|work| work.state == work::State::CalledOff)
        {
            return Err(Fault::not_supported("the work was called off"));
        }
        let before = present.state;
        let (state, task, outcome) = match (present.direction, present.arrival) {
            (Direction::In, _) => (State::Received, APPLY, ""),
            (Direction::Out, Arrival::Excluded) => (State::Pending, SEND, ""),
            // It failed in doubt, and a person's word does not end that.
            (Direction::Out, Arrival::Possible) => (State::InDoubt, SEND, "the partner may have it"),
        };
        let outcome = outcome.to_owned();
        let replayed = rows.put(Message { state, outcome, attempts: 0, update_time: cx.now(), ..present });
        cx.emit(message::told("partner.message_replayed", &replayed));
        exception::moved(before, &replayed, "the message was replayed").for_each(|case| drop(cx.emit(case)));
        cx.schedule(Task::new(task, &self.message_id, cx.now()));
        Ok(wire::message(&replayed, Vec::new()))
    }
}

/// The work that a message asks a partner to do.
fn requested(message: &Message) -> Option<FulfillmentOrderId> {
    (message.kind == REQUESTED).then(|| message.subject.parse().ok()).flatten()
}
