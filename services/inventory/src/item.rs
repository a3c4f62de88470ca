//! What is sold.

use std::str::FromStr;

use types::{Currency, Timestamp};

store::text_enum! {
    /// Whether an item can be ordered.
    pub(crate) enum State {
        /// It can.
        Active = "ACTIVE",
        /// Not any more; what was ordered is still delivered.
        Discontinued = "DISCONTINUED",
    }
}

store::text_enum! {
    /// How an item must be kept.
    pub(crate) enum HandlingClass {
        /// Above freezing, below heat.
        Ambient = "AMBIENT",
        /// 2 to 8 degrees Celsius.
        Chilled = "CHILLED",
        /// Below minus 18 degrees Celsius.
        Frozen = "FROZEN",
        /// Dangerous goods.
        Hazardous = "HAZARDOUS",
    }
}

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
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let unit = |text: &str| {
            let (uom, fraction) = text.split_once('=')?;
            let (numerator, denominator) = fraction.split_once('/')?;
            let (numerator, denominator) = (numerator.parse().ok()?, denominator.parse().ok()?);
            Some(Unit { uom: uom.to_owned(), numerator, denominator })
        };
        text.split_ascii_whitespace().map(unit).collect::<Option<Vec<_>>>().map(Self).ok_or(())
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

store::record! {
    /// Something that is sold.
    pub(crate) struct Item in "items" key (sku: String) {
        name: String,
        /// How it is packed, for people.
        pack: String,
        /// For people.
        category: String,
        handling_class: HandlingClass,
        /// The unit stock is counted in.
        base_uom: String,
        units: Units,
        /// Price of one base unit in minor units, when there is one.
        list_price_minor: Option<i64>,
        list_price_currency: Option<Currency>,
        state: State,
        create_time: Timestamp,
        update_time: Timestamp,
    }
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
        assert_eq!("CS".parse::<Units>(), Err(()));
    }
}
