//! The orders that all scenarios place: five lines each, every order for another account and other items of the demo's
//! company.

use std::fmt::Write as _;

use anyhow::Context as _;
use proto::order::v1::{NewOrderLine, PlaceOrderRequest};

use waybill::{
    demo::load,
    northwind::{self, Northwind},
};

use crate::placed::{customer_po, request_id};

/// How many lines an order has.
const LINES: u64 = 5;

/// The accounts and items of the demo's company, and the orders that are made of them.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pub(crate) data: Northwind,
    /// Ids of accounts, each with the id of one of its ship-tos.
    pub(crate) accounts: Vec<(String, String)>,
    pub(crate) skus: Vec<String>,
}

impl Catalogue {
    /// Reads the demo's data set.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let data = northwind::load().context("reading the data set")?;
        let account = |account| (load::account_id(account), load::ship_to_id(account, 0));
        let accounts = data.accounts.iter().map(account).collect();
        let skus = data.items.iter().map(|item| item.sku.clone()).collect();
        Ok(Self { data, accounts, skus })
    }

    /// The ids of the account and the ship-to of an order.
    pub(crate) fn account(&self, number: u64) -> (&str, &str) {
        at(&self.accounts, number).map_or(("", ""), |(account, ship_to)| (account, ship_to))
    }

    /// One of the items.
    pub(crate) fn sku(&self, number: u64) -> &str {
        at(&self.skus, number).map_or("", String::as_str)
    }

    /// The items of an order.
    pub(crate) fn skus(&self, number: u64) -> impl Iterator<Item = &str> {
        (0..LINES).map(move |line| self.sku(number * LINES + line))
    }

    /// The order as a gRPC request.
    pub(crate) fn request(&self, number: u64) -> PlaceOrderRequest {
        let (account_id, ship_to_id) = self.account(number);
        let line = |sku: &str| NewOrderLine { sku: sku.to_owned(), quantity: 1, ..NewOrderLine::default() };
        PlaceOrderRequest {
            request_id: request_id(number),
            account_id: account_id.to_owned(),
            customer_po: customer_po(number),
            ship_to_id: ship_to_id.to_owned(),
            lines: self.skus(number).map(line).collect(),
            ..PlaceOrderRequest::default()
        }
    }

    /// The order as the body of a REST request.
    pub(crate) fn json(&self, number: u64) -> String {
        let (account_id, ship_to_id) = self.account(number);
        let mut body = format!(
            r#"{{"accountId":"{account_id}","customerPo":"{}","shipToId":"{ship_to_id}","lines":["#,
            customer_po(number)
        );
        for (at, sku) in self.skus(number).enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a String does not fail.
            let _ignored = write!(body, r#"{comma}{{"sku":"{sku}","quantity":1}}"#);
        }
        body.push_str("]}");
        body
    }
}

fn at<T>(list: &[T], number: u64) -> Option<&T> {
    let length = u64::try_from(list.len()).ok().filter(|length| *length > 0)?;
    list.get(usize::try_from(number % length).ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn an_order_is_the_same_over_grpc_and_rest() {
        let catalogue = Catalogue::load().unwrap();
        let (request, json) = (catalogue.request(40), catalogue.json(40));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["accountId"], request.account_id);
        assert_eq!(json["customerPo"], request.customer_po);
        assert_eq!(json["shipToId"], request.ship_to_id);
        let skus: Vec<&str> =
            json["lines"].as_array().unwrap().iter().map(|line| line["sku"].as_str().unwrap()).collect();
        assert_eq!(skus, request.lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>());
        assert_eq!(skus.len(), 5);
    }
}
