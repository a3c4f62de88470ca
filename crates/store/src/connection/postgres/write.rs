//! All changes of a batch in one round trip: a statement of data-modifying CTEs.
//!
//! The CTEs see one snapshot and change different rows. PostgreSQL promises no order among them; in practice each runs when
//! the main query first counts its rows, and the counts stand in the order of the changes, so that the log's head is the
//! last row that is locked. If it were otherwise, two writers could deadlock, which is a conflict like others. Inserts are
//! not counted and run last: where a row is there already the unique index fails the statement.

use sqlx::{AssertSqlSafe, PgConnection, postgres::PgArguments};

use super::values;
use crate::{dialect::Dialect, failure::Failure, statement::Change};

/// What ends together with the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The statement is all there is. It fails as a whole when any change falls short.
    Statement,
    /// A transaction, which the caller rolls back when a change falls short.
    Transaction,
}

/// Writes changes. In the scope of a statement every unchanged row is a conflict.
pub(super) async fn write(conn: &mut PgConnection, changes: &[Change], scope: Scope) -> Result<(), Failure> {
    let changes: Vec<&Change> = changes.iter().filter(|change| !change.rows.is_empty()).collect();
    if changes.is_empty() {
        return Ok(());
    }
    let (sql, arguments) = fuse(&changes, scope)?;
    let answer = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(conn).await.map_err(Failure::from);
    let answer = match answer {
        // A transaction tells which row is there already, and whether that was to be expected.
        Err(Failure::Unique(_)) if scope == Scope::Statement => return Err(Failure::Conflict),
        answer => answer?,
    };
    if scope == Scope::Transaction {
        for row in values::rows(&answer)? {
            for (index, change) in changes.iter().enumerate() {
                change.check(row.at::<i64>(index)?.unsigned_abs())?;
            }
        }
    }
    Ok(())
}

/// The statement over all changes. Its text depends on the set of changes and not on the number of rows.
fn fuse(changes: &[&Change], scope: Scope) -> Result<(String, PgArguments), Failure> {
    let (mut ctes, mut counts) = (Vec::new(), Vec::new());
    let (mut arguments, mut first) = (PgArguments::default(), 1);
    for (index, change) in changes.iter().enumerate() {
        let count = format!("(SELECT count(*) FROM c{index})");
        if scope == Scope::Transaction {
            ctes.push(format!("c{index} AS ({} RETURNING 1)", change.text(Dialect::Postgres, first)));
            counts.push(count);
        } else if change.is_insert() {
            ctes.push(format!("c{index} AS ({})", change.text_or_fail(first)));
        } else {
            ctes.push(format!("c{index} AS ({} RETURNING 1)", change.text_or_fail(first)));
            // Also what may fall short is counted, so that it is done in its turn.
            let guard = if change.is_guarded() { format!("= cardinality(${first})") } else { ">= 0".to_owned() };
            counts.push(format!("{count} {guard}"));
        }
        first += values::add_lists(&mut arguments, &change.rows)?;
    }
    let ctes = ctes.join(", ");
    let sql = match scope {
        // The division fails the statement, and with it all changes; see `failure`.
        Scope::Statement if counts.is_empty() => format!("WITH {ctes} SELECT 1"),
        Scope::Statement => {
            format!("WITH {ctes} SELECT 1 / (CASE WHEN {} THEN 1 ELSE 0 END)", counts.join(" AND "))
        }
        Scope::Transaction => format!("WITH {ctes} SELECT {}", counts.join(", ")),
    };
    Ok((sql, arguments))
}
