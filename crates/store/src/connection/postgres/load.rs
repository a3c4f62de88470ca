//! All loads of a round in one round trip.
//!
//! The rows of different tables are one answer because each is a single value, a record, beside the number of its load:
//! `SELECT 0, ROW(a, b) FROM t WHERE ... UNION ALL SELECT 1, ROW(c) FROM u WHERE ...`.

use std::{fmt::Write as _, sync::Arc};

use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgArguments};

use super::values;
use crate::{dialect::Dialect, failure::Failure, row::Row, statement::Load};

/// What is done with the rows that are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Others may change them.
    Nothing,
    /// They are locked to the end of the transaction.
    Rows,
}

/// Returns the rows of each load, in the order of the loads. Their columns have no names.
///
/// Locks are taken by a statement of its own: a statement sees nothing that was committed while it waited for a lock, except
/// in the locked row itself.
pub(super) async fn load(conn: &mut PgConnection, loads: &[Load], lock: Lock) -> Result<Vec<Vec<Row>>, Failure> {
    let mut found: Vec<Vec<Row>> = loads.iter().map(|_| Vec::new()).collect();
    if loads.iter().all(|load| load.values.is_empty()) {
        return Ok(found);
    }
    if lock == Lock::Rows {
        let (sql, arguments) = fuse(loads, Lock::Rows)?;
        sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut *conn).await?;
    }
    let (sql, arguments) = fuse(loads, Lock::Nothing)?;
    let names: Arc<[String]> = Arc::new([]);
    for row in sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(conn).await? {
        let index = usize::try_from(row.try_get::<i32, _>(0)?).unwrap_or(usize::MAX);
        if let Some(found) = found.get_mut(index) {
            found.push(Row::new(names.clone(), values::record(&row.try_get_raw(1)?)?));
        }
    }
    Ok(found)
}

/// The statement over all loads that have values to look up.
fn fuse(loads: &[Load], lock: Lock) -> Result<(String, PgArguments), Failure> {
    let (mut sql, mut arguments, mut first) = (String::new(), PgArguments::default(), 1);
    for (index, load) in loads.iter().enumerate().filter(|(_, load)| !load.values.is_empty()) {
        let Load { table, select, key, .. } = load;
        let condition = load.condition(Dialect::Postgres, first);
        first += values::add_lists(&mut arguments, &load.values)?;
        let union = if sql.is_empty() { "" } else { " UNION ALL " };
        // Writing to a String does not fail. A part of a UNION takes no locks, a query within a part does.
        let _ignored = match lock {
            Lock::Nothing => write!(sql, "{union}SELECT {index}, ROW({select}) FROM {table} WHERE {condition}"),
            Lock::Rows => write!(
                sql,
                "{union}SELECT 1 FROM (SELECT 1 FROM {table} WHERE {condition} ORDER BY {} FOR UPDATE) AS l{index}",
                key.join(", ")
            ),
        };
    }
    Ok((sql, arguments))
}
