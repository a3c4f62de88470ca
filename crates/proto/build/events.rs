//! Generates the registry of events from the `event` options of messages: `EventType`, and one enum for each service's log.

use std::{collections::BTreeMap, error::Error, fmt::Write as _};

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};

/// The package whose events every service may emit.
const SHARED: &str = "event";

/// One declared event.
struct Declared {
    /// `order.submitted`.
    name: String,
    /// `OrderSubmitted`.
    variant: String,
    /// `Customer`.
    audience: &'static str,
    /// `crate::order::v1::OrderSubmitted`.
    payload: String,
    /// `waybill.order.v1.OrderSubmitted`.
    message: String,
}

/// The Rust source of the registry.
pub fn generate(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let mut by_source: BTreeMap<String, Vec<Declared>> = BTreeMap::new();
    for message in pool.all_messages() {
        for declared in declarations(pool, &message)? {
            by_source.entry(source(&message)?).or_default().push(declared);
        }
    }
    let shared = by_source.remove(SHARED).unwrap_or_default();
    let mut out = String::new();
    event_source(&mut out, by_source.keys())?;
    event_type(&mut out, by_source.values().flatten().chain(&shared))?;
    log_enum(&mut out, "SharedEvent", "An event that every service may emit.", &shared, &[])?;
    writeln!(out, "impl SharedEvent {{\n    /// Reads an event of any log; `None` when it is one of the log's own.")?;
    writeln!(out, "    pub fn decode(event: &crate::event::v1::Event) -> Result<Option<Self>, DecodeError> {{")?;
    writeln!(out, "        match event.r#type.as_str() {{")?;
    for Declared { name, variant, .. } in &shared {
        writeln!(out, "            {name:?} => payload(event).map(Self::{variant}).map(Some),")?;
    }
    writeln!(out, "            _ => Ok(None),\n        }}\n    }}\n}}")?;
    for (source, own) in &by_source {
        let name = format!("{}Event", camel_case(source));
        log_enum(&mut out, &name, &format!("An event of the {source} service's log."), own, &shared)?;
        writeln!(out, "impl LogEvent for {name} {{")?;
        writeln!(out, "    const SOURCE: &'static str = {source:?};")?;
        writeln!(out, "    fn decode(event: &crate::event::v1::Event) -> Result<Self, DecodeError> {{")?;
        writeln!(out, "        match event.r#type.as_str() {{")?;
        for declared in own.iter().chain(&shared) {
            let Declared { name, variant, .. } = declared;
            writeln!(out, "            {name:?} => payload(event).map(Self::{variant}),")?;
        }
        writeln!(out, "            _ => Err(DecodeError::unknown(event)),\n        }}\n    }}\n}}")?;
    }
    Ok(out)
}

fn event_source<'a>(out: &mut String, all: impl Iterator<Item = &'a String> + Clone) -> Result<(), Box<dyn Error>> {
    writeln!(out, "/// A service, as the owner of a log.")?;
    writeln!(out, "#[derive(Debug, Clone, Copy, PartialEq, Eq)]\npub enum EventSource {{")?;
    for source in all.clone() {
        writeln!(out, "    /// The {source} service.\n    {},", camel_case(source))?;
    }
    writeln!(out, "}}\nimpl EventSource {{")?;
    writeln!(out, "    /// Every service.\n    pub const ALL: &'static [Self] = &[")?;
    for source in all.clone() {
        writeln!(out, "        Self::{},", camel_case(source))?;
    }
    writeln!(out, "    ];\n    /// The name of the service, as its events have it.")?;
    writeln!(out, "    pub const fn as_str(self) -> &'static str {{\n        match self {{")?;
    for source in all {
        writeln!(out, "            Self::{} => {source:?},", camel_case(source))?;
    }
    writeln!(out, "        }}\n    }}\n}}")?;
    Ok(())
}

fn event_type<'a>(out: &mut String, all: impl Iterator<Item = &'a Declared> + Clone) -> Result<(), Box<dyn Error>> {
    writeln!(out, "/// Type of an event.")?;
    writeln!(out, "#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\npub enum EventType {{")?;
    for Declared { name, variant, .. } in all.clone() {
        writeln!(out, "    /// `{name}`.\n    {variant},")?;
    }
    writeln!(out, "}}\nimpl EventType {{")?;
    writeln!(out, "    /// Every type.\n    pub const ALL: &'static [Self] = &[")?;
    for Declared { variant, .. } in all.clone() {
        writeln!(out, "        Self::{variant},")?;
    }
    writeln!(out, "    ];\n    /// The type's name, such as `order.submitted`.")?;
    writeln!(out, "    pub const fn as_str(self) -> &'static str {{\n        match self {{")?;
    for Declared { name, variant, .. } in all.clone() {
        writeln!(out, "            Self::{variant} => {name:?},")?;
    }
    writeln!(out, "        }}\n    }}\n    /// Who sees such events on a timeline.")?;
    writeln!(out, "    pub const fn audience(self) -> crate::options::v1::Audience {{\n        match self {{")?;
    for Declared { variant, audience, .. } in all {
        writeln!(out, "            Self::{variant} => crate::options::v1::Audience::{audience},")?;
    }
    writeln!(out, "        }}\n    }}\n}}")?;
    Ok(())
}

fn log_enum(
    out: &mut String,
    name: &str,
    doc: &str,
    own: &[Declared],
    shared: &[Declared],
) -> Result<(), Box<dyn Error>> {
    writeln!(out, "/// {doc}\n#[derive(Debug, Clone, PartialEq)]\npub enum {name} {{")?;
    for Declared { name, variant, payload, .. } in own.iter().chain(shared) {
        writeln!(out, "    /// `{name}`.\n    {variant}({payload}),")?;
    }
    writeln!(out, "}}\nimpl EventPayload for {name} {{")?;
    writeln!(out, "    fn event_type(&self) -> EventType {{\n        match self {{")?;
    for Declared { variant, .. } in own.iter().chain(shared) {
        writeln!(out, "            Self::{variant}(_) => EventType::{variant},")?;
    }
    writeln!(out, "        }}\n    }}\n    fn to_any(&self) -> prost_types::Any {{\n        match self {{")?;
    for Declared { variant, message, .. } in own.iter().chain(shared) {
        writeln!(out, "            Self::{variant}(payload) => any({message:?}, payload),")?;
    }
    writeln!(out, "        }}\n    }}\n}}")?;
    Ok(())
}

fn declarations(pool: &DescriptorPool, message: &MessageDescriptor) -> Result<Vec<Declared>, Box<dyn Error>> {
    let extension = pool.get_extension_by_name("waybill.options.v1.event").ok_or("no option for events")?;
    let options = message.options();
    let declared = options.get_extension(&extension);
    let Value::List(declared) = declared.as_ref() else { return Ok(Vec::new()) };
    declared.iter().filter_map(Value::as_message).map(|one| declaration(message, one)).collect()
}

fn declaration(message: &MessageDescriptor, one: &DynamicMessage) -> Result<Declared, Box<dyn Error>> {
    let name = one.get_field_by_name("type").and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default();
    let audience = one.get_field_by_name("audience").and_then(|audience| audience.as_enum_number());
    let audience = match audience {
        Some(1) => "Staff",
        Some(2) => "Customer",
        _ => return Err(format!("{}: the event {name:?} has no audience", message.full_name()).into()),
    };
    if !name.contains('.') {
        return Err(format!("{}: {name:?} is not a name of an event", message.full_name()).into());
    }
    let variant = camel_case(&name);
    Ok(Declared { name, variant, audience, payload: rust_path(message), message: message.full_name().to_owned() })
}

/// `order` of `waybill.order.v1`.
fn source(message: &MessageDescriptor) -> Result<String, Box<dyn Error>> {
    let mut parts = message.package_name().split('.');
    match (parts.next(), parts.next()) {
        (Some("waybill"), Some(source)) => Ok(source.to_owned()),
        _ => Err(format!("{} is not a message of ours", message.full_name()).into()),
    }
}

/// `crate::order::v1::OrderSubmitted` of `waybill.order.v1.OrderSubmitted`.
pub fn rust_path(message: &MessageDescriptor) -> String {
    let package = message.package_name().strip_prefix("waybill.").unwrap_or_default();
    format!("crate::{}::{}", package.replace('.', "::"), message.name())
}

/// `OrderLineCancelled` of `order.line_cancelled`.
pub fn camel_case(name: &str) -> String {
    let words = name.split(['.', '_']);
    words
        .map(|word| word.get(..1).unwrap_or_default().to_ascii_uppercase() + word.get(1..).unwrap_or_default())
        .collect()
}
