//! Replays a message, or parts of one, after a person has looked at it.

use mesh::wire::one_id;
use proto::{
    events::PartnerEvent,
    partner::v1::{PartnerMessage, ReplayMessageRequest},
};
use store::{Command, Context, Needs, Rows};
use types::{Fault, FulfillmentOrderId, MessageId};

use crate::{
    events,
    fulfillment_request::{FulfillmentRequest, RequestState},
    message::{Arrival, Direction, FULFILLMENT_REQUESTED, Message, MessageState},
    process::{outbound_message, report, report_parts},
    wire,
};

/// Schedules that a rejected or quarantined report is applied, or waiting parts of one, or that a failed message is sent.
pub(crate) struct ReplayMessage {
    /// The message.
    pub message_id: MessageId,
    /// The waiting parts; all when empty.
    part_numbers: Vec<i64>,
}

impl ReplayMessage {
    /// Reads the request.
    pub(crate) fn parse(request: &ReplayMessageRequest) -> Result<Self, Fault> {
        let part_numbers = request.part_numbers.iter().copied().map(i64::from).collect();
        Ok(Self { message_id: one_id("message_id", &request.message_id)?, part_numbers })
    }
}

impl Command for ReplayMessage {
    type Reply = PartnerMessage;
    const NAME: &'static str = "ReplayMessage";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
        report_parts::need(&self.message_id, rows, needs);
        if let Ok(Some(message)) = rows.get::<Message>(&self.message_id)
            && let Some(fulfillment_order_id) = requested(message)
        {
            needs.row::<FulfillmentRequest>(&fulfillment_order_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        let replayable =
            [MessageState::Rejected, MessageState::Quarantined, MessageState::Failed, MessageState::PartiallyApplied];
        if !replayable.contains(&present.state) {
            let state = present.state.as_str();
            return Err(Fault::not_supported(format!("a message that is {state} cannot be replayed")));
        }
        let request = match requested(&present) {
            Some(id) => rows.get::<FulfillmentRequest>(&id)?.map(|request| request.state),
            None => None,
        };
        if request == Some(RequestState::Withdrawn) {
            return Err(Fault::not_supported("the request was withdrawn"));
        }
        for (at, part_number) in self.part_numbers.iter().enumerate() {
            if present.state != MessageState::PartiallyApplied
                || !report_parts::is_waiting(&present, *part_number, rows)?
            {
                return Err(Fault::invalid(format!("part_numbers[{at}]"), "is not a waiting part of the message"));
            }
        }
        let left = present.state;
        let task = match present.direction {
            Direction::In => report::task,
            Direction::Out => outbound_message::task,
        };
        let (state, outcome) = match (present.direction, present.arrival) {
            (Direction::In, _) if left == MessageState::PartiallyApplied => (left, "its parts are tried again"),
            (Direction::In, _) => (MessageState::Received, ""),
            (Direction::Out, _) if request == Some(RequestState::Held) => (MessageState::Held, outbound_message::HELD),
            (Direction::Out, Arrival::Impossible) => (MessageState::Pending, ""),
            (Direction::Out, Arrival::Possible) => (MessageState::InDoubt, "the partner may have it"),
        };
        let outcome = outcome.to_owned();
        let replays = present.replays + 1;
        let replayed = rows.put(Message { state, outcome, attempts: 0, replays, update_time: cx.now(), ..present });
        cx.emit(events::message(PartnerEvent::PartnerMessageReplayed, &replayed));
        events::move_exception(cx, left, &replayed, "the message was replayed");
        if replayed.state != MessageState::Held {
            cx.schedule(task(&replayed, cx.now()));
        }
        Ok(wire::message(&replayed, Vec::new()))
    }
}

/// The fulfillment order that a message requests, if it does.
fn requested(message: &Message) -> Option<FulfillmentOrderId> {
    (message.message_type == FULFILLMENT_REQUESTED).then(|| message.subject.parse().ok()).flatten()
}
