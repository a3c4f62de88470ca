//! The table of the fields that customers and partners are shown.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DynamicMessage, ExtensionDescriptor, MessageDescriptor, Value};

use super::calls;

/// The committed table.
const TABLE: &str = include_str!("fields.md");

/// The roles outside of the distributor, by their numbers in the contract.
const ROLES: [(&str, i32); 2] = [("customer", 2), ("partner", 5)];

fn extension(name: &str) -> ExtensionDescriptor {
    proto::pool().get_extension_by_name(&format!("waybill.options.v1.{name}")).unwrap()
}

/// The roles that an option lists.
fn roles(options: &DynamicMessage, name: &str) -> Vec<i32> {
    let value = options.get_extension(&extension(name));
    value.as_list().unwrap().iter().filter_map(Value::as_enum_number).collect()
}

/// What is answered to those who may call with a role.
fn answers(role: i32) -> Vec<MessageDescriptor> {
    let admits = |options: &DynamicMessage| {
        let access = options.get_extension(&extension("access"));
        let roles = access.as_message().unwrap().get_field_by_name("roles").unwrap();
        roles.as_list().unwrap().iter().any(|named| named.as_enum_number() == Some(role))
    };
    calls::methods().into_iter().filter(|method| admits(&method.options())).map(|method| method.output()).collect()
}

/// The payloads of the events that customers see on timelines.
fn payloads() -> Vec<MessageDescriptor> {
    let of_customers = |message: &MessageDescriptor| {
        let options = message.options();
        let events = options.get_extension(&extension("event"));
        events
            .as_list()
            .unwrap()
            .iter()
            .filter_map(Value::as_message)
            .any(|event| event.get_field_by_name("audience").unwrap().as_enum_number() == Some(2))
    };
    proto::pool().all_messages().filter(of_customers).collect()
}

/// Whether each field of an answer is shown to a role; of an enum, its values that are not.
fn shown(role: i32) -> BTreeMap<String, &'static str> {
    let (mut found, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let mut waiting = answers(role);
    while let Some(message) = waiting.pop() {
        if !seen.insert(message.full_name().to_owned()) || !message.full_name().starts_with("waybill.") {
            continue;
        }
        for field in message.fields() {
            let name = field.full_name().trim_start_matches("waybill.").to_owned();
            if roles(&field.options(), "hidden_from").contains(&role) {
                found.insert(name, "hidden");
                continue;
            }
            found.insert(name, "yes");
            let kind = field.kind();
            if let Some(part) = kind.as_message() {
                match part.full_name() {
                    "google.protobuf.Any" => waiting.extend(payloads()),
                    _ => waiting.push(part.clone()),
                }
            } else if let Some(values) = kind.as_enum() {
                let hidden = values
                    .values()
                    .filter(|value| roles(&value.options(), "value_hidden_from").contains(&role))
                    .map(|value| (value.full_name().trim_start_matches("waybill.").to_owned(), "hidden"));
                found.extend(hidden);
            }
        }
    }
    found
}

#[test]
fn customers_and_partners_are_shown_exactly_the_fields_in_the_table() {
    let shown = ROLES.map(|(_, role)| shown(role));
    let names: BTreeSet<_> = shown.iter().flat_map(BTreeMap::keys).collect();
    let heads = ROLES.map(|(name, _)| name).join(" | ");
    let mut found = format!("| field | {heads} |\n|---|{}\n", "---|".repeat(ROLES.len()));
    for name in names {
        let cells = shown.each_ref().map(|of_role| of_role.get(name).copied().unwrap_or("-"));
        found.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    let committed = TABLE.split_once("| field").map_or(String::new(), |(_, rows)| format!("| field{rows}"));
    let differ: Vec<_> = found.lines().filter(|row| !committed.contains(row)).collect();
    assert!(found == committed, "decide who is shown {differ:#?}; access/fields.md should have:\n{found}");
}
