//! Rows as a service writes them, and copies of them that are rows of other orders.

use sha2::{Digest as _, Sha256};

/// What is in one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Rows of one table, with every column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    /// The table.
    pub(super) table: &'static str,
    /// Its columns, in order.
    pub(super) columns: Vec<String>,
    /// A field for each column.
    pub(super) rows: Vec<Vec<Field>>,
}

impl Rows {
    fn at(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// The text in a column of the first row.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        match self.rows.first()?.get(self.at(column)?)? {
            Field::Text(text) => Some(text),
            Field::Null | Field::Integer(_) | Field::Bytes(_) => None,
        }
    }

    /// The bytes in a column of the first row.
    pub(super) fn bytes(&self, column: &str) -> Option<&[u8]> {
        match self.rows.first()?.get(self.at(column)?)? {
            Field::Bytes(bytes) => Some(bytes),
            Field::Null | Field::Integer(_) | Field::Text(_) => None,
        }
    }

    /// Puts the same field into a column of every row; a column that is not there is left alone.
    pub(super) fn set(&mut self, column: &str, field: &Field) {
        if let Some(at) = self.at(column) {
            for place in self.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
                place.clone_from(field);
            }
        }
    }

    /// Puts fields into a column, one for each row.
    pub(super) fn set_each(&mut self, column: &str, fields: impl Iterator<Item = Field>) {
        if let Some(at) = self.at(column) {
            for (row, field) in self.rows.iter_mut().zip(fields) {
                if let Some(place) = row.get_mut(at) {
                    *place = field;
                }
            }
        }
    }

    /// Makes a column of microseconds so many seconds earlier.
    pub(super) fn earlier(&mut self, column: &str, seconds: u64) {
        let Some(at) = self.at(column) else { return };
        for row in &mut self.rows {
            if let (Some(Field::Integer(micros)), Ok(seconds)) = (row.get_mut(at), i64::try_from(seconds)) {
                *micros -= seconds * 1_000_000;
            }
        }
    }

    /// `INSERT INTO table (columns) VALUES ` and places for one row, by `place`, which is told the number of the parameter.
    pub(super) fn insert(&self, rows: usize, place: fn(usize) -> String) -> String {
        let width = self.columns.len();
        let row = |row: usize| {
            let places: Vec<String> = (1..=width).map(|column| place(row * width + column)).collect();
            format!("({})", places.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.table, self.columns.join(", "), rows.join(", "))
    }

    fn replace(&mut self, pairs: &[(String, String)]) {
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

/// Replaces every occurrence by something of the same length, so that lengths within an encoded message stay true.
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

/// What the order service wrote for one order of five lines.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) order: Rows,
    pub(super) lines: Rows,
    pub(super) request: Rows,
    pub(super) event: Rows,
}

impl Placed {
    /// The same for another order: with ids, a customer PO number and a request of its own. Everything is as long as it was.
    pub(super) fn again(&self, number: u64) -> Self {
        let mut again = self.clone();
        let old = |rows: &Rows, column: &str| rows.text(column).unwrap_or_default().to_owned();
        let pairs = [
            (old(&self.order, "order_id"), order_id(number)),
            (old(&self.order, "customer_po"), customer_po(number)),
            (old(&self.request, "request_id"), request_id(number)),
            (old(&self.event, "event_id"), digest(&[&number.to_be_bytes()]).chars().take(32).collect()),
        ];
        for rows in [&mut again.order, &mut again.lines, &mut again.request, &mut again.event] {
            rows.replace(&pairs);
        }
        again
    }

    /// Puts the event behind the last one of the log; answers the new head.
    pub(super) fn chain(&mut self, position: i64, hash: &str) -> (i64, String) {
        let (position, hash) = (position + 1, digest(&[hash.as_bytes(), self.event.bytes("body").unwrap_or_default()]));
        self.event.set("position", &Field::Integer(position));
        self.event.set("hash", &Field::Text(hash.clone()));
        (position, hash)
    }
}

/// An id that sorts by its number, as those that are made do by their time.
pub(super) fn order_id(number: u64) -> String {
    format!("ord_{number:032x}")
}

/// A customer PO number, always as long.
pub(super) fn customer_po(number: u64) -> String {
    format!("BENCH-{number:014}")
}

/// A request id, always as long.
pub(super) fn request_id(number: u64) -> String {
    format!("bench-request-{number:014}")
}

/// SHA-256 in hexadecimal.
fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &'static str, fields: &[(&str, Field)]) -> Rows {
        Rows {
            table,
            columns: fields.iter().map(|(name, _)| (*name).to_owned()).collect(),
            rows: vec![fields.iter().map(|(_, field)| field.clone()).collect()],
        }
    }

    #[test]
    fn another_order_has_ids_of_its_own_wherever_they_are() {
        let text = |text: String| Field::Text(text);
        let body = format!("..{}.{}..", order_id(7), customer_po(7)).into_bytes();
        let placed = Placed {
            order: rows("orders", &[("order_id", text(order_id(7))), ("customer_po", text(customer_po(7)))]),
            lines: rows("order_lines", &[("order_id", text(order_id(7))), ("sku", text("TEA".to_owned()))]),
            request: rows("requests", &[("request_id", text(request_id(7)))]),
            event: rows(
                "events",
                &[
                    ("position", Field::Integer(1)),
                    ("event_id", text("e".repeat(32))),
                    ("body", Field::Bytes(body)),
                    ("hash", text(String::new())),
                ],
            ),
        };
        let mut again = placed.again(8);
        assert_eq!(again.order.text("order_id"), Some(order_id(8).as_str()));
        assert_eq!(again.lines.text("order_id"), again.order.text("order_id"));
        assert_eq!(again.lines.text("sku"), Some("TEA"));
        assert_ne!(again.event.text("event_id"), placed.event.text("event_id"));
        let body = format!("..{}.{}..", order_id(8), customer_po(8));
        assert_eq!(again.event.bytes("body"), Some(body.as_bytes()));
        let head = again.chain(41, "before");
        assert_eq!(again.event.text("hash"), Some(head.1.as_str()));
        assert_eq!((head.0, head.1.len()), (42, 64));
    }

    #[test]
    fn an_insert_numbers_its_places_row_by_row() {
        let rows = rows("t", &[("a", Field::Null), ("b", Field::Null)]);
        let sql = rows.insert(2, |number| format!("${number}"));
        assert_eq!(sql, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)");
    }
}
