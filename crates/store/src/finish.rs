//! The position or task that a write request completes: checked before it is decided, written with it.

use std::collections::{HashMap, HashSet};

use crate::{
    failure::Failure,
    row::Row,
    statement::{Change, Load, Shortfall},
    unit::{Finishes, Unit},
    value::Value,
};

/// The positions and claims that the units are about.
pub(crate) fn loads(units: &[Unit]) -> [Load; 2] {
    let mut names = Vec::new();
    let mut tasks = Vec::new();
    for unit in units {
        match &unit.finishes {
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

/// What each unit finishes, by what was loaded; `None` for one that was finished by another replica already.
pub(crate) fn check(units: &[Unit], positions: &[Row], claims: &[Row]) -> Result<Vec<Option<Finishes>>, Failure> {
    let mut positions =
        positions.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect::<Result<HashMap<String, i64>, Failure>>()?;
    let mut claims = claims
        .iter()
        .map(|row| Ok((row.at(0)?, row.at(1)?, row.at(2)?)))
        .collect::<Result<HashSet<(String, String, i64)>, Failure>>()?;

    let mut open = Vec::with_capacity(units.len());
    for unit in units {
        let valid = match &unit.finishes {
            Finishes::Nothing => true,
            // A second unit of a subscription waits: the first may be cut short.
            Finishes::Subscription { name, from, .. } => positions.remove(*name) == Some(*from),
            Finishes::Task { kind, key, claim } => claims.remove(&(kind.clone(), key.clone(), *claim)),
        };
        open.push(valid.then(|| unit.finishes.clone()));
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
    Change::update("subscriptions", "position = @3", "name = @1 AND position = @2", rows).all_or(Shortfall::Conflict)
}
