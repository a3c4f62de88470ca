//! The event log: append-only, gap-free positions in commit order, each event chained to the one before by a hash.

mod read;
mod recent;
mod verify;

use std::collections::HashSet;

use prost::Message;
use proto::event::v1::Event;
use sha2::{Digest, Sha256};
use types::Fault;

pub use verify::{Verification, verify};

pub(crate) use read::{Filter, events, head};
pub(crate) use recent::{After, Recent};
pub(crate) use verify::{Chain, HEAD};

use crate::{
    command::hex,
    connection::Connection,
    event::micros,
    failure::Failure,
    row::Row,
    statement::{Change, Load, Unchanged},
    value::Value,
};

const COLUMNS: &str = "position, event_id, type, subject, correlation_id, occur_time, record_time, body, hash";

/// The last position and its hash.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    position: i64,
    hash: String,
}

impl Head {
    pub(crate) fn load() -> Load {
        Load::new("log_head", "position, hash", &["id"], vec![vec![Value::Integer(1)]], &["id"])
    }

    /// The head, locked to the end of the transaction.
    pub(crate) async fn lock(conn: &Connection) -> Result<Self, Failure> {
        let select = format!("SELECT position, hash FROM log_head WHERE id = 1{}", conn.dialect().for_update());
        Self::read(&conn.fetch(&select, &[]).await?)
    }

    /// Reads what was loaded.
    pub(crate) fn read(rows: &[Row]) -> Result<Self, Failure> {
        let head = rows.first().ok_or_else(|| Fault::internal("the log has no head"))?;
        Ok(Self { position: head.at(0)?, hash: head.at(1)? })
    }

    /// The changes of the head and of the log that append events, which are given their positions. They fail when the
    /// log already has one of the events, or when its head has moved.
    ///
    /// The head's row is the last of others' rows that is locked, and is held to the commit: that makes position order commit
    /// order.
    pub(crate) fn append(self, events: &mut [Event]) -> (Change, Change) {
        let Self { mut position, mut hash } = self;
        let before = position;
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            position += 1;
            event.position = position;
            let body = event.encode_to_vec();
            hash = chain(&hash, &body);
            rows.push(vec![
                Value::Integer(position),
                Value::Text(event.event_id.clone()),
                Value::Text(event.r#type.clone()),
                Value::Text(event.subject.clone()),
                Value::Text(event.correlation_id.clone()),
                Value::Integer(micros(event.occur_time.as_ref())),
                Value::Integer(micros(event.record_time.as_ref())),
                Value::Bytes(body),
                Value::Text(hash.clone()),
            ]);
        }
        let moved =
            (position > before).then(|| vec![Value::Integer(before), Value::Integer(position), Value::Text(hash)]);
        let head =
            Change::update("log_head", "position = @2, hash = @3", "id = 1 AND position = @1", Vec::from_iter(moved));
        let events = Change::insert("events", COLUMNS, "ON CONFLICT DO NOTHING", rows);
        (head.all_or(Unchanged::Conflict), events.all_or(Unchanged::Conflict))
    }
}

/// Those of the events that the log has already.
pub(crate) fn known(events: &[Event]) -> Load {
    let ids = events.iter().map(|event| vec![Value::Text(event.event_id.clone())]).collect();
    Load::new("events", "event_id", &["event_id"], ids, &["event_id"])
}

/// Drops the events that were found by `known`.
pub(crate) fn drop_known<'a>(events: &mut Vec<Event>, found: impl Iterator<Item = &'a Row>) -> Result<(), Failure> {
    let known = found.map(|row| row.at::<String>(0)).collect::<Result<HashSet<_>, _>>()?;
    events.retain(|event| !known.contains(&event.event_id));
    Ok(())
}

/// The hash of an event: over the hash of the one before it and its own encoding.
fn chain(previous: &str, body: &[u8]) -> String {
    hex(&Sha256::new().chain_update(previous).chain_update(body).finalize())
}
