//! Generates what takes hidden fields out of answers, from the `hidden_from` options of fields and the `value_hidden_from`
//! options of enum values.

use std::{collections::BTreeMap, error::Error, fmt::Write as _};

use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

use super::events;

/// The message that carries others: payloads of events.
const ANY: &str = "google.protobuf.Any";

/// Names of fields that are keywords of Rust.
pub const KEYWORDS: [&str; 3] = ["type", "return", "match"];

struct Generator<'p> {
    pool: &'p DescriptorPool,
    /// Whether a message has something to hide, in itself or in a part.
    hides: BTreeMap<String, bool>,
}

/// The implementations of `Redact` for every message, and for the payloads of events.
pub fn generate(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let own = |message: &MessageDescriptor| message.full_name().starts_with("waybill.") && !message.is_map_entry();
    let messages: Vec<_> = pool.all_messages().filter(own).collect();
    let mut generator = Generator { pool, hides: BTreeMap::new() };
    let mut out = String::new();
    for message in &messages {
        generator.message(&mut out, message)?;
    }
    writeln!(out, "fn redact_payload(payload: &mut prost_types::Any, viewer: Viewer) {{")?;
    writeln!(out, "    match payload.type_url.rsplit('/').next().unwrap_or_default() {{")?;
    for message in &messages {
        if generator.hides(message) && !generator.is_answer(message) {
            let (name, path) = (message.full_name(), events::rust_path(message));
            writeln!(out, "        {name:?} => redact_encoded::<{path}>(payload, viewer),")?;
        }
    }
    writeln!(out, "        _ => {{}}\n    }}\n}}")?;
    Ok(out)
}

impl Generator<'_> {
    fn message(&mut self, out: &mut String, message: &MessageDescriptor) -> Result<(), Box<dyn Error>> {
        let mut lines = String::new();
        for field in message.fields() {
            self.field(&mut lines, &field)?;
        }
        let viewer = if lines.contains("viewer") { "viewer" } else { "_" };
        writeln!(out, "impl Redact for {} {{", events::rust_path(message))?;
        writeln!(out, "    fn redact(&mut self, {viewer}: Viewer) {{\n{lines}    }}\n}}")?;
        Ok(())
    }

    fn field(&mut self, lines: &mut String, field: &FieldDescriptor) -> Result<(), Box<dyn Error>> {
        let name = field.name();
        let name = if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() };
        let in_oneof = field.containing_oneof().is_some_and(|oneof| oneof.fields().len() > 1);
        let hidden = roles(self.pool, "waybill.options.v1.hidden_from", &field.options());
        if let Some(condition) = hidden_when(&hidden, field.full_name())? {
            if in_oneof {
                return Err(format!("{}: a field of a oneof cannot be hidden", field.full_name()).into());
            }
            writeln!(lines, "        if {condition} {{ self.{name} = Default::default(); }}")?;
        }
        match field.kind() {
            Kind::Message(part) if part.full_name() == ANY => {
                writeln!(lines, "        self.{name}.iter_mut().for_each(|any| redact_payload(any, viewer));")?;
            }
            Kind::Message(part) if !part.is_map_entry() && self.hides(&part) => {
                if in_oneof {
                    return Err(format!("{}: a part of a oneof cannot hide fields", field.full_name()).into());
                }
                writeln!(lines, "        self.{name}.iter_mut().for_each(|part| part.redact(viewer));")?;
            }
            Kind::Enum(values) => {
                for (number, condition) in self.hidden_values(&values)? {
                    let hide = match field.cardinality() {
                        Cardinality::Repeated => format!("self.{name}.retain(|value| *value != {number})"),
                        _ if field.containing_oneof().is_some() => {
                            return Err(format!("{}: an optional enum with hidden values", field.full_name()).into());
                        }
                        _ => format!("if self.{name} == {number} {{ self.{name} = 0; }}"),
                    };
                    writeln!(lines, "        if {condition} {{ {hide} }}")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn hidden_values(&self, values: &EnumDescriptor) -> Result<Vec<(i32, String)>, Box<dyn Error>> {
        let mut hidden = Vec::new();
        for value in values.values() {
            let roles = roles(self.pool, "waybill.options.v1.value_hidden_from", &value.options());
            if let Some(condition) = hidden_when(&roles, value.full_name())? {
                hidden.push((value.number(), condition));
            }
        }
        Ok(hidden)
    }

    fn hides(&mut self, message: &MessageDescriptor) -> bool {
        if let Some(known) = self.hides.get(message.full_name()) {
            return *known;
        }
        // A message within itself hides what the rest of it does.
        self.hides.insert(message.full_name().to_owned(), false);
        let hides = message.fields().any(|field| {
            !roles(self.pool, "waybill.options.v1.hidden_from", &field.options()).is_empty()
                || match field.kind() {
                    Kind::Message(part) => part.full_name() == ANY || self.hides(&part),
                    Kind::Enum(values) => self.hidden_values(&values).is_ok_and(|hidden| !hidden.is_empty()),
                    _ => false,
                }
        });
        self.hides.insert(message.full_name().to_owned(), hides);
        hides
    }

    /// Whether the message has a part that carries others, so that it is no payload itself.
    fn is_answer(&self, message: &MessageDescriptor) -> bool {
        message.fields().any(|field| matches!(field.kind(), Kind::Message(part) if part.full_name() == ANY))
    }
}

/// The condition under which a viewer is not shown something; `None` when everybody is.
fn hidden_when(roles: &[i32], name: &str) -> Result<Option<String>, Box<dyn Error>> {
    const CUSTOMER: i32 = 2;
    const PARTNER: i32 = 5;
    if let Some(role) = roles.iter().find(|role| ![CUSTOMER, PARTNER].contains(role)) {
        return Err(format!("{name}: nothing is hidden from role {role}").into());
    }
    let shown: Vec<_> = [(CUSTOMER, "viewer.customer"), (PARTNER, "viewer.partner")]
        .into_iter()
        .filter(|(role, _)| !roles.contains(role))
        .map(|(_, viewer)| viewer)
        .collect();
    Ok(match (roles, shown.as_slice()) {
        ([], _) => None,
        (_, []) => Some("true".to_owned()),
        (_, shown) => Some(format!("!({})", shown.join(" || "))),
    })
}

/// The roles that an option names.
fn roles(pool: &DescriptorPool, option: &str, options: &DynamicMessage) -> Vec<i32> {
    let Some(option) = pool.get_extension_by_name(option) else { return Vec::new() };
    let roles = options.get_extension(&option);
    let Value::List(roles) = roles.as_ref() else { return Vec::new() };
    roles.iter().filter_map(Value::as_enum_number).collect()
}
