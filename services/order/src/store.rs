//! Reads of more than one row, outside of commands.

mod account;
mod find;
mod invoices;
mod orders;
mod summary;

use std::collections::HashMap;

use chassis::Select;
use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::order::v1 as contract;
use store::{Column, Db, Kind, Record, page::Page};
use types::{AccountId, Fault, OrderId, ShipToId};

pub(crate) use account::{credit, price_list, prices};
pub(crate) use find::{Search, search_key};
pub(crate) use invoices::{INVOICES_KEY, InvoiceFilter, invoices};
pub(crate) use orders::{Extent, ListOrder, ORDERS_KEY, OrderFilter, orders};
pub(crate) use summary::{count_ended, summary};

use crate::{
    account::{Account, ShipTo},
    aggregate::ChangingOrder,
    change::OrderChange,
    hold::Hold,
    item::Item,
    node::Nodes,
    order::{Order, OrderState},
    order_line::OrderLine,
    process::settlement::{InvoiceReadiness, ProposedCredit},
    ship_to_group::ShipToGroup,
};

/// An order with its lines and holds.
#[derive(Debug)]
pub(crate) struct StoredOrder {
    /// Without what follows.
    pub(crate) order: Order,
    /// By line number.
    lines: Vec<OrderLine>,
    /// By number; none when all of it goes to one place.
    groups: Vec<ShipToGroup>,
    /// By hold number; none when all are released.
    holds: Vec<Hold>,
}

impl StoredOrder {
    /// An order of which lines and holds are not shown.
    fn without_lines(order: Order) -> Self {
        Self { order, lines: Vec::new(), groups: Vec::new(), holds: Vec::new() }
    }

    /// The order as the contract has it.
    pub(crate) fn to_contract(&self) -> contract::Order {
        crate::wire::order(&self.order, &self.lines, &self.groups, &self.holds)
    }

    /// The order as it may be changed; its open change and what was reported of its shipments are not loaded.
    pub(crate) fn into_changing(self) -> ChangingOrder {
        let Self { order, lines, groups, holds: _ } = self;
        ChangingOrder {
            order,
            lines,
            groups,
            change: None,
            settled_change: None,
            shipments: Vec::new(),
            standing: None,
            pending: Vec::new(),
        }
    }
}

/// The account; not found when the caller does not see it.
pub(crate) async fn account(db: &Db, account_id: &AccountId, caller: &Principal) -> Result<Account, Fault> {
    let mut select = Select::new();
    select.equal("account_id", Some(account_id));
    select.seen_by(caller);
    let (tail, args) = select.into_page("account_id", 1);
    let account = db.list(&tail, args).await?.into_iter().next();
    account.ok_or_else(|| Fault::not_found("account", account_id))
}

/// A page of the accounts that the caller sees, by id.
pub(crate) async fn accounts(db: &Db, caller: &Principal, page: &Page) -> Result<Vec<Account>, Fault> {
    let mut select = Select::new();
    select.seen_by(caller);
    select.after(&["account_id"], ">", page);
    let (tail, args) = select.into_page("account_id", page.limit());
    db.list(&tail, args).await
}

/// A page of an account's ship-tos, by id.
pub(crate) async fn ship_tos(db: &Db, account_id: &AccountId, page: &Page) -> Result<Vec<ShipTo>, Fault> {
    let mut select = Select::new();
    select.equal("account_id", Some(account_id));
    select.after(&["ship_to_id"], ">", page);
    let (tail, args) = select.into_page("ship_to_id", page.limit());
    db.list(&tail, args).await
}

/// A ship-to of an account.
pub(crate) async fn ship_to(db: &Db, account_id: &AccountId, ship_to_id: &ShipToId) -> Result<Option<ShipTo>, Fault> {
    let args = vec![ship_to_id.to_value(), account_id.to_value()];
    Ok(db.list("WHERE ship_to_id = $1 AND account_id = $2", args).await?.into_iter().next())
}

/// The copies of these items, by SKU.
pub(crate) async fn items(db: &Db, skus: &[String]) -> Result<HashMap<String, Item>, Fault> {
    let mut select = Select::new();
    select.one_of("sku", skus);
    let (condition, args) = select.into_condition();
    let items: Vec<Item> = db.list(&format!("WHERE {condition}"), args).await?;
    Ok(items.into_iter().map(|item| (item.sku.clone(), item)).collect())
}

/// The copy of fulfillment's nodes.
pub(crate) async fn nodes(db: &Db) -> Result<Option<Nodes>, Fault> {
    Ok(db.list("WHERE name = $1", vec![Nodes::key().to_value()]).await?.into_iter().next())
}

/// The order, if the caller sees its account.
pub(crate) async fn order(db: &Db, order_id: &OrderId, caller: &Principal) -> Result<Option<StoredOrder>, Fault> {
    let mut select = Select::new();
    select.equal("order_id", Some(order_id));
    select.seen_by(caller);
    let (tail, args) = select.into_page("order_id", 1);
    Ok(with_lines_and_holds(db, db.list(&tail, args).await?).await?.into_iter().next())
}

/// A change of an order.
pub(crate) async fn change(db: &Db, order_id: &OrderId, change_number: i64) -> Result<Option<OrderChange>, Fault> {
    let args = vec![order_id.to_value(), change_number.to_value()];
    Ok(db.list("WHERE order_id = $1 AND change_number = $2", args).await?.into_iter().next())
}

/// A page of the changes of an order by number, and the token of the next page.
pub(crate) async fn changes(db: &Db, order_id: &OrderId, page: &Page) -> Result<(Vec<OrderChange>, String), Fault> {
    let mut select = Select::new();
    select.equal("order_id", Some(order_id));
    select.after(&["change_number"], ">", page);
    let (tail, args) = select.into_page("change_number", page.limit());
    page.select(db, &tail, args, &["change"], |change: &OrderChange| vec![change.change_number.to_value()]).await
}

/// The state of an order.
pub(crate) async fn state(db: &Db, order_id: &OrderId) -> Result<Option<OrderState>, Fault> {
    let rows = db.rows("SELECT state FROM orders WHERE order_id = $1", vec![order_id.to_value()]).await?;
    rows.first().map(|row| row.at(0)).transpose()
}

/// Adds the lines of orders, and the holds of those that have open ones, as of one moment.
async fn with_lines_and_holds(db: &Db, orders: Vec<Order>) -> Result<Vec<StoredOrder>, Fault> {
    db.whole(orders, |orders| lines_and_holds(db, orders)).await
}

/// Reads the lines of all orders in one statement, and the holds of those that have open ones.
async fn lines_and_holds(db: &Db, orders: Vec<Order>) -> Result<Vec<StoredOrder>, Fault> {
    let ids = |is_wanted: fn(&Order) -> bool| -> Vec<OrderId> {
        orders.iter().filter(|order| is_wanted(order)).map(|order| order.order_id.clone()).collect()
    };
    let (all, on_hold) = (ids(|_| true), ids(|order| order.open_holds > 0));
    let mut groups: HashMap<OrderId, Vec<ShipToGroup>> = HashMap::new();
    for group in of_orders::<ShipToGroup>(db, &ids(|order| order.group_count > 0), "group_number").await? {
        groups.entry(group.order_id.clone()).or_default().push(group);
    }
    let mut lines: HashMap<OrderId, Vec<OrderLine>> = HashMap::new();
    for line in of_orders::<OrderLine>(db, &all, "line_number").await? {
        lines.entry(line.order_id.clone()).or_default().push(line);
    }
    let mut holds: HashMap<OrderId, Vec<Hold>> = HashMap::new();
    for hold in of_orders::<Hold>(db, &on_hold, "hold_number").await? {
        holds.entry(hold.order_id.clone()).or_default().push(hold);
    }
    let stored = orders.into_iter().map(|order| {
        let lines = lines.remove(&order.order_id).unwrap_or_default();
        let holds = holds.remove(&order.order_id).unwrap_or_default();
        let groups = groups.remove(&order.order_id).unwrap_or_default();
        StoredOrder { order, lines, groups, holds }
    });
    Ok(stored.collect())
}

async fn of_orders<R: Record>(db: &Db, order_ids: &[OrderId], then_by: &str) -> Result<Vec<R>, Fault> {
    if order_ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = Select::new();
    select.one_of("order_id", order_ids);
    let (condition, args) = select.into_condition();
    db.list(&format!("WHERE {condition} ORDER BY order_id, {then_by}"), args).await
}

/// The key columns of the lists of invoice readiness and of credits.
pub(crate) const SETTLEMENT_KEY: &[Kind] = &[Kind::Integer, Kind::Text, Kind::Integer];

/// Whose invoice readiness and credits are listed.
pub(crate) struct SettlementFilter {
    order_id: Option<OrderId>,
    account_id: Option<AccountId>,
}

impl SettlementFilter {
    /// Reads the filter of a request.
    pub(crate) fn parse(order_id: &str, account_id: &str) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.optional_id("order_id", order_id);
        let account_id = checks.optional_id("account_id", account_id);
        checks.done()?;
        Ok(Self { order_id: checked(order_id)?, account_id: checked(account_id)? })
    }

    /// A page of rows that the caller sees, oldest first, by their time, the order and their number in it, and the token of the
    /// next page. The third column has what may be large.
    async fn page<R: Record>(
        &self,
        db: &Db,
        [time, number, large]: [&'static str; 3],
        caller: &Principal,
        page: &Page,
    ) -> Result<(Vec<R>, String), Fault> {
        let mut select = Select::new();
        if let Some(order_id) = &self.order_id {
            select.few("order_id = ?", order_id.to_value());
        }
        select.equal("account_id", self.account_id.as_ref());
        select.seen_by(caller);
        select.after(&[time, "order_id", number], ">", page);
        let (key, order) = (format!("order_id, {number}"), format!("{time}, order_id, {number}"));
        let (tail, args) = select.into_merged_page(R::TABLE, &key, &order, page.limit());
        let key = |row: &R| [time, "order_id", number].iter().filter_map(|column| row.value(column)).collect();
        page.select(db, &tail, args, &[large], key).await
    }
}

/// A page of the invoice readiness of orders that the caller sees, oldest first, and the token of the next page.
pub(crate) async fn readiness(
    db: &Db,
    filter: &SettlementFilter,
    caller: &Principal,
    page: &Page,
) -> Result<(Vec<InvoiceReadiness>, String), Fault> {
    filter.page(db, ["ready_time", "readiness_number", "readiness"], caller, page).await
}

/// A page of the credits proposed for orders that the caller sees, oldest first, and the token of the next page.
pub(crate) async fn proposed_credits(
    db: &Db,
    filter: &SettlementFilter,
    caller: &Principal,
    page: &Page,
) -> Result<(Vec<ProposedCredit>, String), Fault> {
    filter.page(db, ["propose_time", "credit_number", "credit"], caller, page).await
}

/// Those of the SKUs that have no copy of their item here.
pub(crate) async fn unknown_skus(db: &Db, mut skus: Vec<String>) -> Result<Vec<String>, Fault> {
    skus.sort();
    skus.dedup();
    let mut select = Select::new();
    select.one_of("sku", &skus);
    let (condition, args) = select.into_condition();
    let known: Vec<Item> = db.list(&format!("WHERE {condition}"), args).await?;
    skus.retain(|sku| !known.iter().any(|item| item.sku == *sku));
    Ok(skus)
}
