//! Reads the log.

use std::fmt::Write as _;

use prost::Message;
use proto::event::v1::Event;
use types::Fault;

use crate::{db::Db, value::Value};

/// The most types whose events are read one type after the other.
const MOST_TYPES: usize = 32;

/// Which events to read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) after: i64,
    /// Last position to read.
    pub(crate) through: i64,
    pub(crate) event_types: Vec<String>,
    pub(crate) correlation_id: String,
    pub(crate) limit: i64,
}

/// The log's last position.
pub(crate) async fn head(db: &Db) -> Result<i64, Fault> {
    let rows = db.rows("SELECT position FROM log_head WHERE id = 1", Vec::new()).await?;
    rows.first().ok_or_else(|| Fault::internal("the log has no head"))?.at(0)
}

/// Events in position order.
pub(crate) async fn events(db: &Db, filter: &Filter) -> Result<Vec<Event>, Fault> {
    let mut condition = String::from("position > $1 AND position <= $2");
    let mut args = vec![Value::Integer(filter.after), Value::Integer(filter.through)];
    if !filter.correlation_id.is_empty() {
        args.push(Value::Text(filter.correlation_id.clone()));
        let _ignored = write!(condition, " AND correlation_id = ${}", args.len());
    }
    args.push(Value::Integer(filter.limit));
    let end = format!("ORDER BY position LIMIT ${}", args.len());
    let mut of_types = Vec::new();
    for event_type in &filter.event_types {
        args.push(Value::Text(event_type.clone()));
        of_types.push(format!("type = ${}", args.len()));
    }
    // The events of an order are few, and so are those of a type after a position, up to the limit.
    let condition = match of_types.as_slice() {
        [] => condition,
        several if filter.correlation_id.is_empty() && (1..=MOST_TYPES).contains(&several.len()) => {
            let page = |(number, of_type): (usize, &String)| {
                format!(
                    "SELECT position FROM (SELECT position FROM events WHERE {condition} AND {of_type} {end}) \
                     AS page{number}"
                )
            };
            let pages: Vec<String> = several.iter().enumerate().map(page).collect();
            format!("position IN ({})", pages.join(" UNION ALL "))
        }
        several => format!("{condition} AND ({})", several.join(" OR ")),
    };
    let rows = db.query(format!("SELECT body FROM events WHERE {condition} {end}"), args).await?;
    let decode = |body: Vec<u8>| Event::decode(body.as_slice()).map_err(|_| Fault::internal("an event cannot be read"));
    rows.into_iter().map(|row| decode(row.at(0)?)).collect()
}
