//! Reads of more than one row, and the API key that has a hash.

use chassis::Select;
use mesh::Principal;
use store::{
    Column, Db, Kind,
    page::{Page, select_fitting},
};
use types::{ApiClientId, Fault, MessageId, PartnerId, limits::MAX_PAGE_BYTES};

use crate::{
    api_client::{ApiClient, bounds::Bounds},
    api_key::ApiKey,
    message::{Direction, Message, MessageState},
    partner::Partner,
};

/// Which messages are listed.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Only of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only of this order.
    pub order_id: Option<String>,
    /// Only in this direction.
    pub direction: Option<Direction>,
    /// Only in these states; in any when empty.
    pub states: Vec<MessageState>,
    /// Only with this control number.
    pub control_number: Option<String>,
}

/// A page of partners by id, and the token of the next.
pub(crate) async fn partners(db: &Db, page_size: i32, page_token: &str) -> Result<(Vec<Partner>, String), Fault> {
    let page = Page::read("partners", &[], &[Kind::Text], page_size, page_token)?;
    let mut select = Select::new();
    select.after(&["partner_id"], ">", &page);
    let (tail, args) = select.into_page("partner_id", page.limit());
    let mut partners = db.list::<Partner>(&tail, args).await?;
    let next = page.next(&mut partners, |partner| vec![partner.partner_id.to_value()]);
    Ok((partners, next))
}

/// A message; not found when the caller does not see it.
pub(crate) async fn message(db: &Db, message_id: &MessageId, caller: &Principal) -> Result<Message, Fault> {
    let mut select = Select::new();
    select.equal("message_id", Some(message_id));
    seen_messages(&mut select, caller);
    let (tail, args) = select.into_page("message_id", 1);
    let found = db.list::<Message>(&tail, args).await?.into_iter().next();
    found.ok_or_else(|| Fault::not_found("message", message_id))
}

/// Partners see their messages, staff those of their accounts.
fn seen_messages(select: &mut Select, caller: &Principal) {
    select.seen_by_staff_or_partner(&["partner_id"], caller);
}

/// A page of the messages that the caller sees, newest first, and the token of the next.
pub(crate) async fn messages(
    db: &Db,
    filter: &Filter,
    caller: &Principal,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<Message>, String), Fault> {
    let described = format!("{filter:?}");
    let page = Page::read("messages", &[&described, &caller.to_string()], &[Kind::Text], page_size, page_token)?;
    let mut select = Select::new();
    if let Some(order_id) = &filter.order_id {
        select.few("order_id = ?", order_id.to_value());
    }
    if let Some(control_number) = &filter.control_number {
        select.few("control_number = ?", control_number.to_value());
    }
    seen_messages(&mut select, caller);
    select.equal("partner_id", filter.partner_id.as_ref());
    // By any state, because the index of partners goes on with it. A message in one direction has states of its own.
    let fits = |state: &MessageState| {
        (filter.states.is_empty() || filter.states.contains(state))
            && filter.direction.is_none_or(|direction| direction == state.direction())
    };
    select.one_of("state", &MessageState::ALL.iter().copied().filter(fits).collect::<Vec<_>>());
    select.after(&["message_id"], "<", &page);
    let (tail, args) = select.into_merged_page("messages", "message_id", "message_id DESC", page.limit());
    page.select(db, &tail, args, &["outcome"], |message: &Message| vec![message.message_id.to_value()]).await
}

/// A page of the API clients that the caller sees by id, and the token of the next.
pub(crate) async fn api_clients(
    db: &Db,
    caller: &Bounds,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<ApiClient>, String), Fault> {
    let filter: [&str; 1] = [&caller.0.to_string()];
    let page = Page::read("api_clients", &filter, &[Kind::Text], page_size, page_token)?;
    let mut select = Select::new();
    select.after(&["api_client_id"], ">", &page);
    let (mut tail, mut args) = select.into_page("api_client_id", page.limit());
    let (mut seen, wanted) = (Vec::new(), usize::try_from(page.limit()).unwrap_or(usize::MAX));
    // What a caller that is limited to some accounts does not see is left out here: an API client has a list of accounts.
    loop {
        let (read, has_more) = select_fitting::<ApiClient>(db, &tail, args, &["account_ids"]).await?;
        let last = read.last().filter(|_| has_more).map(|last| last.api_client_id.clone());
        seen.extend(read.into_iter().filter(|api_client| caller.see(api_client)));
        let is_full = seen.len() > 1 && seen.iter().map(ApiClient::bytes).sum::<usize>() > MAX_PAGE_BYTES;
        let Some(last) = last.filter(|_| seen.len() < wanted && !is_full) else { break };
        let mut select = Select::new();
        select.and("api_client_id > ?", last.to_value());
        (tail, args) = select.into_page("api_client_id", page.limit());
    }
    let next = page.next_within(&mut seen, ApiClient::bytes, |api_client| vec![api_client.api_client_id.to_value()]);
    Ok((seen, next))
}

/// A page of the keys of an API client, newest first, and the token of the next.
pub(crate) async fn api_keys(
    db: &Db,
    api_client_id: &ApiClientId,
    caller: &Principal,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<ApiKey>, String), Fault> {
    let page = Page::read(
        "api_keys",
        &[&api_client_id.to_string(), &caller.to_string()],
        &[Kind::Text],
        page_size,
        page_token,
    )?;
    let mut select = Select::new();
    select.equal("api_client_id", Some(api_client_id));
    select.after(&["api_key_id"], "<", &page);
    let (tail, args) = select.into_page("api_key_id DESC", page.limit());
    let mut keys = db.list::<ApiKey>(&tail, args).await?;
    let next = page.next(&mut keys, |key| vec![key.api_key_id.to_value()]);
    Ok((keys, next))
}

/// The key with this hash.
pub(crate) async fn key_with_hash(db: &Db, key_hash: &str) -> Result<Option<ApiKey>, Fault> {
    let found = db.list::<ApiKey>("WHERE key_hash = $1", vec![key_hash.to_owned().to_value()]).await?;
    Ok(found.into_iter().next())
}
