//! Lists and lookups.

use std::collections::BTreeMap;

use mesh::{Accounts, Principal};
use store::{Column, Db, Kind, Value, page::Page};
use types::{AccountId, Fault, OrderId, ReturnId};

use crate::{
    order::{Order, OrderLine},
    rma::{Line, Rma, State},
};

/// Which returns are listed.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Only of this order.
    pub(crate) order_id: Option<OrderId>,
    /// Only of this account.
    pub(crate) account_id: Option<AccountId>,
    /// Only in these states; any when empty.
    pub(crate) states: Vec<State>,
    /// Whose the caller sees.
    pub(crate) accounts: Accounts,
    /// Who asks: a page token is of no use to others.
    pub(crate) caller: String,
}

/// A return with its lines, if the caller sees it.
pub(crate) async fn find(db: &Db, return_id: &ReturnId, caller: &Principal) -> Result<(Rma, Vec<Line>), Fault> {
    let mut select = Select::default();
    select.only("return_id", std::iter::once(return_id.to_value()));
    select.seen_by(caller.own_accounts());
    let rma = db.list::<Rma>(&select.conditions(), select.args).await?.into_iter().next();
    let rma = rma.ok_or_else(|| Fault::not_found("return", return_id))?;
    let lines = db.list("WHERE return_id = $1 ORDER BY line_number", vec![return_id.to_value()]).await?;
    Ok((rma, lines))
}

/// A page of returns with their lines, newest first, and the token of the next.
pub(crate) async fn list(
    db: &Db,
    filter: &Filter,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<(Rma, Vec<Line>)>, String), Fault> {
    let described = format!("{filter:?}");
    let page = Page::read("returns", &[&described, &filter.caller], &[Kind::Text], page_size, page_token)?;
    let mut select = Select::default();
    select.seen_by(&filter.accounts);
    select.only("order_id", filter.order_id.iter().map(Column::to_value));
    select.only("account_id", filter.account_id.iter().map(Column::to_value));
    select.only("state", filter.states.iter().map(Column::to_value));
    if let Some([after]) = page.after() {
        select.compare("return_id <", after.clone());
    }
    let tail = select.tail("ORDER BY return_id DESC");
    let mut rmas = db.list::<Rma>(&tail, select.args(page.limit())).await?;
    let next = page.next(&mut rmas, |rma| vec![rma.return_id.to_value()]);

    let mut lines: BTreeMap<ReturnId, Vec<Line>> = BTreeMap::new();
    if !rmas.is_empty() {
        let mut select = Select::default();
        select.only("return_id", rmas.iter().map(|rma| rma.return_id.to_value()));
        let tail = format!("{} ORDER BY return_id, line_number", select.conditions());
        for line in db.list::<Line>(&tail, select.args).await? {
            lines.entry(line.return_id.clone()).or_default().push(line);
        }
    }
    let with_lines = |rma: Rma| {
        let lines = lines.remove(&rma.return_id).unwrap_or_default();
        (rma, lines)
    };
    Ok((rmas.into_iter().map(with_lines).collect(), next))
}

/// Line numbers of an order of which something was delivered, and how many units can still come back.
pub(crate) async fn returnable(db: &Db, order_id: &OrderId, caller: &Principal) -> Result<Vec<(i64, i64)>, Fault> {
    let mut select = Select::default();
    select.only("order_id", std::iter::once(order_id.to_value()));
    select.seen_by(caller.own_accounts());
    if db.list::<Order>(&select.conditions(), select.args).await?.is_empty() {
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

/// Conditions put together at run time from fixed parts.
#[derive(Default)]
struct Select {
    conditions: Vec<String>,
    args: Vec<Value>,
}

impl Select {
    /// Only rows whose column is one of the values; any when there are none.
    fn only(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let first = self.args.len();
        self.args.extend(values);
        let places: Vec<_> = (first + 1..=self.args.len()).map(|place| format!("${place}")).collect();
        if !places.is_empty() {
            self.conditions.push(format!("{column} IN ({})", places.join(", ")));
        }
    }

    /// Only rows of the accounts the caller sees; none when it sees none.
    fn seen_by(&mut self, accounts: &Accounts) {
        match accounts {
            Accounts::All => {}
            Accounts::Only(accounts) if accounts.is_empty() => self.conditions.push("1 = 0".to_owned()),
            Accounts::Only(accounts) => self.only("account_id", accounts.iter().map(Column::to_value)),
        }
    }

    fn compare(&mut self, comparison: &str, value: Value) {
        self.args.push(value);
        self.conditions.push(format!("{comparison} ${}", self.args.len()));
    }

    fn conditions(&self) -> String {
        if self.conditions.is_empty() { String::new() } else { format!("WHERE {}", self.conditions.join(" AND ")) }
    }

    fn tail(&self, order: &str) -> String {
        format!("{} {order} LIMIT ${}", self.conditions(), self.args.len() + 1)
    }

    fn args(self, limit: i64) -> Vec<Value> {
        let mut args = self.args;
        args.push(limit.to_value());
        args
    }
}
