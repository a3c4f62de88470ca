//! The quantity of a line that is ordered, quoted or changed: a whole or a decimal number of a unit, in base units.

use mesh::wire::Checks;
use types::{
    LineReason,
    limits::{MAX_DECIMALS, MAX_QUANTITY},
};

use crate::item::{Factor, Item, OrderUnit};

/// A quantity as it was ordered: its digits, and how many of them are decimals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderedQuantity {
    digits: i64,
    decimals: u32,
    /// As it was written, when it is a decimal number.
    text: Option<String>,
}

impl OrderedQuantity {
    /// A whole number.
    pub(crate) fn whole(quantity: i64) -> Self {
        Self { digits: quantity, decimals: 0, text: None }
    }

    /// Reads a decimal number such as `2.5`, more than 0 and at most as many as a line may have; `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) || whole.len() > 10 {
            return None;
        }
        let written =
            u32::try_from(fraction.len()).ok().filter(|written| i64::from(*written) <= MAX_DECIMALS.into())?;
        // Zeros at the end say nothing.
        let fraction = fraction.trim_end_matches('0');
        let decimals = written.min(u32::try_from(fraction.len()).ok()?);
        let digits: i64 = format!("{whole}{fraction}").parse().ok()?;
        let quantity = Self { digits, decimals, text: Some(text.to_owned()) };
        (digits > 0 && digits <= MAX_QUANTITY * quantity.scale()).then_some(quantity)
    }

    /// Reads a whole or a decimal number of a request, a whole one of at least `least`; `Some(None)` when there is neither. `field` makes
    /// the path of a field.
    #[expect(clippy::option_option, reason = "what is absent is not wrong")]
    pub(crate) fn read(
        whole: Option<i64>,
        decimal: &str,
        least: i64,
        field: impl Fn(&str) -> String,
        checks: &mut Checks,
    ) -> Option<Option<Self>> {
        if decimal.is_empty() {
            let Some(whole) = whole else { return Some(None) };
            return checks.quantity(field("quantity"), whole, least).map(|whole| Some(Self::whole(whole)));
        }
        if whole.is_some() {
            checks.wrong(field("quantity"), "must be absent when decimal_quantity is given");
        }
        let read = Self::parse(decimal);
        if read.is_none() {
            let must =
                "must be a decimal number such as 2.5, more than 0 and at most 1,000,000,000, with at most 6 decimals";
            checks.wrong(field("decimal_quantity"), must);
        }
        read.map(Some)
    }

    /// The quantity that a fraction is; `None` when it has more decimals than a quantity may have.
    pub(crate) fn of_fraction(numerator: i128, denominator: i128) -> Option<Self> {
        for decimals in 0..=u32::try_from(MAX_DECIMALS).ok()? {
            let scaled = numerator.checked_mul(10_i128.pow(decimals))?;
            if denominator > 0 && scaled % denominator == 0 {
                let digits = i64::try_from(scaled / denominator).ok()?;
                let scale = 10_i64.pow(decimals);
                let text = format!("{}.{:0width$}", digits / scale, digits % scale, width = decimals as usize);
                return Some(Self { digits, decimals, text: (decimals > 0).then_some(text) });
            }
        }
        None
    }

    /// The fraction that it is.
    pub(crate) fn fraction(&self) -> (i64, i64) {
        (self.digits, self.scale())
    }

    /// Whether it is 0, which only a change of a line may set.
    pub(crate) fn is_zero(&self) -> bool {
        self.digits == 0
    }

    /// The whole number that it is, and 0 when it is none.
    pub(crate) fn whole_number(&self) -> i64 {
        if self.decimals == 0 { self.digits } else { 0 }
    }

    /// As it was written, when it is a decimal number.
    pub(crate) fn text(&self) -> Option<String> {
        self.text.clone()
    }

    fn scale(&self) -> i64 {
        10_i64.pow(self.decimals)
    }

    /// In base units; `None` when that is no whole number or does not fit.
    fn base_units(&self, factor: Factor) -> Option<i64> {
        factor.base_units(self.fraction())
    }

    /// The field of the line that has it.
    fn field(&self) -> &'static str {
        if self.text.is_some() { "decimal_quantity" } else { "quantity" }
    }
}

/// What a quantity has to fit, in a unit.
struct Rule<'u> {
    /// The quantity, as a fraction.
    quantity: (i64, i64),
    minimum: i64,
    multiple: i64,
    uom: &'u str,
}

impl Rule<'_> {
    fn is_below(&self) -> bool {
        let (digits, scale) = self.quantity;
        i128::from(digits) < i128::from(self.minimum) * i128::from(scale)
    }

    fn misses_multiple(&self) -> bool {
        let (digits, scale) = self.quantity;
        self.multiple > 1 && i128::from(digits) % (i128::from(self.multiple) * i128::from(scale)) != 0
    }
}

/// The base units of a quantity of a unit of an item; `None` after it noted what is wrong. `path` is the path of the line's fields.
/// What is placed, validated, quoted and changed has to fit the same: the decimals, the minimum and the multiple of the unit, whole
/// base units, and the minimum and the multiple of the item, which are of base units.
pub(crate) fn base_units(
    quantity: &OrderedQuantity,
    path: &str,
    item: &Item,
    unit: &OrderUnit,
    checks: &mut Checks,
) -> Option<i64> {
    let base_uom = &unit.base_uom;
    let mut wrong = |reason, description: String| {
        checks.wrong_line(format!("{path}.{}", quantity.field()), reason, description);
    };
    if i64::from(quantity.decimals) > i64::from(unit.decimals) {
        let description = format!("has more than {} decimals, which is the most for {}", unit.decimals, unit.uom);
        wrong(LineReason::TooManyDecimals, description);
        return None;
    }
    let Some(base_units) = quantity.base_units(unit.factor) else {
        wrong(LineReason::QuantityNotConvertible, format!("is not a whole number of {base_uom}"));
        return None;
    };
    if base_units > MAX_QUANTITY {
        wrong(LineReason::QuantityTooLarge, format!("is more than 1,000,000,000 {base_uom}"));
    }
    let of_unit = Rule {
        quantity: quantity.fraction(),
        minimum: unit.minimum_quantity,
        multiple: unit.order_multiple,
        uom: &unit.uom,
    };
    let of_item = Rule {
        quantity: (base_units, 1),
        minimum: item.item.0.minimum_quantity,
        multiple: item.item.0.order_multiple,
        uom: base_uom,
    };
    let rules = [of_unit, of_item];
    if let Some(Rule { minimum, uom, .. }) = rules.iter().find(|rule| rule.is_below()) {
        wrong(LineReason::BelowMinimum, format!("must be at least {minimum} {uom}"));
    }
    if let Some(Rule { multiple, uom, .. }) = rules.iter().find(|rule| rule.misses_multiple()) {
        wrong(LineReason::OrderMultiple, format!("must be a multiple of {multiple} {uom}"));
    }
    Some(base_units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_is_read_exactly() {
        let read = |text: &str| OrderedQuantity::parse(text).map(|quantity| quantity.fraction());
        assert_eq!(read("2.5"), Some((25, 10)));
        assert_eq!(read("0.000001"), Some((1, 1_000_000)));
        assert_eq!(read("2.500"), Some((25, 10)), "zeros at the end say nothing");
        assert_eq!(read("3"), Some((3, 1)));
        assert_eq!(read("1000000000"), Some((1_000_000_000, 1)));
        for wrong in
            ["", ".", "2.", ".5", "-1", "+1", "1e3", "1,5", "0", "0.0", "1000000000.1", "0.0000001", "2.5.1", "٣"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_decimal_number_of_a_unit_comes_to_whole_base_units_or_to_none() {
        let grams = Factor::new(1_000, 1);
        let units = |text: &str| OrderedQuantity::parse(text).unwrap().base_units(grams);
        assert_eq!((units("2.5"), units("0.001"), units("0.0001")), (Some(2_500), Some(1), None));
        assert_eq!(OrderedQuantity::parse("1.5").unwrap().base_units(Factor::new(2, 3)), Some(1));
    }
}
