//! Reads of more than one row, outside of commands.

use std::collections::HashMap;

use chassis::Select;
use mesh::{
    Accounts, Principal,
    wire::{Checks, checked},
};
use proto::operations::v1::ListExceptionsRequest;
use store::{Column, Db, Kind, Value, page::Page};
use types::{ExceptionId, Fault, OrderId};

use crate::{
    exception::{Exception, State},
    timeline::{Audience, Entry},
};

/// Entries of a page when the caller does not set a size.
const DEFAULT_ENTRIES: i32 = 100;

/// Entries of a page at most.
const MAX_ENTRIES: i32 = 1_000;

/// How many entries are read at once.
const STEP: i32 = 250;

/// The most characters of an exception type to filter by.
const MAX_EXCEPTION_TYPE: usize = 100;

/// Refuses an order that is unknown here, or that the caller does not see.
pub(crate) async fn check_visible(db: &Db, order_id: &OrderId, caller: &Principal) -> Result<(), Fault> {
    let mut select = Select::new();
    select.equal("order_id", Some(order_id));
    select.seen_by(caller);
    let (condition, mut args) = select.into_condition();
    let mut sql = format!("SELECT order_id FROM orders WHERE {condition}");
    if matches!(caller.own_accounts(), Accounts::All) {
        // Another log may be read further than that of the order service.
        args.push(order_id.to_value());
        sql += &format!(" UNION ALL SELECT order_id FROM timeline WHERE order_id = ${} LIMIT 1", args.len());
    }
    if db.query(sql, args).await?.is_empty() { Err(Fault::not_found("order", order_id)) } else { Ok(()) }
}

/// The entries of an order that the caller sees.
fn entries(order_id: &OrderId, caller: &Principal) -> Select {
    let mut select = Select::new();
    select.equal("order_id", Some(order_id));
    select.equal("audience", (!caller.is_staff()).then_some(&Audience::Customer));
    select
}

/// A page of an order's entries that the caller sees, by the time they occurred, and the token of the next page.
pub(crate) async fn list_entries(
    db: &Db,
    order_id: &OrderId,
    caller: &Principal,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<Entry>, String), Fault> {
    let mut missing = match page_size {
        0 => DEFAULT_ENTRIES,
        size => size.min(MAX_ENTRIES),
    };
    let mut listed = Vec::new();
    let mut token = page_token.to_owned();
    loop {
        let kinds = [Kind::Integer, Kind::Integer];
        let filter: [&str; 2] = [&order_id.to_string(), &caller.to_string()];
        let page = Page::read("timeline", &filter, &kinds, missing.min(STEP), &token)?;
        let mut select = entries(order_id, caller);
        select.after(&["occur_time", "entry_number"], ">", &page);
        let (tail, args) = select.into_page("occur_time, entry_number", page.limit());
        let mut rows = db.list::<Entry>(&tail, args).await?;
        token = page.next(&mut rows, |last| vec![last.occur_time.to_value(), Value::Integer(last.entry_number)]);
        missing = missing.saturating_sub(i32::try_from(rows.len()).unwrap_or(i32::MAX));
        listed.extend(rows);
        if token.is_empty() || missing <= 0 {
            return Ok((listed, token));
        }
    }
}

/// An order's entries after a number that the caller sees, in the order in which they became known here.
pub(crate) async fn entries_after(
    db: &Db,
    order_id: &OrderId,
    caller: &Principal,
    entry_number: i64,
) -> Result<Vec<Entry>, Fault> {
    let mut select = entries(order_id, caller);
    select.and("entry_number > ?", Value::Integer(entry_number));
    let (tail, args) = select.into_page("entry_number", i64::from(STEP));
    db.list(&tail, args).await
}

/// Which exceptions to list.
struct ExceptionFilter {
    exception_type: String,
    states: Vec<State>,
    order_id: Option<OrderId>,
}

impl ExceptionFilter {
    fn parse(request: &ListExceptionsRequest) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let exception_type = checks.optional_text("type", &request.r#type, MAX_EXCEPTION_TYPE);
        let order_id = checks.optional_id("order_id", &request.order_id);
        let states = checks.choices("states", &request.states, State::from_contract);
        checks.done()?;
        Ok(Self { exception_type: checked(exception_type)?, states: checked(states)?, order_id: checked(order_id)? })
    }
}

/// A page of exceptions, newest first, and the token of the next page.
pub(crate) async fn list_exceptions(
    db: &Db,
    request: &ListExceptionsRequest,
) -> Result<(Vec<Exception>, String), Fault> {
    let ExceptionFilter { exception_type, states, order_id } = ExceptionFilter::parse(request)?;
    let named_states = states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(",");
    let filter = [exception_type.as_str(), &request.order_id, &named_states];
    let kinds = [Kind::Integer, Kind::Text];
    let page = Page::read("exceptions", &filter, &kinds, request.page_size, &request.page_token)?;

    let mut select = Select::new();
    if let Some(order_id) = &order_id {
        select.few("order_id = ?", order_id.to_value());
    }
    select.equal("exception_type", Some(&exception_type).filter(|text| !text.is_empty()));
    select.filter("state", &states);
    select.after(&["open_time", "exception_id"], "<", &page);
    let order = "open_time DESC, exception_id DESC";
    let (tail, args) = select.into_merged_page("exceptions", "exception_id", order, page.limit());
    let mut rows = db.list::<Exception>(&tail, args).await?;
    let token = page.next(&mut rows, |last| vec![last.open_time.to_value(), last.exception_id.to_value()]);
    Ok((rows, token))
}

/// An exception.
pub(crate) async fn get_exception(db: &Db, exception_id: &ExceptionId) -> Result<Exception, Fault> {
    db.load(exception_id).await?.ok_or_else(|| Fault::not_found("exception", exception_id))
}

/// How many exceptions there are of each type and state.
pub(crate) async fn count_exceptions(db: &Db) -> Result<Vec<(String, State, i64)>, Fault> {
    let sql = "SELECT exception_type, state, number FROM exception_counts WHERE number > 0 \
               ORDER BY exception_type, state";
    let rows = db.rows(sql, Vec::new()).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?, row.at(2)?))).collect()
}

/// How far each log was followed, by subscription.
pub(crate) async fn positions(db: &Db) -> Result<HashMap<String, i64>, Fault> {
    let rows = db.rows("SELECT name, position FROM subscriptions", Vec::new()).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}
