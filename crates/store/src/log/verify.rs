//! Recomputes the log's hash chain.

use prost::Message;
use proto::event::v1::Event;
use types::Fault;

use super::{COLUMNS, chain};
use crate::{db::Db, event::micros, row::Row, value::Value};

/// What verifying the log has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// How many events were read.
    pub checked: i64,
    /// The log's last position.
    pub head_position: i64,
    /// Hash of the last event, hexadecimal.
    pub head_hash: String,
    /// The first position whose event does not fit, and what is wrong there.
    pub first_bad: Option<(i64, String)>,
}

const PAGE: i64 = 500;

/// Recomputes the hash chain up to the present head and compares each event's columns with its body.
pub async fn verify(db: &Db) -> Result<Verification, Fault> {
    let mut chain = Chain::new(&db.rows(HEAD, Vec::new()).await?)?;
    while let Some((sql, args)) = chain.wanted() {
        chain.read(&db.query(sql, args).await?)?;
    }
    Ok(chain.end())
}

/// The statement that reads the log's head.
pub(crate) const HEAD: &str = "SELECT position, hash FROM log_head WHERE id = 1";

/// A chain that is being verified, page by page. The caller reads the pages.
#[derive(Debug)]
pub(crate) struct Chain {
    found: Verification,
    hash: String,
}

impl Chain {
    /// Begins with what `HEAD` has answered.
    pub(crate) fn new(head: &[Row]) -> Result<Self, Fault> {
        let head = head.first().ok_or_else(|| Fault::internal("the log has no head"))?;
        let found = Verification { head_position: head.at(0)?, head_hash: head.at(1)?, ..Verification::default() };
        Ok(Self { found, hash: String::new() })
    }

    /// The statement that reads the next page, if one is needed.
    pub(crate) fn wanted(&self) -> Option<(String, Vec<Value>)> {
        let found = &self.found;
        if found.first_bad.is_some() || found.checked >= found.head_position {
            return None;
        }
        let sql =
            format!("SELECT {COLUMNS} FROM events WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3");
        Some((sql, [found.checked, found.head_position, PAGE].map(Value::Integer).to_vec()))
    }

    /// Goes on with the next page.
    pub(crate) fn read(&mut self, rows: &[Row]) -> Result<(), Fault> {
        let found = &mut self.found;
        if rows.is_empty() {
            found.first_bad = Some((found.checked + 1, "the event is missing".to_owned()));
        }
        for row in rows {
            match check(row, found.checked + 1, &self.hash)? {
                Ok(next) => self.hash = next,
                Err(problem) => {
                    found.first_bad = Some((found.checked + 1, problem.to_owned()));
                    return Ok(());
                }
            }
            found.checked += 1;
        }
        Ok(())
    }

    /// What was found.
    pub(crate) fn end(self) -> Verification {
        let Self { mut found, hash } = self;
        if found.first_bad.is_none() && hash != found.head_hash {
            found.first_bad = Some((found.head_position, "the head has another hash than the last event".to_owned()));
        }
        found
    }
}

/// The event's hash, or what is wrong with it.
fn check(row: &Row, position: i64, previous: &str) -> Result<Result<String, &'static str>, Fault> {
    if row.get::<i64>("position")? != position {
        return Ok(Err("the event is missing"));
    }
    let body: Vec<u8> = row.get("body")?;
    let hash = chain(previous, &body);
    if row.get::<String>("hash")? != hash {
        return Ok(Err("the hash does not fit the event and the one before it"));
    }
    let Ok(event) = Event::decode(body.as_slice()) else { return Ok(Err("the event cannot be read")) };
    let fits = event.position == position
        && row.get::<String>("event_id")? == event.event_id
        && row.get::<String>("type")? == event.r#type
        && row.get::<String>("subject")? == event.subject
        && row.get::<String>("correlation_id")? == event.correlation_id
        && row.get::<i64>("occur_time")? == micros(event.occur_time.as_ref())
        && row.get::<i64>("record_time")? == micros(event.record_time.as_ref());
    Ok(if fits { Ok(hash) } else { Err("the columns do not fit the event") })
}
