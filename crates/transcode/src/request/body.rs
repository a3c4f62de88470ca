//! Reads a message from JSON; an error names the path of every wrong field.

use std::collections::HashMap;

use prost::Message as _;
use prost_reflect::{
    Cardinality, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};
use serde_json::{Map, Value as Json};

use super::scalar;
use crate::problem::Violation;

/// The most wrong fields that an error names.
const MOST: usize = 50;

/// The message in a JSON value. Wrong fields are left out and added to `violations` under `path`.
pub(super) fn message(
    descriptor: &MessageDescriptor,
    json: Json,
    path: &str,
    violations: &mut Vec<Violation>,
) -> DynamicMessage {
    let mut reader = Reader { path: path.to_owned(), violations };
    match reader.message(descriptor, json) {
        Some(message) => message,
        None => DynamicMessage::new(descriptor.clone()),
    }
}

struct Reader<'v> {
    /// Path of the field that is being read, with the names of the proto.
    path: String,
    violations: &'v mut Vec<Violation>,
}

impl Reader<'_> {
    fn refuse<T>(&mut self, description: impl Into<String>) -> Option<T> {
        if self.violations.len() < MOST {
            self.violations.push(Violation::new(&self.path, description));
        }
        None
    }

    fn under<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let value = read(self);
        self.path.truncate(length);
        value
    }

    fn at<T>(&mut self, index: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.extend(["[", index, "]"]);
        let value = read(self);
        self.path.truncate(length);
        value
    }

    fn message(&mut self, descriptor: &MessageDescriptor, json: Json) -> Option<DynamicMessage> {
        if is_known(descriptor.full_name()) {
            return self.known(descriptor, json);
        }
        let Json::Object(object) = json else { return self.refuse("expected an object") };
        Some(self.object(descriptor, object))
    }

    fn known(&mut self, descriptor: &MessageDescriptor, json: Json) -> Option<DynamicMessage> {
        if descriptor.full_name() == "google.protobuf.Any" {
            return self.any(descriptor, json);
        }
        if descriptor.full_name().ends_with("Value")
            && let Some(field) = descriptor.get_field_by_name("value")
        {
            let value = match scalar::from_json(&field.kind(), json) {
                Ok(value) => value,
                Err(description) => return self.refuse(description),
            };
            let mut wrapper = DynamicMessage::new(descriptor.clone());
            wrapper.set_field(&field, value);
            return Some(wrapper);
        }
        match scalar::known(descriptor, json) {
            Ok(message) => Some(message),
            Err(description) => self.refuse(description),
        }
    }

    /// Reads an `Any` as a field of its type is read, so that the same values are accepted and refused.
    fn any(&mut self, descriptor: &MessageDescriptor, json: Json) -> Option<DynamicMessage> {
        let Json::Object(mut object) = json else { return self.refuse("expected an object") };
        let mut any = DynamicMessage::new(descriptor.clone());
        let Some(url) = object.remove("@type") else {
            return if object.is_empty() { Some(any) } else { self.refuse("has no `@type`") };
        };
        let name = url.as_str().and_then(|url| Some(url.rsplit_once('/')?.1));
        let Some(described) = name.and_then(|name| descriptor.parent_pool().get_message_by_name(name)) else {
            return self.under("@type", |reader| reader.refuse("is not the URL of a known type"));
        };
        let message = if is_known(described.full_name()) {
            let Some(value) = object.remove("value") else { return self.refuse("has no `value`") };
            for name in object.keys() {
                self.under(name, |reader| reader.refuse::<()>("unknown field"));
            }
            self.under("value", |reader| reader.message(&described, value))?
        } else {
            self.object(&described, object)
        };
        any.set_field_by_number(1, Value::String(url.as_str()?.to_owned()));
        any.set_field_by_number(2, Value::Bytes(message.encode_to_vec().into()));
        Some(any)
    }

    fn object(&mut self, descriptor: &MessageDescriptor, object: Map<String, Json>) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        let mut seen: Vec<u32> = Vec::with_capacity(object.len());
        for (key, json) in object {
            let field = descriptor.get_field_by_json_name(&key).or_else(|| descriptor.get_field_by_name(&key));
            let Some(field) = field else {
                self.under(&key, |reader| reader.refuse::<()>("unknown field"));
                continue;
            };
            self.under(field.name(), |reader| {
                if seen.contains(&field.number()) {
                    reader.refuse::<()>("is set under both of its names");
                    return;
                }
                seen.push(field.number());
                let Some(value) = reader.field(&field, json) else { return };
                if let Some(oneof) = field.containing_oneof()
                    && let Some(other) = oneof.fields().find(|other| message.has_field(other))
                {
                    reader.refuse::<()>(format!("excludes `{}`, which is set too", other.name()));
                    return;
                }
                message.set_field(&field, value);
            });
        }
        message
    }

    /// The value of a field; `None` when it is wrong or unset.
    fn field(&mut self, field: &FieldDescriptor, json: Json) -> Option<Value> {
        let kind = field.kind();
        if json.is_null() && !(takes_null(&kind) && field.cardinality() != Cardinality::Repeated) {
            return None;
        }
        if field.is_map() {
            return self.map(&kind, json);
        }
        if field.is_list() {
            let Json::Array(elements) = json else { return self.refuse("expected an array") };
            let values = elements
                .into_iter()
                .enumerate()
                .filter_map(|(index, json)| self.at(&index.to_string(), |reader| reader.value(&kind, json)));
            return Some(Value::List(values.collect()));
        }
        self.value(&kind, json)
    }

    fn map(&mut self, kind: &Kind, json: Json) -> Option<Value> {
        let Json::Object(object) = json else { return self.refuse("expected an object") };
        let entry = kind.as_message()?;
        let (key_kind, value_kind) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let mut map = HashMap::with_capacity(object.len());
        for (key, json) in object {
            self.at(&key.clone(), |reader| {
                let Some(map_key) = map_key(&key_kind, &key) else { return reader.refuse("is not a key of this map") };
                let value = reader.value(&value_kind, json)?;
                match map.insert(map_key, value) {
                    None => Some(()),
                    Some(_) => reader.refuse("is set twice"),
                }
            });
        }
        Some(Value::Map(map))
    }

    fn value(&mut self, kind: &Kind, json: Json) -> Option<Value> {
        if json.is_null() && !takes_null(kind) {
            return self.refuse("must not be null");
        }
        if let Kind::Message(descriptor) = kind {
            let message = self.message(descriptor, json)?;
            debug_assert_eq!(message.descriptor(), *descriptor);
            return Some(Value::Message(message));
        }
        match scalar::from_json(kind, json) {
            Ok(value) => Some(value),
            Err(description) => self.refuse(description),
        }
    }
}

fn map_key(kind: &Kind, key: &str) -> Option<MapKey> {
    scalar::from_text(kind, key).ok()?.into_map_key()
}

fn takes_null(kind: &Kind) -> bool {
    kind.as_message().is_some_and(|message| message.full_name() == "google.protobuf.Value")
        || kind.as_enum().is_some_and(|described| described.full_name() == "google.protobuf.NullValue")
}

/// Whether a message of `google.protobuf` has a special JSON form.
fn is_known(name: &str) -> bool {
    let Some(name) = name.strip_prefix("google.protobuf.") else { return false };
    matches!(name, "Any" | "Timestamp" | "Duration" | "Struct" | "Value" | "ListValue" | "FieldMask" | "Empty")
        || matches!(name, "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value")
        || matches!(name, "BoolValue" | "StringValue" | "BytesValue")
}
