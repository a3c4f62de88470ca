//! JSON schemas of messages and enums.

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value as Reflected};
use serde_json::{Map, Value, json};

use crate::comments::Comments;

/// The schemas that were requested, and those they refer to.
#[derive(Debug)]
pub(super) struct Schemas<'c> {
    pub(super) comments: &'c Comments,
    named: BTreeMap<String, Value>,
}

/// The `google.api.field_behavior` of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behavior {
    Required = 2,
    OutputOnly = 3,
    InputOnly = 4,
}

impl<'c> Schemas<'c> {
    pub(super) fn new(comments: &'c Comments) -> Self {
        Self { comments, named: BTreeMap::new() }
    }

    pub(super) fn finish(self) -> BTreeMap<String, Value> {
        self.named
    }

    /// The comment of a field.
    pub(super) fn describe(&self, field: &FieldDescriptor) -> &'c str {
        self.comments.get(&field.parent_file(), field.path())
    }

    /// The schema of a field's values, lists and maps included.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Value {
        let kind = field.kind();
        if field.is_map()
            && let Some(entry) = kind.as_message()
        {
            let values = self.kind(&entry.map_entry_value_field().kind());
            return json!({"type": "object", "additionalProperties": values});
        }
        let one = self.kind(&kind);
        if field.is_list() { json!({"type": "array", "items": one}) } else { one }
    }

    /// The schema of a message.
    pub(super) fn message(&mut self, message: &MessageDescriptor) -> Value {
        if let Some(known) = self.known(message) {
            return known;
        }
        let name = message.full_name();
        if !self.named.contains_key(name) {
            // Reserved before it is built, because it may refer to itself.
            self.named.insert(name.to_owned(), Value::Null);
            let schema = self.object(message, |_| true);
            self.named.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// An object of some of a message's fields.
    pub(super) fn object(&mut self, message: &MessageDescriptor, wanted: impl Fn(&FieldDescriptor) -> bool) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields().filter(|field| wanted(field)) {
            let mut schema = self.field(&field);
            let comment = self.describe(&field);
            if !comment.is_empty() {
                schema["description"] = comment.into();
            }
            if field.field_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated()) {
                schema["deprecated"] = true.into();
            }
            for behavior in [Behavior::Required, Behavior::OutputOnly, Behavior::InputOnly] {
                match behavior {
                    _ if !behaves(&field, behavior) => {}
                    Behavior::Required => {
                        required.push(field.json_name().to_owned());
                        demand(&field, &mut schema);
                    }
                    Behavior::OutputOnly => schema["readOnly"] = true.into(),
                    Behavior::InputOnly => schema["writeOnly"] = true.into(),
                }
            }
            properties.insert(field.json_name().to_owned(), schema);
        }
        let mut description = self.comments.get(&message.parent_file(), message.path()).to_owned();
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            let names: Vec<_> = oneof.fields().map(|field| format!("`{}`", field.json_name())).collect();
            description.push_str(&format!("\n\nAt most one of {} is set.", names.join(", ")));
        }
        let mut schema = json!({"type": "object", "properties": properties});
        if !description.trim().is_empty() {
            schema["description"] = description.trim().into();
        }
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        schema
    }

    fn kind(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Double => json!({"type": "number", "format": "double"}),
            Kind::Float => json!({"type": "number", "format": "float"}),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({"type": "integer", "format": "int32"}),
            Kind::Uint32 | Kind::Fixed32 => json!({"type": "integer", "format": "uint32", "minimum": 0}),
            // Always a string in answers; a number is accepted too.
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                json!({"type": ["string", "integer"], "format": "int64", "pattern": "^-?[0-9]+$"})
            }
            Kind::Uint64 | Kind::Fixed64 => {
                json!({"type": ["string", "integer"], "format": "uint64", "pattern": "^[0-9]+$", "minimum": 0})
            }
            Kind::Bool => json!({"type": "boolean"}),
            Kind::String => json!({"type": "string"}),
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            Kind::Enum(described) => self.names(described),
            Kind::Message(message) => self.message(message),
        }
    }

    fn names(&mut self, described: &EnumDescriptor) -> Value {
        let name = described.full_name();
        if name == "google.protobuf.NullValue" {
            return json!({"type": "null"});
        }
        if !self.named.contains_key(name) {
            let file = described.parent_file();
            let mut description = self.comments.get(&file, described.path()).to_owned();
            for value in described.values() {
                let comment = self.comments.get(&file, value.path()).replace('\n', " ");
                if !comment.is_empty() {
                    description.push_str(&format!("\n- `{}`: {comment}", value.name()));
                }
            }
            let names: Vec<_> = described.values().map(|value| value.name().to_owned()).collect();
            let schema = json!({"type": "string", "enum": names, "description": description.trim()});
            self.named.insert(name.to_owned(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{name}")})
    }

    fn known(&mut self, message: &MessageDescriptor) -> Option<Value> {
        let known = match message.full_name().strip_prefix("google.protobuf.")? {
            "Timestamp" => json!({"type": "string", "format": "date-time"}),
            "Duration" => json!({"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?s$", "examples": ["1.5s"]}),
            "FieldMask" => json!({"type": "string", "examples": ["displayName,labels"]}),
            "Struct" => json!({"type": "object"}),
            "Value" => json!({}),
            "ListValue" => json!({"type": "array", "items": {}}),
            "Empty" => json!({"type": "object", "maxProperties": 0}),
            "Any" => json!({
                "type": "object",
                "properties": {"@type": {"type": "string", "description": "The type of the message."}},
            }),
            name if name.ends_with("Value") => {
                let mut schema = self.kind(&message.get_field_by_name("value")?.kind());
                let kind = schema["type"].take();
                let kinds = if let Value::Array(kinds) = kind { kinds } else { vec![kind] };
                schema["type"] = kinds.into_iter().chain(["null".into()]).collect();
                schema
            }
            _ => return None,
        };
        Some(known)
    }
}

/// A required value is neither an empty text nor an empty list.
pub(super) fn demand(field: &FieldDescriptor, schema: &mut Value) {
    if field.is_list() {
        schema["minItems"] = 1.into();
    } else if field.kind() == Kind::String {
        schema["minLength"] = 1.into();
    }
}

/// Whether a field has a behavior.
pub(super) fn behaves(field: &FieldDescriptor, behavior: Behavior) -> bool {
    let Some(extension) = field.parent_file().parent_pool().get_extension_by_name("google.api.field_behavior") else {
        return false;
    };
    let options = field.options();
    let behaviors = options.get_extension(&extension);
    behaviors.as_list().is_some_and(|list| list.iter().any(|one| *one == Reflected::EnumNumber(behavior as i32)))
}
