//! Items: what is sold.

use mesh::wire::Checks;
use proto::types::v1::Money;
use types::{
    Currency, Fault, Timestamp,
    limits::{MAX_DECIMALS, MAX_PRICE},
};

use crate::{quantity::check_count, unit::Units};

store::text_enum! {
    /// Whether an item can be ordered.
    pub(crate) enum ItemState = proto::inventory::v1::ItemState {
        /// It can be ordered.
        Active = "ACTIVE",
        /// It cannot be ordered any more; what was ordered is still delivered.
        Discontinued = "DISCONTINUED",
    }
}

store::text_enum! {
    /// What an item is, to a warehouse.
    pub(crate) enum ItemKind = proto::types::v1::ItemKind {
        /// It is kept in stock and shipped.
        Goods = "GOODS",
        /// Nobody stocks or ships it: it has no counters.
        Service = "SERVICE",
    }
}

store::text_enum! {
    /// How an item must be stored.
    pub(crate) enum HandlingClass = proto::types::v1::HandlingClass {
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

store::record! {
    /// Something that is sold.
    pub(crate) struct Item in "items" key (sku: String) {
        name: String,
        /// How it is packed, for people.
        pack: String,
        /// For people.
        category: String,
        kind: ItemKind,
        /// Without a meaning for a service.
        handling_class: HandlingClass,
        /// The unit in which stock is counted.
        base_uom: String,
        units: Units,
        /// Price of one base unit in minor units, when there is one.
        list_price_minor: Option<i64>,
        list_price_currency: Option<Currency>,
        state: ItemState,
        /// How many decimals a quantity in the base unit may be written with.
        base_decimals: i64,
        /// A line's quantity is a multiple of so many base units; any when 0.
        order_multiple: i64,
        /// A line's quantity is at least so many base units; any when 0.
        minimum_quantity: i64,
        create_time: Timestamp,
        update_time: Timestamp,
    }
}

/// Reads a list price, which may be absent: `Some(None)` when it is.
pub(crate) fn read_price(checks: &mut Checks, price: Option<&Money>) -> Option<Option<(i64, Currency)>> {
    let Some(price) = price else { return Some(None) };
    let currency = checks.currency("list_price.currency", &price.currency);
    if !(0..=MAX_PRICE).contains(&price.minor_units) {
        checks.wrong("list_price.minor_units", "must be 0 to 1,000,000,000,000");
        return None;
    }
    currency.map(|currency| Some((price.minor_units, currency)))
}

/// Reads how many decimals a quantity may have.
pub(crate) fn read_decimals(checks: &mut Checks, field: impl Into<String>, decimals: i32) -> Option<i64> {
    let read = (0..=MAX_DECIMALS).contains(&decimals).then(|| decimals.into());
    if read.is_none() {
        checks.wrong(field, "must be 0 to 6");
    }
    read
}

/// Reads the `skus` of a request, each once, in order.
pub(crate) fn read_skus(mut skus: Vec<String>) -> Result<Vec<String>, Fault> {
    let mut checks = Checks::new();
    check_count(&mut checks, "skus", skus.len());
    for (index, sku) in skus.iter().enumerate() {
        checks.sku(format!("skus[{index}]"), sku);
    }
    checks.done()?;
    skus.sort_unstable();
    skus.dedup();
    Ok(skus)
}
