//! Durable work due at a time.

mod runner;

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use types::{Fault, Timestamp};

pub use runner::{TaskHandler, TaskRunner};

use crate::{
    connection::Connection,
    failure::Failure,
    row::Row,
    statement::{Change, Shortfall},
    unit::Finishes,
    value::{Column, Value},
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
    pub fn payload(mut self, payload: &impl Message) -> Self {
        self.payload = payload.encode_to_vec();
        self
    }

    /// Reads the payload.
    pub fn decode<M: Message + Default>(&self) -> Result<M, Fault> {
        M::decode(self.payload.as_slice())
            .map_err(|_| Fault::internal(format!("the payload of task {} cannot be read", self.kind)))
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
pub(crate) async fn take_over(conn: &Connection) -> Result<(), Failure> {
    conn.execute("UPDATE tasks SET lease_until = 0 WHERE lease_until > 0", &[]).await.map(|_| ())
}

/// The changes that schedule tasks and delete dropped ones. Those that units finish are changed under their claim only.
pub(crate) fn changes<'a>(
    tasks: &BTreeMap<(String, String), Option<Task>>,
    finished: impl Iterator<Item = &'a Finishes>,
) -> [Change; 4] {
    let claims: HashMap<(&str, &str), i64> = finished
        .filter_map(|finishes| match finishes {
            Finishes::Task { kind, key, claim } => Some(((kind.as_str(), key.as_str()), *claim)),
            Finishes::Nothing | Finishes::Subscription { .. } => None,
        })
        .collect();
    let (mut scheduled, mut replaced, mut dropped, mut ended) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for ((kind, key), task) in tasks {
        let mut row = vec![Value::Text(kind.clone()), Value::Text(key.clone())];
        let claim = claims.get(&(kind.as_str(), key.as_str())).copied();
        if let Some(task) = task {
            row.push(Value::Integer(task.due.as_micros()));
            row.push(Value::Bytes(task.payload.clone()));
            row.push(task.trace_parent.to_value());
        }
        row.extend(claim.map(Value::Integer));
        match (task, claim) {
            (Some(_), None) => {
                scheduled.push([row, NEW.map(Value::Integer).to_vec(), vec![Value::Text(String::new())]].concat())
            }
            (Some(_), Some(_)) => replaced.push(row),
            (None, None) => dropped.push(row),
            (None, Some(_)) => ended.push(row),
        }
    }
    let columns = "kind, key, due_time, payload, trace_parent, attempts, lease_until, claim, last_error";
    let anew = "attempts = 0, lease_until = 0, claim = tasks.claim + 1, last_error = ''";
    let conflict = format!(
        "ON CONFLICT (kind, key) DO UPDATE SET due_time = excluded.due_time, payload = excluded.payload, \
         trace_parent = excluded.trace_parent, {anew}"
    );
    let set = format!("due_time = @3, payload = @4, trace_parent = @5, {anew}");
    [
        Change::insert("tasks", columns, conflict, scheduled),
        Change::update("tasks", set, "kind = @1 AND key = @2 AND claim = @6", replaced).all_or(Shortfall::Conflict),
        Change::delete("tasks", "kind = @1 AND key = @2", dropped),
        Change::delete("tasks", "kind = @1 AND key = @2 AND claim = @3", ended).all_or(Shortfall::Conflict),
    ]
}

/// Attempts, lease and claim of a task that is new.
const NEW: [i64; 3] = [0; 3];
