//! Copies of inventory's items.

use proto::{inventory::v1 as contract, types::v1 as common};
use store::{Command, Context, Needs, Proto, Rows};
use types::{Currency, Fault, divide_rounded};

use crate::store::search_key;

store::record! {
    /// A copy of an item.
    pub(crate) struct Item in "items" key (sku: String) {
        /// The SKU in small letters, as bytes.
        search_key: Vec<u8>,
        /// The item as inventory emitted it.
        item: Proto<contract::Item>,
        /// Version of the item in inventory.
        item_version: i64,
    }
}

store::text_enum! {
    /// What an item is, to a warehouse.
    pub(crate) enum ItemKind = common::ItemKind {
        /// It is kept in stock and shipped.
        Goods = "GOODS",
        /// Nobody stocks or ships it (`process/services.rs`).
        Service = "SERVICE",
    }
}

store::text_enum! {
    /// How an item must be kept.
    pub(crate) enum HandlingClass = common::HandlingClass {
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

/// Base units in one ordered unit, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Factor {
    numerator: i64,
    denominator: i64,
}

impl Default for Factor {
    /// The base unit's.
    fn default() -> Self {
        Self::new(1, 1)
    }
}

/// A unit in which an item is ordered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OrderUnit {
    /// The unit.
    pub(crate) uom: String,
    /// The item's base unit.
    pub(crate) base_uom: String,
    /// Base units in one such unit.
    pub(crate) factor: Factor,
    /// How many decimals a quantity of it may have.
    pub(crate) decimals: i32,
    /// A quantity is a multiple of so many; any when 0.
    pub(crate) order_multiple: i64,
    /// A quantity is at least so many.
    pub(crate) minimum_quantity: i64,
}

impl Factor {
    /// `numerator / denominator` base units, neither of which is 0.
    pub(crate) const fn new(numerator: i64, denominator: i64) -> Self {
        Self { numerator, denominator }
    }

    /// A quantity of the unit, a numerator and a denominator, in base units; `None` when that is not a whole number or does not fit.
    pub(crate) fn base_units(self, quantity: (i64, i64)) -> Option<i64> {
        let units = i128::from(quantity.0) * i128::from(self.numerator);
        let parts = i128::from(quantity.1) * i128::from(self.denominator);
        let whole = units % parts == 0;
        whole.then(|| i64::try_from(units / parts).ok()).flatten()
    }

    /// The price of one such unit, given the price of a base unit, rounded.
    pub(crate) fn price(self, base_minor: i64) -> Option<i64> {
        divide_rounded(i128::from(base_minor) * i128::from(self.numerator), self.denominator.into())
    }
}

impl Item {
    /// The unit `uom` of the item; its base unit when empty. `None` when it has no such unit.
    pub(crate) fn unit(&self, uom: &str) -> Option<OrderUnit> {
        let item = &self.item.0;
        let base = OrderUnit {
            uom: item.base_uom.clone(),
            base_uom: item.base_uom.clone(),
            decimals: item.base_decimals,
            ..OrderUnit::default()
        };
        if uom.is_empty() || uom == item.base_uom {
            return Some(base);
        }
        let unit = item.units.iter().find(|unit| unit.uom == uom)?;
        let is_fraction = unit.numerator > 0 && unit.denominator > 0;
        is_fraction.then(|| OrderUnit {
            uom: unit.uom.clone(),
            factor: Factor::new(unit.numerator, unit.denominator),
            decimals: unit.decimals,
            order_multiple: unit.order_multiple,
            minimum_quantity: unit.minimum_quantity,
            ..base
        })
    }

    /// The list price of one such unit in this currency, if the item has one.
    pub(crate) fn list_price(&self, factor: Factor, currency: Currency) -> Option<i64> {
        let price = self.item.0.list_price.as_ref()?;
        if price.currency == currency.as_str() { factor.price(price.minor_units) } else { None }
    }

    /// How it must be kept; AMBIENT when nothing is said.
    pub(crate) fn handling_class(&self) -> HandlingClass {
        HandlingClass::from_contract(self.item.0.handling_class()).unwrap_or(HandlingClass::Ambient)
    }

    /// Goods or a service.
    pub(crate) fn kind(&self) -> ItemKind {
        ItemKind::from_contract(self.item.0.kind()).unwrap_or(ItemKind::Goods)
    }

    /// Whether no warehouse stocks or ships it.
    pub(crate) fn is_service(&self) -> bool {
        self.kind() == ItemKind::Service
    }

    /// Whether it can be ordered.
    pub(crate) fn is_orderable(&self) -> bool {
        self.item.0.state() != contract::ItemState::Discontinued
    }
}

/// Copies items, unless there are newer copies.
#[derive(Debug)]
pub(crate) struct StoreItems(pub(crate) Vec<contract::Item>);

impl Command for StoreItems {
    type Reply = ();

    const NAME: &'static str = "StoreItems";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        for item in &self.0 {
            needs.row::<Item>(&item.sku);
        }
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        for item in &self.0 {
            let item_version = item.etag.parse().map_err(|_| Fault::internal("an item's etag is not a number"))?;
            let known = rows.get::<Item>(&item.sku)?;
            if known.is_none_or(|known| known.item_version < item_version) {
                let version = known.map_or(0, |known| known.version);
                let (sku, search_key) = (item.sku.clone(), search_key(&item.sku));
                rows.put(Item { sku, search_key, item: Proto(item.clone()), item_version, version });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_that_is_no_whole_number_of_base_units_is_none() {
        let dozen = Factor::new(12, 1);
        assert_eq!(dozen.base_units((3, 1)), Some(36));
        let third = Factor::new(1, 3);
        assert_eq!((third.base_units((3, 1)), third.base_units((2, 1))), (Some(1), None));
        assert_eq!(dozen.base_units((i64::MAX, 1)), None);
    }

    #[test]
    fn the_list_price_of_a_unit_is_rounded_once() {
        assert_eq!(Factor { numerator: 12, denominator: 1 }.price(150), Some(1_800));
        assert_eq!(Factor { numerator: 1, denominator: 2 }.price(25), Some(13));
    }
}
