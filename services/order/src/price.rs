//! Prices: of a price list, and an account's own, by item, unit, quantity and time.

mod set;

use proto::order::v1 as contract;
use store::Proto;
use types::{AccountId, Currency, PriceListId, Timestamp, limits::MAX_PRICE};

pub(crate) use set::{SetAccountPrices, SetPrices};

use crate::item::OrderUnit;

store::record! {
    /// A price list. It comes to be with its first prices.
    pub(crate) struct PriceList in "price_lists" key (price_list_id: PriceListId) {
        /// Of all its prices.
        currency: Currency,
        /// When its first prices were set.
        create_time: Timestamp,
    }
}

store::record! {
    /// The prices of an item, in a price list or of one account: `owner` is the id of either. An item that lost its prices has a row
    /// without any.
    pub(crate) struct ItemPrices in "item_prices" key (owner: String, sku: String) {
        /// The prices as they are answered.
        prices: Proto<contract::ItemPrices>,
    }
}

/// The key of an account's own prices of an item.
pub(crate) fn own_key(account_id: &AccountId, sku: &str) -> (String, String) {
    (account_id.to_string(), sku.to_owned())
}

/// The key of a price list's prices of an item.
pub(crate) fn list_key(price_list_id: &PriceListId, sku: &str) -> (String, String) {
    (price_list_id.to_string(), sku.to_owned())
}

impl ItemPrices {
    /// The price of one unit on a line of so many base units: the price for the unit itself, or else the base unit's, of the highest
    /// quantity that the line reaches. `None` when there is none now.
    pub(crate) fn unit_price(&self, unit: &OrderUnit, base_units: i64, now: Timestamp) -> Option<i64> {
        let breaks = &self.prices.0.breaks;
        let best = |is_of: &dyn Fn(&contract::PriceBreak) -> bool| {
            let reached = breaks.iter().filter(|price| price.minimum_quantity <= base_units && is_valid(price, now));
            let reached = reached.filter(|price| is_of(price));
            reached.max_by_key(|price| (price.minimum_quantity, begins(price))).map(|price| price.unit_price_minor)
        };
        let is_base = |uom: &str| uom.is_empty() || uom == unit.base_uom;
        let of_unit = best(&|price| price.uom == unit.uom || (is_base(&unit.uom) && is_base(&price.uom)));
        let of_base = || unit.factor.price(best(&|price| is_base(&price.uom))?);
        of_unit.or_else(of_base).filter(|price| (0..=MAX_PRICE).contains(price))
    }
}

fn begins(price: &contract::PriceBreak) -> Option<Timestamp> {
    price.valid_from.as_ref().and_then(mesh::wire::from_timestamp)
}

fn is_valid(price: &contract::PriceBreak, now: Timestamp) -> bool {
    let ends = price.valid_to.as_ref().and_then(mesh::wire::from_timestamp);
    begins(price).is_none_or(|from| from <= now) && ends.is_none_or(|to| now < to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::Factor;

    const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

    fn price(uom: &str, minimum_quantity: i64, unit_price_minor: i64) -> contract::PriceBreak {
        contract::PriceBreak { uom: uom.to_owned(), minimum_quantity, unit_price_minor, ..Default::default() }
    }

    fn prices(breaks: Vec<contract::PriceBreak>) -> ItemPrices {
        let prices = Proto(contract::ItemPrices { breaks, ..Default::default() });
        ItemPrices { owner: "prl_1".to_owned(), sku: "TEA".to_owned(), prices, version: 0 }
    }

    fn unit(uom: &str, base_units: i64) -> OrderUnit {
        OrderUnit {
            uom: uom.to_owned(),
            base_uom: "EA".to_owned(),
            factor: Factor::new(base_units, 1),
            ..OrderUnit::default()
        }
    }

    #[test]
    fn the_highest_quantity_that_is_reached_gives_the_price() {
        let prices = prices(vec![price("", 0, 100), price("EA", 12, 90), price("", 144, 80)]);
        let at = |units| prices.unit_price(&unit("EA", 1), units, NOW);
        assert_eq!([1, 11, 12, 143, 144, 1_000].map(at), [100, 100, 90, 90, 80, 80].map(Some));
    }

    #[test]
    fn a_price_for_the_unit_wins_over_that_of_the_base_unit_which_is_converted() {
        let prices = prices(vec![price("", 0, 100), price("CS", 24, 1_000)]);
        assert_eq!(prices.unit_price(&unit("CS", 12), 12, NOW), Some(1_200), "one case does not reach 24 units");
        assert_eq!(prices.unit_price(&unit("CS", 12), 24, NOW), Some(1_000));
        assert_eq!(prices.unit_price(&unit("EA", 1), 24, NOW), Some(100), "no price for a case");
    }

    #[test]
    fn a_price_is_valid_from_an_instant_until_another_and_the_newest_one_wins() {
        let second =
            |seconds: i64| Some(mesh::wire::timestamp(Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)));
        let dated = |from, to, minor| contract::PriceBreak { valid_from: from, valid_to: to, ..price("", 0, minor) };
        let of = |breaks| prices(breaks).unit_price(&unit("EA", 1), 1, NOW);
        assert_eq!(of(vec![dated(second(1), None, 5)]), None);
        assert_eq!(of(vec![dated(None, second(0), 5)]), None);
        assert_eq!(of(vec![dated(second(0), second(1), 5)]), Some(5));
        assert_eq!(of(vec![dated(second(-1), None, 6), dated(None, None, 5), dated(second(-2), None, 7)]), Some(6));
    }
}
