//! Units of measure in which an item is ordered besides its base unit.

use std::{collections::HashSet, str::FromStr};

use mesh::wire::Checks;
use proto::inventory::v1::UnitConversion;
use store::UnknownValue;
use types::Fault;

use crate::{item::read_decimals, quantity::check_once};

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
    /// Which quantities of it may be ordered.
    pub(crate) rules: UnitRules,
}

/// Which quantities of a unit may be ordered; any whole number by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct UnitRules {
    /// How many decimals they may have.
    pub(crate) decimals: i64,
    /// They are a multiple of so many; any when 0.
    pub(crate) order_multiple: i64,
    /// They are at least so many; any when 0.
    pub(crate) minimum_quantity: i64,
}

/// The other units of an item; one TEXT column, as `CS=12/1 PL=480/1`, or with rules `KG=1000/1:3:0:1`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Units(pub(crate) Vec<Unit>);

impl FromStr for Units {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let unit = |text: &str| {
            let (uom, kept) = text.split_once('=')?;
            let (fraction, rules) =
                kept.split_once(':').map_or((kept, None), |(fraction, rules)| (fraction, Some(rules)));
            let (numerator, denominator) = fraction.split_once('/')?;
            let (numerator, denominator) = (numerator.parse().ok()?, denominator.parse().ok()?);
            let rules = rules.map_or(Some(UnitRules::default()), UnitRules::from_text)?;
            Some(Unit { uom: uom.to_owned(), numerator, denominator, rules })
        };
        let units = text.split_ascii_whitespace().map(unit).collect::<Option<Vec<_>>>();
        units.map(Self).ok_or_else(|| UnknownValue { name: "Units", text: text.to_owned() })
    }
}

impl UnitRules {
    fn to_text(self) -> String {
        format!("{}:{}:{}", self.decimals, self.order_multiple, self.minimum_quantity)
    }

    fn from_text(text: &str) -> Option<Self> {
        let numbers = text.split(':').map(|number| number.parse().ok()).collect::<Option<Vec<i64>>>()?;
        let [decimals, order_multiple, minimum_quantity] = numbers.try_into().ok()?;
        Some(Self { decimals, order_multiple, minimum_quantity })
    }

    fn read(checks: &mut Checks, unit: &UnitConversion, at: impl Fn(&str) -> String) -> Option<Self> {
        let decimals = read_decimals(checks, at("decimals"), unit.decimals);
        let order_multiple = checks.quantity(at("order_multiple"), unit.order_multiple, 0);
        let minimum_quantity = checks.quantity(at("minimum_quantity"), unit.minimum_quantity, 0);
        Some(Self { decimals: decimals?, order_multiple: order_multiple?, minimum_quantity: minimum_quantity? })
    }
}

impl store::Column for Units {
    const KIND: store::Kind = store::Kind::Text;

    fn to_value(&self) -> store::Value {
        let text = |unit: &Unit| {
            let fraction = format!("{}={}/{}", unit.uom, unit.numerator, unit.denominator);
            if unit.rules == UnitRules::default() { fraction } else { format!("{fraction}:{}", unit.rules.to_text()) }
        };
        store::Value::Text(self.0.iter().map(text).collect::<Vec<_>>().join(" "))
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
            let rules = UnitRules::read(checks, unit, at);
            let parts = uom.zip(numerator).zip(denominator.zip(rules));
            read.push(parts.map(|((uom, numerator), (denominator, rules))| Unit {
                uom,
                numerator,
                denominator,
                rules,
            }));
        }
        read.into_iter().collect::<Option<_>>().map(Self)
    }
}

/// New rules of a unit that an item has, or a new unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitChange {
    uom: String,
    /// Numerator and denominator; when both are 0, those that the unit has.
    fraction: Option<(i64, i64)>,
    rules: UnitRules,
}

impl UnitChange {
    /// Reads the `units` of a request that changes an item.
    pub(crate) fn read(checks: &mut Checks, units: &[UnitConversion]) -> Option<Vec<Self>> {
        if !checks.at_most("units", units.len(), MAX_UNITS) {
            return None;
        }
        let mut seen = HashSet::new();
        let mut read = Vec::new();
        for (index, unit) in units.iter().enumerate() {
            let at = |field: &str| format!("units[{index}].{field}");
            let uom = read_uom(checks, at("uom"), &unit.uom);
            check_once(checks, &mut seen, unit.uom.as_str(), || at("uom"));
            let fraction = if (unit.numerator, unit.denominator) == (0, 0) {
                Some(None)
            } else {
                let numerator = checks.quantity(at("numerator"), unit.numerator, 1);
                numerator.zip(checks.quantity(at("denominator"), unit.denominator, 1)).map(Some)
            };
            let rules = UnitRules::read(checks, unit, at);
            let change = uom.zip(fraction).zip(rules);
            read.push(change.map(|((uom, fraction), rules)| Self { uom, fraction, rules }));
        }
        read.into_iter().collect()
    }

    /// Changes the rules of the unit, or adds it to those of an item with the base unit `base`; `index` is its place in the
    /// request. What a unit is never changes: quantities in it are ordered, and were confirmed.
    pub(crate) fn apply(&self, index: usize, base: &str, units: &mut Units) -> Result<(), Fault> {
        let at = |field: &str| format!("units[{index}].{field}");
        if let Some(unit) = units.0.iter_mut().find(|unit| unit.uom == self.uom) {
            let (numerator, denominator) = self.fraction.unwrap_or((unit.numerator, unit.denominator));
            let changed = [("numerator", numerator, unit.numerator), ("denominator", denominator, unit.denominator)];
            if let Some((field, _, present)) = changed.into_iter().find(|(_, wanted, present)| wanted != present) {
                return Err(Fault::invalid(at(field), format!("is {present} and does not change: add another unit")));
            }
            unit.rules = self.rules;
            return Ok(());
        }
        if self.uom == base {
            return Err(Fault::invalid(at("uom"), "is the base unit"));
        }
        let Some((numerator, denominator)) = self.fraction else {
            return Err(Fault::invalid(at("numerator"), "is required: the item does not have the unit yet"));
        };
        if units.0.len() >= MAX_UNITS {
            return Err(Fault::invalid("units", format!("the item may have at most {MAX_UNITS} units")));
        }
        units.0.push(Unit { uom: self.uom.clone(), numerator, denominator, rules: self.rules });
        Ok(())
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
        let ruled =
            |uom: &str, numerator, denominator, rules| Unit { uom: uom.to_owned(), numerator, denominator, rules };
        let unit = |uom: &str, numerator, denominator| ruled(uom, numerator, denominator, UnitRules::default());
        let kilogram = ruled("KG", 1_000, 1, UnitRules { decimals: 3, order_multiple: 0, minimum_quantity: 1 });
        for units in [Units::default(), Units(vec![unit("CS", 12, 1), kilogram, unit("LB", 453_592, 1_000)])] {
            assert_eq!(Units::from_value(units.to_value()), Some(units));
        }
        assert_eq!("CS".parse::<Units>(), Err(UnknownValue { name: "Units", text: "CS".to_owned() }));
    }
}
