//! Messages to the partners that run nodes: do this work, stop it.

use proto::fulfillment::v1::FulfillmentOrder;
use store::{Command, Context, Needs, Task, Work as Rows};
use types::{Fault, FulfillmentOrderId, MessageId, PartnerId};

use crate::{
    connectors::document,
    exception,
    message::{self, Arrival, BY_SUBJECT, Content, Direction, Message, State},
    partner::Partner,
    sending::SEND,
    work::{self, Work},
};

/// Kind of the message that asks for work.
pub(crate) const REQUESTED: &str = "fulfillment.requested";
/// Kind of the message that asks to stop work that was accepted.
pub(crate) const CANCELLATION_REQUESTED: &str = "fulfillment.cancellation_requested";
/// Kind of the message that tells that work which was not accepted is not wanted any more.
pub(crate) const CALLED_OFF: &str = "fulfillment.called_off";

/// Work at a partner's node, as fulfillment told it.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    fulfillment_order_id: FulfillmentOrderId,
    partner_id: PartnerId,
    work: FulfillmentOrder,
}

impl Told {
    /// Reads the ids.
    pub(crate) fn read(work: Option<FulfillmentOrder>) -> Result<Self, Fault> {
        let work = work.ok_or_else(|| Fault::internal("an event without its fulfillment order"))?;
        let unreadable = |error: types::IdError| Fault::internal(format!("an event about unreadable work: {error}"));
        Ok(Self {
            fulfillment_order_id: work.fulfillment_order_id.parse().map_err(unreadable)?,
            partner_id: work.partner_id.parse().map_err(unreadable)?,
            work,
        })
    }

    fn subject(&self) -> (String, Direction) {
        (self.fulfillment_order_id.to_string(), Direction::Out)
    }

    fn needs(&self, needs: &mut Needs) {
        needs.row::<Partner>(&self.partner_id);
        needs.row::<Work>(&self.fulfillment_order_id);
        needs.by::<Message>(BY_SUBJECT, &self.subject());
    }

    fn messages(&self, rows: &Rows) -> Result<Vec<Message>, Fault> {
        Ok(rows.by::<Message>(BY_SUBJECT, &self.subject())?.into_iter().cloned().collect())
    }

    fn keep(&self, rows: &mut Rows, cx: &Context<'_>, state: work::State) -> Result<(), Fault> {
        let known = rows.get::<Work>(&self.fulfillment_order_id)?;
        let version = known.map_or(0, |known| known.version);
        let trace_parent = match known {
            Some(known) => known.trace_parent.clone(),
            None => cx.call().trace_parent.clone().unwrap_or_default(),
        };
        rows.put(Work {
            fulfillment_order_id: self.fulfillment_order_id.clone(),
            partner_id: self.partner_id.clone(),
            order_id: self.work.order_id.clone(),
            state,
            trace_parent,
            version,
        });
        Ok(())
    }

    /// A message to the partner; sent by a task when the partner is sent its work.
    fn message(&self, rows: &mut Rows, cx: &mut Context<'_>, kind: &str) -> Result<(), Fault> {
        let content = document::of(&self.work)?;
        let message_id: MessageId = cx.new_id();
        rows.put(Message {
            message_id: message_id.clone(),
            partner_id: self.partner_id.clone(),
            direction: Direction::Out,
            message_reference: self.work.idempotency_key.clone(),
            kind: kind.to_owned(),
            state: State::Pending,
            subject: self.fulfillment_order_id.to_string(),
            order_id: self.work.order_id.clone(),
            outcome: String::new(),
            content_type: document::CONTENT_TYPE.to_owned(),
            content_hash: message::hash(&content),
            attempts: 0,
            duplicates: 0,
            arrival: Arrival::Excluded,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        rows.put(Content { message_id: message_id.clone(), content, version: 0 });
        if self.is_sent_work(rows)? {
            cx.schedule(Task::new(SEND, &message_id, cx.now()));
        }
        Ok(())
    }

    fn is_sent_work(&self, rows: &Rows) -> Result<bool, Fault> {
        Ok(rows.get::<Partner>(&self.partner_id)?.is_some_and(Partner::is_sent_work))
    }
}

/// Asks the partner to do the work.
pub(crate) struct RequestWork(pub Told);

impl Command for RequestWork {
    type Reply = ();
    const NAME: &'static str = "RequestWork";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        self.0.needs(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        self.0.keep(rows, cx, work::State::Wanted)?;
        self.0.message(rows, cx, REQUESTED)
    }
}

/// Asks the partner to stop the work.
pub(crate) struct RequestCancellation(pub Told);

impl Command for RequestCancellation {
    type Reply = ();
    const NAME: &'static str = "RequestCancellation";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        self.0.needs(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        self.0.message(rows, cx, CANCELLATION_REQUESTED)
    }
}

/// The partner answered what it was asked.
pub(crate) struct Acknowledge {
    /// The work.
    pub told: Told,
    /// What it was asked.
    pub kind: &'static str,
    /// What it answered, for people.
    pub answer: &'static str,
}

impl Command for Acknowledge {
    type Reply = ();
    const NAME: &'static str = "Acknowledge";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        self.told.needs(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for message in self.told.messages(rows)? {
            if message.kind == self.kind && message.state != State::Acknowledged {
                end(rows, cx, message, State::Acknowledged, self.answer);
            }
        }
        Ok(())
    }
}

/// The work is not wanted any more, and the partner may not have heard of it or not have answered.
pub(crate) struct CallOff(pub Told);

impl Command for CallOff {
    type Reply = ();
    const NAME: &'static str = "CallOff";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        self.0.needs(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for message in self.0.messages(rows)? {
            match (message.kind.as_str(), message.state) {
                (_, State::Acknowledged) => {}
                (CANCELLATION_REQUESTED, _) => end(rows, cx, message, State::Acknowledged, "the work was cancelled"),
                (REQUESTED, state) => {
                    self.0.keep(rows, cx, work::State::CalledOff)?;
                    if state != State::Sent {
                        end(rows, cx, message, State::Failed, "the work was called off before it was sent");
                    }
                    // Also when it was not sent: a sending may be under way.
                    if self.0.is_sent_work(rows)? {
                        self.0.message(rows, cx, CALLED_OFF)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Ends a message without sending it any more.
fn end(rows: &mut Rows, cx: &mut Context<'_>, message: Message, state: State, outcome: &str) {
    let before = message.state;
    let ended = rows.put(Message { state, outcome: outcome.to_owned(), update_time: cx.now(), ..message });
    cx.unschedule(SEND, &ended.message_id.to_string());
    if let Some(case) = exception::of_state(before) {
        cx.emit(exception::resolved(case, &ended, outcome));
    }
}
