//! The position or task that a write request completes: checked before it is decided, written with it.

use std::collections::{HashMap, HashSet};

use crate::{
    failure::Failure,
    row::Row,
    statement::{Change, Load, Unchanged},
    value::Value,
    write_request::{Finishes, WriteRequest},
};

/// The positions and claims that the write requests are about.
pub(crate) fn loads(requests: &[WriteRequest]) -> [Load; 2] {
    let mut names = Vec::new();
    let mut tasks = Vec::new();
    for request in requests {
        match &request.finishes {
            Finishes::Nothing => {}
            Finishes::Subscription { name, .. } => names.push(vec![Value::Text((*name).to_owned())]),
            Finishes::Task { kind, key, .. } => tasks.push(vec![Value::Text(kind.clone()), Value::Text(key.clone())]),
        }
    }
    [
        Load::new("subscriptions", "name, position", &["name"], names, &["name"]),
        Load::new("tasks", "kind, key, claim", &["kind", "key"], tasks, &["kind", "key"]),
    ]
}

/// What each write request finishes, by what was loaded; `None` for one that was finished by another replica already.
pub(crate) fn check(
    requests: &[WriteRequest],
    positions: &[Row],
    claims: &[Row],
) -> Result<Vec<Option<Finishes>>, Failure> {
    let mut positions =
        positions.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect::<Result<HashMap<String, i64>, Failure>>()?;
    let mut claims = claims
        .iter()
        .map(|row| Ok((row.at(0)?, row.at(1)?, row.at(2)?)))
        .collect::<Result<HashSet<(String, String, i64)>, Failure>>()?;

    let mut open = Vec::with_capacity(requests.len());
    for request in requests {
        let valid = match &request.finishes {
            Finishes::Nothing => true,
            // A second write request of a subscription waits: the first may be cut short.
            Finishes::Subscription { name, from, .. } => positions.remove(*name) == Some(*from),
            Finishes::Task { kind, key, claim } => claims.remove(&(kind.clone(), key.clone(), *claim)),
        };
        open.push(valid.then(|| request.finishes.clone()));
    }
    Ok(open)
}

/// The moves of subscriptions. Finished tasks are deleted with the other changes of tasks.
pub(crate) fn changes<'a>(finished: impl Iterator<Item = &'a Finishes>) -> Change {
    let mut rows = Vec::new();
    for finishes in finished {
        if let Finishes::Subscription { name, from, to } = finishes {
            rows.push(vec![Value::Text((*name).to_owned()), Value::Integer(*from), Value::Integer(*to)]);
        }
    }
    rows.sort();
    Change::update("subscriptions", "position = @3", "name = @1 AND position = @2", rows).all_or(Unchanged::Conflict)
}
