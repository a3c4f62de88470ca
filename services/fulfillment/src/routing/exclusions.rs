//! Nodes that a release is not routed to.

use std::collections::BTreeSet;

use store::{Column, Kind, Value};
use types::{
    NodeId,
    text::{escaped, unescaped},
};

/// Nodes not to use: for every item, or for one. Stored as `nod_a;nod_b:SKU`, with `;` and `%` in an SKU percent-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Exclusions(pub(crate) BTreeSet<(NodeId, Option<String>)>);

impl Exclusions {
    /// Whether the node is not to be used for the item.
    pub(crate) fn excludes(&self, node_id: &NodeId, sku: &str) -> bool {
        self.0.contains(&(node_id.clone(), None)) || self.0.contains(&(node_id.clone(), Some(sku.to_owned())))
    }

    /// Nodes that are not to be used for some item.
    pub(crate) fn nodes(&self) -> BTreeSet<&NodeId> {
        self.0.iter().map(|(node_id, _)| node_id).collect()
    }
}

impl Column for Exclusions {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let one = |(node_id, sku): &(NodeId, Option<String>)| match sku {
            Some(sku) => format!("{node_id}:{}", escaped(sku, &[';'])),
            None => node_id.to_string(),
        };
        Value::Text(self.0.iter().map(one).collect::<Vec<_>>().join(";"))
    }

    fn from_value(value: Value) -> Option<Self> {
        let text = String::from_value(value)?;
        let one = |part: &str| match part.split_once(':') {
            Some((node_id, sku)) => Some((node_id.parse().ok()?, Some(unescaped(sku)?))),
            None => Some((part.parse().ok()?, None)),
        };
        let parts = text.split(';').filter(|part| !part.is_empty());
        parts.map(one).collect::<Option<BTreeSet<_>>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_are_read_back_as_they_were_written() {
        let node = |name: &str| name.parse::<NodeId>().unwrap();
        let exclusions = Exclusions([(node("nod_a"), None), (node("nod_b"), Some("X-1.5".to_owned()))].into());
        assert_eq!(exclusions.to_value(), Value::Text("nod_a;nod_b:X-1.5".to_owned()));
        assert_eq!(Exclusions::from_value(exclusions.to_value()), Some(exclusions));
        assert_eq!(Exclusions::from_value(Value::Text(String::new())), Some(Exclusions::default()));
        let skus =
            ["a:b;c", ";", "100 % Tee", "nod_c;nod_d", "Größe/4"].map(|sku| (node("nod_b"), Some(sku.to_owned())));
        let unusual = Exclusions(skus.into());
        assert_eq!(Exclusions::from_value(unusual.to_value()), Some(unusual));
    }
}
