//! Counts over orders.

use chassis::Select;
use mesh::{Accounts, Principal};
use proto::{order::v1 as contract, types::v1::Money};
use store::Db;
use types::{AccountId, Fault};

use crate::order::OrderStatus;

const COUNTERS: [&str; 14] = [
    "ordered",
    "cancelled",
    "unallocated",
    "backordered",
    "reserved",
    "released",
    "picked",
    "shipped",
    "delivered",
    "short",
    "over_shipped",
    "invoice_ready",
    "return_authorized",
    "return_received",
];

/// Counts the orders that the caller sees, their lines, units and amounts.
pub(crate) async fn summary(
    db: &Db,
    account_id: Option<&AccountId>,
    caller: &Principal,
) -> Result<contract::SummarizeOrdersResponse, Fault> {
    let mut select = Select::new();
    select.equal("account_id", account_id);
    select.seen_by(caller);
    let (condition, args) = select.into_condition();
    let counted = db
        .query(
            format!("SELECT status, COUNT(*) FROM orders WHERE {condition} GROUP BY status ORDER BY status"),
            args.clone(),
        )
        .await?;
    let mut statuses = Vec::with_capacity(counted.len());
    for row in counted {
        let status: OrderStatus = row.at(0)?;
        let status = contract::OrderStatus::from(status).into();
        statuses.push(contract::StatusCount { status, order_count: row.at(1)? });
    }
    statuses.sort_by_key(|count| count.status);

    let ready = format!(
        "SELECT currency, CAST(SUM(invoice_ready_minor) AS BIGINT) FROM orders WHERE {condition} \
         GROUP BY currency ORDER BY currency"
    );
    let mut invoice_ready = Vec::new();
    for row in db.query(ready, args.clone()).await? {
        invoice_ready.push(Money { currency: row.at(0)?, minor_units: row.at(1)? });
    }
    invoice_ready.retain(|money| money.minor_units > 0);

    let sums = COUNTERS.map(|counter| format!("CAST(COALESCE(SUM({counter}), 0) AS BIGINT)")).join(", ");
    let all = account_id.is_none() && *caller.own_accounts() == Accounts::All;
    let of_orders =
        if all { String::new() } else { format!(" WHERE order_id IN (SELECT order_id FROM orders WHERE {condition})") };
    let lines = db.query(format!("SELECT COUNT(*), {sums} FROM order_lines{of_orders}"), args).await?;
    let lines = lines.first().ok_or_else(|| Fault::internal("a sum returned no row"))?;
    let units = contract::LineCounters {
        ordered: lines.at(1)?,
        cancelled: lines.at(2)?,
        unallocated: lines.at(3)?,
        backordered: lines.at(4)?,
        reserved: lines.at(5)?,
        released: lines.at(6)?,
        picked: lines.at(7)?,
        shipped: lines.at(8)?,
        delivered: lines.at(9)?,
        short: lines.at(10)?,
        over_shipped: lines.at(11)?,
        invoice_ready: lines.at(12)?,
        return_authorized: lines.at(13)?,
        return_received: lines.at(14)?,
    };
    Ok(contract::SummarizeOrdersResponse { statuses, line_count: lines.at(0)?, units: Some(units), invoice_ready })
}
