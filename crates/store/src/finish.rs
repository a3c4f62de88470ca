//! What units finish: subscription positions and claimed tasks. Checked before they are decided, written with them.

use std::collections::{HashMap, HashSet};

use futures::future::try_join;

use crate::{
    connection::Connection,
    failure::Failure,
    statement,
    unit::{Finishes, Unit},
    value::Value,
};

/// What each unit finishes; `None` for one that was finished by another replica already.
pub(crate) async fn check(conn: &Connection, units: &[Unit]) -> Result<Vec<Option<Finishes>>, Failure> {
    let mut names = Vec::new();
    let mut tasks = Vec::new();
    for unit in units {
        match &unit.finishes {
            Finishes::Nothing => {}
            Finishes::Subscription { name, .. } => names.push(vec![Value::Text((*name).to_owned())]),
            Finishes::Task { kind, key, .. } => tasks.push(vec![Value::Text(kind.clone()), Value::Text(key.clone())]),
        }
    }
    let lock = conn.dialect().for_update();
    let (by_name, by_key) = (format!(" ORDER BY name{lock}"), format!(" ORDER BY kind, key{lock}"));
    let (positions, claims) = try_join(
        statement::select(conn, "SELECT name, position FROM subscriptions", &["name"], names, &by_name),
        statement::select(conn, "SELECT kind, key, claim FROM tasks", &["kind", "key"], tasks, &by_key),
    )
    .await?;
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

/// Moves the subscriptions. Finished tasks are deleted with the other changes of tasks.
pub(crate) async fn save(conn: &Connection, finished: impl Iterator<Item = Finishes>) -> Result<bool, Failure> {
    let mut moves = HashMap::new();
    for finishes in finished {
        if let Finishes::Subscription { name, to, .. } = finishes {
            moves.insert(name, to);
        }
    }
    let mut rows: Vec<_> =
        moves.iter().map(|(name, to)| vec![Value::Text((*name).to_owned()), Value::Integer(*to)]).collect();
    rows.sort();
    let conflict = " ON CONFLICT (name) DO UPDATE SET position = excluded.position";
    Ok(statement::insert_or(conn, "subscriptions", "name, position", conflict, &rows).await? > 0)
}
