//! Units of measure in which an item is ordered besides its base unit.

use std::{collections::HashSet, str::FromStr};

use mesh::wire::Checks;
use proto::inventory::v1::UnitConversion;
use store::UnknownValue;

use crate::quantity::check_once;

/// The most units of an item.
const MAX_UNITS: usize = 50;

/// A unit besides the base unit: `numerator / denominator` base units are one of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Its code, such as `CS`.
    pub(crate) uom: String,
    /// At least 1.
    pub(crate) numerator: i64,
    /// At least 1.
    pub(crate) denominator: i64,
}

/// The other units of an item; one TEXT column, as `CS=12/1 PL=480/1`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Units(pub(crate) Vec<Unit>);

impl FromStr for Units {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let unit = |text: &str| {
            let (uom, fraction) = text.split_once('=')?;
            let (numerator, denominator) = fraction.split_once('/')?;
            let (numerator, denominator) = (numerator.parse().ok()?, denominator.parse().ok()?);
            Some(Unit { uom: uom.to_owned(), numerator, denominator })
        };
        let units = text.split_ascii_whitespace().map(unit).collect::<Option<Vec<_>>>();
        units.map(Self).ok_or_else(|| UnknownValue { name: "Units", text: text.to_owned() })
    }
}

impl store::Column for Units {
    const KIND: store::Kind = store::Kind::Text;

    fn to_value(&self) -> store::Value {
        let units: Vec<String> =
            self.0.iter().map(|unit| format!("{}={}/{}", unit.uom, unit.numerator, unit.denominator)).collect();
        store::Value::Text(units.join(" "))
    }

    fn from_value(value: store::Value) -> Option<Self> {
        String::from_value(value)?.parse().ok()
    }
}

impl Units {
    /// Reads the `units` of a request for an item with the base unit `base`.
    pub(crate) fn read(checks: &mut Checks, units: &[UnitConversion], base: &str) -> Option<Self> {
        if units.len() > MAX_UNITS {
            checks.wrong("units", "must have at most 50 elements");
        }
        let mut seen = HashSet::from([base]);
        let mut read = Vec::new();
        for (index, unit) in units.iter().enumerate() {
            let at = |field: &str| format!("units[{index}].{field}");
            let uom = read_uom(checks, at("uom"), &unit.uom);
            check_once(checks, &mut seen, unit.uom.as_str(), || at("uom"));
            let numerator = checks.quantity(at("numerator"), unit.numerator, 1);
            let denominator = checks.quantity(at("denominator"), unit.denominator, 1);
            let parts = uom.zip(numerator).zip(denominator);
            read.push(parts.map(|((uom, numerator), denominator)| Unit { uom, numerator, denominator }));
        }
        read.into_iter().collect::<Option<_>>().map(Self)
    }
}

/// Reads the code of a unit.
pub(crate) fn read_uom(checks: &mut Checks, field: impl Into<String>, text: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if (1..=16).contains(&text.len()) && text.chars().all(allowed) {
        return Some(text.to_owned());
    }
    checks.wrong(field, "must be 1 to 16 capital letters or digits");
    None
}

#[cfg(test)]
mod tests {
    use store::Column as _;

    use super::*;

    #[test]
    fn units_are_read_back_as_they_were_kept() {
        let unit = |uom: &str, numerator, denominator| Unit { uom: uom.to_owned(), numerator, denominator };
        for units in [Units::default(), Units(vec![unit("CS", 12, 1), unit("LB", 453_592, 1_000)])] {
            assert_eq!(Units::from_value(units.to_value()), Some(units));
        }
        assert_eq!("CS".parse::<Units>(), Err(UnknownValue { name: "Units", text: "CS".to_owned() }));
    }
}
