//! Reads.

use std::collections::HashMap;

use mesh::{Accounts, Principal};
use store::{Column, Db, Kind, Value, page::Page};
use types::{ExceptionId, Fault, OrderId};

use crate::{
    audience::Audience,
    case::{Case, State},
    timeline::Entry,
};

/// Entries of a page when the caller does not say.
const USUAL_ENTRIES: i32 = 100;

/// Entries of a page at most.
const MOST_ENTRIES: i32 = 1_000;

/// How many entries are read at once.
const STEP: i32 = 250;

/// Refuses an order that nothing is known of, or that is none of these accounts'.
pub(crate) async fn see_order(db: &Db, order_id: &OrderId, accounts: &Accounts) -> Result<(), Fault> {
    let mut args = vec![order_id.to_value()];
    let sql = match accounts {
        // An order may be in a log that is ahead of the order service's own.
        Accounts::All => {
            args.push(order_id.to_value());
            "SELECT order_id FROM orders WHERE order_id = $1 \
             UNION ALL SELECT order_id FROM timeline WHERE order_id = $2 LIMIT 1"
                .to_owned()
        }
        Accounts::Only(accounts) if accounts.is_empty() => return Err(Fault::not_found("order", order_id)),
        Accounts::Only(accounts) => {
            args.extend(accounts.iter().map(Column::to_value));
            format!(
                "SELECT order_id FROM orders WHERE order_id = $1 AND account_id IN ({})",
                numbered(2, accounts.len())
            )
        }
    };
    match db.query(sql, args).await?.is_empty() {
        true => Err(Fault::not_found("order", order_id)),
        false => Ok(()),
    }
}

/// Which entries a caller is shown, as a condition.
fn shown_to(caller: &Principal) -> String {
    if caller.is_staff() { String::new() } else { format!(" AND audience = '{}'", Audience::Customer.as_str()) }
}

/// A page of an order's entries that the caller is shown, by the time they happened, and the token of the next page.
pub(crate) async fn list_entries(
    db: &Db,
    order_id: &OrderId,
    caller: &Principal,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<Entry>, String), Fault> {
    let mut wanted = match page_size {
        0 => USUAL_ENTRIES,
        size => size.min(MOST_ENTRIES),
    };
    let mut entries = Vec::new();
    let mut token = page_token.to_owned();
    loop {
        let kinds = [Kind::Integer, Kind::Integer];
        let filter: [&str; 2] = [&order_id.to_string(), &caller.to_string()];
        let page = Page::read("timeline", &filter, &kinds, wanted.min(STEP), &token)?;
        let mut args = vec![order_id.to_value()];
        args.extend(page.after().into_iter().flatten().cloned());
        let after = if args.len() > 1 { " AND (occurred_time, entry_number) > ($2, $3)" } else { "" };
        args.push(Value::Integer(page.limit()));
        let (shown, limit) = (shown_to(caller), args.len());
        let tail = format!("WHERE order_id = $1{shown}{after} ORDER BY occurred_time, entry_number LIMIT ${limit}");
        let mut rows = db.list::<Entry>(&tail, args).await?;
        token = page.next(&mut rows, |last| vec![last.occurred_time.to_value(), Value::Integer(last.entry_number)]);
        wanted = wanted.saturating_sub(i32::try_from(rows.len()).unwrap_or(i32::MAX));
        entries.extend(rows);
        if token.is_empty() || wanted <= 0 {
            return Ok((entries, token));
        }
    }
}

/// An order's entries after a number that the caller is shown, in the order they became known.
pub(crate) async fn entries_after(
    db: &Db,
    order_id: &OrderId,
    caller: &Principal,
    entry_number: i64,
) -> Result<Vec<Entry>, Fault> {
    let args = vec![order_id.to_value(), Value::Integer(entry_number), Value::Integer(i64::from(STEP))];
    let shown = shown_to(caller);
    db.list(&format!("WHERE order_id = $1{shown} AND entry_number > $2 ORDER BY entry_number LIMIT $3"), args).await
}

/// Which cases.
#[derive(Debug)]
pub(crate) struct Cases {
    pub(crate) kind: String,
    pub(crate) states: Vec<State>,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) page_size: i32,
    pub(crate) page_token: String,
}

/// A page of cases, newest first, and the token of the next page.
pub(crate) async fn list_cases(db: &Db, mut cases: Cases) -> Result<(Vec<Case>, String), Fault> {
    cases.states.sort_unstable();
    cases.states.dedup();
    let order_id = cases.order_id.map(|order_id| order_id.to_string()).unwrap_or_default();
    let states: Vec<&str> = cases.states.iter().map(|state| state.as_str()).collect();
    let filter = [cases.kind.as_str(), &order_id, &states.join(",")];
    let page = Page::read("cases", &filter, &[Kind::Integer, Kind::Text], cases.page_size, &cases.page_token)?;

    let mut args = Vec::new();
    let mut conditions = Vec::new();
    for (column, value) in [("kind", &cases.kind), ("order_id", &order_id)] {
        if !value.is_empty() {
            args.push(Value::Text(value.clone()));
            conditions.push(format!("{column} = ${}", args.len()));
        }
    }
    if !states.is_empty() {
        conditions.push(format!("state IN ({})", numbered(args.len() + 1, states.len())));
        args.extend(cases.states.iter().map(Column::to_value));
    }
    if let Some(after) = page.after() {
        conditions.push(format!("(open_time, exception_id) < (${}, ${})", args.len() + 1, args.len() + 2));
        args.extend(after.iter().cloned());
    }
    args.push(Value::Integer(page.limit()));
    let filtered = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    let tail = format!("{filtered} ORDER BY open_time DESC, exception_id DESC LIMIT ${}", args.len());
    let mut rows = db.list::<Case>(&tail, args).await?;
    let token = page.next(&mut rows, |last| vec![last.open_time.to_value(), last.exception_id.to_value()]);
    Ok((rows, token))
}

/// A case.
pub(crate) async fn get_case(db: &Db, exception_id: &ExceptionId) -> Result<Case, Fault> {
    db.load(exception_id).await?.ok_or_else(|| Fault::not_found("case", exception_id))
}

/// How many cases there are of each type and state.
pub(crate) async fn count_cases(db: &Db) -> Result<Vec<(String, State, i64)>, Fault> {
    let sql = "SELECT kind, state, COUNT(*) AS number FROM cases GROUP BY kind, state ORDER BY kind, state";
    let rows = db.rows(sql, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?, row.at(2)?))).collect()
}

/// How far each log was followed, by subscription.
pub(crate) async fn positions(db: &Db) -> Result<HashMap<String, i64>, Fault> {
    let rows = db.rows("SELECT name, position FROM subscriptions", Vec::new()).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}

/// `$first, ...` for this many values.
fn numbered(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}
