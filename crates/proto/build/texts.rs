//! Generates what visits every text of a request, in itself and in its parts.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt::Write as _,
};

use prost_reflect::{DescriptorPool, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor};

use super::{events, redact::KEYWORDS};

/// The implementations of `Texts` for every request of a method and every part of one.
pub fn generate(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let (mut messages, mut reads) = (BTreeMap::new(), BTreeSet::new());
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        reach(method.input(), &mut messages);
        if FILTERED.iter().any(|verb| method.name().starts_with(verb)) {
            reads.insert(method.input().full_name().to_owned());
        }
    }
    let mut out = String::new();
    for message in messages.values() {
        let mut lines = String::new();
        for field in message.fields() {
            let oneof = field.containing_oneof().filter(|oneof| oneof.fields().len() > 1);
            match oneof {
                None => whole(&mut lines, &field)?,
                Some(oneof) => alternative(&mut lines, message, &oneof, &field)?,
            }
        }
        let change = if lines.is_empty() { "_" } else { "change" };
        writeln!(out, "impl Texts for {} {{", events::rust_path(message))?;
        writeln!(out, "    fn each_text(&mut self, {change}: fn(&mut String)) {{\n{lines}    }}")?;
        let lines = not_blank(message, reads.contains(message.full_name()))?;
        let is_blank = if lines.is_empty() { "_" } else { "is_blank" };
        let signature = format!("fn blank(&self, {is_blank}: fn(&str) -> bool) -> Option<&'static str>");
        writeln!(out, "    {signature} {{\n{lines}        None\n    }}\n}}")?;
    }
    Ok(out)
}

/// What the names of methods begin with of whose requests every text is a filter.
const FILTERED: [&str; 4] = ["List", "Summarize", "RetryExceptions", "GetAvailability"];

/// Looks for a blank text of a request where an empty one would select everything, or check nothing.
fn not_blank(message: &MessageDescriptor, is_read: bool) -> Result<String, Box<dyn Error>> {
    let mut lines = String::new();
    for field in message.fields().filter(|field| field.kind() == Kind::String && field.containing_oneof().is_none()) {
        let (name, rust) = (field.name(), rust_name(&field));
        if !is_read && !matches!(name, "etag" | "page_token") {
            continue;
        }
        let test = if field.is_list() {
            format!("self.{rust}.iter().any(|text| is_blank(text))")
        } else {
            format!("is_blank(&self.{rust})")
        };
        writeln!(lines, "        if {test} {{ return Some(\"{name}\"); }}")?;
    }
    Ok(lines)
}

fn is_own(message: &MessageDescriptor) -> bool {
    message.full_name().starts_with("waybill.")
}

/// Adds a message and its parts.
fn reach(message: MessageDescriptor, messages: &mut BTreeMap<String, MessageDescriptor>) {
    if !is_own(&message) || messages.contains_key(message.full_name()) {
        return;
    }
    let parts = message.fields().filter_map(|field| field.kind().as_message().cloned()).collect::<Vec<_>>();
    if !message.is_map_entry() {
        messages.insert(message.full_name().to_owned(), message);
    }
    parts.into_iter().for_each(|part| reach(part, messages));
}

fn rust_name(field: &FieldDescriptor) -> String {
    let name = field.name();
    if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}

/// A field that is no alternative to others.
fn whole(lines: &mut String, field: &FieldDescriptor) -> Result<(), Box<dyn Error>> {
    let name = rust_name(field);
    match field.kind() {
        Kind::Message(entry) if entry.is_map_entry() => match entry.map_entry_value_field().kind() {
            Kind::String => writeln!(lines, "        self.{name}.values_mut().for_each(change);")?,
            Kind::Message(part) if is_own(&part) => {
                writeln!(lines, "        self.{name}.values_mut().for_each(|part| part.each_text(change));")?;
            }
            _ => {}
        },
        Kind::String if field.is_list() || field.supports_presence() => {
            writeln!(lines, "        self.{name}.iter_mut().for_each(change);")?;
        }
        Kind::String => writeln!(lines, "        change(&mut self.{name});")?,
        Kind::Message(part) if is_own(&part) => {
            writeln!(lines, "        self.{name}.iter_mut().for_each(|part| part.each_text(change));")?;
        }
        _ => {}
    }
    Ok(())
}

/// A field of a oneof.
fn alternative(
    lines: &mut String,
    message: &MessageDescriptor,
    oneof: &OneofDescriptor,
    field: &FieldDescriptor,
) -> Result<(), Box<dyn Error>> {
    let visit = match field.kind() {
        Kind::String => "change(part)",
        Kind::Message(part) if is_own(&part) => "part.each_text(change)",
        _ => return Ok(()),
    };
    let path = events::rust_path(message);
    let (package, name) = path.rsplit_once("::").unwrap_or_default();
    let (module, of) = (snake_case(name), events::camel_case(oneof.name()));
    let variant = events::camel_case(field.name());
    writeln!(
        lines,
        "        if let Some({package}::{module}::{of}::{variant}(part)) = &mut self.{} {{ {visit}; }}",
        oneof.name()
    )?;
    Ok(())
}

/// `submit_report_request` of `SubmitReportRequest`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && at > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
