//! Durable work due at a time.

mod runner;

use std::collections::{BTreeMap, HashMap};

use proto::MessageBytes;
use types::{Fault, Timestamp};

pub use runner::{TaskHandler, TaskRunner};

use crate::{
    connection::Connection,
    failure::Failure,
    row::Row,
    statement::{Change, Unchanged},
    value::{Column, Value},
    write_request::Finishes,
};

/// Work due at a time. Kind and key name it: scheduling it again replaces it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Task {
    /// Which handler runs it.
    pub kind: String,
    /// What it is about.
    pub key: String,
    /// Not before.
    pub due: Timestamp,
    /// For the handler.
    pub payload: Vec<u8>,
    /// How often it was tried, this time included.
    pub attempts: i64,
    /// W3C trace context of the command that scheduled it.
    pub trace_parent: Option<String>,
    pub(crate) claim: i64,
}

impl Task {
    /// A task without payload.
    #[expect(clippy::needless_pass_by_value, reason = "callers have ids and texts, owned and borrowed")]
    pub fn new(kind: &'static str, key: impl ToString, due: Timestamp) -> Self {
        Self { kind: kind.to_owned(), key: key.to_string(), due, ..Self::default() }
    }

    /// Adds a payload.
    #[must_use]
    pub fn payload(mut self, payload: &impl MessageBytes) -> Self {
        self.payload = payload.to_bytes().into();
        self
    }

    /// Reads the payload.
    pub fn decode<M: MessageBytes>(&self) -> Result<M, Fault> {
        M::from_bytes(self.payload.clone().into())
            .map_err(|_| Fault::internal(format!("the payload of task {} cannot be read", self.kind)))
    }

    /// Due time, payload and trace.
    fn values(&self) -> Vec<Value> {
        vec![Value::Integer(self.due.as_micros()), Value::Bytes(self.payload.clone()), self.trace_parent.to_value()]
    }

    pub(crate) fn read(row: &Row) -> Result<Self, Fault> {
        Ok(Self {
            kind: row.get("kind")?,
            key: row.get("key")?,
            due: row.get("due_time")?,
            payload: row.get("payload")?,
            attempts: row.get("attempts")?,
            trace_parent: row.get("trace_parent")?,
            claim: row.get("claim")?,
        })
    }
}

/// Makes what an earlier process had claimed, or had put off until later, due again. Only for a database of one process.
///
/// Only due tasks are claimed and put off. The others may be many: the expiry of each reservation is one.
pub(crate) async fn take_over(conn: &Connection, now: Timestamp) -> Result<(), Failure> {
    let sql = "UPDATE tasks SET lease_until = 0 WHERE due_time <= $1 AND lease_until > 0";
    conn.execute(sql, &[Value::Integer(now.as_micros())]).await.map(|_| ())
}

/// What is changed of tasks that are there: those that write requests finish, under their claim only, and those that are
/// dropped.
pub(crate) fn finished<'a>(tasks: &Tasks, finished: impl Iterator<Item = &'a Finishes>) -> [Change; 3] {
    let claims = claims(finished);
    let (mut replaced, mut ended, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
    for (at @ (kind, key), task) in tasks {
        let claim = claims.get(at).copied();
        let key = vec![Value::Text(kind.clone()), Value::Text(key.clone())];
        match (task, claim) {
            (Some(task), Some(claim)) => replaced.push([key, task.values(), vec![Value::Integer(claim)]].concat()),
            (None, Some(claim)) => ended.push([key, vec![Value::Integer(claim)]].concat()),
            (None, None) => dropped.push(key),
            (Some(_), None) => {}
        }
    }
    let set = format!("due_time = @3, payload = @4, trace_parent = @5, {ANEW}");
    [
        Change::update("tasks", set, "kind = @1 AND key = @2 AND claim = @6", replaced).all_or(Unchanged::Conflict),
        Change::delete("tasks", "kind = @1 AND key = @2 AND claim = @3", ended).all_or(Unchanged::Conflict),
        Change::delete("tasks", "kind = @1 AND key = @2", dropped),
    ]
}

/// The tasks that are scheduled. One that exists, and is not finished by this batch, is replaced.
pub(crate) fn scheduled<'a>(tasks: &Tasks, finished: impl Iterator<Item = &'a Finishes>) -> Change {
    let claims = claims(finished);
    let open = tasks.iter().filter(|(at, _)| !claims.contains_key(at));
    let row = |((kind, key), task): (&(String, String), &Option<Task>)| {
        let new = [0; 3].map(Value::Integer).to_vec();
        let key = vec![Value::Text(kind.clone()), Value::Text(key.clone())];
        Some([key, task.as_ref()?.values(), new, vec![Value::Text(String::new())]].concat())
    };
    let columns = "kind, key, due_time, payload, trace_parent, attempts, lease_until, claim, last_error";
    let conflict = format!(
        "ON CONFLICT (kind, key) DO UPDATE SET due_time = excluded.due_time, payload = excluded.payload, \
         trace_parent = excluded.trace_parent, {ANEW}"
    );
    Change::upsert("tasks", columns, conflict, open.filter_map(row).collect())
}

/// Tasks to keep by kind and key, `None` for those to drop.
type Tasks = BTreeMap<(String, String), Option<Task>>;

/// What a task is again when it is scheduled anew.
const ANEW: &str = "attempts = 0, lease_until = 0, claim = tasks.claim + 1, last_error = ''";

fn claims<'a>(finished: impl Iterator<Item = &'a Finishes>) -> HashMap<(String, String), i64> {
    let claim = |finishes: &Finishes| match finishes {
        Finishes::Task { kind, key, claim } => Some(((kind.clone(), key.clone()), *claim)),
        Finishes::Nothing | Finishes::Subscription { .. } => None,
    };
    finished.filter_map(claim).collect()
}
