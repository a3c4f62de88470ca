//! Precompiled descriptor tables that convert encoded protobuf messages to JSON without building a message.
//!
//! Fields without presence are always printed, 64-bit integers are strings, enum values are names. Extensions and
//! unknown fields are left out. Bytes that are not a message are an error, never a panic.

mod known;
mod scan;
mod table;
mod write;

use scan::Payload;
pub(crate) use table::{TableId, Tables};
use write::Writer;

/// Why an encoded message could not be written as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProtobufError {
    /// A value is longer than the message.
    #[error("the message ends inside a value")]
    Truncated,
    /// A varint of more than 64 bits.
    #[error("a number is too long")]
    Varint,
    /// Field number 0, a reserved wire type, or a group's end without its start.
    #[error("a field's key is invalid")]
    Key,
    /// A known field with another wire type.
    #[error("a field has the wrong wire type")]
    WireType,
    /// A string that is not UTF-8.
    #[error("a string is not UTF-8")]
    Utf8,
    /// Too many messages inside each other.
    #[error("messages are nested too deeply")]
    Depth,
    /// A value of a well-known type without a JSON form.
    #[error("a value has no JSON form")]
    Unprintable,
}

impl Tables {
    /// Appends a message as JSON.
    pub(crate) fn write_message(&self, table: TableId, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
        Writer::new(self, out, 0).message(table, bytes)
    }

    /// Appends one field of a message as JSON; `null` when it is not set.
    pub(crate) fn write_field(
        &self,
        table: TableId,
        number: u32,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), ProtobufError> {
        Writer::new(self, out, 0).only_field(table, number, bytes)
    }

    /// Returns an `Any` as JSON; a message of an unknown type is written as base64.
    pub(crate) fn any(&self, any: &prost_types::Any) -> serde_json::Value {
        let mut out = Vec::new();
        let written = known::write_any(self, any, 0, &mut out).ok();
        written.and_then(|()| serde_json::from_slice(&out).ok()).unwrap_or_default()
    }
}

/// The value of a string field of an encoded message.
pub(crate) fn text(field: u32, bytes: &[u8]) -> Option<&str> {
    let mut last = None;
    let mut scanner = scan::Scanner::new(bytes);
    while let Some((number, payload)) = scanner.next().ok()? {
        if let (true, Payload::Bytes(text)) = (number == field, payload) {
            last = Some(text);
        }
    }
    std::str::from_utf8(last?).ok()
}
