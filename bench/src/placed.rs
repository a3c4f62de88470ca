//! The rows of a placed order, and copies of them that are rows of other orders.

use sha2::{Digest as _, Sha256};

use crate::rows::{Field, Rows};

/// The rows that the order service wrote for one order of five lines.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) order: Rows,
    pub(crate) lines: Rows,
    pub(crate) request: Rows,
    pub(crate) event: Rows,
}

impl Placed {
    /// The rows of another order, with its own ids, customer PO number and request. Every value keeps its length.
    pub(crate) fn another(&self, number: u64) -> Self {
        let mut another = self.clone();
        let old = |rows: &Rows, column: &str| rows.text(column).unwrap_or_default().to_owned();
        let pairs = [
            (old(&self.order, "order_id"), order_id(number)),
            (old(&self.order, "customer_po"), customer_po(number)),
            (old(&self.request, "request_id"), request_id(number)),
            (old(&self.event, "event_id"), digest(&[&number.to_be_bytes()]).chars().take(32).collect()),
        ];
        for rows in [&mut another.order, &mut another.lines, &mut another.request, &mut another.event] {
            rows.replace(&pairs);
        }
        another
    }

    /// Appends the event to the log, whose head it is given, and returns the new head.
    pub(crate) fn chain(&mut self, position: i64, hash: &str) -> (i64, String) {
        let (position, hash) = (position + 1, digest(&[hash.as_bytes(), self.event.bytes("body").unwrap_or_default()]));
        self.event.set("position", &Field::Integer(position));
        self.event.set("hash", &Field::Text(hash.clone()));
        (position, hash)
    }
}

/// An order id that sorts by its number, as the ids of the mesh sort by their time.
pub(crate) fn order_id(number: u64) -> String {
    format!("ord_{number:032x}")
}

/// A customer PO number; all have the same length.
pub(crate) fn customer_po(number: u64) -> String {
    format!("BENCH-{number:014}")
}

/// A request id; all have the same length.
pub(crate) fn request_id(number: u64) -> String {
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
        let mut another = placed.another(8);
        assert_eq!(another.order.text("order_id"), Some(order_id(8).as_str()));
        assert_eq!(another.lines.text("order_id"), another.order.text("order_id"));
        assert_eq!(another.lines.text("sku"), Some("TEA"));
        assert_ne!(another.event.text("event_id"), placed.event.text("event_id"));
        let body = format!("..{}.{}..", order_id(8), customer_po(8));
        assert_eq!(another.event.bytes("body"), Some(body.as_bytes()));
        let head = another.chain(41, "before");
        assert_eq!(another.event.text("hash"), Some(head.1.as_str()));
        assert_eq!((head.0, head.1.len()), (42, 64));
    }
}
