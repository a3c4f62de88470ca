//! Reads of more than one row, outside of commands.

use std::collections::HashMap;

use chassis::Select;
use mesh::{
    Accounts, Principal,
    wire::{Checks, checked},
};
use proto::operations::v1::{ListExceptionsRequest, RetryExceptionsRequest};
use store::{
    Column, Db, Kind, Value,
    page::{Page, select_fitting},
};
use types::{ExceptionId, Fault, OrderId, limits::MAX_NAME};

use crate::{
    exception::{Exception, State},
    timeline::{Audience, Entry},
};

/// Entries of a page when the caller does not set a size.
const DEFAULT_ENTRIES: i32 = 100;

/// Entries of a page at most.
const MAX_ENTRIES: i32 = 1_000;

/// How many entries of a followed timeline are read at once.
const STEP: i64 = 250;

/// Exceptions whose work is tried again in one call when the caller does not say how many.
const DEFAULT_RETRIES: i64 = 50;

/// The most exceptions whose work is tried again in one call.
const MAX_RETRIES: i64 = 500;

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
    let wanted = match page_size {
        0 => DEFAULT_ENTRIES,
        size => size.min(MAX_ENTRIES),
    };
    let filter: [&str; 2] = [&order_id.to_string(), &caller.to_string()];
    let page = Page::read("timeline", &filter, &[Kind::Integer, Kind::Integer], wanted, page_token)?;
    let after = match page.after() {
        Some([occur_time, Value::Integer(place)]) => {
            let entry_number = entry_at(db, order_id, caller, *place).await?;
            let entry_number =
                entry_number.ok_or_else(|| Fault::invalid("page_token", "is not a token of this list"))?;
            Some([occur_time.clone(), Value::Integer(entry_number)])
        }
        _ => None,
    };
    let mut select = entries(order_id, caller);
    if let Some(after) = &after {
        select.beyond(&["occur_time", "entry_number"], ">", after);
    }
    let (tail, args) = select.into_page("occur_time, entry_number", i64::from(wanted) + 1);
    let (listed, has_more) = select_fitting::<Entry>(db, &tail, args, &["body"]).await?;
    let Some(last) = listed.last().filter(|_| has_more) else { return Ok((listed, String::new())) };
    let place = place_of(db, order_id, caller, last.entry_number).await?;
    let token = page.token(&[last.occur_time.to_value(), Value::Integer(place)]);
    Ok((listed, token))
}

/// The place of an entry in its order's timeline, from 1, in the order in which the entries that the caller sees became
/// known. Tokens have it instead of the entry's number, which counts the entries of all orders.
async fn place_of(db: &Db, order_id: &OrderId, caller: &Principal, entry_number: i64) -> Result<i64, Fault> {
    let mut select = entries(order_id, caller);
    select.and("entry_number <= ?", Value::Integer(entry_number));
    let (condition, args) = select.into_condition();
    let rows = db.query(format!("SELECT COUNT(*) FROM timeline WHERE {condition}"), args).await?;
    rows.first().map_or(Ok(0), |row| row.at(0))
}

/// The number of the entry at a place; none when there are fewer entries.
pub(crate) async fn entry_at(
    db: &Db,
    order_id: &OrderId,
    caller: &Principal,
    place: i64,
) -> Result<Option<i64>, Fault> {
    let (condition, mut args) = entries(order_id, caller).into_condition();
    args.push(Value::Integer(place.saturating_sub(1).max(0)));
    let sql = format!(
        "SELECT entry_number FROM timeline WHERE {condition} ORDER BY entry_number LIMIT 1 OFFSET ${}",
        args.len()
    );
    db.query(sql, args).await?.first().map(|row| row.at(0)).transpose()
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
    let (tail, args) = select.into_page("entry_number", STEP + 1);
    Ok(select_fitting(db, &tail, args, &["body"]).await?.0)
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

/// A page of the exceptions that the caller sees, newest first, and the token of the next page.
pub(crate) async fn list_exceptions(
    db: &Db,
    request: &ListExceptionsRequest,
    caller: &Principal,
) -> Result<(Vec<Exception>, String), Fault> {
    let ExceptionFilter { exception_type, states, order_id } = ExceptionFilter::parse(request)?;
    let named_states = states.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(",");
    let filter = [exception_type.as_str(), &request.order_id, &named_states, &caller.to_string()];
    let kinds = [Kind::Integer, Kind::Text];
    let page = Page::read("exceptions", &filter, &kinds, request.page_size, &request.page_token)?;

    let mut select = Select::new();
    if let Some(order_id) = &order_id {
        select.few("order_id = ?", order_id.to_value());
    }
    select.seen_by(caller);
    select.equal("exception_type", Some(&exception_type).filter(|text| !text.is_empty()));
    select.filter("state", &states);
    select.after(&["open_time", "exception_id"], "<", &page);
    let order = "open_time DESC, exception_id DESC";
    let (tail, args) = select.into_merged_page("exceptions", "exception_id", order, page.limit());
    let key = |last: &Exception| vec![last.open_time.to_value(), last.exception_id.to_value()];
    page.select(db, &tail, args, &["report", "resolution"], key).await
}

/// An exception; not found when the caller does not see it.
pub(crate) async fn get_exception(db: &Db, exception_id: &ExceptionId, caller: &Principal) -> Result<Exception, Fault> {
    let found = db.load::<Exception>(exception_id).await?;
    let seen = found.filter(|exception| caller.sees_of(exception.account_id.as_ref()));
    seen.ok_or_else(|| Fault::not_found("exception", exception_id))
}

/// The open exceptions about failed work that the caller sees, oldest first, and whether there are more.
pub(crate) async fn failed_work(
    db: &Db,
    request: &RetryExceptionsRequest,
    caller: &Principal,
) -> Result<(Vec<ExceptionId>, bool), Fault> {
    let mut checks = Checks::new();
    let order_id = checks.optional_id::<OrderId>("order_id", &request.order_id);
    let source = checks.optional_text("source", &request.source, MAX_NAME);
    checks.done()?;
    let (order_id, source) = (checked(order_id)?, checked(source)?);
    let limit = match request.limit {
        0 => DEFAULT_RETRIES,
        some if some > 0 => i64::from(some).min(MAX_RETRIES),
        _ => return Err(Fault::invalid("limit", "must not be negative")),
    };

    let mut select = Select::new();
    if let Some(order_id) = &order_id {
        select.few("order_id = ?", order_id.to_value());
    }
    select.seen_by(caller);
    select.equal("exception_type", Some(&request.r#type));
    select.filter("state", &[State::Open, State::Assigned]);
    if !source.is_empty() {
        select.and("source || '' = ?", source.to_value());
    }
    let (tail, args) = select.into_merged_page("exceptions", "exception_id", "open_time, exception_id", limit + 1);
    let found = db.list::<Exception>(&tail, args).await?.into_iter().map(|exception| exception.exception_id);
    let mut found: Vec<_> = found.collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}

/// How many exceptions that the caller sees there are of each type and state.
pub(crate) async fn count_exceptions(db: &Db, caller: &Principal) -> Result<Vec<(String, State, i64)>, Fault> {
    let (sql, args) = if caller.sees_all() {
        let sql = "SELECT exception_type, state, number FROM exception_counts WHERE number > 0 \
                   ORDER BY exception_type, state";
        (sql.to_owned(), Vec::new())
    } else {
        let mut select = Select::new();
        select.seen_by(caller);
        let (condition, args) = select.into_condition();
        let sql = format!(
            "SELECT exception_type, state, COUNT(*) AS number FROM exceptions WHERE {condition} \
             GROUP BY exception_type, state ORDER BY exception_type, state"
        );
        (sql, args)
    };
    let rows = db.query(sql, args).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?, row.at(2)?))).collect()
}

/// How far each log was followed, by subscription.
pub(crate) async fn positions(db: &Db) -> Result<HashMap<String, i64>, Fault> {
    let rows = db.rows("SELECT name, position FROM subscriptions", Vec::new()).await?;
    rows.iter().map(|row| Ok((row.at(0)?, row.at(1)?))).collect()
}
