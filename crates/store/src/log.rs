//! The event log: append-only, gap-free positions in commit order, each event chained to the one before by a hash.

mod read;
mod recent;
mod verify;

use std::collections::HashSet;

use futures::future::try_join;
use prost::Message;
use proto::event::v1::Event;
use sha2::{Digest, Sha256};
use types::Fault;

pub use verify::{Verification, verify};

pub(crate) use read::{Filter, events, head};
pub(crate) use recent::{After, Recent};
pub(crate) use verify::{Chain, HEAD};

use crate::{command::hex, connection::Connection, event::micros, failure::Failure, statement, value::Value};

const COLUMNS: &str = "position, event_id, kind, subject, correlation_id, occurred_time, recorded_time, body, hash";

/// Appends events and answers them with their positions; those the log has already are left out.
///
/// The head's row is the last lock of the transaction and is held to its commit: that makes position order commit order.
pub(crate) async fn append(conn: &Connection, events: Vec<Event>) -> Result<Vec<Event>, Failure> {
    if events.is_empty() {
        return Ok(events);
    }
    let (head, mut events) = try_join(head_for_update(conn), unknown(conn, events)).await?;
    let (mut position, mut hash) = head;
    let mut rows = Vec::with_capacity(events.len());
    for event in &mut events {
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
    if !rows.is_empty() {
        let update = "UPDATE log_head SET position = $1, hash = $2 WHERE id = 1";
        let head = [Value::Integer(position), Value::Text(hash)];
        try_join(statement::insert_or(conn, "events", COLUMNS, "", &rows), conn.execute(update, &head)).await?;
    }
    Ok(events)
}

/// The last position and its hash, locked.
async fn head_for_update(conn: &Connection) -> Result<(i64, String), Failure> {
    let select = format!("SELECT position, hash FROM log_head WHERE id = 1{}", conn.dialect().for_update());
    let head = conn.fetch(&select, &[]).await?;
    let head = head.first().ok_or_else(|| Fault::internal("the log has no head"))?;
    Ok((head.at(0)?, head.at(1)?))
}

/// Without the events the log has already.
async fn unknown(conn: &Connection, mut events: Vec<Event>) -> Result<Vec<Event>, Failure> {
    let ids = events.iter().map(|event| vec![Value::Text(event.event_id.clone())]).collect();
    let found = statement::select(conn, "SELECT event_id FROM events", &["event_id"], ids, "").await?;
    let known = found.iter().map(|row| row.at::<String>(0)).collect::<Result<HashSet<_>, _>>()?;
    events.retain(|event| !known.contains(&event.event_id));
    Ok(events)
}

/// The hash of an event: over the hash of the one before it and its own encoding.
fn chain(previous: &str, body: &[u8]) -> String {
    hex(&Sha256::new().chain_update(previous).chain_update(body).finalize())
}
