//! Answers kept for repeated requests, as long as `Options::request_retention` says (seven days). A refusal is not kept: a
//! repeat of it is decided anew.

use std::collections::HashMap;

use bytes::Bytes;
use types::{Fault, Reason, Timestamp};

use crate::{
    command::Call,
    failure::Failure,
    row::Row,
    statement::{Change, Load, Unchanged},
    value::Value,
};

/// Known answers of a batch: those in the database and those of the batch itself.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    known: HashMap<(String, String), StoredAnswer>,
    new: Vec<Vec<Value>>,
}

#[derive(Debug)]
struct StoredAnswer {
    name: String,
    hash: String,
    reply: Bytes,
}

impl Answers {
    /// Loads the earlier answers to the calls of a batch.
    pub(crate) fn load<'a>(calls: impl Iterator<Item = &'a Call>) -> Load {
        const KEY: &[&str] = &["scope", "request_id"];
        let keys = calls.filter_map(|call| {
            let request_id = call.request_id.clone()?;
            Some(vec![Value::Text(call.actor.as_str().to_owned()), Value::Text(request_id)])
        });
        Load::new("requests", "scope, request_id, name, body_hash, reply", KEY, keys.collect(), KEY)
    }

    /// Reads what was loaded.
    pub(crate) fn read(rows: &[Row]) -> Result<Self, Failure> {
        let mut answers = Self::default();
        for row in rows {
            let answer = StoredAnswer { name: row.at(2)?, hash: row.at(3)?, reply: row.at(4)? };
            answers.known.insert((row.at(0)?, row.at(1)?), answer);
        }
        Ok(answers)
    }

    /// The earlier answer to this call; a fault when the id was used for another request.
    pub(crate) fn find(&self, call: &Call, name: &str) -> Option<Result<Bytes, Fault>> {
        let request_id = call.request_id.clone()?;
        let answer = self.known.get(&(call.actor.as_str().to_owned(), request_id))?;
        if answer.name == name && answer.hash == call.request_hash {
            return Some(Ok(answer.reply.clone()));
        }
        Some(Err(Fault::new(Reason::RequestIdReused, "the request id was used before, for another request")))
    }

    /// Keeps an answer.
    pub(crate) fn keep(&mut self, call: &Call, name: &str, reply: &Bytes, now: Timestamp) {
        let Some(request_id) = call.request_id.clone() else { return };
        self.new.push(vec![
            Value::Text(call.actor.as_str().to_owned()),
            Value::Text(request_id.clone()),
            Value::Text(name.to_owned()),
            Value::Text(call.request_hash.clone()),
            Value::Bytes(reply.to_vec()),
            Value::Integer(now.as_micros()),
        ]);
        let answer = StoredAnswer { name: name.to_owned(), hash: call.request_hash.clone(), reply: reply.clone() };
        self.known.insert((call.actor.as_str().to_owned(), request_id), answer);
    }

    /// The new answers. Another replica may have received the same request at the same time.
    pub(crate) fn changes(mut self) -> Change {
        self.new.sort();
        let columns = "scope, request_id, name, body_hash, reply, create_time";
        Change::insert("requests", columns, "ON CONFLICT DO NOTHING", self.new).all_or(Unchanged::Conflict)
    }
}
