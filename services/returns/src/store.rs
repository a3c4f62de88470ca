//! Reads of more than one row, outside of commands.

use std::collections::BTreeMap;

use chassis::Select;
use mesh::Principal;
use store::{Column, Db, Kind, page::Page};
use types::{AccountId, Fault, OrderId, ReturnId};

use crate::{
    order::{Order, OrderLine},
    return_line::ReturnLine,
    rma::{Return, ReturnState},
};

/// Which returns are listed.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Only of this order.
    pub(crate) order_id: Option<OrderId>,
    /// Only of this account.
    pub(crate) account_id: Option<AccountId>,
    /// Only in these states; in any when empty.
    pub(crate) states: Vec<ReturnState>,
}

/// The return with its lines; not found when the caller does not see its account.
pub(crate) async fn find(
    db: &Db,
    return_id: &ReturnId,
    caller: &Principal,
) -> Result<(Return, Vec<ReturnLine>), Fault> {
    let mut select = Select::new();
    select.equal("return_id", Some(return_id));
    select.seen_by(caller);
    let (tail, args) = select.into_page("return_id", 1);
    let rma = with_lines(db, db.list(&tail, args).await?).await?.into_iter().next();
    rma.ok_or_else(|| Fault::not_found("return", return_id))
}

/// Returns with their lines, as of one moment.
async fn with_lines(db: &Db, returns: Vec<Return>) -> Result<Vec<(Return, Vec<ReturnLine>)>, Fault> {
    db.whole(returns, |returns| lines(db, returns)).await
}

async fn lines(db: &Db, returns: Vec<Return>) -> Result<Vec<(Return, Vec<ReturnLine>)>, Fault> {
    let return_ids: Vec<_> = returns.iter().map(|rma| rma.return_id.clone()).collect();
    let mut select = Select::new();
    select.one_of("return_id", &return_ids);
    let (condition, args) = select.into_condition();
    let mut lines: BTreeMap<ReturnId, Vec<ReturnLine>> = BTreeMap::new();
    for line in db.list::<ReturnLine>(&format!("WHERE {condition} ORDER BY return_id, line_number"), args).await? {
        lines.entry(line.return_id.clone()).or_default().push(line);
    }
    let with_lines = |rma: Return| {
        let lines = lines.remove(&rma.return_id).unwrap_or_default();
        (rma, lines)
    };
    Ok(returns.into_iter().map(with_lines).collect())
}

/// The page that a request asks for. Its token belongs to the filter and the caller.
pub(crate) fn page(filter: &Filter, caller: &Principal, page_size: i32, page_token: &str) -> Result<Page, Fault> {
    let belongs_to: [&str; 2] = [&format!("{filter:?}"), &caller.to_string()];
    Page::read("returns", &belongs_to, &[Kind::Text], page_size, page_token)
}

/// A page of the returns that the caller sees with their lines, newest first, and the token of the next page.
pub(crate) async fn list(
    db: &Db,
    filter: &Filter,
    caller: &Principal,
    page: &Page,
) -> Result<(Vec<(Return, Vec<ReturnLine>)>, String), Fault> {
    let mut select = Select::new();
    if let Some(order_id) = &filter.order_id {
        select.few("order_id = ?", order_id.to_value());
    }
    select.seen_by(caller);
    select.equal("account_id", filter.account_id.as_ref());
    select.filter("state", &filter.states);
    select.after(&["return_id"], "<", page);
    let (tail, args) = select.into_merged_page("returns", "return_id", "return_id DESC", page.limit());
    let mut returns = db.list::<Return>(&tail, args).await?;
    let next_page_token = page.next_within(&mut returns, Return::full_bytes, |rma| vec![rma.return_id.to_value()]);
    Ok((with_lines(db, returns).await?, next_page_token))
}

/// Line numbers of an order of which units were delivered, and how many units can still come back.
pub(crate) async fn returnable(db: &Db, order_id: &OrderId, caller: &Principal) -> Result<Vec<(i64, i64)>, Fault> {
    let mut select = Select::new();
    select.equal("order_id", Some(order_id));
    select.seen_by(caller);
    let (tail, args) = select.into_page("order_id", 1);
    if db.list::<Order>(&tail, args).await?.is_empty() {
        return Err(Fault::not_found("order", order_id));
    }
    let sql = "SELECT line_number, CAST(SUM(quantity) AS BIGINT) AS delivered FROM deliveries WHERE order_id = $1 \
               GROUP BY line_number";
    let rows = db.rows(sql, vec![order_id.to_value()]).await?;
    let delivered: BTreeMap<i64, i64> =
        rows.iter().map(|row| Ok((row.get("line_number")?, row.get("delivered")?))).collect::<Result<_, Fault>>()?;
    let lines = db.list::<OrderLine>("WHERE order_id = $1 ORDER BY line_number", vec![order_id.to_value()]).await?;
    let returnable = |line: OrderLine| {
        let delivered = delivered.get(&line.line_number).copied().filter(|delivered| *delivered > 0)?;
        Some((line.line_number, line.returnable(delivered)))
    };
    Ok(lines.into_iter().filter_map(returnable).collect())
}
