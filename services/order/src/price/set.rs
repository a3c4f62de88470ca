//! Sets the prices of items, in a price list or of one account. The prices of an item are replaced as a whole.

use std::{collections::HashSet, sync::Arc};

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{events::OrderEvent, order::v1 as contract};
use store::{Command, Context, Needs, NewEvent, Proto, Rows};
use types::{
    AccountId, Currency, Fault, Id as _, PriceListId, Timestamp,
    limits::{MAX_LINES, MAX_PRICE},
};

use super::{ItemPrices, PriceList};
use crate::account::{Account, OwnPrices};

/// The most prices of an item.
const MAX_BREAKS: usize = 100;

/// Sets prices of a price list.
#[derive(Debug)]
pub(crate) struct SetPrices {
    price_list_id: PriceListId,
    currency: Currency,
    prices: Vec<contract::ItemPrices>,
}

/// Sets an account's own prices.
#[derive(Debug)]
pub(crate) struct SetAccountPrices {
    account_id: AccountId,
    prices: Vec<contract::ItemPrices>,
}

impl SetPrices {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::SetPricesRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let price_list_id = checks.id("price_list_id", &request.price_list_id);
        let currency = checks.currency("currency", &request.currency);
        let prices = read(&request.prices, &mut checks);
        checks.done()?;
        Ok(Self { price_list_id: checked(price_list_id)?, currency: checked(currency)?, prices: checked(prices)? })
    }
}

impl SetAccountPrices {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::SetAccountPricesRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id: Option<AccountId> = checks.id("account_id", &request.account_id);
        let prices = read(&request.prices, &mut checks);
        checks.done()?;
        let account_id = checked(account_id)?;
        if !caller.sees(&account_id) {
            return Err(Fault::not_found("account", account_id));
        }
        Ok(Self { account_id, prices: checked(prices)? })
    }
}

fn read(prices: &[contract::ItemPrices], checks: &mut Checks) -> Option<Vec<contract::ItemPrices>> {
    if !(1..=MAX_LINES).contains(&prices.len()) {
        checks.wrong("prices", "must be 1 to 5,000 items");
        return None;
    }
    let mut skus = HashSet::with_capacity(prices.len());
    let mut read = Vec::with_capacity(prices.len());
    for (index, of_item) in prices.iter().enumerate() {
        let field = |name: &str| format!("prices[{index}].{name}");
        let sku = checks.sku(field("sku"), &of_item.sku);
        if !skus.insert(of_item.sku.as_str()) {
            checks.wrong(field("sku"), format!("{} has prices above", of_item.sku));
        }
        if checks.at_most(field("breaks"), of_item.breaks.len(), MAX_BREAKS) {
            for (at, price) in of_item.breaks.iter().enumerate() {
                check_break(price, |name| format!("prices[{index}].breaks[{at}].{name}"), checks);
                let is_same = |other: &contract::PriceBreak| {
                    let price = contract::PriceBreak { unit_price_minor: other.unit_price_minor, ..price.clone() };
                    *other == price
                };
                if of_item.breaks[..at].iter().any(is_same) {
                    let field = format!("prices[{index}].breaks[{at}].minimum_quantity");
                    checks.wrong(field, "has a price above, in the same unit and for the same time");
                }
            }
        }
        let breaks = of_item.breaks.clone();
        read.extend(sku.map(|sku| contract::ItemPrices { sku, breaks, ..Default::default() }));
    }
    Some(read)
}

fn check_break(price: &contract::PriceBreak, field: impl Fn(&str) -> String, checks: &mut Checks) {
    checks.optional_text(field("uom"), &price.uom, 16);
    checks.quantity(field("minimum_quantity"), price.minimum_quantity, 0);
    if !(0..=MAX_PRICE).contains(&price.unit_price_minor) {
        checks.wrong(field("unit_price_minor"), "must be 0 to 1,000,000,000,000");
    }
    let from = checks.optional_time(field("valid_from"), price.valid_from.as_ref());
    let to = checks.optional_time(field("valid_to"), price.valid_to.as_ref());
    if let (Some(Some(from)), Some(Some(to))) = (from, to)
        && to <= from
    {
        checks.wrong(field("valid_to"), "must be after valid_from");
    }
}

fn needs(owner: &str, prices: &[contract::ItemPrices], needs: &mut Needs) {
    for of_item in prices {
        needs.row::<ItemPrices>(&(owner.to_owned(), of_item.sku.clone()));
    }
}

/// Replaces the prices of the items that have others, and returns these; `named` names whose they are.
fn replace(
    owner: &str,
    prices: &[contract::ItemPrices],
    named: &contract::ItemPrices,
    now: Timestamp,
    rows: &mut Rows,
) -> Result<Vec<ItemPrices>, Fault> {
    let mut changed = Vec::new();
    for of_item in prices {
        let known = rows.get::<ItemPrices>(&(owner.to_owned(), of_item.sku.clone()))?;
        let (version, breaks) = known.map_or((0, [].as_slice()), |known| (known.version, &known.prices.0.breaks));
        if breaks == of_item.breaks {
            continue;
        }
        let update_time = Some(mesh::wire::timestamp(now));
        let (sku, breaks) = (of_item.sku.clone(), of_item.breaks.clone());
        let prices = Proto(contract::ItemPrices { sku: sku.clone(), breaks, update_time, ..named.clone() });
        changed.push(rows.put(ItemPrices { owner: owner.to_owned(), sku, prices, version }));
    }
    Ok(changed)
}

/// The prices as they are answered.
fn shown(changed: Vec<ItemPrices>) -> Vec<contract::ItemPrices> {
    changed.into_iter().map(|of_item| of_item.prices.0).collect()
}

fn reply(changed: &[ItemPrices]) -> contract::SetPricesResponse {
    contract::SetPricesResponse { changed_items: i32::try_from(changed.len()).unwrap_or(i32::MAX) }
}

impl Command for SetPrices {
    type Reply = contract::SetPricesResponse;

    const NAME: &'static str = "SetPrices";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<PriceList>(&self.price_list_id);
        self::needs(self.price_list_id.as_str(), &self.prices, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::SetPricesResponse, Fault> {
        let known = rows.get::<PriceList>(&self.price_list_id)?.cloned();
        if let Some(list) = known.as_ref().filter(|list| list.currency != self.currency) {
            return Err(Fault::invalid("currency", format!("must be {}, the price list's", list.currency)));
        }
        let named = contract::ItemPrices {
            price_list_id: self.price_list_id.to_string(),
            currency: self.currency.to_string(),
            ..Default::default()
        };
        let changed = replace(self.price_list_id.as_str(), &self.prices, &named, cx.now(), rows)?;
        let reply = reply(&changed);
        let emitted = if known.is_none() { OrderEvent::PriceListCreated } else { OrderEvent::PriceListUpdated };
        if known.is_none() || !changed.is_empty() {
            let (price_list_id, currency) = (self.price_list_id.clone(), self.currency);
            let list =
                known.unwrap_or_else(|| PriceList { price_list_id, currency, create_time: cx.now(), version: 0 });
            let list = rows.put(list);
            let payload = emitted(contract::PriceListChanged {
                price_list_id: list.price_list_id.to_string(),
                currency: list.currency.to_string(),
                prices: shown(changed),
            });
            cx.emit(NewEvent::new(payload, &list.price_list_id, list.version, list.version));
        }
        Ok(reply)
    }
}

impl Command for SetAccountPrices {
    type Reply = contract::SetPricesResponse;

    const NAME: &'static str = "SetAccountPrices";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        self::needs(self.account_id.as_str(), &self.prices, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::SetPricesResponse, Fault> {
        let unknown = || Fault::not_found("account", &self.account_id);
        let mut account = rows.get::<Account>(&self.account_id)?.ok_or_else(unknown)?.clone();
        let named = contract::ItemPrices {
            account_id: self.account_id.to_string(),
            currency: account.currency.to_string(),
            ..Default::default()
        };
        if account.own_prices == OwnPrices::Never {
            account = rows.put(Account { own_prices: OwnPrices::Some, ..account });
        }
        let changed = replace(self.account_id.as_str(), &self.prices, &named, cx.now(), rows)?;
        let reply = reply(&changed);
        if let Some(first) = changed.first() {
            // Prices do not change the account's row, so the version of the first of them makes the event's key.
            let key = format!("{}/{}", first.sku, first.version);
            let account_id = self.account_id.to_string();
            let payload = contract::AccountPricesChanged { account_id, prices: shown(changed) };
            let payload = OrderEvent::AccountPricesChanged(payload);
            cx.emit(NewEvent::new(payload, &self.account_id, account.version, key).account(&self.account_id));
        }
        Ok(reply)
    }
}
