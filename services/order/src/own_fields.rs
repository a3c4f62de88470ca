//! What a customer adds to an order or a line in its own words: kept and given back, and decided on by nobody here.
//!
//! One column has all of it, and is NULL where there is nothing.

use std::collections::BTreeMap;

use mesh::wire::Checks;
use prost::{DecodeError, Message, bytes::Bytes};
use proto::{MessageBytes, order::v1 as contract};
use store::Proto;
use types::limits::{MAX_OUTSIDE_NUMBER, MAX_OWN_FIELDS, MAX_TEXT};

/// The column.
pub(crate) type Column = Option<Proto<OwnFields>>;

/// What a customer added.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct OwnFields {
    /// What it asks of the warehouse and the carrier.
    #[prost(string, tag = "1")]
    pub(crate) note: String,
    /// What it belongs to.
    #[prost(message, repeated, tag = "2")]
    pub(crate) references: Vec<contract::Reference>,
    /// Fields of its own.
    #[prost(btree_map = "string, string", tag = "3")]
    pub(crate) custom_fields: BTreeMap<String, String>,
    /// Its number of the line; empty for an order.
    #[prost(string, tag = "4")]
    pub(crate) customer_line_reference: String,
    /// Its number of the item; empty for an order.
    #[prost(string, tag = "5")]
    pub(crate) customer_sku: String,
}

impl MessageBytes for OwnFields {
    fn to_bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    fn from_bytes(bytes: Bytes) -> Result<Self, DecodeError> {
        Self::decode(bytes)
    }
}

impl OwnFields {
    /// What a new order has.
    pub(crate) fn of_order(new: &contract::PlaceOrderRequest, checks: &mut Checks) -> Option<Column> {
        let read = Self::read("", &new.note, &new.references, &new.custom_fields, checks)?;
        Some(read.into_column())
    }

    /// What a new line has. `prefix` is the path of the line, with a dot.
    pub(crate) fn of_line(new: &contract::NewOrderLine, prefix: &str, checks: &mut Checks) -> Option<Column> {
        let read = Self::read(prefix, &new.note, &new.references, &new.custom_fields, checks);
        let mut number = |name: &str, text: &str| {
            if text.is_empty() {
                return Some(String::new());
            }
            checks.optional_text(format!("{prefix}{name}"), text, MAX_OUTSIDE_NUMBER)
        };
        let reference = number("customer_line_reference", &new.customer_line_reference);
        let sku = number("customer_sku", &new.customer_sku);
        Some(Self { customer_line_reference: reference?, customer_sku: sku?, ..read? }.into_column())
    }

    /// What a line has that a change adds.
    pub(crate) fn of_added_line(line: &contract::OrderLine) -> Column {
        let own = Self {
            note: line.note.clone(),
            references: line.references.clone(),
            custom_fields: line.custom_fields.clone(),
            customer_line_reference: line.customer_line_reference.clone(),
            customer_sku: line.customer_sku.clone(),
        };
        own.into_column()
    }

    fn read(
        prefix: &str,
        note: &str,
        references: &[contract::Reference],
        custom_fields: &BTreeMap<String, String>,
        checks: &mut Checks,
    ) -> Option<Self> {
        if note.is_empty() && references.is_empty() && custom_fields.is_empty() {
            return Some(Self::default());
        }
        let field = |name: &str| format!("{prefix}{name}");
        let note = checks.optional_text(field("note"), note, MAX_TEXT);
        let fits = checks.at_most(field("references"), references.len(), MAX_OWN_FIELDS);
        let fits = checks.at_most(field("custom_fields"), custom_fields.len(), MAX_OWN_FIELDS) && fits;
        if !fits {
            return None;
        }
        let mut reference = |(at, given): (usize, &contract::Reference)| {
            let kind = checks.key(field(&format!("references[{at}].kind")), &given.kind);
            let value = checks.text(field(&format!("references[{at}].value")), &given.value, MAX_TEXT);
            Some(contract::Reference { kind: kind?, value: value? })
        };
        let references: Vec<_> = references.iter().enumerate().map(&mut reference).collect();
        let mut custom_field = |(key, value): (&String, &String)| {
            // A key that is wrong is named by its place, since it may be anything.
            let key = checks.key(field("custom_fields"), key)?;
            let value = checks.optional_text(field(&format!("custom_fields.{key}")), value, MAX_TEXT)?;
            Some((key, value))
        };
        let custom_fields: Vec<_> = custom_fields.iter().map(&mut custom_field).collect();
        Some(Self {
            note: note?,
            references: references.into_iter().collect::<Option<_>>()?,
            custom_fields: custom_fields.into_iter().collect::<Option<_>>()?,
            ..Self::default()
        })
    }

    fn into_column(self) -> Column {
        (self != Self::default()).then_some(Proto(self))
    }
}

/// What a column has; nothing where it is NULL.
pub(crate) fn of(column: &Column) -> OwnFields {
    column.as_ref().map(|own| own.0.clone()).unwrap_or_default()
}

/// How long what a column has is when it is encoded.
pub(crate) fn size(column: &Column) -> usize {
    column.as_ref().map_or(0, |own| own.0.encoded_len())
}
