//! Tables compiled from descriptors: how each field of a message is written.

use std::{collections::HashMap, sync::Arc};

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, MessageDescriptor};

/// The tables of all messages of some descriptor pools.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    tables: Vec<Table>,
    names: HashMap<String, TableId>,
}

/// Index of a message in [`Tables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableId(usize);

/// How one message is written.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) shape: Shape,
    /// By number.
    pub(super) fields: Vec<Field>,
    /// Whether the message has a oneof.
    pub(super) oneofs: bool,
    /// Whether the numbers are 1, 2, 3, ... without gaps.
    dense: bool,
}

/// The JSON form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object of its fields.
    Fields,
    /// The value of its only field.
    Wrapper,
    Timestamp,
    Duration,
    FieldMask,
    Struct,
    Value,
    List,
    Any,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    /// `"name":`
    pub(super) key: Box<[u8]>,
    pub(super) kind: Kind,
    pub(super) occurs: Occurs,
    /// The JSON when it is not set.
    pub(super) absent: Option<&'static [u8]>,
    /// Index of its oneof.
    pub(super) oneof: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occurs {
    Once,
    Many,
    /// A map; its message is the entry.
    Map,
}

#[derive(Debug)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    String,
    Bytes,
    Enum(Arc<Names>),
    Null,
    Message(TableId),
}

/// The quoted names of an enum's values, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Names(Vec<(i32, String)>);

impl Names {
    pub(super) fn get(&self, number: i32) -> Option<&str> {
        let at = self.0.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(&self.0[at].1)
    }
}

impl Table {
    /// Index of the field with this number.
    pub(super) fn position(&self, number: u32) -> Option<usize> {
        if self.dense {
            let at = usize::try_from(number).ok()? - 1;
            (at < self.fields.len()).then_some(at)
        } else {
            self.fields.binary_search_by_key(&number, |field| field.number).ok()
        }
    }
}

impl Tables {
    /// Compiles every message of the pools; of two messages with one name it takes the first.
    pub(crate) fn compile(pools: &[&DescriptorPool]) -> Self {
        let mut tables = Self::default();
        let mut enums = HashMap::new();
        for message in pools.iter().flat_map(|pool| pool.all_messages()) {
            tables.intern(&message, &mut enums);
        }
        tables
    }

    /// The table of the message with this full name.
    pub(crate) fn find(&self, name: &str) -> Option<TableId> {
        self.names.get(name).copied()
    }

    pub(super) fn get(&self, id: TableId) -> &Table {
        &self.tables[id.0]
    }

    fn intern(&mut self, message: &MessageDescriptor, enums: &mut HashMap<String, Arc<Names>>) -> TableId {
        if let Some(id) = self.find(message.full_name()) {
            return id;
        }
        let id = TableId(self.tables.len());
        self.names.insert(message.full_name().to_owned(), id);
        self.tables.push(Table { shape: shape(message), fields: Vec::new(), oneofs: false, dense: true });
        let oneofs: Vec<_> = message.oneofs().filter(|oneof| !oneof.is_synthetic()).collect();
        let mut fields: Vec<_> = message
            .fields()
            .map(|field| {
                let oneof = field.containing_oneof();
                Field {
                    number: field.number(),
                    key: key(field.json_name()),
                    absent: absent(&field),
                    oneof: oneof.and_then(|oneof| oneofs.iter().position(|other| *other == oneof)),
                    occurs: match field {
                        _ if field.is_map() => Occurs::Map,
                        _ if field.is_list() => Occurs::Many,
                        _ => Occurs::Once,
                    },
                    kind: self.kind(&field.kind(), enums),
                }
            })
            .collect();
        fields.sort_by_key(|field| field.number);
        let dense = fields.iter().zip(1..).all(|(field, number)| field.number == number);
        self.tables[id.0] = Table { shape: shape(message), fields, oneofs: !oneofs.is_empty(), dense };
        id
    }

    fn kind(&mut self, kind: &prost_reflect::Kind, enums: &mut HashMap<String, Arc<Names>>) -> Kind {
        use prost_reflect::Kind as Described;
        match kind {
            Described::Double => Kind::Double,
            Described::Float => Kind::Float,
            Described::Int32 => Kind::Int32,
            Described::Int64 => Kind::Int64,
            Described::Uint32 => Kind::Uint32,
            Described::Uint64 => Kind::Uint64,
            Described::Sint32 => Kind::Sint32,
            Described::Sint64 => Kind::Sint64,
            Described::Fixed32 => Kind::Fixed32,
            Described::Fixed64 => Kind::Fixed64,
            Described::Sfixed32 => Kind::Sfixed32,
            Described::Sfixed64 => Kind::Sfixed64,
            Described::Bool => Kind::Bool,
            Described::String => Kind::String,
            Described::Bytes => Kind::Bytes,
            Described::Enum(described) if described.full_name() == "google.protobuf.NullValue" => Kind::Null,
            Described::Enum(described) => {
                let names = enums.entry(described.full_name().to_owned()).or_insert_with(|| Arc::new(names(described)));
                Kind::Enum(Arc::clone(names))
            }
            Described::Message(message) => Kind::Message(self.intern(message, enums)),
        }
    }
}

/// The first name of each number.
fn names(described: &EnumDescriptor) -> Names {
    let values = &described.enum_descriptor_proto().value;
    let mut names: Vec<_> = values.iter().map(|value| (value.number(), format!("\"{}\"", value.name()))).collect();
    names.sort_by_key(|(number, _)| *number);
    names.dedup_by_key(|(number, _)| *number);
    Names(names)
}

fn shape(message: &MessageDescriptor) -> Shape {
    match message.full_name() {
        "google.protobuf.Timestamp" => Shape::Timestamp,
        "google.protobuf.Duration" => Shape::Duration,
        "google.protobuf.FieldMask" => Shape::FieldMask,
        "google.protobuf.Struct" => Shape::Struct,
        "google.protobuf.Value" => Shape::Value,
        "google.protobuf.ListValue" => Shape::List,
        "google.protobuf.Any" => Shape::Any,
        "google.protobuf.DoubleValue"
        | "google.protobuf.FloatValue"
        | "google.protobuf.Int64Value"
        | "google.protobuf.UInt64Value"
        | "google.protobuf.Int32Value"
        | "google.protobuf.UInt32Value"
        | "google.protobuf.BoolValue"
        | "google.protobuf.StringValue"
        | "google.protobuf.BytesValue" => Shape::Wrapper,
        _ => Shape::Fields,
    }
}

fn key(name: &str) -> Box<[u8]> {
    format!("{}:", serde_json::Value::from(name)).into_bytes().into()
}

/// The JSON of a field without presence that is not set. That of an enum is its value 0, written by name.
fn absent(field: &FieldDescriptor) -> Option<&'static [u8]> {
    use prost_reflect::Kind as Described;
    if field.is_map() {
        return Some(b"{}");
    } else if field.is_list() {
        return Some(b"[]");
    } else if field.supports_presence() {
        return None;
    }
    match field.kind() {
        Described::Double | Described::Float => Some(b"0.0"),
        Described::Int32 | Described::Sint32 | Described::Sfixed32 | Described::Uint32 | Described::Fixed32 => {
            Some(b"0")
        }
        Described::Int64 | Described::Sint64 | Described::Sfixed64 | Described::Uint64 | Described::Fixed64 => {
            Some(b"\"0\"")
        }
        Described::Bool => Some(b"false"),
        Described::String | Described::Bytes => Some(b"\"\""),
        // The writer knows the name.
        Described::Enum(_) => Some(b""),
        Described::Message(_) => None,
    }
}
