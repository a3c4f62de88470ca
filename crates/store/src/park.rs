//! Commands for events and tasks that fail for good: they park the event or give up the task, and open an exception.
//!
//! A parked event is passed by its subscription and is not replayed. The person decides what its missing effect needs.

use proto::event::v1::{Event, ExceptionType};
use types::{Fault, Timestamp};

use crate::{command::Command, context::Context, exception::Exception, needs::Needs, rows::Rows, task::Task};

crate::record! {
    /// An event whose reaction was refused.
    pub(crate) struct ParkedEvent in "parked_events" key (subscription: String, position: i64) {
        event_id: String,
        event_type: String,
        reason: String,
        message: String,
        park_time: Timestamp,
    }
}

/// Parks an event and opens an exception.
pub(crate) struct ParkEvent {
    subscription: &'static str,
    event: Event,
    fault: Fault,
}

impl ParkEvent {
    pub(crate) fn new(subscription: &'static str, event: &Event, fault: &Fault) -> Self {
        // The payload is in the source's log.
        Self { subscription, event: Event { payload: None, ..event.clone() }, fault: fault.clone() }
    }
}

impl Command for ParkEvent {
    type Reply = ();
    const NAME: &'static str = "ParkEvent";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<ParkedEvent>(&(self.subscription.to_owned(), self.event.position));
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Self { subscription, event, fault } = self;
        let key = ((*subscription).to_owned(), event.position);
        let version = rows.get::<ParkedEvent>(&key)?.map_or(0, |parked| parked.version);
        rows.put(ParkedEvent {
            subscription: key.0,
            position: key.1,
            event_id: event.event_id.clone(),
            event_type: event.r#type.clone(),
            reason: fault.reason.as_str().to_owned(),
            message: fault.message.clone(),
            park_time: cx.now(),
            version,
        });
        let facts = [
            ("subscription", (*subscription).to_owned()),
            ("source", event.source.clone()),
            ("position", event.position.to_string()),
            ("event_id", event.event_id.clone()),
            ("event_type", event.r#type.clone()),
        ];
        let subject = format!("{subscription}:{}", event.event_id);
        let summary = format!("{subscription} could not react to {} of {}", event.r#type, event.subject);
        let exception = Exception::new(ExceptionType::ReactionFailed, subject, cx.now().as_micros())
            .correlation(&event.correlation_id);
        let exception = match event.account_id.parse() {
            Ok(account_id) => exception.account(&account_id),
            Err(_) => exception,
        };
        exception.open(cx, summary, with_reason(facts, fault));
        Ok(())
    }
}

/// Gives a task up and opens an exception.
pub(crate) struct GiveUp {
    task: Task,
    fault: Fault,
}

impl GiveUp {
    pub(crate) fn new(task: &Task, fault: &Fault) -> Self {
        Self { task: task.clone(), fault: fault.clone() }
    }
}

impl Command for GiveUp {
    type Reply = ();
    const NAME: &'static str = "GiveUpTask";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Self { task, fault } = self;
        let facts = [
            ("kind", task.kind.clone()),
            ("key", task.key.clone()),
            ("due", task.due.as_micros().to_string()),
            ("attempts", task.attempts.to_string()),
        ];
        let subject = format!("{}:{}", task.kind, task.key);
        let summary = format!("task {subject} failed for good");
        Exception::new(ExceptionType::TaskFailed, subject, cx.now().as_micros()).open(
            cx,
            summary,
            with_reason(facts, fault),
        );
        Ok(())
    }
}

/// The facts of an exception, and why the command was refused.
fn with_reason<'f, const N: usize>(
    facts: [(&'f str, String); N],
    fault: &Fault,
) -> impl Iterator<Item = (&'f str, String)> + use<'f, N> {
    let reason = [("reason", fault.reason.as_str().to_owned()), ("message", fault.message.clone())];
    facts.into_iter().chain(reason)
}
