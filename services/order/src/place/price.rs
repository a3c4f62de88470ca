//! The price of a new line, and what is checked of its item.

use mesh::wire::Checks;
use store::{Needs, Rows};
use types::{
    AccountId, BasisPoints, Currency, Fault, LineReason, PriceListId, Timestamp, divide_rounded, limits::MAX_PRICE,
    line_amount_of,
};

use super::{NewLine, quantity};
use crate::{
    account::{Account, OwnPrices, PricePolicy},
    item::{Item, OrderUnit},
    order_line::{OrderLine, PricedLine},
    price::{ItemPrices, list_key, own_key},
};

/// Where the prices of an account's orders come from, and what happens when it expects others.
pub(crate) struct Pricing {
    /// `None` when the account has no own prices.
    own: Option<AccountId>,
    list: Option<PriceListId>,
    pub(crate) currency: Currency,
    tolerance_points: BasisPoints,
    tolerance_minor: i64,
    policy: PricePolicy,
    now: Timestamp,
}

impl Pricing {
    /// The prices of an account's orders.
    pub(crate) fn of(account: &Account, now: Timestamp) -> Self {
        Self {
            own: (account.own_prices == OwnPrices::Some).then(|| account.account_id.clone()),
            list: account.price_list_id.clone(),
            currency: account.currency,
            tolerance_points: account.price_tolerance_points,
            tolerance_minor: account.price_tolerance_minor,
            policy: account.price_policy,
            now,
        }
    }

    /// Asks for the rows that may have the prices of items.
    pub(crate) fn needs<'s>(account: &Account, skus: impl Iterator<Item = &'s str>, needs: &mut Needs) {
        // The time does not matter for the keys.
        let pricing = Self::of(account, Timestamp::default());
        for key in skus.flat_map(|sku| pricing.keys(sku)) {
            needs.row::<ItemPrices>(&key);
        }
    }

    /// The keys of the rows that may have the price of an item, by their precedence.
    pub(crate) fn keys(&self, sku: &str) -> impl Iterator<Item = (String, String)> {
        let own = self.own.as_ref().map(|account_id| own_key(account_id, sku));
        let list = self.list.as_ref().map(|price_list_id| list_key(price_list_id, sku));
        own.into_iter().chain(list)
    }

    /// The price of one unit: the account's own, or its price list's, or else the item's list price.
    fn unit_price(&self, item: &Item, unit: &OrderUnit, base_units: i64, rows: &Rows) -> Result<Option<i64>, Fault> {
        for key in self.keys(&item.sku) {
            let prices = rows.get::<ItemPrices>(&key)?;
            if let Some(price) = prices.and_then(|prices| prices.unit_price(unit, base_units, self.now)) {
                return Ok(Some(price));
            }
        }
        Ok(item.list_price(unit.factor, self.currency).filter(|price| (0..=MAX_PRICE).contains(price)))
    }

    /// The price of a line's unit when `units` base units are wanted. It stays when it is not what the account's prices say of the line's
    /// quantity, when something was shipped, and for a part of a split line: the parts have the price of their sum.
    pub(crate) fn repriced(
        &self,
        line: &OrderLine,
        item: &Item,
        unit: &OrderUnit,
        units: i64,
        rows: &Rows,
    ) -> Result<i64, Fault> {
        let is_by_prices = [line.ordered, line.wanted()].into_iter().try_fold(false, |found, units| {
            Ok::<_, Fault>(found || self.unit_price(item, unit, units, rows)? == Some(line.unit_price_minor))
        })?;
        if !is_by_prices || line.shipped > 0 || line.split_of.is_some() {
            return Ok(line.unit_price_minor);
        }
        Ok(self.unit_price(item, unit, units, rows)?.unwrap_or(line.unit_price_minor))
    }

    /// Whether the account tolerates that a price is not what it expected.
    fn tolerates(&self, price: i64, expected: i64) -> bool {
        let share = i128::from(price) * i128::from(self.tolerance_points.get());
        let share = divide_rounded(share, 10_000).unwrap_or_default();
        (price - expected).abs() <= share.max(self.tolerance_minor)
    }
}

/// A line of a new order with its price, and whether the price keeps it on hold.
pub(crate) struct Priced {
    pub(crate) line: PricedLine,
    pub(crate) is_held: bool,
}

/// The item of a line and the unit that is ordered; `None` when it notes that there is no such item or unit. `path` is the path of
/// the line.
pub(crate) fn ordered_unit<'i>(
    item: Option<&'i Item>,
    uom: &str,
    path: &str,
    checks: &mut Checks,
) -> Option<(&'i Item, OrderUnit)> {
    let Some(item) = item else {
        checks.wrong_line(format!("{path}.sku"), LineReason::ItemUnknown, "no such item");
        return None;
    };
    if !item.is_orderable() {
        checks.wrong_line(format!("{path}.sku"), LineReason::ItemDiscontinued, "is discontinued");
    }
    let unit = item.unit(uom);
    if unit.is_none() {
        checks.wrong_line(format!("{path}.uom"), LineReason::UnitUnknown, "is not a unit of the item");
    }
    Some((item, unit?))
}

/// Prices a line of a request by its item; `None` after it noted what is wrong. `path` is the path of its fields.
pub(crate) fn price(
    line: &NewLine,
    path: &str,
    pricing: Option<&Pricing>,
    rows: &Rows,
    checks: &mut Checks,
) -> Result<Option<Priced>, Fault> {
    let field = |name: &str| format!("{path}.{name}");
    let Some((item, unit)) = ordered_unit(rows.get::<Item>(&line.sku)?, &line.uom, path, checks) else {
        return Ok(None);
    };
    let ordered = quantity::base_units(&line.quantity, path, item, &unit, checks);
    // Without an account there is no price.
    let Some(pricing) = pricing else { return Ok(None) };
    let ours = match line.unit_price_minor {
        None => pricing.unit_price(item, &unit, ordered.unwrap_or_default(), rows)?,
        stated => stated,
    };
    let Some(unit_price_minor) = ours else {
        let description = format!("is required: the item has no price in {}", pricing.currency);
        checks.wrong_line(field("unit_price_minor"), LineReason::PriceMissing, description);
        return Ok(None);
    };
    let Some(ordered) = ordered else { return Ok(None) };
    let is_held = match line.expected_unit_price_minor {
        Some(expected) if !pricing.tolerates(unit_price_minor, expected) => pricing.policy,
        Some(_) | None => PricePolicy::Accept,
    };
    if is_held == PricePolicy::Reject {
        let description = format!("differs from the price, which is {unit_price_minor}");
        checks.wrong_line(field("expected_unit_price_minor"), LineReason::PriceDiscrepancy, description);
    }
    let Some(amount_minor) = line_amount_of(line.quantity.fraction(), unit_price_minor, line.discount) else {
        let description = "the line comes to an amount that is too large";
        checks.wrong_line(field("unit_price_minor"), LineReason::AmountTooLarge, description);
        return Ok(None);
    };
    let line = PricedLine {
        line_number: line.line_number,
        sku: line.sku.clone(),
        name: item.item.0.name.clone(),
        uom_quantity: line.quantity.whole_number(),
        decimal_quantity: line.quantity.text(),
        uom: unit.uom,
        ordered,
        unit_price_minor,
        expected_unit_price_minor: line.expected_unit_price_minor,
        discount: line.discount,
        amount_minor,
        item_kind: item.kind(),
        handling_class: item.handling_class(),
        ship_to_group: line.ship_to_group,
        split_of: None,
        own_fields: line.own_fields.clone(),
    };
    Ok(Some(Priced { line, is_held: is_held == PricePolicy::Hold }))
}
