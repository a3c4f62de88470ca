//! The trading company of the demo: the facts of the Northwind sample database, as `data/README.md` describes them.
//!
//! The data file has arrays where these structs have fields: serde reads a struct from an array, in field order.

use serde::Deserialize;

/// Reads the data set that is part of the program.
pub fn load() -> Result<Northwind, serde_json::Error> {
    serde_json::from_str(include_str!("../data/northwind.json"))
}

/// The whole company.
#[derive(Debug, Clone, Deserialize)]
pub struct Northwind {
    /// Where the facts are from, and their licence.
    pub source: String,
    /// ISO 4217 code of every price in the set.
    pub currency: String,
    /// Customers, sorted by code.
    pub accounts: Vec<Account>,
    /// What is sold, sorted by SKU.
    pub items: Vec<Item>,
    /// What was ordered, oldest first.
    pub orders: Vec<Order>,
}

impl Northwind {
    /// Finds an account by its code.
    pub fn account(&self, code: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.code == code)
    }

    /// Finds an item by its SKU.
    pub fn item(&self, sku: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.sku == sku)
    }

    /// Finds where an order goes.
    pub fn ship_to(&self, order: &Order) -> Option<&ShipTo> {
        self.account(&order.account)?.ship_tos.get(order.ship_to)
    }
}

/// A customer.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    /// Five capital letters, such as `ALFKI`.
    pub code: String,
    /// Name of the company.
    pub name: String,
    /// Whom to ask for.
    pub contact: String,
    /// Telephone number as the customer writes it.
    pub phone: String,
    /// Where it receives goods; the first is the company's own address.
    pub ship_tos: Vec<ShipTo>,
}

/// A place an account receives goods at. What is not known is empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ShipTo {
    /// Who receives.
    pub name: String,
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// State, province or county, in the country's own way.
    pub region: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
}

/// How goods must be kept on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Handling {
    /// Any temperature above freezing and below heat.
    Ambient,
    /// 2 to 8 degrees Celsius.
    Chilled,
    /// Below minus 18 degrees Celsius.
    Frozen,
}

/// Something sold.
#[derive(Debug, Clone, Deserialize)]
pub struct Item {
    /// `NW-` and three digits.
    pub sku: String,
    /// What it is called.
    pub name: String,
    /// What one unit holds, such as `24 - 12 oz bottles`.
    pub pack: String,
    /// Category, such as `Beverages`.
    pub category: String,
    /// How it must be kept.
    pub handling: Handling,
    /// Who makes it.
    pub supplier: String,
    /// ISO 3166-1 alpha-2 code of the supplier's country.
    pub supplier_country: String,
    /// List price of a unit in minor units.
    pub list_price_minor: i64,
    /// Units in stock.
    pub on_hand: i64,
    /// Units ordered from the supplier.
    pub on_order: i64,
    /// Units in stock below which the buyer orders again.
    pub reorder_level: i64,
    /// Whether it is no longer bought.
    pub discontinued: bool,
}

/// An order as it was placed in its time.
#[derive(Debug, Clone, Deserialize)]
pub struct Order {
    /// The order's number, `10248` to `11077`.
    pub number: String,
    /// Code of the account that ordered.
    pub account: String,
    /// Day it was placed, ISO 8601.
    pub order_date: String,
    /// Day it was wanted, ISO 8601.
    pub required_date: String,
    /// Day it was shipped, ISO 8601; the youngest orders were not shipped yet.
    pub shipped_date: Option<String>,
    /// Name of the carrier.
    pub carrier: String,
    /// Freight in minor units.
    pub freight_minor: i64,
    /// Index into the account's ship-tos.
    pub ship_to: usize,
    /// What was ordered; a line's number is its position here, from 1.
    pub lines: Vec<Line>,
}

/// One line of an order.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    /// The item.
    pub sku: String,
    /// Units.
    pub quantity: i64,
    /// Price of a unit in minor units.
    pub unit_price_minor: i64,
    /// Discount in basis points, 0 to 10,000.
    pub discount_bp: i64,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use types::{BasisPoints, Currency, is_country, line_amount};

    use super::*;

    #[test]
    fn the_whole_company_is_there() {
        let northwind = load().unwrap();
        assert_eq!(northwind.accounts.len(), 91);
        assert_eq!(northwind.items.len(), 77);
        assert_eq!(northwind.orders.len(), 830);
        assert_eq!(northwind.orders.iter().map(|order| order.lines.len()).sum::<usize>(), 2_155);
        assert_eq!(
            northwind.orders.iter().flat_map(|order| &order.lines).map(|line| line.quantity).sum::<i64>(),
            51_317
        );
    }

    #[test]
    fn the_lines_amount_to_the_published_figure() {
        let northwind = load().unwrap();
        let amount = |line: &Line| {
            line_amount(line.quantity, line.unit_price_minor, BasisPoints::new(line.discount_bp).unwrap()).unwrap()
        };
        let exact = |line: &Line| line.quantity * line.unit_price_minor * (10_000 - line.discount_bp);
        let lines: Vec<&Line> = northwind.orders.iter().flat_map(|order| &order.lines).collect();
        assert_eq!(lines.iter().map(|line| amount(line)).sum::<i64>(), 126_579_329, "1,265,793.29 in cents");
        assert_eq!(lines.iter().map(|line| exact(line)).sum::<i64>(), 1_265_793_039_500, "in cents and basis points");
    }

    #[test]
    fn every_order_names_an_account_a_ship_to_and_items_of_the_company() {
        let northwind = load().unwrap();
        let mut countries = BTreeSet::new();
        for order in &northwind.orders {
            let ship_to = northwind.ship_to(order).unwrap();
            countries.insert(ship_to.country.as_str());
            assert!(order.lines.iter().all(|line| northwind.item(&line.sku).is_some()), "order {}", order.number);
        }
        assert_eq!(countries.len(), 21);
    }

    #[test]
    fn codes_are_of_the_standards() {
        let northwind = load().unwrap();
        assert!(northwind.currency.parse::<Currency>().is_ok());
        let ship_tos = northwind.accounts.iter().flat_map(|account| &account.ship_tos).map(|ship_to| &ship_to.country);
        let suppliers = northwind.items.iter().map(|item| &item.supplier_country);
        assert_eq!(ship_tos.chain(suppliers).find(|country| !is_country(country)), None);
    }

    #[test]
    fn every_handling_class_is_sold() {
        let northwind = load().unwrap();
        let count = |handling| northwind.items.iter().filter(|item| item.handling == handling).count();
        assert_eq!((count(Handling::Ambient), count(Handling::Chilled), count(Handling::Frozen)), (49, 10, 18));
    }
}
