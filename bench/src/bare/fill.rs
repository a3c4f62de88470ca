//! Writes many rows at once into PostgreSQL.

use std::{fmt::Write as _, ops::Range};

use bytes::Bytes;
use futures::SinkExt as _;

use super::postgres::connect;
use crate::rows::{Field, Rows};

/// How many bytes of rows are sent together.
const CHUNK: usize = 1 << 20;

/// Stores rows of some tables for every number.
pub(crate) async fn fill(url: &str, numbers: Range<u64>, tables: &[&dyn Fn(u64) -> Rows]) -> anyhow::Result<()> {
    let client = connect(&url.parse()?).await?;
    client.batch_execute("SET synchronous_commit = off").await?;
    for rows in tables {
        let Rows { table, columns, .. } = rows(numbers.start);
        let sink = client.copy_in(&format!("COPY {table} ({}) FROM STDIN", columns.join(", "))).await?;
        let mut sink = std::pin::pin!(sink);
        let mut text = String::with_capacity(CHUNK + 4_096);
        for number in numbers.clone() {
            for row in rows(number).rows {
                copy_text(&row, &mut text);
            }
            if text.len() >= CHUNK {
                sink.send(Bytes::from(std::mem::take(&mut text))).await?;
            }
        }
        sink.send(Bytes::from(text)).await?;
        sink.as_mut().finish().await?;
    }
    Ok(client.batch_execute("VACUUM ANALYZE").await?)
}

/// Writes a row as COPY reads it.
fn copy_text(row: &[Field], text: &mut String) {
    for (at, field) in row.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "\t" });
        // Writing to a String does not fail.
        let _ignored = match field {
            Field::Null => write!(text, "\\N"),
            Field::Integer(integer) => write!(text, "{integer}"),
            Field::Text(plain) => {
                for c in plain.chars() {
                    match c {
                        '\\' => text.push_str("\\\\"),
                        '\t' => text.push_str("\\t"),
                        '\n' => text.push_str("\\n"),
                        '\r' => text.push_str("\\r"),
                        c => text.push(c),
                    }
                }
                Ok(())
            }
            Field::Bytes(bytes) => {
                text.push_str("\\\\x");
                bytes.iter().try_for_each(|byte| write!(text, "{byte:02x}"))
            }
        };
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_written_as_copy_reads_it() {
        let mut text = String::new();
        let row = [Field::Integer(-1), Field::Null, Field::Text("a\tb\\".to_owned()), Field::Bytes(vec![0, 255])];
        copy_text(&row, &mut text);
        assert_eq!(text, "-1\t\\N\ta\\tb\\\\\t\\\\x00ff\n");
    }
}
