//! Sending messages to partners, and recording what became of it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use proto::partner::v1::PartnerMessage;
use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task, TaskHandler};
use types::{Fault, MessageId, PartnerId};

use crate::{
    conclude::pause,
    connectors::rest::Rest,
    exception,
    message::{self, Arrival, BY_STATE, Content, Message, State},
    partner::{self, Partner},
    request::REQUESTED,
    wire,
};

/// The task that sends a message.
pub(crate) const SEND: &str = "partner.send";

/// How often a message is tried to be sent before a person is asked.
const ATTEMPTS: i64 = 20;

/// How long a message to a suspended partner is kept back before it is looked at again.
const SUSPENDED: Duration = Duration::from_secs(300);

/// The states of messages that are still to be sent.
const UNSENT: &[State] = &[State::Pending, State::InDoubt];

/// What became of an attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sending {
    /// The partner has it.
    Sent(String),
    /// The partner may have it.
    InDoubt(String),
    /// The partner can not have it; tried again, not before this time.
    NotSent(String, Option<Duration>),
    /// The partner will not have it.
    Refused(String),
    /// Nothing is sent to the partner for now.
    KeptBack,
}

/// Records an attempt to send a message. Does nothing when the message needs no sending any more.
pub(crate) struct ConcludeSending {
    /// The message.
    pub message_id: MessageId,
    /// What became of it.
    pub sending: Sending,
    /// Whether an earlier attempt to give work was cut short, so that nobody knows what became of that one.
    pub interrupted: bool,
}

impl Command for ConcludeSending {
    type Reply = PartnerMessage;
    const NAME: &'static str = "ConcludeSending";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Message>(&self.message_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<PartnerMessage, Fault> {
        let present = rows.get::<Message>(&self.message_id)?.cloned();
        let present = present.ok_or_else(|| Fault::not_found("message", &self.message_id))?;
        if !UNSENT.contains(&present.state) {
            return Ok(wire::message(&present, Vec::new()));
        }
        let attempts = present.attempts + i64::from(self.sending != Sending::KeptBack);
        let (state, outcome, wait) = match &self.sending {
            Sending::Sent(outcome) => (State::Sent, outcome.as_str(), None),
            Sending::Refused(outcome) => (State::Failed, outcome.as_str(), None),
            Sending::InDoubt(outcome) => (State::InDoubt, outcome.as_str(), Some(pause(attempts))),
            Sending::NotSent(outcome, not_before) => {
                (present.state, outcome.as_str(), Some(pause(attempts).max(not_before.unwrap_or_default())))
            }
            Sending::KeptBack if self.interrupted => {
                (State::InDoubt, "an attempt to send it was cut short", Some(SUSPENDED))
            }
            Sending::KeptBack => {
                cx.schedule(Task::new(SEND, &self.message_id, cx.now().after(SUSPENDED)));
                return Ok(wire::message(&present, Vec::new()));
            }
        };
        let arrival = if state == State::InDoubt || self.interrupted { Arrival::Possible } else { present.arrival };
        let (state, wait) = if wait.is_some() && attempts >= ATTEMPTS { (State::Failed, None) } else { (state, wait) };
        let (before, outcome) = (present.state, outcome.to_owned());
        let message = rows.put(Message { state, outcome, attempts, arrival, update_time: cx.now(), ..present });
        if let Some(wait) = wait {
            cx.schedule(Task::new(SEND, &self.message_id, cx.now().after(wait)));
        }
        let told = match state {
            State::Sent => Some("partner.message_sent"),
            State::InDoubt => Some("partner.message_in_doubt"),
            State::Failed => Some("partner.message_failed"),
            _ => None,
        };
        if let Some(kind) = told.filter(|_| state != before) {
            cx.emit(message::told(kind, &message));
        }
        exception::moved(before, &message, &message.outcome).for_each(|case| drop(cx.emit(case)));
        Ok(wire::message(&message, Vec::new()))
    }
}

/// Asks for the messages that [`begin`] may send.
pub(crate) fn needs(needs: &mut Needs) {
    UNSENT.iter().for_each(|state| needs.by::<Message>(BY_STATE, state));
}

/// Sends a partner that has an endpoint from now on what waits for it. It may have fetched any of that, or been given it
/// at an endpoint it had before, so it is asked first.
pub(crate) fn begin(partner_id: &PartnerId, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
    let mut unsent = Vec::new();
    for state in UNSENT {
        let alike = rows.by::<Message>(BY_STATE, state)?;
        unsent.extend(alike.into_iter().filter(|message| message.partner_id == *partner_id).cloned());
    }
    for message in unsent {
        cx.schedule(Task::new(SEND, &message.message_id, cx.now()));
        rows.put(Message { arrival: Arrival::Possible, ..message });
    }
    Ok(())
}

/// Sends messages that are due.
pub(crate) struct Send {
    db: Db,
    rest: Arc<Rest>,
}

impl Send {
    /// Sends the messages of `db`.
    pub(crate) fn new(db: Db, rest: Arc<Rest>) -> Self {
        Self { db, rest }
    }
}

#[async_trait]
impl TaskHandler for Send {
    fn kind(&self) -> &'static str {
        SEND
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let message_id: MessageId = task.key.parse().map_err(|_| Fault::internal("a task for no message"))?;
        let message = self.db.load::<Message>(&message_id).await?;
        let message = message.ok_or_else(|| Fault::internal("a task for a message that is not there"))?;
        let content = self.db.load::<Content>(&message_id).await?;
        let content = content.ok_or_else(|| Fault::internal("a message without content"))?;
        let Some(partner) = self.db.load::<Partner>(&message.partner_id).await? else { return Ok(Vec::new()) };
        // A message that was sent or answered meanwhile, or a partner that fetches its work until it has an endpoint again.
        if !UNSENT.contains(&message.state) || !partner.is_sent_work() {
            return Ok(Vec::new());
        }
        // An earlier run that came to no end may have given the work.
        let interrupted = message.kind == REQUESTED && task.attempts > 1;
        let sending = if partner.state == partner::State::Suspended {
            Sending::KeptBack
        } else if message.kind == REQUESTED {
            let asks_first = interrupted || message.state == State::InDoubt || message.arrival == Arrival::Possible;
            let key = &message.control_number;
            let known = if asks_first { self.rest.find(&partner.endpoint_url, key).await } else { None };
            match known {
                Some(sending) => sending,
                None => self.rest.create(&partner.endpoint_url, key, content.content).await,
            }
        } else {
            self.rest.cancel(&partner.endpoint_url, &message.control_number, content.content).await
        };
        tracing::info!(%message_id, partner_id = %partner.partner_id, ?sending, "a message was tried to be sent");
        Ok(vec![Box::new(ConcludeSending { message_id, sending, interrupted })])
    }
}
