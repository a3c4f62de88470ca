//! A message to the partner that runs a node, from fulfillment's event to the partner's answer.
//!
//! 1. **Pending**: fulfillment assigns a fulfillment order to the node and emits `fulfillment.requested`, or
//!    `fulfillment.cancellation_requested` or `fulfillment.ship_to_change_requested` for one that the partner accepted, which takes
//!    the place of an earlier one of the same kind. `reactions.rs` turns the event into [`UpdateFulfillmentRequest`], which stores a
//!    PENDING message with the fulfillment order as its content.
//! 2. For a partner with an endpoint [`SendMessages`] is scheduled at once. Other partners fetch the message from the API;
//!    when such a partner gets an endpoint, `update_partner.rs` schedules what is unsent (`process/unsent.rs`).
//!    **Held**: while a hold blocks the fulfillment order, from the start or later (`fulfillment.hold_placed`), its unsent request
//!    is HELD, and neither sent nor replayed; with the end of the last one (`fulfillment.hold_released`) it is PENDING. An attempt
//!    may have been under way when the hold came later, so the partner is asked first; if it succeeded, the request is SENT. Other
//!    messages wait for no hold: they ask a partner to stop.
//! 3. [`SendMessages`] sends the message through the partner's connector, `connectors/rest.rs`.
//!    - *Suspended partner*: nothing is sent; the message is looked at again every five minutes.
//!    - *Asked first*: when an earlier attempt to send a request may have arrived, the partner is asked whether it has
//!      the request, which is sent only if it does not. Other messages are repeated without asking.
//! 4. [`RecordSendAttempt`] records the result.
//!    - **Sent**: SENT, `partner.message_sent`; the exception of the state before is resolved.
//!    - **In doubt**, it may have arrived: IN_DOUBT, `partner.message_in_doubt`, exception MESSAGE_IN_DOUBT; step 3
//!      again after a growing pause, and the partner is asked first. It is also asked first after an interrupted
//!      attempt.
//!    - **Not sent**, it did not arrive: the state stays; step 3 again after a growing pause.
//!    - **Failed**, refused or 20 attempts: FAILED, `partner.message_failed`, exception MESSAGE_FAILED.
//! 5. **Acknowledged**: the partner answers with a report (`process/report.rs`); fulfillment emits
//!    `fulfillment.accepted`, `.rejected`, `.cancellation_rejected`, `.ship_to_change_accepted` or `.ship_to_change_rejected`, and
//!    [`UpdateFulfillmentRequest`] makes the message ACKNOWLEDGED whatever its state, and resolves its exception.
//! 6. **Withdrawn**: on `fulfillment.timed_out` or `.cancelled`, [`UpdateFulfillmentRequest`] fails a request that is not
//!    SENT and sends a message that withdraws it, since it may be on its way. A request for cancellation is acknowledged.
//! 7. **Replayed**: `replay_message.rs` makes a FAILED message PENDING again, or IN_DOUBT if it may have arrived,
//!    `partner.message_replayed`, and step 3 follows. A withdrawn request is not replayed.

use std::sync::Arc;

use async_trait::async_trait;
use proto::{events::PartnerEvent, fulfillment::v1::FulfillmentOrder, partner::v1::PartnerMessage};
use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task, TaskHandler};
use types::{
    AccountId, Fault, FulfillmentOrderId, MessageId, PartnerId, Timestamp,
    retry::{
        self,
        sending::{ATTEMPTS, FIRST_PAUSE, LONGEST_PAUSE, SUSPENDED_PAUSE},
    },
};

use crate::{
    connectors::{Sending, document, rest::Rest},
    events,
    fulfillment_request::{FulfillmentRequest, RequestState},
    message::{
        self, Arrival, BY_SUBJECT, CANCELLATION_REQUESTED, Content, Direction, FULFILLMENT_REQUESTED, Message,
        MessageState, REQUEST_WITHDRAWN, SHIP_TO_CHANGE_REQUESTED,
    },
    partner::{Partner, PartnerState},
    wire,
};

/// The kind of the task that sends a message.
const SEND: &str = "partner.send";

/// The task that sends a message.
pub(crate) fn task(message: &Message, due: Timestamp) -> Task {
    Task::new(SEND, &message.message_id, due).order(&message.order_id, message.account_id.as_ref())
}

/// Why a request is HELD, for people.
pub(crate) const HELD: &str = "waits for the end of a hold";

/// The states of messages that are still to be sent.
pub(super) const UNSENT: &[MessageState] = &[MessageState::Pending, MessageState::InDoubt];

/// A change of a fulfillment order that concerns the messages about it.
pub(crate) enum RequestChange {
    /// It was assigned to the partner's node.
    Requested,
    /// Something else was requested after the partner accepted it, by a message of a type.
    Asked { message_type: &'static str },
    /// The partner answered the message of a type, with an outcome for people.
    Answered { message_type: &'static str, outcome: &'static str },
    /// It was cancelled or assigned elsewhere before the partner answered.
    Withdrawn,
    /// Holds that block it were placed or released.
    HoldsChanged,
}

/// Creates and ends the messages to a partner about a fulfillment order at its node.
pub(crate) struct UpdateFulfillmentRequest {
    fulfillment_order_id: FulfillmentOrderId,
    partner_id: PartnerId,
    account_id: AccountId,
    fulfillment_order: FulfillmentOrder,
    change: RequestChange,
}

impl UpdateFulfillmentRequest {
    /// Reads the ids of the fulfillment order of an event.
    pub(crate) fn parse(fulfillment_order: Option<FulfillmentOrder>, change: RequestChange) -> Result<Self, Fault> {
        let order = fulfillment_order.ok_or_else(|| Fault::internal("an event without its fulfillment order"))?;
        let unreadable = |error: types::IdError| Fault::internal(format!("an event with an unreadable id: {error}"));
        Ok(Self {
            fulfillment_order_id: order.fulfillment_order_id.parse().map_err(unreadable)?,
            partner_id: order.partner_id.parse().map_err(unreadable)?,
            account_id: order.account_id.parse().map_err(unreadable)?,
            fulfillment_order: order,
            change,
        })
    }

    fn subject(&self) -> (String, Direction) {
        (self.fulfillment_order_id.to_string(), Direction::Out)
    }

    fn save_request(&self, rows: &mut Rows, cx: &Context<'_>, state: RequestState) -> Result<(), Fault> {
        let (trace_parent, version) = match rows.get::<FulfillmentRequest>(&self.fulfillment_order_id)? {
            Some(known) => (known.trace_parent.clone(), known.version),
            None => (cx.call().trace_parent.clone().unwrap_or_default(), 0),
        };
        rows.put(FulfillmentRequest {
            fulfillment_order_id: self.fulfillment_order_id.clone(),
            partner_id: self.partner_id.clone(),
            order_id: self.fulfillment_order.order_id.clone(),
            account_id: self.account_id.clone(),
            state,
            trace_parent,
            version,
        });
        Ok(())
    }

    fn create_message(&self, rows: &mut Rows, cx: &mut Context<'_>, message_type: &str) -> Result<(), Fault> {
        let content = document::encode(&self.fulfillment_order)?;
        let message_id: MessageId = cx.new_id();
        let held = message_type == FULFILLMENT_REQUESTED && self.is_held();
        let (state, outcome) =
            if held { (MessageState::Held, HELD.to_owned()) } else { (MessageState::Pending, String::new()) };
        let message = rows.put(Message {
            message_id: message_id.clone(),
            partner_id: self.partner_id.clone(),
            direction: Direction::Out,
            control_number: self.fulfillment_order.idempotency_key.clone(),
            message_type: message_type.to_owned(),
            state,
            subject: self.fulfillment_order_id.to_string(),
            order_id: self.fulfillment_order.order_id.clone(),
            account_id: Some(self.account_id.clone()),
            outcome,
            recorded_as: String::new(),
            retracted_by: None,
            content_type: document::CONTENT_TYPE.to_owned(),
            content_hash: message::hash(&content),
            attempts: 0,
            duplicates: 0,
            replays: 0,
            parts: 0,
            arrival: Arrival::Impossible,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        rows.put(Content { message_id, content, version: 0 });
        if !held && self.has_endpoint(rows)? {
            cx.schedule(task(&message, cx.now()));
        }
        Ok(())
    }

    /// Whether holds block the fulfillment order.
    fn is_held(&self) -> bool {
        !self.fulfillment_order.holds.is_empty()
    }

    /// Lets the request wait while a hold blocks its fulfillment order.
    fn follow_holds(&self, rows: &mut Rows, cx: &mut Context<'_>, messages: Vec<Message>) -> Result<(), Fault> {
        let request = rows.get::<FulfillmentRequest>(&self.fulfillment_order_id)?;
        let is_held = self.is_held();
        let next = match request.map(|request| request.state) {
            Some(RequestState::Requested) if is_held => RequestState::Held,
            Some(RequestState::Held) if !is_held => RequestState::Requested,
            _ => return Ok(()),
        };
        self.save_request(rows, cx, next)?;
        let has_endpoint = self.has_endpoint(rows)?;
        for message in messages.into_iter().filter(|message| message.message_type == FULFILLMENT_REQUESTED) {
            if next == RequestState::Held && UNSENT.contains(&message.state) {
                // An attempt to send it may be under way.
                let message = Message { arrival: Arrival::Possible, ..message };
                end(rows, cx, message, MessageState::Held, HELD);
            } else if next == RequestState::Requested && message.state == MessageState::Held {
                let (state, outcome, update_time) = (MessageState::Pending, String::new(), cx.now());
                let pending = rows.put(Message { state, outcome, update_time, ..message });
                if has_endpoint {
                    cx.schedule(task(&pending, cx.now()));
                }
            }
        }
        Ok(())
    }

    fn has_endpoint(&self, rows: &Rows) -> Result<bool, Fault> {
        Ok(rows.get::<Partner>(&self.partner_id)?.is_some_and(Partner::has_endpoint))
    }

    fn withdraw(&self, rows: &mut Rows, cx: &mut Context<'_>, message: Message) -> Result<(), Fault> {
        match (message.message_type.as_str(), message.state) {
            (_, MessageState::Acknowledged) => {}
            (CANCELLATION_REQUESTED, _) => {
                end(rows, cx, message, MessageState::Acknowledged, "the partner stopped it");
            }
            (FULFILLMENT_REQUESTED, state) => {
                self.save_request(rows, cx, RequestState::Withdrawn)?;
                if state != MessageState::Sent {
                    end(rows, cx, message, MessageState::Failed, "the request was withdrawn before it was sent");
                }
                if self.has_endpoint(rows)? {
                    self.create_message(rows, cx, REQUEST_WITHDRAWN)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Command for UpdateFulfillmentRequest {
    type Reply = ();
    const NAME: &'static str = "UpdateFulfillmentRequest";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Partner>(&self.partner_id);
        needs.row::<FulfillmentRequest>(&self.fulfillment_order_id);
        needs.by::<Message>(BY_SUBJECT, &self.subject());
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let messages: Vec<_> = rows.by::<Message>(BY_SUBJECT, &self.subject())?.into_iter().cloned().collect();
        match self.change {
            RequestChange::Requested => {
                let state = if self.is_held() { RequestState::Held } else { RequestState::Requested };
                self.save_request(rows, cx, state)?;
                self.create_message(rows, cx, FULFILLMENT_REQUESTED)
            }
            RequestChange::Asked { message_type } => {
                acknowledge(rows, cx, messages, message_type, "a later request takes its place");
                self.create_message(rows, cx, message_type)
            }
            RequestChange::Answered { message_type, outcome } => {
                acknowledge(rows, cx, messages, message_type, outcome);
                Ok(())
            }
            RequestChange::Withdrawn => messages.into_iter().try_for_each(|message| self.withdraw(rows, cx, message)),
            RequestChange::HoldsChanged => self.follow_holds(rows, cx, messages),
        }
    }
}

/// Ends the messages of a type that are not acknowledged yet.
fn acknowledge(rows: &mut Rows, cx: &mut Context<'_>, messages: Vec<Message>, message_type: &str, outcome: &str) {
    let open = |message: &Message| message.message_type == message_type && message.state != MessageState::Acknowledged;
    for message in messages.into_iter().filter(open) {
        end(rows, cx, message, MessageState::Acknowledged, outcome);
    }
}

/// Moves a message to a state in which it is not sent.
fn end(rows: &mut Rows, cx: &mut Context<'_>, message: Message, state: MessageState, outcome: &str) {
    let left = message.state;
    let ended = rows.put(Message { state, outcome: outcome.to_owned(), update_time: cx.now(), ..message });
    cx.unschedule(SEND, &ended.message_id.to_string());
    if let Some(exception_type) = left.exception_type() {
        events::resolve_exception(cx, exception_type, &ended, outcome);
    }
}

/// Sends messages that are due.
pub(crate) struct SendMessages {
    /// The database they are stored in.
    pub db: Db,
    /// The connector to partners with an HTTP API.
    pub rest: Arc<Rest>,
}

impl SendMessages {
    async fn send(&self, message: &Message, content: Vec<u8>, partner: &Partner, interrupted: bool) -> Sending {
        let (endpoint, key) = (&partner.endpoint_url, &message.control_number);
        if partner.state == PartnerState::Suspended {
            return Sending::Suspended;
        }
        match message.message_type.as_str() {
            FULFILLMENT_REQUESTED => {}
            SHIP_TO_CHANGE_REQUESTED => return self.rest.change_ship_to(endpoint, key, content).await,
            _ => return self.rest.cancel(endpoint, key, content).await,
        }
        let may_have_arrived = message.state == MessageState::InDoubt || message.arrival == Arrival::Possible;
        let known = if interrupted || may_have_arrived { self.rest.find(endpoint, key).await } else { None };
        match known {
            Some(sending) => sending,
            None => self.rest.create(endpoint, key, content).await,
        }
    }
}

#[async_trait]
impl TaskHandler for SendMessages {
    fn kind(&self) -> &'static str {
        SEND
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let message_id: MessageId = task.key.parse().map_err(|_| Fault::internal("a task without a message id"))?;
        let message = self.db.load::<Message>(&message_id).await?;
        let message = message.ok_or_else(|| Fault::internal("a task for a message that does not exist"))?;
        let content = self.db.load::<Content>(&message_id).await?;
        let content = content.ok_or_else(|| Fault::internal("a message without content"))?.content;
        let Some(partner) = self.db.load::<Partner>(&message.partner_id).await? else { return Ok(Vec::new()) };
        // The message was sent or answered meanwhile, or the partner fetches its messages now.
        if !UNSENT.contains(&message.state) || !partner.has_endpoint() {
            return Ok(Vec::new());
        }
        // An earlier run that did not end may have sent the request.
        let interrupted = message.message_type == FULFILLMENT_REQUESTED && !task.is_first_attempt();
        let sending = self.send(&message, content, &partner, interrupted).await;
        tracing::info!(%message_id, partner_id = %partner.partner_id, ?sending, "attempted to send a message");
        Ok(vec![Box::new(RecordSendAttempt { message_id, sending, interrupted })])
    }
}

/// Records an attempt to send a message. Does nothing when the message is not to be sent any more.
pub(crate) struct RecordSendAttempt {
    /// The message.
    message_id: MessageId,
    /// The result.
    sending: Sending,
    /// Whether an earlier attempt was cut short, so that its result is not known.
    interrupted: bool,
}

impl Command for RecordSendAttempt {
    type Reply = PartnerMessage;
    const NAME: &'static str = "RecordSendAttempt";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        // A hold that came meanwhile takes nothing back that is certain.
        let is_certain = matches!(self.sending, Sending::Sent(_) | Sending::Refused(_));
        let is_expected = UNSENT.contains(&present.state) || present.state == MessageState::Held && is_certain;
        if !is_expected {
            return Ok(wire::message(&present, Vec::new()));
        }
        let attempts = present.attempts + i64::from(self.sending != Sending::Suspended);
        let pause = retry::doubling(FIRST_PAUSE, LONGEST_PAUSE, attempts);
        let (state, outcome, wait) = match &self.sending {
            Sending::Sent(outcome) => (MessageState::Sent, outcome.as_str(), None),
            Sending::Refused(outcome) => (MessageState::Failed, outcome.as_str(), None),
            Sending::InDoubt(outcome) => (MessageState::InDoubt, outcome.as_str(), Some(pause)),
            Sending::NotSent(outcome, not_before) => {
                (present.state, outcome.as_str(), Some(pause.max(not_before.unwrap_or_default())))
            }
            Sending::Suspended if self.interrupted => {
                (MessageState::InDoubt, "an attempt to send it was cut short", Some(SUSPENDED_PAUSE))
            }
            Sending::Suspended => {
                cx.schedule(task(&present, cx.now().after(SUSPENDED_PAUSE)));
                return Ok(wire::message(&present, Vec::new()));
            }
        };
        let in_doubt = state == MessageState::InDoubt || self.interrupted;
        let arrival = if in_doubt { Arrival::Possible } else { present.arrival };
        let exhausted = wait.is_some() && attempts >= ATTEMPTS;
        let (state, wait) = if exhausted { (MessageState::Failed, None) } else { (state, wait) };
        let (left, outcome) = (present.state, outcome.to_owned());
        let message = rows.put(Message { state, outcome, attempts, arrival, update_time: cx.now(), ..present });
        if let Some(wait) = wait {
            cx.schedule(task(&message, cx.now().after(wait)));
        }
        let event: Option<fn(_) -> _> = match state {
            MessageState::Sent => Some(PartnerEvent::PartnerMessageSent),
            MessageState::InDoubt => Some(PartnerEvent::PartnerMessageInDoubt),
            MessageState::Failed => Some(PartnerEvent::PartnerMessageFailed),
            MessageState::Received
            | MessageState::Applied
            | MessageState::PartiallyApplied
            | MessageState::Rejected
            | MessageState::Quarantined
            | MessageState::Pending
            | MessageState::Retracted
            | MessageState::Held
            | MessageState::Acknowledged => None,
        };
        if let Some(event) = event.filter(|_| state != left) {
            cx.emit(events::message(event, &message));
        }
        events::move_exception(cx, left, &message, &message.outcome);
        Ok(wire::message(&message, Vec::new()))
    }
}
