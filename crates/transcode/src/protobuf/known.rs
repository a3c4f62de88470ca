//! The JSON of the well-known types.

use base64::{Engine, prelude::BASE64_STANDARD};
use prost::Message;
use prost_types::value::Kind;

use super::{
    ProtobufError,
    table::{Shape, Tables},
    write::{Writer, json},
};

/// Years 1 to 9999.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// About ten thousand years.
const DURATION: u64 = 315_576_000_000;
/// Less than a second.
const NANOS: i32 = 999_999_999;

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, ProtobufError> {
    M::decode(bytes).map_err(|_| ProtobufError::Truncated)
}

pub(super) fn timestamp(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    let timestamp: prost_types::Timestamp = decode(bytes)?;
    if !TIMESTAMPS.contains(&timestamp.seconds) || !(0..=NANOS).contains(&timestamp.nanos) {
        return Err(ProtobufError::Unprintable);
    }
    json(out, &timestamp.to_string())
}

pub(super) fn duration(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    let duration: prost_types::Duration = decode(bytes)?;
    let of_two_signs = duration.seconds.signum() * i64::from(duration.nanos.signum()) < 0;
    if duration.seconds.unsigned_abs() > DURATION || !(-NANOS..=NANOS).contains(&duration.nanos) || of_two_signs {
        return Err(ProtobufError::Unprintable);
    }
    json(out, &duration.to_string())
}

/// A path that camel case would change is written as it is.
pub(super) fn field_mask(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    let mask: prost_types::FieldMask = decode(bytes)?;
    let paths: Vec<_> = mask.paths.iter().map(|path| camel(path).unwrap_or_else(|| path.clone())).collect();
    json(out, &paths.join(","))
}

fn camel(path: &str) -> Option<String> {
    let mut camel = String::with_capacity(path.len());
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '_' => camel.push(chars.next().filter(char::is_ascii_lowercase)?.to_ascii_uppercase()),
            'A'..='Z' => return None,
            c => camel.push(c),
        }
    }
    Some(camel)
}

pub(super) fn object(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    write_object(&decode(bytes)?, out)
}

pub(super) fn list(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    write_list(&decode(bytes)?, out)
}

pub(super) fn value(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    write_value(&decode(bytes)?, out)
}

fn write_object(object: &prost_types::Struct, out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    out.push(b'{');
    for (at, (name, value)) in object.fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        json(out, name)?;
        out.push(b':');
        write_value(value, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_list(list: &prost_types::ListValue, out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    out.push(b'[');
    for (at, value) in list.values.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_value(value, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_value(value: &prost_types::Value, out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => json(out, &()),
        Some(Kind::BoolValue(value)) => json(out, value),
        Some(Kind::NumberValue(value)) if value.is_finite() => json(out, value),
        Some(Kind::NumberValue(_)) => Err(ProtobufError::Unprintable),
        Some(Kind::StringValue(value)) => json(out, value),
        Some(Kind::StructValue(object)) => write_object(object, out),
        Some(Kind::ListValue(list)) => write_list(list, out),
    }
}

/// A message of a known type is written as JSON; one of an unknown type, or one that cannot be read, as base64.
pub(super) fn any(tables: &Tables, bytes: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    write_any(tables, &decode(bytes)?, depth, out)
}

pub(super) fn write_any(
    tables: &Tables,
    any: &prost_types::Any,
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), ProtobufError> {
    if any.type_url.is_empty() && any.value.is_empty() {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    out.extend_from_slice(b"{\"@type\":");
    json(out, &any.type_url)?;
    let start = out.len();
    if typed(tables, any, depth, out).is_none() {
        out.truncate(start);
        out.extend_from_slice(b",\"value\":");
        json(out, &BASE64_STANDARD.encode(&any.value))?;
    }
    out.push(b'}');
    Ok(())
}

fn typed(tables: &Tables, any: &prost_types::Any, depth: usize, out: &mut Vec<u8>) -> Option<()> {
    let (_, name) = any.type_url.rsplit_once('/')?;
    let id = tables.find(name)?;
    let table = tables.get(id);
    if table.shape == Shape::Fields && name != "google.protobuf.Empty" {
        Writer::new(tables, out, depth).fields(table, &any.value).ok()
    } else {
        out.extend_from_slice(b",\"value\":");
        Writer::new(tables, out, depth).message(id, &any.value).ok()
    }
}
