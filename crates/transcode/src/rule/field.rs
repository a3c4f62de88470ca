//! Paths of fields inside a message.

use std::fmt;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// A field, and the fields of the messages around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath {
    parents: Vec<FieldDescriptor>,
    leaf: FieldDescriptor,
}

impl FieldPath {
    /// Finds a dotted path; each part is a field's name in the proto or in JSON.
    pub(crate) fn resolve(message: &MessageDescriptor, path: &str) -> Option<Self> {
        let mut message = message.clone();
        let mut parents = Vec::new();
        let mut parts = path.split('.').peekable();
        loop {
            let name = parts.next()?;
            let field = message.get_field_by_name(name).or_else(|| message.get_field_by_json_name(name))?;
            if parts.peek().is_none() {
                return Some(Self { parents, leaf: field });
            }
            if field.is_list() || field.is_map() {
                return None;
            }
            message = field.kind().as_message()?.clone();
            parents.push(field);
        }
    }

    /// The field.
    pub(crate) fn leaf(&self) -> &FieldDescriptor {
        &self.leaf
    }

    /// The first field of the path.
    pub(crate) fn first(&self) -> &FieldDescriptor {
        self.parents.first().unwrap_or(&self.leaf)
    }

    /// The message of the leaf; it is created when it is not set.
    pub(crate) fn parent<'m>(&self, message: &'m mut DynamicMessage) -> Option<&'m mut DynamicMessage> {
        self.parents.iter().try_fold(message, |message, field| message.get_field_mut(field).as_message_mut())
    }

    /// The names in JSON, dotted.
    pub(crate) fn json_name(&self) -> String {
        let names: Vec<_> = self.fields().map(FieldDescriptor::json_name).collect();
        names.join(".")
    }

    fn fields(&self) -> impl Iterator<Item = &FieldDescriptor> {
        self.parents.iter().chain([&self.leaf])
    }

    /// Sets a value; an error when the field has another one, or another field of its oneof is set.
    pub(crate) fn assign(&self, message: &mut DynamicMessage, value: Value) -> Result<(), AssignError> {
        let Some(parent) = self.parent(message) else { return Err(AssignError::Differs) };
        if parent.has_field(&self.leaf) && *parent.get_field(&self.leaf) != value {
            return Err(AssignError::Differs);
        }
        if let Some(oneof) = self.leaf.containing_oneof()
            && let Some(other) = oneof.fields().find(|field| *field != self.leaf && parent.has_field(field))
        {
            return Err(AssignError::Oneof(other));
        }
        parent.set_field(&self.leaf, value);
        Ok(())
    }
}

impl fmt::Display for FieldPath {
    /// Writes the names in the proto, dotted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parents.iter().try_for_each(|field| write!(f, "{}.", field.name()))?;
        f.write_str(self.leaf.name())
    }
}

/// Why a value could not be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AssignError {
    /// The field has another value.
    Differs,
    /// This field of the same oneof is set.
    Oneof(FieldDescriptor),
}

/// Whether one value of this kind can be written as text in a path or a query.
pub(crate) fn is_text(kind: &Kind) -> bool {
    let Kind::Message(message) = kind else { return true };
    matches!(
        message.full_name(),
        "google.protobuf.Timestamp"
            | "google.protobuf.Duration"
            | "google.protobuf.FieldMask"
            | "google.protobuf.DoubleValue"
            | "google.protobuf.FloatValue"
            | "google.protobuf.Int64Value"
            | "google.protobuf.UInt64Value"
            | "google.protobuf.Int32Value"
            | "google.protobuf.UInt32Value"
            | "google.protobuf.BoolValue"
            | "google.protobuf.StringValue"
            | "google.protobuf.BytesValue"
    )
}
