//! Answers the reads of what is agreed with accounts: their prices and their credit.

use mesh::{CallInfo, wire::one_id};
use prost::Message as _;
use proto::order::v1 as contract;
use store::{Column as _, Kind, page::Page};
use types::{AccountId, Fault, PriceListId};

use super::Rpc;
use crate::{credit, price, store as reads};

/// The key columns of lists of prices.
const PRICES_KEY: &[Kind] = &[Kind::Text, Kind::Text];

impl Rpc {
    pub(super) async fn list_prices(
        &self,
        _: &CallInfo,
        request: contract::ListPricesRequest,
    ) -> Result<contract::ListPricesResponse, Fault> {
        let price_list_id: PriceListId = one_id("price_list_id", &request.price_list_id)?;
        let belongs_to: [&str; 1] = [&price_list_id.to_string()];
        let page = Page::read("prices", &belongs_to, PRICES_KEY, request.page_size, &request.page_token)?;
        reads::price_list(&self.db, &price_list_id).await?;
        self.prices(vec![price_list_id.to_string()], &page).await
    }

    pub(super) async fn list_account_prices(
        &self,
        info: &CallInfo,
        request: contract::ListAccountPricesRequest,
    ) -> Result<contract::ListPricesResponse, Fault> {
        let account_id: AccountId = one_id("account_id", &request.account_id)?;
        let belongs_to: [&str; 2] = [&account_id.to_string(), &info.principal.to_string()];
        let page = Page::read("account prices", &belongs_to, PRICES_KEY, request.page_size, &request.page_token)?;
        let account = reads::account(&self.db, &account_id, &info.principal).await?;
        let list = account.price_list_id.map(|price_list_id| price_list_id.to_string());
        self.prices([account_id.to_string()].into_iter().chain(list).collect(), &page).await
    }

    async fn prices(&self, owners: Vec<String>, page: &Page) -> Result<contract::ListPricesResponse, Fault> {
        let mut prices = reads::prices(&self.db, &owners, page).await?;
        let key = |prices: &price::ItemPrices| vec![prices.owner.to_value(), prices.sku.to_value()];
        let next_page_token = page.next_within(&mut prices, |prices| prices.prices.0.encoded_len(), key);
        let prices = prices.into_iter().map(|prices| prices.prices.0).collect();
        Ok(contract::ListPricesResponse { prices, next_page_token })
    }

    pub(super) async fn get_account_credit(
        &self,
        info: &CallInfo,
        request: contract::GetAccountCreditRequest,
    ) -> Result<contract::AccountCredit, Fault> {
        let account_id: AccountId = one_id("account_id", &request.account_id)?;
        let account = reads::account(&self.db, &account_id, &info.principal).await?;
        let credit = reads::credit(&self.db, &account_id).await?;
        Ok(credit.map_or_else(
            || credit::uncounted(account_id, account.currency),
            |credit| credit.to_contract(account.currency),
        ))
    }
}
