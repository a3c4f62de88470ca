//! Statements over many rows, described once, with the SQL text for SQLite and for PostgreSQL.
//!
//! SQLite runs the text once for each row. PostgreSQL, for which each statement is a round trip, takes a list for each
//! column, so that the text is the same whatever the number of rows.

use std::fmt::Write as _;

use crate::{
    dialect::Dialect,
    failure::Failure,
    value::{Kind, Value},
};

/// Rows to select: those of a table in which `columns` equal one of `values`.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) table: &'static str,
    /// What is selected of a row, separated by commas.
    pub(crate) select: String,
    pub(crate) columns: &'static [&'static str],
    pub(crate) values: Vec<Vec<Value>>,
    /// The order in which the rows are locked, if they are.
    pub(crate) key: &'static [&'static str],
}

impl Load {
    /// Values are looked up once each, in their order.
    pub(crate) fn new(
        table: &'static str,
        select: impl Into<String>,
        columns: &'static [&'static str],
        mut values: Vec<Vec<Value>>,
        key: &'static [&'static str],
    ) -> Self {
        values.sort();
        values.dedup();
        Self { table, select: select.into(), columns, values, key }
    }

    /// The condition that `columns` equal the arguments, of which `first` is the number of the first.
    pub(crate) fn condition(&self, dialect: Dialect, first: usize) -> String {
        let row = self.values.first().map_or(&[][..], Vec::as_slice);
        match (dialect, self.columns) {
            (Dialect::Sqlite, columns) => {
                columns.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(" AND ")
            }
            (Dialect::Postgres, [column]) => format!("{column} = ANY({})", lists(row, first)),
            (Dialect::Postgres, columns) => {
                format!("({}) IN (SELECT * FROM unnest({}))", columns.join(", "), lists(row, first))
            }
        }
    }
}

/// A change of many rows of one table.
#[derive(Debug)]
pub(crate) struct Change {
    table: &'static str,
    verb: Verb,
    /// The arguments of each row: `@1` is the first.
    pub(crate) rows: Vec<Vec<Value>>,
    /// What it means when fewer rows were changed than there are; `None` when it means nothing.
    unchanged: Option<Unchanged>,
}

#[derive(Debug)]
enum Verb {
    Insert { columns: String, conflict: String },
    Upsert { columns: String, conflict: String },
    Update { set: String, condition: String },
    Delete { condition: String },
}

/// Why fewer rows were changed than there are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unchanged {
    /// A row with the same key is there already.
    Exists,
    /// Another writer was faster.
    Conflict,
}

impl Change {
    /// Inserts rows. `conflict` is the ON CONFLICT clause that leaves out those that are there.
    pub(crate) fn insert(
        table: &'static str,
        columns: impl Into<String>,
        conflict: impl Into<String>,
        rows: Vec<Vec<Value>>,
    ) -> Self {
        let verb = Verb::Insert { columns: columns.into(), conflict: conflict.into() };
        Self { table, verb, rows, unchanged: None }
    }

    /// Inserts rows, or updates them as the ON CONFLICT clause `conflict` says.
    pub(crate) fn upsert(
        table: &'static str,
        columns: impl Into<String>,
        conflict: impl Into<String>,
        rows: Vec<Vec<Value>>,
    ) -> Self {
        let verb = Verb::Upsert { columns: columns.into(), conflict: conflict.into() };
        Self { table, verb, rows, unchanged: None }
    }

    /// Updates rows. In `set` and `condition` `@1` is the first value of a row; all values are used.
    pub(crate) fn update(
        table: &'static str,
        set: impl Into<String>,
        condition: impl Into<String>,
        rows: Vec<Vec<Value>>,
    ) -> Self {
        let verb = Verb::Update { set: set.into(), condition: condition.into() };
        Self { table, verb, rows, unchanged: None }
    }

    /// Deletes rows, with a condition as that of `update`.
    pub(crate) fn delete(table: &'static str, condition: impl Into<String>, rows: Vec<Vec<Value>>) -> Self {
        Self { table, verb: Verb::Delete { condition: condition.into() }, rows, unchanged: None }
    }

    /// Every row has to be changed.
    pub(crate) fn all_or(mut self, unchanged: Unchanged) -> Self {
        self.unchanged = Some(unchanged);
        self
    }

    /// Whether the rows are new.
    pub(crate) fn is_insert(&self) -> bool {
        matches!(self.verb, Verb::Insert { .. })
    }

    /// Whether every row has to be changed.
    pub(crate) fn is_guarded(&self) -> bool {
        self.unchanged.is_some()
    }

    /// Fails when too few rows were changed.
    pub(crate) fn check(&self, changed: u64) -> Result<(), Failure> {
        match self.unchanged.filter(|_| changed < self.rows.len() as u64) {
            None => Ok(()),
            Some(Unchanged::Exists) => Err(Failure::Exists(self.table)),
            Some(Unchanged::Conflict) => Err(Failure::Conflict),
        }
    }

    /// The statement on PostgreSQL, where it fails when a new row is there already.
    ///
    /// Without ON CONFLICT a row is written once, and not first as one that may be taken back.
    pub(crate) fn text_or_fail(&self, first: usize) -> String {
        self.sql(Dialect::Postgres, first, false)
    }

    /// The statement; on PostgreSQL `first` is the number of the first list of values.
    pub(crate) fn text(&self, dialect: Dialect, first: usize) -> String {
        self.sql(dialect, first, true)
    }

    fn sql(&self, dialect: Dialect, first: usize, leave_out: bool) -> String {
        let Self { table, verb, .. } = self;
        let row = self.rows.first().map_or(&[][..], Vec::as_slice);
        let value = match dialect {
            Dialect::Sqlite => "?",
            Dialect::Postgres => "v.c",
        };
        // SQLite binds the row itself; PostgreSQL joins the rows.
        let rows = match dialect {
            Dialect::Sqlite => String::new(),
            Dialect::Postgres => format!("unnest({}) AS v({})", lists(row, first), numbered(row.len(), "c")),
        };
        let joined = |word: &str| if rows.is_empty() { String::new() } else { format!(" {word} {rows}") };
        match verb {
            Verb::Insert { columns, conflict } | Verb::Upsert { columns, conflict } => {
                let source = match dialect {
                    Dialect::Sqlite => format!("VALUES ({})", numbered(row.len(), "?")),
                    Dialect::Postgres => format!("SELECT * FROM {rows}"),
                };
                let conflict = if self.is_insert() && !leave_out { "" } else { conflict };
                format!("INSERT INTO {table} ({columns}) {source} {conflict}")
            }
            Verb::Update { set, condition } => {
                let (set, condition) = (set.replace('@', value), condition.replace('@', value));
                format!("UPDATE {table} SET {set}{} WHERE {condition}", joined("FROM"))
            }
            Verb::Delete { condition } => {
                format!("DELETE FROM {table}{} WHERE {}", joined("USING"), condition.replace('@', value))
            }
        }
    }
}

/// `$4::BIGINT[], $5::TEXT[]`. The types are part of the text because a prepared statement is known by its text alone.
fn lists(row: &[Value], first: usize) -> String {
    let list = |(index, value): (usize, &Value)| {
        let kind = match value.kind() {
            Kind::Integer => "BIGINT",
            Kind::Text => "TEXT",
            Kind::Bytes => "BYTEA",
        };
        format!("${}::{kind}[]", first + index)
    };
    row.iter().enumerate().map(list).collect::<Vec<_>>().join(", ")
}

/// `?1, ?2, ?3`.
fn numbered(count: usize, sign: &str) -> String {
    let mut text = String::with_capacity(count * 4);
    for number in 1..=count {
        // Writing to a String does not fail.
        let _ignored = write!(text, "{}{sign}{number}", if number == 1 { "" } else { ", " });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(columns: &'static [&'static str], values: &[i64]) -> Load {
        let values = values.iter().map(|number| vec![Value::Integer(*number); columns.len()]).collect();
        Load::new("t", "a", columns, values, columns)
    }

    #[test]
    fn a_condition_is_one_text_for_any_number_of_values() {
        assert_eq!(load(&["a"], &[1, 2]).condition(Dialect::Postgres, 1), "a = ANY($1::BIGINT[])");
        assert_eq!(
            load(&["a", "b"], &[1]).condition(Dialect::Postgres, 3),
            "(a, b) IN (SELECT * FROM unnest($3::BIGINT[], $4::BIGINT[]))"
        );
        assert_eq!(load(&["a", "b"], &[1, 2]).condition(Dialect::Sqlite, 1), "a = ? AND b = ?");
    }

    #[test]
    fn what_is_asked_for_twice_is_looked_up_once_and_in_key_order() {
        assert_eq!(load(&["a"], &[3, 1, 3]).values, [vec![Value::Integer(1)], vec![Value::Integer(3)]]);
    }

    #[test]
    fn a_change_is_put_into_words_for_either_database() {
        let rows = vec![vec![Value::Integer(1), Value::Text("b".to_owned())]];
        let update = Change::update("t", "b = @2", "a = @1", rows.clone());
        assert_eq!(update.text(Dialect::Sqlite, 1), "UPDATE t SET b = ?2 WHERE a = ?1");
        assert_eq!(
            update.text(Dialect::Postgres, 3),
            "UPDATE t SET b = v.c2 FROM unnest($3::BIGINT[], $4::TEXT[]) AS v(c1, c2) WHERE a = v.c1"
        );
        let insert = Change::insert("t", "a, b", "ON CONFLICT DO NOTHING", rows.clone());
        assert_eq!(insert.text(Dialect::Sqlite, 1), "INSERT INTO t (a, b) VALUES (?1, ?2) ON CONFLICT DO NOTHING");
        assert!(!insert.text_or_fail(1).contains("ON CONFLICT"), "a row that is there fails it");
        let upsert = Change::upsert("t", "a, b", "ON CONFLICT (a) DO UPDATE SET b = excluded.b", rows);
        assert!(upsert.text_or_fail(1).ends_with("ON CONFLICT (a) DO UPDATE SET b = excluded.b"));
    }
}
