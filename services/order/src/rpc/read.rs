//! Answers the reads of the contract.

use mesh::{
    CallInfo,
    wire::{Checks, checked, one_id},
};
use prost::Message as _;
use proto::order::v1 as contract;
use store::{Column, Kind, page::Page};
use types::{AccountId, Fault, limits::MAX_OUTSIDE_NUMBER};

use super::{Rpc, show};
use crate::{
    account::{Account, ShipTo},
    order::{OrderState, OrderStatus},
    store::{self as reads, Extent, ListOrder, ORDERS_KEY, OrderFilter, SETTLEMENT_KEY, Search, SettlementFilter},
    wire,
};

impl Rpc {
    pub(super) async fn get_account(
        &self,
        info: &CallInfo,
        request: contract::GetAccountRequest,
    ) -> Result<contract::Account, Fault> {
        let account_id = one_id("account_id", &request.account_id)?;
        Ok(wire::account(&reads::account(&self.db, &account_id, &info.principal).await?))
    }

    pub(super) async fn list_accounts(
        &self,
        info: &CallInfo,
        request: contract::ListAccountsRequest,
    ) -> Result<contract::ListAccountsResponse, Fault> {
        let belongs_to: [&str; 1] = [&info.principal.to_string()];
        let page = Page::read("accounts", &belongs_to, &[Kind::Text], request.page_size, &request.page_token)?;
        let mut accounts = reads::accounts(&self.db, &info.principal, &page).await?;
        let bytes = |account: &Account| wire::account(account).encoded_len();
        let next_page_token = page.next_within(&mut accounts, bytes, |account| vec![account.account_id.to_value()]);
        Ok(contract::ListAccountsResponse { accounts: accounts.iter().map(wire::account).collect(), next_page_token })
    }

    pub(super) async fn list_ship_tos(
        &self,
        info: &CallInfo,
        request: contract::ListShipTosRequest,
    ) -> Result<contract::ListShipTosResponse, Fault> {
        let account_id: AccountId = one_id("account_id", &request.account_id)?;
        let belongs_to: [&str; 2] = [&account_id.to_string(), &info.principal.to_string()];
        let page = Page::read("ship_tos", &belongs_to, &[Kind::Text], request.page_size, &request.page_token)?;
        reads::account(&self.db, &account_id, &info.principal).await?;
        let mut ship_tos = reads::ship_tos(&self.db, &account_id, &page).await?;
        let bytes = |ship_to: &ShipTo| wire::ship_to(ship_to).encoded_len();
        let next_page_token = page.next_within(&mut ship_tos, bytes, |ship_to| vec![ship_to.ship_to_id.to_value()]);
        Ok(contract::ListShipTosResponse { ship_tos: ship_tos.iter().map(wire::ship_to).collect(), next_page_token })
    }

    pub(super) async fn get_order(
        &self,
        info: &CallInfo,
        request: contract::GetOrderRequest,
    ) -> Result<contract::Order, Fault> {
        let order_id = one_id("order_id", &request.order_id)?;
        let order = reads::order(&self.db, &order_id, &info.principal).await?;
        let order = order.ok_or_else(|| Fault::not_found("order", order_id))?;
        show(order.to_contract(), &info.principal)
    }

    pub(super) async fn list_orders(
        &self,
        info: &CallInfo,
        request: contract::ListOrdersRequest,
    ) -> Result<contract::ListOrdersResponse, Fault> {
        let filter = order_filter(&request)?;
        let extent = match request.view() {
            contract::OrderView::Full => Extent::Full,
            contract::OrderView::Summary | contract::OrderView::Unspecified => Extent::Summary,
        };
        // The debug form has every part of the filter, which is all that a token needs to belong to it.
        let belongs_to: [&str; 2] = [&format!("{filter:?}"), &info.principal.to_string()];
        let page = Page::read("orders", &belongs_to, ORDERS_KEY, request.page_size, &request.page_token)?;
        let (orders, next_page_token) = reads::orders(&self.db, &filter, extent, &info.principal, &page).await?;
        let mut listed = Vec::with_capacity(orders.len());
        for stored in orders {
            listed.push((show(stored.to_contract(), &info.principal)?, stored.order));
        }
        let bytes = |(shown, _): &(contract::Order, _)| shown.encoded_len();
        let next_page_token = page.cut(&mut listed, next_page_token, bytes, |(_, order)| filter.key(order));
        Ok(contract::ListOrdersResponse {
            orders: listed.into_iter().map(|(shown, _)| shown).collect(),
            next_page_token,
        })
    }

    pub(super) async fn list_invoice_readiness(
        &self,
        info: &CallInfo,
        request: contract::ListInvoiceReadinessRequest,
    ) -> Result<contract::ListInvoiceReadinessResponse, Fault> {
        let filter = SettlementFilter::parse(&request.order_id, &request.account_id)?;
        let belongs_to = [request.order_id.as_str(), &request.account_id, &info.principal.to_string()];
        let page = Page::read("readiness", &belongs_to, SETTLEMENT_KEY, request.page_size, &request.page_token)?;
        let (found, next_page_token) = reads::readiness(&self.db, &filter, &info.principal, &page).await?;
        let readiness = found.into_iter().map(|ready| ready.readiness.0).collect();
        Ok(contract::ListInvoiceReadinessResponse { readiness, next_page_token })
    }

    pub(super) async fn list_proposed_credits(
        &self,
        info: &CallInfo,
        request: contract::ListProposedCreditsRequest,
    ) -> Result<contract::ListProposedCreditsResponse, Fault> {
        let filter = SettlementFilter::parse(&request.order_id, &request.account_id)?;
        let belongs_to = [request.order_id.as_str(), &request.account_id, &info.principal.to_string()];
        let page = Page::read("proposed credits", &belongs_to, SETTLEMENT_KEY, request.page_size, &request.page_token)?;
        let (found, next_page_token) = reads::proposed_credits(&self.db, &filter, &info.principal, &page).await?;
        let credits = found.into_iter().map(|credit| credit.credit.0).collect();
        Ok(contract::ListProposedCreditsResponse { credits, next_page_token })
    }

    pub(super) async fn summarize_orders(
        &self,
        info: &CallInfo,
        request: contract::SummarizeOrdersRequest,
    ) -> Result<contract::SummarizeOrdersResponse, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.optional_id("account_id", &request.account_id);
        checks.done()?;
        reads::summary(&self.db, checked(account_id)?.as_ref(), &info.principal).await
    }
}

fn order_filter(request: &contract::ListOrdersRequest) -> Result<OrderFilter, Fault> {
    let mut checks = Checks::new();
    let account_id = checks.optional_id("account_id", &request.account_id);
    let customer_po = checks.optional_text("customer_po", &request.customer_po, MAX_OUTSIDE_NUMBER);
    let states = checks.choices("states", &request.states, OrderState::from_contract);
    let statuses = checks.choices("statuses", &request.statuses, OrderStatus::from_contract);
    let created_after = checks.optional_time("created_after", request.created_after.as_ref());
    let created_before = checks.optional_time("created_before", request.created_before.as_ref());
    let updated_after = checks.optional_time("updated_after", request.updated_after.as_ref());
    let updated_before = checks.optional_time("updated_before", request.updated_before.as_ref());
    let search = checks.optional_text("q", &request.q, MAX_OUTSIDE_NUMBER).filter(|text| !text.is_empty());
    let order = list_order(&request.order_by, search.is_some(), &mut checks);
    checks.optional_choice::<contract::OrderView>("view", request.view);
    checks.done()?;
    Ok(OrderFilter {
        account_id: checked(account_id)?,
        customer_po: checked(customer_po)?,
        states: checked(states)?,
        statuses: checked(statuses)?,
        with_open_exceptions: request.with_open_exceptions,
        to_invoice: request.to_invoice,
        created_after: checked(created_after)?,
        created_before: checked(created_before)?,
        updated_after: checked(updated_after)?,
        updated_before: checked(updated_before)?,
        search: search.map(Search),
        order: checked(order)?,
    })
}

/// The order of a list. What is found by a text is listed by when it was placed.
fn list_order(order_by: &str, is_search: bool, checks: &mut Checks) -> Option<ListOrder> {
    let words: Vec<_> = order_by.split_whitespace().collect();
    let [(usual, _), ..] = ListOrder::ALL;
    let wanted = if words.is_empty() { usual.to_owned() } else { words.join(" ") };
    let possible = || ListOrder::ALL.into_iter().filter(|(_, order)| !(is_search && order.is_by_update()));
    let found = possible().find(|(name, _)| *name == wanted);
    if found.is_none() {
        let names: Vec<_> = possible().map(|(name, _)| name).collect();
        let with_search = if is_search { " when q is given" } else { "" };
        checks.wrong("order_by", format!("must be one of: {}{with_search}", names.join(", ")));
    }
    found.map(|(_, order)| order)
}
