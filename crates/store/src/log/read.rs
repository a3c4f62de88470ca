//! Reads the log.

use std::fmt::Write as _;

use prost::Message;
use proto::event::v1::Event;
use types::Fault;

use crate::{db::Db, value::Value};

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
    let mut sql = String::from("SELECT body FROM events WHERE position > $1 AND position <= $2");
    let mut args = vec![Value::Integer(filter.after), Value::Integer(filter.through)];
    if !filter.correlation_id.is_empty() {
        args.push(Value::Text(filter.correlation_id.clone()));
        let _ignored = write!(sql, " AND correlation_id = ${}", args.len());
    }
    for (index, event_type) in filter.event_types.iter().enumerate() {
        args.push(Value::Text(event_type.clone()));
        let _ignored = write!(sql, "{}${}", if index == 0 { " AND type IN (" } else { ", " }, args.len());
    }
    if !filter.event_types.is_empty() {
        sql.push(')');
    }
    args.push(Value::Integer(filter.limit));
    let _ignored = write!(sql, " ORDER BY position LIMIT ${}", args.len());
    let rows = db.query(sql, args).await?;
    let decode = |body: Vec<u8>| Event::decode(body.as_slice()).map_err(|_| Fault::internal("an event cannot be read"));
    rows.into_iter().map(|row| decode(row.at(0)?)).collect()
}
