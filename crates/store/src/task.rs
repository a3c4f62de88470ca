//! Durable work due at a time.

pub(crate) mod failure;
mod runner;

use std::collections::{BTreeMap, HashMap};

use proto::MessageBytes;
use types::{AccountId, Fault, Timestamp, retry::task::SUSPECT};

pub use runner::{TaskHandler, TaskRunner};

use crate::{
    connection::Connection,
    db::Db,
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
    /// The order that waits for it, or empty.
    pub order_id: String,
    /// The account of that order.
    pub account_id: Option<AccountId>,
    /// W3C trace context of the command that scheduled it.
    pub trace_parent: Option<String>,
    pub(crate) history: History,
    pub(crate) claim: i64,
}

/// What became of a task's attempts.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct History {
    /// Attempts that ended with a fault.
    pub(crate) failures: i64,
    /// Attempts since then that did not end, because the process did; the present one too.
    pub(crate) unended: i64,
    /// Whether an exception was opened and not resolved since: 1 or 0.
    pub(crate) reported: i64,
    /// Until when no runner takes it.
    pub(crate) lease_until: Timestamp,
    /// The fault of the last failure.
    pub(crate) last_error: String,
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

    /// Says whose order waits for it: if the task fails, the exception names both.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "callers have ids and texts, owned and borrowed")]
    pub fn order<'a>(self, order_id: impl ToString, account_id: impl Into<Option<&'a AccountId>>) -> Self {
        Self { order_id: order_id.to_string(), account_id: account_id.into().cloned(), ..self }
    }

    /// The same task again, as if nothing had been tried yet.
    #[must_use]
    pub fn again(&self, due: Timestamp) -> Self {
        let history = History { reported: self.history.reported, ..History::default() };
        Self { due, history, ..self.clone() }
    }

    /// Whether this is its first attempt: an earlier one may have had effects outside the database, even if it failed.
    pub fn is_first_attempt(&self) -> bool {
        self.history.failures == 0 && self.history.unended <= 1
    }

    /// Reads the payload.
    pub fn decode<M: MessageBytes>(&self) -> Result<M, Fault> {
        M::from_bytes(self.payload.clone().into())
            .map_err(|_| Fault::internal(format!("the payload of task {} cannot be read", self.kind)))
    }

    /// The values of [`VALUES`].
    fn values(&self) -> Vec<Value> {
        let History { failures, unended, reported, lease_until, last_error } = &self.history;
        vec![
            Value::Integer(self.due.as_micros()),
            Value::Bytes(self.payload.clone()),
            Value::Text(self.order_id.clone()),
            self.account_id.to_value(),
            self.trace_parent.to_value(),
            Value::Integer(*failures),
            Value::Integer(*unended),
            Value::Integer(*reported),
            Value::Integer(lease_until.as_micros()),
            Value::Text(last_error.clone()),
        ]
    }

    pub(crate) fn read(row: &Row) -> Result<Self, Fault> {
        Ok(Self {
            kind: row.get("kind")?,
            key: row.get("key")?,
            due: row.get("due_time")?,
            payload: row.get("payload")?,
            order_id: row.get("order_id")?,
            account_id: row.get("account_id")?,
            trace_parent: row.get("trace_parent")?,
            history: History {
                failures: row.get("failures")?,
                unended: row.get("unended")?,
                reported: row.get("reported")?,
                lease_until: row.get("lease_until")?,
                last_error: row.get("last_error")?,
            },
            claim: row.get("claim")?,
        })
    }
}

/// What is written of a task beside its key.
const VALUES: [&str; 10] = [
    "due_time",
    "payload",
    "order_id",
    "account_id",
    "trace_parent",
    "failures",
    "unended",
    "reported",
    "lease_until",
    "last_error",
];

/// Makes what an earlier process had claimed, or had put off until later, due again. Only for a database of one process.
///
/// A task with which the process died again and again waits for the end of its claim, so that others run before it does again.
/// Only due tasks are claimed and put off. The others may be many: the expiry of each reservation is one.
pub(crate) async fn take_over(conn: &Connection, now: Timestamp) -> Result<(), Failure> {
    let sql = "UPDATE tasks SET lease_until = 0 WHERE due_time <= $1 AND lease_until > 0 AND unended < $2";
    conn.execute(sql, &[Value::Integer(now.as_micros()), Value::Integer(SUSPECT)]).await.map(|_| ())
}

/// Makes a task that was put off due at once; returns whether it is there. One that is running is left to its runner.
pub(crate) async fn hasten(db: &Db, kind: &str, key: &str) -> Result<bool, Fault> {
    let at = vec![Value::Text(kind.to_owned()), Value::Text(key.to_owned())];
    let sql = "UPDATE tasks SET lease_until = 0 WHERE kind = $1 AND key = $2 AND unended = 0 RETURNING kind";
    let hastened = !db.write(sql, at.clone()).await?.is_empty();
    if hastened {
        db.listeners().tasks.notify_waiters();
        return Ok(true);
    }
    Ok(!db.rows("SELECT kind FROM tasks WHERE kind = $1 AND key = $2", at).await?.is_empty())
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
    let set: Vec<_> = VALUES.iter().zip(3..).map(|(column, place)| format!("{column} = @{place}")).collect();
    let set = format!("{}, claim = tasks.claim + 1", set.join(", "));
    let condition = format!("kind = @1 AND key = @2 AND claim = @{}", VALUES.len() + 3);
    [
        Change::update("tasks", set, condition, replaced).all_or(Unchanged::Conflict),
        Change::delete("tasks", "kind = @1 AND key = @2 AND claim = @3", ended).all_or(Unchanged::Conflict),
        Change::delete("tasks", "kind = @1 AND key = @2", dropped),
    ]
}

/// The tasks that are scheduled. One that exists, and is not finished by this batch, is replaced.
pub(crate) fn scheduled<'a>(tasks: &Tasks, finished: impl Iterator<Item = &'a Finishes>) -> Change {
    let claims = claims(finished);
    let open = tasks.iter().filter(|(at, _)| !claims.contains_key(at));
    let row = |((kind, key), task): (&(String, String), &Option<Task>)| {
        let key = vec![Value::Text(kind.clone()), Value::Text(key.clone())];
        Some([key, task.as_ref()?.values(), vec![Value::Integer(0)]].concat())
    };
    let columns = format!("kind, key, {}, claim", VALUES.join(", "));
    // An exception that was opened is resolved when the task ends, whichever command scheduled it last.
    let set = VALUES.map(|column| match column {
        "reported" => "reported = tasks.reported".to_owned(),
        column => format!("{column} = excluded.{column}"),
    });
    let conflict = format!("ON CONFLICT (kind, key) DO UPDATE SET {}, claim = tasks.claim + 1", set.join(", "));
    Change::upsert("tasks", columns, conflict, open.filter_map(row).collect())
}

/// Tasks to keep by kind and key, `None` for those to drop.
type Tasks = BTreeMap<(String, String), Option<Task>>;

fn claims<'a>(finished: impl Iterator<Item = &'a Finishes>) -> HashMap<(String, String), i64> {
    let claim = |finishes: &Finishes| match finishes {
        Finishes::Task { kind, key, claim } => Some(((kind.clone(), key.clone()), *claim)),
        Finishes::Nothing | Finishes::Subscription { .. } => None,
    };
    finished.filter_map(claim).collect()
}
