//! Durable work due at a time.

mod runner;

use std::collections::BTreeMap;

use futures::future::try_join;
use prost::Message;
use types::{Fault, Timestamp};

pub use runner::{TaskHandler, TaskRunner};

use crate::{
    connection::Connection,
    failure::Failure,
    row::Row,
    statement,
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
            .map_err(|_| Fault::internal(format!("the payload of task {} can not be read", self.kind)))
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

/// Writes scheduled tasks and deletes dropped ones.
pub(crate) async fn save(conn: &Connection, tasks: &BTreeMap<(String, String), Option<Task>>) -> Result<bool, Failure> {
    let dropped = tasks.iter().filter(|(_, task)| task.is_none());
    let dropped = dropped.map(|((kind, key), _)| vec![Value::Text(kind.clone()), Value::Text(key.clone())]).collect();
    let columns = "kind, key, due_time, payload, attempts, lease_until, claim, last_error, trace_parent";
    let replace = " ON CONFLICT (kind, key) DO UPDATE SET due_time = excluded.due_time, payload = excluded.payload, \
                   attempts = 0, lease_until = 0, claim = tasks.claim + 1, last_error = '', \
                   trace_parent = excluded.trace_parent";
    let rows = tasks.values().flatten().map(|task| {
        vec![
            Value::Text(task.kind.clone()),
            Value::Text(task.key.clone()),
            Value::Integer(task.due.as_micros()),
            Value::Bytes(task.payload.clone()),
            Value::Integer(0),
            Value::Integer(0),
            Value::Integer(0),
            Value::Text(String::new()),
            task.trace_parent.to_value(),
        ]
    });
    let kept: Vec<_> = rows.collect();
    let deleted = statement::delete(conn, "tasks", &["kind", "key"], dropped);
    try_join(deleted, statement::insert_or(conn, "tasks", columns, replace, &kept)).await?;
    Ok(!tasks.is_empty())
}
