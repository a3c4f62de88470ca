//! Reads of what is agreed with accounts.

use chassis::Select;
use store::{Column as _, Db, page::Page};
use types::{AccountId, Fault, PriceListId};

use crate::{
    credit::AccountCredit,
    price::{ItemPrices, PriceList},
};

/// What an account owes, if anything of it is counted.
pub(crate) async fn credit(db: &Db, account_id: &AccountId) -> Result<Option<AccountCredit>, Fault> {
    let mut select = Select::new();
    select.equal("account_id", Some(account_id));
    let (tail, args) = select.into_page("account_id", 1);
    Ok(db.list(&tail, args).await?.into_iter().next())
}

/// The price list; not found when there is none.
pub(crate) async fn price_list(db: &Db, price_list_id: &PriceListId) -> Result<PriceList, Fault> {
    let mut select = Select::new();
    select.equal("price_list_id", Some(price_list_id));
    let (tail, args) = select.into_page("price_list_id", 1);
    let list = db.list(&tail, args).await?.into_iter().next();
    list.ok_or_else(|| Fault::not_found("price list", price_list_id))
}

/// A page of the prices of the owners, those of the first first, each by item. Items that lost their prices are among them.
pub(crate) async fn prices(db: &Db, owners: &[String], page: &Page) -> Result<Vec<ItemPrices>, Fault> {
    let after = if let Some([owner, sku]) = page.after() { Some((owner, sku)) } else { None };
    // The first owner's are through when a later one has another id by now.
    let begins = after.map(|(owner, _)| owners.iter().position(|one| one.to_value() == *owner).unwrap_or(1));
    let mut prices: Vec<ItemPrices> = Vec::new();
    for owner in owners.iter().skip(begins.unwrap_or_default()) {
        let left = page.limit() - i64::try_from(prices.len()).unwrap_or(i64::MAX);
        if left <= 0 {
            break;
        }
        let mut select = Select::new();
        select.equal("owner", Some(owner));
        if let Some((_, sku)) = after.filter(|(of, _)| owner.to_value() == **of) {
            select.and("sku > ?", sku.clone());
        }
        let (tail, args) = select.into_page("sku", left);
        prices.extend(db.list::<ItemPrices>(&tail, args).await?);
    }
    Ok(prices)
}
