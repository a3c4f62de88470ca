//! Encodes values for the server, and decodes those of its answers.

use std::sync::Arc;

use sqlx::{
    Arguments as _, Column as _, Row as _, ValueRef as _,
    postgres::{PgArguments, PgRow, PgValueRef},
};

use crate::{
    failure::Failure,
    row::Row,
    value::{Kind, Value},
};

/// Object ids of the types that are read, see `pg_type.dat`. Any other is read as text.
const BYTEA: u32 = 17;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;

/// A value for each placeholder.
pub(crate) fn arguments(values: &[Value]) -> Result<PgArguments, Failure> {
    let mut arguments = PgArguments::default();
    for value in values {
        match value {
            Value::Null(Kind::Integer) => arguments.add(None::<i64>),
            Value::Null(Kind::Text) => arguments.add(None::<&str>),
            Value::Null(Kind::Bytes) => arguments.add(None::<&[u8]>),
            Value::Integer(integer) => arguments.add(integer),
            Value::Text(text) => arguments.add(text.as_str()),
            Value::Bytes(bytes) => arguments.add(bytes.as_slice()),
        }
        .map_err(Failure::Other)?;
    }
    Ok(arguments)
}

/// Adds a list for each column of rows that are all of the same kinds; returns how many lists.
pub(super) fn add_lists(arguments: &mut PgArguments, rows: &[Vec<Value>]) -> Result<usize, Failure> {
    let first = rows.first().map_or(&[][..], Vec::as_slice);
    for (index, kind) in first.iter().map(Value::kind).enumerate() {
        let column = rows.iter().map(|row| row.get(index));
        match kind {
            Kind::Integer => arguments.add(column.map(integer).collect::<Vec<_>>()),
            Kind::Text => arguments.add(column.map(text).collect::<Vec<_>>()),
            Kind::Bytes => arguments.add(column.map(bytes).collect::<Vec<_>>()),
        }
        .map_err(Failure::Other)?;
    }
    Ok(first.len())
}

fn integer(value: Option<&Value>) -> Option<i64> {
    if let Some(Value::Integer(integer)) = value { Some(*integer) } else { None }
}

fn text(value: Option<&Value>) -> Option<&str> {
    if let Some(Value::Text(text)) = value { Some(text) } else { None }
}

fn bytes(value: Option<&Value>) -> Option<&[u8]> {
    if let Some(Value::Bytes(bytes)) = value { Some(bytes) } else { None }
}

/// The rows of an answer.
pub(crate) fn rows(answer: &[PgRow]) -> Result<Vec<Row>, Failure> {
    let names: Arc<[String]> = match answer.first() {
        Some(row) => row.columns().iter().map(|column| column.name().to_owned()).collect(),
        None => return Ok(Vec::new()),
    };
    let row = |row: &PgRow| {
        let values = (0..row.len()).map(|index| value(&row.try_get_raw(index)?)).collect::<Result<_, Failure>>()?;
        Ok(Row::new(names.clone(), values))
    };
    answer.iter().map(row).collect()
}

fn value(raw: &PgValueRef<'_>) -> Result<Value, Failure> {
    let oid = raw.type_info().oid().map_or(0, |oid| oid.0);
    let bytes = if raw.is_null() { None } else { Some(raw.as_bytes().map_err(Failure::Other)?) };
    decode(oid, bytes)
}

/// Reads the values of a record, as `record_send` of PostgreSQL writes them: the number of columns, then for each its type,
/// its length, or -1 for NULL, and its bytes.
pub(super) fn record(raw: &PgValueRef<'_>) -> Result<Vec<Value>, Failure> {
    let mut rest = raw.as_bytes().map_err(Failure::Other)?;
    let count = number(&mut rest)?;
    let mut values = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
    for _ in 0..count {
        let oid = number(&mut rest)?.cast_unsigned();
        let length = number(&mut rest)?;
        let bytes = match usize::try_from(length) {
            Ok(length) => Some(take(&mut rest, length)?),
            Err(_) => None,
        };
        values.push(decode(oid, bytes)?);
    }
    Ok(values)
}

fn decode(oid: u32, bytes: Option<&[u8]>) -> Result<Value, Failure> {
    let kind = match oid {
        INT2 | INT4 | INT8 => Kind::Integer,
        BYTEA => Kind::Bytes,
        _ => Kind::Text,
    };
    let Some(bytes) = bytes else { return Ok(Value::Null(kind)) };
    match kind {
        Kind::Integer => integer_of(bytes).map(Value::Integer).ok_or_else(unreadable),
        Kind::Text => String::from_utf8(bytes.to_vec()).map(Value::Text).map_err(|_| unreadable()),
        Kind::Bytes => Ok(Value::Bytes(bytes.to_vec())),
    }
}

fn integer_of(bytes: &[u8]) -> Option<i64> {
    Some(match *bytes {
        [a, b] => i16::from_be_bytes([a, b]).into(),
        [a, b, c, d] => i32::from_be_bytes([a, b, c, d]).into(),
        _ => i64::from_be_bytes(bytes.try_into().ok()?),
    })
}

fn number(rest: &mut &[u8]) -> Result<i32, Failure> {
    let bytes = take(rest, 4)?;
    bytes.try_into().map(i32::from_be_bytes).map_err(|_| unreadable())
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Failure> {
    let (bytes, later) = rest.split_at_checked(length).ok_or_else(unreadable)?;
    *rest = later;
    Ok(bytes)
}

fn unreadable() -> Failure {
    Failure::Other("the server's answer cannot be read".into())
}
