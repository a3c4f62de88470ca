//! Writes one message: its fields are collected in wire order, then written in the order of their numbers.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

use super::{
    ProtobufError, known,
    scan::{Payload, Scanner},
    table::{Field, Kind, Occurs, Shape, Table, TableId, Tables},
};

const DEPTH: usize = 100;

/// Position of a field in the message.
#[derive(Clone, Copy)]
pub(super) struct Seen<'b> {
    field: usize,
    payload: Payload<'b>,
}

/// Writes a message and the messages inside it.
pub(super) struct Writer<'t, 'b, 'o> {
    tables: &'t Tables,
    out: &'o mut Vec<u8>,
    /// The fields of the messages that are being written, the innermost last.
    seen: Vec<Seen<'b>>,
    depth: usize,
}

impl<'t, 'b, 'o> Writer<'t, 'b, 'o> {
    pub(super) fn new(tables: &'t Tables, out: &'o mut Vec<u8>, depth: usize) -> Self {
        Self { tables, out, seen: Vec::new(), depth }
    }

    pub(super) fn message(&mut self, id: TableId, bytes: &'b [u8]) -> Result<(), ProtobufError> {
        if self.depth == DEPTH {
            return Err(ProtobufError::Depth);
        }
        self.depth += 1;
        let table = self.tables.get(id);
        match table.shape {
            Shape::Fields => {
                self.out.push(b'{');
                self.fields(table, bytes)?;
                self.out.push(b'}');
            }
            Shape::Wrapper => self.wrapper(table, bytes)?,
            Shape::Timestamp => known::timestamp(bytes, self.out)?,
            Shape::Duration => known::duration(bytes, self.out)?,
            Shape::FieldMask => known::field_mask(bytes, self.out)?,
            Shape::Struct => known::object(bytes, self.out)?,
            Shape::Value => known::value(bytes, self.out)?,
            Shape::List => known::list(bytes, self.out)?,
            Shape::Any => known::any(self.tables, bytes, self.depth, self.out)?,
        }
        self.depth -= 1;
        Ok(())
    }

    /// Writes the value of one field.
    pub(super) fn only_field(&mut self, id: TableId, number: u32, bytes: &'b [u8]) -> Result<(), ProtobufError> {
        let table = self.tables.get(id);
        let Some(at) = table.position(number) else { return Err(ProtobufError::Key) };
        self.note(table, bytes, 0)?;
        let (start, end) = self.range(at, 0);
        if start == end {
            match (table.fields[at].absent, &table.fields[at].kind) {
                (None, _) => self.out.extend_from_slice(b"null"),
                (Some(absent), kind) => self.absent(kind, absent),
            }
            return Ok(());
        }
        self.field(&table.fields[at], start, end)
    }

    /// Writes the fields without the braces, possibly after a key that is already written.
    pub(super) fn fields(&mut self, table: &'t Table, bytes: &'b [u8]) -> Result<(), ProtobufError> {
        let base = self.seen.len();
        self.note(table, bytes, base)?;
        let mut next = base;
        for (at, field) in table.fields.iter().enumerate() {
            let start = next;
            while self.seen.get(next).is_some_and(|seen| seen.field == at) {
                next += 1;
            }
            if start == next && field.absent.is_none() {
                continue;
            }
            if !matches!(self.out.last(), Some(b'{')) {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&field.key);
            match field.absent {
                Some(absent) if start == next => self.absent(&field.kind, absent),
                _ => self.field(field, start, next)?,
            }
        }
        self.seen.truncate(base);
        Ok(())
    }

    /// Collects the known fields of a message from `base` on, sorted by field and then in wire order.
    fn note(&mut self, table: &Table, bytes: &'b [u8], base: usize) -> Result<(), ProtobufError> {
        let mut scanner = Scanner::new(bytes);
        let mut sorted = true;
        while let Some((number, payload)) = scanner.next()? {
            if let Some(field) = table.position(number) {
                sorted &= self.seen[base..].last().is_none_or(|last| last.field <= field);
                self.seen.push(Seen { field, payload });
            }
        }
        if table.oneofs {
            self.drop_overwritten(table, base);
        }
        if !sorted {
            self.seen[base..].sort_by_key(|seen| seen.field);
        }
        Ok(())
    }

    /// Keeps of a oneof only its last field, and of that only the values after the last other one.
    fn drop_overwritten(&mut self, table: &Table, base: usize) {
        let mut last: Vec<(usize, usize)> = Vec::new();
        let mut closed: Vec<usize> = Vec::new();
        let mut at = self.seen.len();
        while at > base {
            at -= 1;
            let field = self.seen[at].field;
            let Some(oneof) = table.fields[field].oneof else { continue };
            match last.iter().find(|(other, _)| *other == oneof) {
                None => last.push((oneof, field)),
                Some((_, winner)) if *winner == field && !closed.contains(&oneof) => {}
                Some(_) => {
                    closed.push(oneof);
                    self.seen.remove(at);
                }
            }
        }
    }

    fn range(&self, field: usize, base: usize) -> (usize, usize) {
        let seen = &self.seen[base..];
        (base + seen.partition_point(|s| s.field < field), base + seen.partition_point(|s| s.field <= field))
    }

    fn absent(&mut self, kind: &Kind, absent: &[u8]) {
        let absent = if !absent.is_empty() {
            absent
        } else if let Kind::Enum(names) = kind {
            names.get(0).unwrap_or("0").as_bytes()
        } else {
            b"null"
        };
        self.out.extend_from_slice(absent);
    }

    fn field(&mut self, field: &'t Field, start: usize, end: usize) -> Result<(), ProtobufError> {
        match field.occurs {
            Occurs::Once => self.single(&field.kind, start, end),
            Occurs::Many => {
                self.out.push(b'[');
                for at in start..end {
                    self.element(&field.kind, self.seen[at].payload)?;
                }
                if self.out.last() == Some(&b',') {
                    self.out.pop();
                }
                self.out.push(b']');
                Ok(())
            }
            Occurs::Map => self.map(&field.kind, start, end),
        }
    }

    /// Writes the last value of a scalar, or all values of a message, which are merged.
    fn single(&mut self, kind: &'t Kind, start: usize, end: usize) -> Result<(), ProtobufError> {
        let Kind::Message(id) = kind else { return self.scalar(kind, self.seen[end - 1].payload) };
        if end - start == 1 {
            let (Payload::Bytes(bytes) | Payload::Group(bytes)) = self.seen[start].payload else {
                return Err(ProtobufError::WireType);
            };
            return self.message(*id, bytes);
        }
        let mut joined = Vec::new();
        for seen in &self.seen[start..end] {
            let (Payload::Bytes(bytes) | Payload::Group(bytes)) = seen.payload else {
                return Err(ProtobufError::WireType);
            };
            joined.extend_from_slice(bytes);
        }
        Writer::new(self.tables, self.out, self.depth).message(*id, &joined)
    }

    /// Writes elements, each followed by a comma.
    fn element(&mut self, kind: &'t Kind, payload: Payload<'b>) -> Result<(), ProtobufError> {
        match (kind, payload) {
            (Kind::Message(id), Payload::Bytes(bytes) | Payload::Group(bytes)) => {
                self.message(*id, bytes)?;
                self.out.push(b',');
            }
            (Kind::String | Kind::Bytes | Kind::Message(_), _) => {
                self.scalar(kind, payload)?;
                self.out.push(b',');
            }
            (_, Payload::Bytes(packed)) => {
                let mut scanner = Scanner::new(packed);
                while !scanner.is_empty() {
                    let payload = if matches!(kind, Kind::Double | Kind::Fixed64 | Kind::Sfixed64) {
                        Payload::Fixed64(scanner.fixed64()?)
                    } else if matches!(kind, Kind::Float | Kind::Fixed32 | Kind::Sfixed32) {
                        Payload::Fixed32(scanner.fixed32()?)
                    } else {
                        Payload::Varint(scanner.varint()?)
                    };
                    self.scalar(kind, payload)?;
                    self.out.push(b',');
                }
            }
            _ => {
                self.scalar(kind, payload)?;
                self.out.push(b',');
            }
        }
        Ok(())
    }

    fn map(&mut self, entry: &'t Kind, start: usize, end: usize) -> Result<(), ProtobufError> {
        let Kind::Message(entry) = entry else { return Err(ProtobufError::WireType) };
        let [key, value] = self.tables.get(*entry).fields.as_slice() else { return Err(ProtobufError::WireType) };
        // By key, because the last of equal ones is the value.
        let mut entries = BTreeMap::new();
        for at in start..end {
            let Payload::Bytes(bytes) = self.seen[at].payload else { return Err(ProtobufError::WireType) };
            let mut name = Vec::new();
            Writer::new(self.tables, &mut name, self.depth).map_key(*entry, key, bytes)?;
            entries.insert(name, bytes);
        }
        self.out.push(b'{');
        for (at, (name, bytes)) in entries.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&name);
            self.out.push(b':');
            self.map_value(*entry, value, bytes)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn map_key(&mut self, entry: TableId, key: &'t Field, bytes: &'b [u8]) -> Result<(), ProtobufError> {
        self.only_field(entry, key.number, bytes)?;
        if self.out.first() != Some(&b'"') {
            self.out.insert(0, b'"');
            self.out.push(b'"');
        }
        Ok(())
    }

    fn map_value(&mut self, entry: TableId, value: &'t Field, bytes: &'b [u8]) -> Result<(), ProtobufError> {
        let base = self.seen.len();
        self.note(self.tables.get(entry), bytes, base)?;
        let (start, end) = self.range(1, base);
        match (&value.kind, value.absent) {
            (Kind::Message(id), _) if start == end => self.message(*id, b"")?,
            (kind, Some(absent)) if start == end => self.absent(kind, absent),
            (kind, None) if start == end => self.scalar(kind, Payload::Varint(0))?,
            (kind, _) => self.single(kind, start, end)?,
        }
        self.seen.truncate(base);
        Ok(())
    }

    fn wrapper(&mut self, table: &'t Table, bytes: &'b [u8]) -> Result<(), ProtobufError> {
        let Some(field) = table.fields.first() else { return Err(ProtobufError::Unprintable) };
        let base = self.seen.len();
        self.note(table, bytes, base)?;
        match field.absent {
            Some(absent) if self.seen.len() == base => self.absent(&field.kind, absent),
            _ => self.single(&field.kind, base, self.seen.len())?,
        }
        self.seen.truncate(base);
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "the wire format asks for it")]
    fn scalar(&mut self, kind: &Kind, payload: Payload<'_>) -> Result<(), ProtobufError> {
        match (kind, payload) {
            (Kind::Double, Payload::Fixed64(v)) => self.float(f64::from_bits(v), f64::from_bits(v)),
            (Kind::Float, Payload::Fixed32(v)) => self.float(f32::from_bits(v), f64::from(f32::from_bits(v))),
            (Kind::Int32, Payload::Varint(v)) => json(self.out, &(v as i32)),
            (Kind::Uint32, Payload::Varint(v)) => json(self.out, &(v as u32)),
            (Kind::Sint32, Payload::Varint(v)) => json(self.out, &(unzigzag(u64::from(v as u32)) as i32)),
            (Kind::Fixed32, Payload::Fixed32(v)) => json(self.out, &v),
            (Kind::Sfixed32, Payload::Fixed32(v)) => json(self.out, &(v as i32)),
            (Kind::Int64, Payload::Varint(v)) | (Kind::Sfixed64, Payload::Fixed64(v)) => self.quoted(&(v as i64)),
            (Kind::Uint64, Payload::Varint(v)) | (Kind::Fixed64, Payload::Fixed64(v)) => self.quoted(&v),
            (Kind::Sint64, Payload::Varint(v)) => self.quoted(&unzigzag(v)),
            (Kind::Bool, Payload::Varint(v)) => json(self.out, &(v != 0)),
            (Kind::String, Payload::Bytes(v)) => {
                json(self.out, std::str::from_utf8(v).map_err(|_| ProtobufError::Utf8)?)
            }
            (Kind::Bytes, Payload::Bytes(v)) => json(self.out, &BASE64_STANDARD.encode(v)),
            (Kind::Null, Payload::Varint(_)) => json(self.out, &()),
            (Kind::Enum(names), Payload::Varint(v)) => match names.get(v as i32) {
                Some(name) => {
                    self.out.extend_from_slice(name.as_bytes());
                    Ok(())
                }
                None => json(self.out, &(v as i32)),
            },
            _ => Err(ProtobufError::WireType),
        }
    }

    fn float(&mut self, value: impl Serialize, wide: f64) -> Result<(), ProtobufError> {
        match wide {
            _ if wide.is_nan() => json(self.out, "NaN"),
            f64::INFINITY => json(self.out, "Infinity"),
            f64::NEG_INFINITY => json(self.out, "-Infinity"),
            _ => json(self.out, &value),
        }
    }

    fn quoted(&mut self, value: &impl Serialize) -> Result<(), ProtobufError> {
        self.out.push(b'"');
        json(self.out, value)?;
        self.out.push(b'"');
        Ok(())
    }
}

/// Appends a scalar value.
pub(super) fn json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), ProtobufError> {
    serde_json::to_writer(out, value).map_err(|_| ProtobufError::Unprintable)
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}
