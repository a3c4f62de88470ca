//! Statements over many rows: one text for each table, whatever the number of rows.

use std::fmt::Write as _;

use crate::{connection::Connection, dialect::Dialect, failure::Failure, row::Row, value::Value};

/// Inserts rows; answers how many were new. Those that exist are left alone.
pub(crate) async fn insert(conn: &Connection, table: &str, columns: &str, rows: &[Vec<Value>]) -> Result<u64, Failure> {
    insert_or(conn, table, columns, " ON CONFLICT DO NOTHING", rows).await
}

/// Inserts rows with an ON CONFLICT clause of the caller's; answers how many were written.
pub(crate) async fn insert_or(
    conn: &Connection,
    table: &str,
    columns: &str,
    conflict: &str,
    rows: &[Vec<Value>],
) -> Result<u64, Failure> {
    let Some(first) = rows.first() else { return Ok(0) };
    let rows_of = match conn.dialect() {
        Dialect::Sqlite => format!("VALUES ({})", placeholders(first.len(), "?")),
        Dialect::Postgres => format!("SELECT * FROM unnest({})", placeholders(first.len(), "$")),
    };
    conn.execute_many(&format!("INSERT INTO {table} ({columns}) {rows_of}{conflict}"), rows).await
}

/// Updates rows by key, each only when the table still has the version it was loaded with; answers how many were.
///
/// A row is the values of `columns`, the new version, the loaded version.
pub(crate) async fn update(
    conn: &Connection,
    table: &str,
    key: &[&str],
    columns: &[&str],
    rows: &[Vec<Value>],
) -> Result<u64, Failure> {
    if rows.is_empty() {
        return Ok(0);
    }
    let width = columns.len() + 2;
    let (value, from) = match conn.dialect() {
        Dialect::Sqlite => ("?", String::new()),
        Dialect::Postgres => {
            (" v.c", format!(" FROM unnest({}) AS v({})", placeholders(width, "$"), placeholders(width, "c")))
        }
    };
    let mut sql = format!("UPDATE {table} SET version = {value}{}", columns.len() + 1);
    // Writing to a String does not fail.
    for (index, column) in columns.iter().enumerate().skip(key.len()) {
        let _ignored = write!(sql, ", {column} = {value}{}", index + 1);
    }
    let _ignored = write!(sql, "{from} WHERE {table}.version = {value}{width}");
    for (index, column) in key.iter().enumerate() {
        let _ignored = write!(sql, " AND {table}.{column} = {value}{}", index + 1);
    }
    conn.execute_many(&sql, rows).await
}

/// Selects the rows in which `columns` equal one of `values`. `select` is everything before WHERE, `tail` what follows.
pub(crate) async fn select(
    conn: &Connection,
    select: &str,
    columns: &[&str],
    values: Vec<Vec<Value>>,
    tail: &str,
) -> Result<Vec<Row>, Failure> {
    let values = distinct(values);
    if values.is_empty() {
        return Ok(Vec::new());
    }
    conn.fetch_many(&matching(conn.dialect(), select, columns, tail), &values).await
}

/// Deletes the rows in which `columns` equal one of `values`.
pub(crate) async fn delete(
    conn: &Connection,
    table: &str,
    columns: &[&str],
    values: Vec<Vec<Value>>,
) -> Result<(), Failure> {
    let values = distinct(values);
    if values.is_empty() {
        return Ok(());
    }
    let sql = matching(conn.dialect(), &format!("DELETE FROM {table}"), columns, "");
    conn.execute_many(&sql, &values).await.map(|_| ())
}

/// In key order, which is the order rows are locked in.
fn distinct(mut values: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    values.sort();
    values.dedup();
    values
}

/// A statement with the condition that `columns` equal the arguments.
fn matching(dialect: Dialect, head: &str, columns: &[&str], tail: &str) -> String {
    let condition = match (dialect, columns) {
        (Dialect::Sqlite, _) => columns.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(" AND "),
        (Dialect::Postgres, [column]) => format!("{column} = ANY($1)"),
        (Dialect::Postgres, _) => {
            format!("({}) IN (SELECT * FROM unnest({}))", columns.join(", "), placeholders(columns.len(), "$"))
        }
    };
    format!("{head} WHERE {condition}{tail}")
}

/// `$1, $2, $3`.
fn placeholders(count: usize, sign: &str) -> String {
    let mut text = String::with_capacity(count * 4);
    for number in 1..=count {
        let _ignored = write!(text, "{}{sign}{number}", if number == 1 { "" } else { ", " });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_one_text_for_any_number_of_values() {
        assert_eq!(
            matching(Dialect::Postgres, "SELECT a FROM t", &["a"], " ORDER BY a"),
            "SELECT a FROM t WHERE a = ANY($1) ORDER BY a"
        );
        assert_eq!(
            matching(Dialect::Postgres, "SELECT a FROM t", &["a", "b"], ""),
            "SELECT a FROM t WHERE (a, b) IN (SELECT * FROM unnest($1, $2))"
        );
        assert_eq!(
            matching(Dialect::Sqlite, "SELECT a FROM t", &["a", "b"], ""),
            "SELECT a FROM t WHERE a = ? AND b = ?"
        );
    }

    #[test]
    fn what_is_asked_for_twice_is_looked_up_once_and_in_key_order() {
        let values = [3_i64, 1, 3].map(|number| vec![Value::Integer(number)]).to_vec();
        assert_eq!(distinct(values), [vec![Value::Integer(1)], vec![Value::Integer(3)]]);
    }
}
