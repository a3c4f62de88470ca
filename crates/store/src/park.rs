//! What is refused for good is set aside for a person: nothing blocks, nothing is silent.

use std::collections::HashMap;

use proto::event::v1::{Event, ExceptionOpened};
use types::{Fault, Timestamp};

use crate::{command::Command, context::Context, event::Draft, needs::Needs, task::Task, work::Work};

crate::record! {
    /// An event whose reaction was refused.
    pub(crate) struct ParkedEvent in "parked_events" key (subscription: String, position: i64) {
        event_id: String,
        kind: String,
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

    fn needs(&self, _: &Work, needs: &mut Needs) {
        needs.row::<ParkedEvent>(&(self.subscription.to_owned(), self.event.position));
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Self { subscription, event, fault } = self;
        let key = ((*subscription).to_owned(), event.position);
        let version = work.get::<ParkedEvent>(&key)?.map_or(0, |parked| parked.version);
        work.put(ParkedEvent {
            subscription: key.0,
            position: key.1,
            event_id: event.event_id.clone(),
            kind: event.r#type.clone(),
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
        open(cx, "REACTION_FAILED", subject, &event.correlation_id, summary, fault, facts);
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

    fn needs(&self, _: &Work, _: &mut Needs) {}

    fn decide(&self, _: &mut Work, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Self { task, fault } = self;
        let facts = [
            ("kind", task.kind.clone()),
            ("key", task.key.clone()),
            ("due", task.due.as_micros().to_string()),
            ("attempts", task.attempts.to_string()),
        ];
        let subject = format!("{}:{}", task.kind, task.key);
        let summary = format!("task {subject} failed for good");
        open(cx, "TASK_FAILED", subject, "", summary, fault, facts);
        Ok(())
    }
}

fn open<const N: usize>(
    cx: &mut Context<'_>,
    kind: &str,
    subject: String,
    order_id: &str,
    summary: String,
    fault: &Fault,
    facts: [(&str, String); N],
) {
    let mut facts: HashMap<String, String> = facts.map(|(name, value)| (name.to_owned(), value)).into();
    facts.insert("reason".to_owned(), fault.reason.as_str().to_owned());
    facts.insert("message".to_owned(), fault.message.clone());
    let opened = ExceptionOpened { r#type: kind.to_owned(), subject, order_id: order_id.to_owned(), summary, facts };
    let at = cx.now().as_micros();
    cx.emit(Draft::new("exception.opened", &opened.subject, 1, format!("{kind}:{at}"), &opened).correlation(order_id));
}
