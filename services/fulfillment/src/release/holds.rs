//! Holds of an order that block the routing of its released units.

use std::collections::{BTreeMap, BTreeSet};

use store::{Column, Kind, Value};

/// Open holds by their number, with the lines that each blocks: all when there are none. Stored as `1:;2:3,4`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OpenHolds(pub(crate) BTreeMap<i64, BTreeSet<i64>>);

impl OpenHolds {
    /// Whether a hold blocks the line.
    pub(crate) fn block(&self, line_number: i64) -> bool {
        self.0.values().any(|lines| lines.is_empty() || lines.contains(&line_number))
    }
}

impl Column for OpenHolds {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let one = |(number, lines): (&i64, &BTreeSet<i64>)| {
            let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
            format!("{number}:{}", lines.join(","))
        };
        Value::Text(self.0.iter().map(one).collect::<Vec<_>>().join(";"))
    }

    fn from_value(value: Value) -> Option<Self> {
        let one = |part: &str| {
            let (number, lines) = part.split_once(':')?;
            let lines = lines.split(',').filter(|line| !line.is_empty()).map(|line| line.parse().ok());
            Some((number.parse().ok()?, lines.collect::<Option<_>>()?))
        };
        let text = String::from_value(value)?;
        text.split(';').filter(|part| !part.is_empty()).map(one).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_are_read_back_as_they_were_written() {
        let holds = OpenHolds([(1, [].into()), (12, [3, 4].into())].into());
        assert_eq!(holds.to_value(), Value::Text("1:;12:3,4".to_owned()));
        assert_eq!(OpenHolds::from_value(holds.to_value()), Some(holds));
        assert_eq!(OpenHolds::from_value(Value::Text(String::new())), Some(OpenHolds::default()));
    }
}
