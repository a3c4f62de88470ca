//! Lists.

use store::{Column, Db, Kind, page::Page};
use types::{Fault, PartnerId};

use crate::{
    message::{Direction, Message, State},
    partner::Partner,
    view::View,
};

/// Which messages are listed.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Only of this partner.
    pub partner_id: Option<PartnerId>,
    /// Only for this order; any when empty.
    pub order_id: String,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only in these states; any when empty.
    pub states: Vec<State>,
    /// Only with this reference; any when empty.
    pub control_number: String,
    /// What the caller sees.
    pub view: View,
    /// Who asks: a page token is of no use to others.
    pub caller: String,
}

/// A page of partners by id, and the token of the next.
pub(crate) async fn partners(db: &Db, page_size: i32, page_token: &str) -> Result<(Vec<Partner>, String), Fault> {
    let page = Page::read("partners", &[], &[Kind::Text], page_size, page_token)?;
    let mut args = page.after().map(<[_]>::to_vec).unwrap_or_default();
    let after = if args.is_empty() { "" } else { "WHERE partner_id > $1 " };
    args.push(page.limit().to_value());
    let tail = format!("{after}ORDER BY partner_id LIMIT ${}", args.len());
    let mut partners = db.list::<Partner>(&tail, args).await?;
    let next = page.next(&mut partners, |partner| vec![partner.partner_id.to_value()]);
    Ok((partners, next))
}

/// A page of messages, newest first, and the token of the next.
pub(crate) async fn messages(
    db: &Db,
    filter: &Filter,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<Message>, String), Fault> {
    let described = format!("{filter:?}");
    let page = Page::read("messages", &[&described, &filter.caller], &[Kind::Text], page_size, page_token)?;
    let (mut conditions, mut args) = (Vec::new(), Vec::new());
    let mut only = |column: &str, value| {
        args.push(value);
        conditions.push(format!("{column} ${}", args.len()));
    };
    match &filter.view {
        View::All => {}
        View::Own(partner_id) => only("partner_id =", partner_id.to_value()),
        View::Nothing => return Ok((Vec::new(), String::new())),
    }
    if let Some(partner_id) = &filter.partner_id {
        only("partner_id =", partner_id.to_value());
    }
    if !filter.order_id.is_empty() {
        only("order_id =", filter.order_id.to_value());
    }
    if let Some(direction) = filter.direction {
        only("direction =", direction.to_value());
    }
    if !filter.control_number.is_empty() {
        only("control_number =", filter.control_number.to_value());
    }
    if let Some([after]) = page.after() {
        only("message_id <", after.clone());
    }
    if !filter.states.is_empty() {
        let places: Vec<_> = filter
            .states
            .iter()
            .map(|state| {
                args.push(state.to_value());
                format!("${}", args.len())
            })
            .collect();
        conditions.push(format!("state IN ({})", places.join(", ")));
    }
    args.push(page.limit().to_value());
    let given = if conditions.is_empty() { String::new() } else { format!("WHERE {} ", conditions.join(" AND ")) };
    let tail = format!("{given}ORDER BY message_id DESC LIMIT ${}", args.len());
    let mut messages = db.list::<Message>(&tail, args).await?;
    let next = page.next(&mut messages, |message| vec![message.message_id.to_value()]);
    Ok((messages, next))
}
