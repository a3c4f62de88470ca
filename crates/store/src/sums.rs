//! Sums over rows that are too many to be read for a total. A command adds to them; it neither reads nor locks them.

use std::collections::BTreeMap;

use crate::{statement::Change, value::Value};

/// A table of sums: its key, and the numbers that are added to. A row comes to be with the first number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sums {
    /// The name of the table.
    pub table: &'static str,
    /// The columns of its key.
    pub key: &'static [&'static str],
    /// The columns with sums.
    pub columns: &'static [&'static str],
}

/// What is added, by row.
#[derive(Debug, Default)]
pub(crate) struct Additions(BTreeMap<(Sums, Vec<Value>), Vec<i64>>);

impl Additions {
    pub(crate) fn add(&mut self, sums: &Sums, key: Vec<Value>, numbers: &[i64]) {
        let known = self.0.entry((*sums, key)).or_insert_with(|| vec![0; sums.columns.len()]);
        known.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += number);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|((sums, key), numbers)| self.add(&sums, key, &numbers));
    }

    /// One change for each table.
    pub(crate) fn changes(self) -> Vec<Change> {
        let mut tables: BTreeMap<Sums, Vec<Vec<Value>>> = BTreeMap::new();
        for ((sums, mut row), numbers) in self.0 {
            if numbers.iter().any(|number| *number != 0) {
                row.extend(numbers.into_iter().map(Value::Integer));
                tables.entry(sums).or_default().push(row);
            }
        }
        tables.into_iter().map(|(sums, rows)| change(&sums, rows)).collect()
    }
}

fn change(Sums { table, key, columns }: &Sums, rows: Vec<Vec<Value>>) -> Change {
    let set: Vec<String> =
        columns.iter().map(|column| format!("{column} = {table}.{column} + excluded.{column}")).collect();
    let conflict = format!("ON CONFLICT ({}) DO UPDATE SET {}", key.join(", "), set.join(", "));
    Change::upsert(table, [*key, *columns].concat().join(", "), conflict, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    const SUMS: Sums = Sums { table: "t", key: &["k"], columns: &["a", "b"] };

    #[test]
    fn what_is_added_to_a_row_is_written_once_and_what_adds_up_to_nothing_is_not() {
        let key = |key: i64| vec![Value::Integer(key)];
        let (mut additions, mut later) = (Additions::default(), Additions::default());
        additions.add(&SUMS, key(1), &[1, 2]);
        additions.add(&SUMS, key(2), &[5, 0]);
        later.add(&SUMS, key(1), &[1, -1]);
        later.add(&SUMS, key(2), &[-5, 0]);
        additions.extend(later);
        let changes = additions.changes();
        let [change] = changes.as_slice() else { unreachable!("one table") };
        assert_eq!(change.rows, [[1, 2, 1].map(Value::Integer)]);
        assert_eq!(
            change.text(Dialect::Sqlite, 1),
            "INSERT INTO t (k, a, b) VALUES (?1, ?2, ?3) \
             ON CONFLICT (k) DO UPDATE SET a = t.a + excluded.a, b = t.b + excluded.b"
        );
    }
}
