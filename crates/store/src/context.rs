//! The context of a deciding command: it emits events, schedules tasks and makes ids.

use std::collections::{BTreeMap, HashSet};

use proto::{event::v1::Event, events::EventType};
use types::{Actor, Id, Timestamp};

use crate::{
    command::Call,
    event::{NewEvent, event_id},
    sums::{Additions, Sums},
    task::Task,
    value::Value,
};

/// The call a command decides for, and its effects besides rows.
#[derive(Debug)]
pub struct Context<'a> {
    pub(crate) now: Timestamp,
    pub(crate) source: &'static str,
    pub(crate) call: &'a Call,
    pub(crate) effects: &'a mut Effects,
}

/// Events, tasks and additions of one command, or of all accepted commands of a batch.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<Event>,
    /// Tasks to keep, `None` for those to drop.
    pub(crate) tasks: BTreeMap<(String, String), Option<Task>>,
    pub(crate) additions: Additions,
}

impl Effects {
    pub(crate) fn extend(&mut self, other: Self) {
        self.events.extend(other.events);
        self.tasks.extend(other.tasks);
        self.additions.extend(other.additions);
    }

    /// Drops events that are emitted twice; the first stays.
    pub(crate) fn drop_repeats(&mut self) {
        let mut emitted = HashSet::new();
        self.events.retain(|event| emitted.insert(event.event_id.clone()));
    }
}

impl Context<'_> {
    /// The present instant, one for the whole batch.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Makes an id.
    pub fn new_id<I: Id>(&self) -> I {
        I::generate(self.now)
    }

    /// Who calls.
    pub fn actor(&self) -> &Actor {
        &self.call.actor
    }

    /// The call.
    pub fn call(&self) -> &Call {
        self.call
    }

    /// Appends an event to the log with the command; returns its id. An event that the log has already stays one event.
    pub fn emit(&mut self, event: NewEvent) -> String {
        let event = event.into_event(self.source, self.call, self.now);
        let event_id = event.event_id.clone();
        self.effects.events.push(event);
        event_id
    }

    /// The id of the service's event of a type, subject and key, as [`NewEvent`] names them: for one that corrects or retracts it.
    #[expect(clippy::needless_pass_by_value, reason = "callers have ids and texts, owned and borrowed")]
    pub fn event_id(&self, event_type: EventType, subject: impl ToString, key: impl ToString) -> String {
        event_id(self.source, event_type.as_str(), &subject.to_string(), &key.to_string())
    }

    /// Adds to the sums in the row with this key, with the command.
    pub fn add(&mut self, sums: &Sums, key: Vec<Value>, numbers: &[i64]) {
        self.effects.additions.add(sums, key, numbers);
    }

    /// Schedules a task with the command. A task of the same kind and key is replaced.
    pub fn schedule(&mut self, mut task: Task) {
        task.trace_parent.clone_from(&self.call.trace_parent);
        self.effects.tasks.insert((task.kind.clone(), task.key.clone()), Some(task));
    }

    /// Drops a task, if there is one.
    pub fn unschedule(&mut self, kind: &str, key: &str) {
        self.effects.tasks.insert((kind.to_owned(), key.to_owned()), None);
    }
}
