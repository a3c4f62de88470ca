//! What is read outside of commands.

mod condition;
mod summary;

use std::collections::HashMap;

use mesh::Accounts;
use store::{Column, Db, Kind, page::Page};
use types::{AccountId, Fault, OrderId, Timestamp};

pub(crate) use summary::summary;

use condition::Where;

use crate::{
    account::{Account, ShipTo},
    hold::Hold,
    invoice::InvoiceReadiness,
    item::Item,
    line::Line,
    order::{Order, State, Status},
};

/// An order with its lines and those of its holds that stand.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The order.
    pub(crate) order: Order,
    /// Its lines, by line number.
    pub(crate) lines: Vec<Line>,
    /// Its holds.
    pub(crate) holds: Vec<Hold>,
}

/// The account, if the caller sees it.
pub(crate) async fn account(db: &Db, account_id: &AccountId, accounts: &Accounts) -> Result<Option<Account>, Fault> {
    let mut condition = Where::default();
    condition.and("account_id = ?", account_id.to_value());
    condition.seen_by(accounts);
    let (tail, args) = condition.into_tail("account_id", 1);
    Ok(db.list(&tail, args).await?.into_iter().next())
}

/// A page of the accounts the caller sees, by id.
pub(crate) async fn accounts(db: &Db, accounts: &Accounts, page: &Page) -> Result<Vec<Account>, Fault> {
    let mut condition = Where::default();
    condition.seen_by(accounts);
    condition.beyond(&["account_id"], ">", page);
    let (tail, args) = condition.into_tail("account_id", page.limit());
    db.list(&tail, args).await
}

/// A page of an account's ship-tos, by id.
pub(crate) async fn ship_tos(db: &Db, account_id: &AccountId, page: &Page) -> Result<Vec<ShipTo>, Fault> {
    let mut condition = Where::default();
    condition.and("account_id = ?", account_id.to_value());
    condition.beyond(&["ship_to_id"], ">", page);
    let (tail, args) = condition.into_tail("ship_to_id", page.limit());
    db.list(&tail, args).await
}

/// The order, if the caller sees its account.
pub(crate) async fn order(db: &Db, order_id: &OrderId, accounts: &Accounts) -> Result<Option<Whole>, Fault> {
    let mut condition = Where::default();
    condition.and("order_id = ?", order_id.to_value());
    condition.seen_by(accounts);
    let (tail, args) = condition.into_tail("order_id", 1);
    Ok(whole(db, db.list(&tail, args).await?).await?.into_iter().next())
}

/// The state of an order.
pub(crate) async fn state(db: &Db, order_id: &OrderId) -> Result<Option<State>, Fault> {
    let rows = db.rows("SELECT state FROM orders WHERE order_id = $1", vec![order_id.to_value()]).await?;
    rows.first().map(|row| row.at(0)).transpose()
}

/// Which orders are listed.
#[derive(Debug, Clone)]
pub(crate) struct OrderFilter {
    /// Only of this account.
    pub(crate) account_id: Option<AccountId>,
    /// Only with this customer PO number; any when empty.
    pub(crate) customer_po: String,
    /// Only in these states; any when empty.
    pub(crate) states: Vec<State>,
    /// Only with these statuses; any when empty.
    pub(crate) statuses: Vec<Status>,
    /// Only placed then or later.
    pub(crate) created_after: Option<Timestamp>,
    /// Only placed before.
    pub(crate) created_before: Option<Timestamp>,
}

/// The key columns of the list of orders.
pub(crate) const ORDERS_KEY: &[Kind] = &[Kind::Integer, Kind::Text];

/// A page of the orders the caller sees, newest first; answers them with the token of the next page.
pub(crate) async fn orders(
    db: &Db,
    filter: &OrderFilter,
    accounts: &Accounts,
    page: &Page,
) -> Result<(Vec<Whole>, String), Fault> {
    let mut condition = Where::default();
    if let Some(account_id) = &filter.account_id {
        condition.and("account_id = ?", account_id.to_value());
    }
    condition.seen_by(accounts);
    if !filter.customer_po.is_empty() {
        condition.and("customer_po = ?", filter.customer_po.to_value());
    }
    if !filter.states.is_empty() {
        condition.one_of("state", &filter.states);
    }
    if !filter.statuses.is_empty() {
        condition.one_of("status", &filter.statuses);
    }
    if let Some(after) = filter.created_after {
        condition.and("create_time >= ?", after.to_value());
    }
    if let Some(before) = filter.created_before {
        condition.and("create_time < ?", before.to_value());
    }
    condition.beyond(&["create_time", "order_id"], "<", page);
    let (tail, args) = condition.into_tail("create_time DESC, order_id DESC", page.limit());
    let mut orders: Vec<Order> = db.list(&tail, args).await?;
    let token = page.next(&mut orders, |order| vec![order.create_time.to_value(), order.order_id.to_value()]);
    Ok((whole(db, orders).await?, token))
}

/// Adds the lines of all orders in one statement, and the holds of those that have any.
async fn whole(db: &Db, orders: Vec<Order>) -> Result<Vec<Whole>, Fault> {
    let ids = |wanted: fn(&Order) -> bool| -> Vec<OrderId> {
        orders.iter().filter(|order| wanted(order)).map(|order| order.order_id.clone()).collect()
    };
    let (every, held) = (ids(|_| true), ids(|order| order.open_holds > 0));
    let mut lines: HashMap<OrderId, Vec<Line>> = HashMap::new();
    for line in of_orders::<Line>(db, &every, "line_number").await? {
        lines.entry(line.order_id.clone()).or_default().push(line);
    }
    let mut holds: HashMap<OrderId, Vec<Hold>> = HashMap::new();
    for hold in of_orders::<Hold>(db, &held, "hold_number").await? {
        holds.entry(hold.order_id.clone()).or_default().push(hold);
    }
    let whole = orders.into_iter().map(|order| {
        let lines = lines.remove(&order.order_id).unwrap_or_default();
        let holds = holds.remove(&order.order_id).unwrap_or_default();
        Whole { order, lines, holds }
    });
    Ok(whole.collect())
}

async fn of_orders<R: store::Record>(db: &Db, ids: &[OrderId], then: &str) -> Result<Vec<R>, Fault> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut condition = Where::default();
    condition.one_of("order_id", ids);
    let (condition, args) = condition.into_condition();
    db.list(&format!("WHERE {condition} ORDER BY order_id, {then}"), args).await
}

/// The key columns of the list of what may be invoiced.
pub(crate) const READINESS_KEY: &[Kind] = &[Kind::Integer, Kind::Text, Kind::Integer];

/// A page of what may be invoiced of orders the caller sees, in the order it became ready.
pub(crate) async fn readiness(
    db: &Db,
    order_id: Option<&OrderId>,
    account_id: Option<&AccountId>,
    accounts: &Accounts,
    page: &Page,
) -> Result<Vec<InvoiceReadiness>, Fault> {
    let mut condition = Where::default();
    if let Some(order_id) = order_id {
        condition.and("order_id = ?", order_id.to_value());
    }
    if let Some(account_id) = account_id {
        condition.and("account_id = ?", account_id.to_value());
    }
    condition.seen_by(accounts);
    condition.beyond(&["ready_time", "order_id", "invoice_number"], ">", page);
    let (tail, args) = condition.into_tail("ready_time, order_id, invoice_number", page.limit());
    db.list(&tail, args).await
}

/// Those of the SKUs this service has no copy of.
pub(crate) async fn unknown_skus(db: &Db, mut skus: Vec<String>) -> Result<Vec<String>, Fault> {
    skus.sort();
    skus.dedup();
    let mut condition = Where::default();
    condition.one_of("sku", &skus);
    let (condition, args) = condition.into_condition();
    let known: Vec<Item> = db.list(&format!("WHERE {condition}"), args).await?;
    skus.retain(|sku| !known.iter().any(|item| item.sku == *sku));
    Ok(skus)
}
