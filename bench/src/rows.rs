//! Rows of a table as a service writes them.

/// The value of one column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Rows of one table, with every column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    /// The name of the table.
    pub(crate) table: &'static str,
    /// The names of its columns, in order.
    pub(crate) columns: Vec<String>,
    /// A field for each column of each row.
    pub(crate) rows: Vec<Vec<Field>>,
}

impl Rows {
    fn at(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// The text in a column of the first row.
    pub(crate) fn text(&self, column: &str) -> Option<&str> {
        match self.rows.first()?.get(self.at(column)?)? {
            Field::Text(text) => Some(text),
            Field::Null | Field::Integer(_) | Field::Bytes(_) => None,
        }
    }

    /// The bytes in a column of the first row.
    pub(crate) fn bytes(&self, column: &str) -> Option<&[u8]> {
        match self.rows.first()?.get(self.at(column)?)? {
            Field::Bytes(bytes) => Some(bytes),
            Field::Null | Field::Integer(_) | Field::Text(_) => None,
        }
    }

    /// Sets a column of every row to the same field. Does nothing when the table has no such column.
    pub(crate) fn set(&mut self, column: &str, field: &Field) {
        if let Some(at) = self.at(column) {
            for place in self.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
                place.clone_from(field);
            }
        }
    }

    /// Sets a column to a field for each row. Does nothing when the table has no such column.
    pub(crate) fn set_each(&mut self, column: &str, fields: impl Iterator<Item = Field>) {
        if let Some(at) = self.at(column) {
            for (row, field) in self.rows.iter_mut().zip(fields) {
                if let Some(place) = row.get_mut(at) {
                    *place = field;
                }
            }
        }
    }

    /// Moves a column of microseconds back by seconds.
    pub(crate) fn move_back(&mut self, column: &str, seconds: u64) {
        let Some(at) = self.at(column) else { return };
        for row in &mut self.rows {
            if let (Some(Field::Integer(micros)), Ok(seconds)) = (row.get_mut(at), i64::try_from(seconds)) {
                *micros -= seconds * 1_000_000;
            }
        }
    }

    /// An `INSERT` statement for a number of rows. `place` returns the placeholder of the parameter with a number.
    pub(crate) fn insert(&self, rows: usize, place: fn(usize) -> String) -> String {
        let width = self.columns.len();
        let row = |row: usize| {
            let places: Vec<String> = (1..=width).map(|column| place(row * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.table, self.columns.join(", "), rows.join(", "))
    }

    /// Replaces texts, and bytes within bytes, by others of the same length.
    pub(crate) fn replace(&mut self, pairs: &[(String, String)]) {
        for field in self.rows.iter_mut().flatten() {
            for (old, new) in pairs {
                match field {
                    Field::Text(text) if text == old => text.clone_from(new),
                    Field::Bytes(bytes) => replace(bytes, old.as_bytes(), new.as_bytes()),
                    Field::Null | Field::Integer(_) | Field::Text(_) => {}
                }
            }
        }
    }
}

/// Replaces every occurrence by bytes of the same length, so that the lengths within an encoded message stay right.
fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    if old.is_empty() || old.len() != new.len() {
        return;
    }
    let mut at = 0;
    while let Some(window) = bytes.get_mut(at..at + old.len()) {
        if window == old {
            window.copy_from_slice(new);
            at += old.len();
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_numbers_its_places_row_by_row() {
        let columns = vec!["a".to_owned(), "b".to_owned()];
        let rows = Rows { table: "t", columns, rows: vec![vec![Field::Null, Field::Null]] };
        let sql = rows.insert(2, |number| format!("${number}"));
        assert_eq!(sql, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)");
    }
}
