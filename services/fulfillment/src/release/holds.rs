//! Open holds of an order: what they block waits.

use std::collections::{BTreeMap, BTreeSet};

use proto::{fulfillment::v1 as contract, order::v1::Hold};
use store::{Column, Kind, Value};

use crate::wire::count;

/// A hold of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OpenHold {
    /// The number of its reason in the contract. Nothing is decided by it here.
    reason: i32,
    /// The lines that it blocks; all when there are none.
    line_numbers: BTreeSet<i64>,
}

/// Open holds by their number. Stored as `1:2:;2:4:3,4`: number, reason, lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OpenHolds(pub(crate) BTreeMap<i64, OpenHold>);

impl OpenHold {
    /// Reads the hold of an event.
    pub(crate) fn read(hold: &Hold) -> Self {
        Self { reason: hold.reason, line_numbers: hold.line_numbers.iter().copied().map(i64::from).collect() }
    }

    /// Whether it blocks the line.
    pub(crate) fn blocks(&self, line_number: i64) -> bool {
        self.line_numbers.is_empty() || self.line_numbers.contains(&line_number)
    }
}

impl OpenHolds {
    /// Whether a hold blocks the line.
    pub(crate) fn block(&self, line_number: i64) -> bool {
        self.0.values().any(|hold| hold.blocks(line_number))
    }

    /// Those that block some of the lines.
    pub(crate) fn blocking(&self, line_numbers: &[i64]) -> Self {
        let blocks = |hold: &OpenHold| line_numbers.iter().any(|line_number| hold.blocks(*line_number));
        let blocking = self.0.iter().filter(|(_, hold)| blocks(hold));
        Self(blocking.map(|(number, hold)| (*number, hold.clone())).collect())
    }

    /// The holds as the contract has them.
    pub(crate) fn to_contract(&self) -> Vec<contract::BlockingHold> {
        let one = |(number, hold): (&i64, &OpenHold)| contract::BlockingHold {
            hold_number: count(*number),
            reason: hold.reason,
            line_numbers: hold.line_numbers.iter().copied().map(count).collect(),
        };
        self.0.iter().map(one).collect()
    }
}

impl Column for OpenHolds {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        let one = |(number, hold): (&i64, &OpenHold)| {
            let lines: Vec<_> = hold.line_numbers.iter().map(ToString::to_string).collect();
            format!("{number}:{}:{}", hold.reason, lines.join(","))
        };
        Value::Text(self.0.iter().map(one).collect::<Vec<_>>().join(";"))
    }

    fn from_value(value: Value) -> Option<Self> {
        let one = |part: &str| {
            let (number, hold) = part.split_once(':')?;
            let (reason, lines) = hold.split_once(':')?;
            let lines = lines.split(',').filter(|line| !line.is_empty()).map(|line| line.parse().ok());
            let hold = OpenHold { reason: reason.parse().ok()?, line_numbers: lines.collect::<Option<_>>()? };
            Some((number.parse().ok()?, hold))
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
        let hold = |reason, lines: &[i64]| OpenHold { reason, line_numbers: lines.iter().copied().collect() };
        let holds = OpenHolds([(1, hold(2, &[])), (12, hold(0, &[3, 4]))].into());
        assert_eq!(holds.to_value(), Value::Text("1:2:;12:0:3,4".to_owned()));
        assert_eq!(OpenHolds::from_value(holds.to_value()), Some(holds));
        assert_eq!(OpenHolds::from_value(Value::Text(String::new())), Some(OpenHolds::default()));
    }
}
