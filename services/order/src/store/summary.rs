//! Counts over orders.
//!
//! Open orders, which are few of all, are counted when they are asked for. An order is added to the sums of its account when it
//! ends, and taken from them when it is opened again.

use std::collections::BTreeMap;

use chassis::Select;
use mesh::Principal;
use proto::{order::v1 as contract, types::v1::Money};
use store::{Column as _, Context, Db, Row, Sums};
use types::{AccountId, Fault};

use crate::{
    order::{Order, OrderStatus},
    order_line::OrderLine,
};

/// What is counted of orders, then of their lines. Columns of orders and lines have the same names.
const COUNTERS: &[&str] = &[
    "orders",
    "invoice_ready_minor",
    "lines",
    "ordered",
    "cancelled",
    "unallocated",
    "backordered",
    "reserved",
    "released",
    "cancel_requested",
    "picked",
    "shipped",
    "delivered",
    "short",
    "over_shipped",
    "invoice_ready",
    "return_authorized",
    "return_received",
    "credited",
    "invoiced",
    "credit_posted",
    "to_invoice",
    "to_credit",
];

/// What [`OrderLine::balance`] says of the units of a line that is read as `l`.
const TO_INVOICE: &str = "CASE WHEN l.invoiced <= l.credit_posted THEN l.invoice_ready - l.credited \
    WHEN l.invoice_ready - l.credited > l.invoiced - l.credit_posted \
    THEN l.invoice_ready - l.credited - l.invoiced + l.credit_posted ELSE 0 END";
const TO_CREDIT: &str = "CASE WHEN l.invoiced - l.credit_posted > l.invoice_ready - l.credited \
    THEN l.invoiced - l.credit_posted - l.invoice_ready + l.credited ELSE 0 END";

/// How many of the counters are not of lines.
const OF_ORDERS: usize = 2;

const ENDED: Sums = Sums { table: "ended_orders", key: &["account_id", "currency", "status"], columns: COUNTERS };

/// Keeps the sums over ended orders: `sign` is 1 for an order as it is now, and -1 as it was before.
pub(crate) fn count_ended<'l>(
    order: &Order,
    lines: impl IntoIterator<Item = &'l OrderLine>,
    sign: i64,
    cx: &mut Context<'_>,
) {
    if order.state.is_open() {
        return;
    }
    let mut of_lines = [0; 21];
    for line in lines {
        of_lines.iter_mut().zip(counted(line)).for_each(|(sum, number)| *sum += number);
    }
    let numbers = [1, order.invoice_ready_minor].into_iter().chain(of_lines).map(|number| sign * number);
    let numbers: Vec<i64> = numbers.collect();
    cx.add(&ENDED, vec![order.account_id.to_value(), order.currency.to_value(), order.status.to_value()], &numbers);
}

/// A line, in the order of the counters.
fn counted(line: &OrderLine) -> [i64; 21] {
    let balance = line.balance();
    [
        1,
        line.ordered,
        line.cancelled,
        line.unallocated,
        line.backordered,
        line.reserved,
        line.released,
        line.cancel_requested,
        line.picked,
        line.shipped,
        line.delivered,
        line.short,
        line.over_shipped,
        line.invoice_ready,
        line.return_authorized,
        line.return_received,
        line.credited,
        line.invoiced,
        line.credit_posted,
        balance.to_invoice,
        balance.to_credit,
    ]
}

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
    // One statement, so that an order that ends meanwhile is counted once. The last part counts lines. SQLite would read the
    // orders of an account by their status, all of them, were they grouped by the bare column.
    let open = format!("state IN ('SUBMITTED', 'CONFIRMED') AND {condition}");
    let (of_orders, of_lines) = COUNTERS.split_at(OF_ORDERS);
    let sum = |counter: &&str| format!("CAST(SUM({counter}) AS BIGINT)");
    let ended = COUNTERS.iter().map(sum).collect::<Vec<_>>().join(", ");
    let no_lines = of_lines.iter().map(|_| "0").collect::<Vec<_>>().join(", ");
    let no_orders = of_orders.iter().map(|_| "0").collect::<Vec<_>>().join(", ");
    let of_line = |counter: &str| match counter {
        "to_invoice" => TO_INVOICE.to_owned(),
        "to_credit" => TO_CREDIT.to_owned(),
        counter => format!("l.{counter}"),
    };
    let lines = of_lines.iter().skip(1).map(|counter| sum(&of_line(counter).as_str()));
    let lines = lines.collect::<Vec<_>>().join(", ");
    let sql = format!(
        "SELECT status, currency, {ended} FROM ended_orders WHERE {condition} GROUP BY status, currency UNION ALL \
         SELECT status || '', currency, COUNT(*), CAST(SUM(invoice_ready_minor) AS BIGINT), {no_lines} FROM orders \
         WHERE {open} GROUP BY status || '', currency UNION ALL \
         SELECT o.status || '', o.currency, {no_orders}, COUNT(*), {lines} \
         FROM (SELECT order_id, status, currency FROM orders WHERE {open}) AS o \
         JOIN order_lines l ON l.order_id = o.order_id GROUP BY o.status || '', o.currency"
    );
    Total::over(&db.query(sql, args).await?)?.to_contract()
}

/// Sums over all orders.
#[derive(Default)]
struct Total {
    statuses: BTreeMap<i32, i64>,
    invoice_ready: BTreeMap<String, i64>,
    lines: Vec<i64>,
}

impl Total {
    fn over(rows: &[Row]) -> Result<Self, Fault> {
        let mut total = Self { lines: vec![0; COUNTERS.len() - OF_ORDERS], ..Self::default() };
        for row in rows {
            let status = contract::OrderStatus::from(row.at::<OrderStatus>(0)?).into();
            *total.statuses.entry(status).or_default() += row.at::<i64>(2)?;
            *total.invoice_ready.entry(row.at(1)?).or_default() += row.at::<i64>(3)?;
            for (at, sum) in total.lines.iter_mut().enumerate() {
                *sum += row.at::<i64>(2 + OF_ORDERS + at)?;
            }
        }
        Ok(total)
    }

    fn to_contract(&self) -> Result<contract::SummarizeOrdersResponse, Fault> {
        let &[
            line_count,
            ordered,
            cancelled,
            unallocated,
            backordered,
            reserved,
            released,
            cancel_requested,
            picked,
            shipped,
            delivered,
            short,
            over_shipped,
            invoice_ready,
            return_authorized,
            return_received,
            credited,
            invoiced,
            credit_posted,
            to_invoice,
            to_credit,
        ] = self.lines.as_slice()
        else {
            return Err(Fault::internal("a summary has other counters than the contract"));
        };
        let statuses = self.statuses.iter().filter(|(_, count)| **count > 0);
        let ready = self.invoice_ready.iter().filter(|(_, minor)| **minor > 0);
        Ok(contract::SummarizeOrdersResponse {
            statuses: statuses
                .map(|(status, count)| contract::StatusCount { status: *status, order_count: *count })
                .collect(),
            line_count,
            units: Some(contract::LineCounters {
                ordered,
                cancelled,
                unallocated,
                backordered,
                reserved,
                released,
                cancel_requested,
                picked,
                shipped,
                delivered,
                short,
                over_shipped,
                invoice_ready,
                return_authorized,
                return_received,
                credited,
                invoiced,
                credit_posted,
                to_invoice,
                to_credit,
            }),
            invoice_ready: ready
                .map(|(currency, minor)| Money { currency: currency.clone(), minor_units: *minor })
                .collect(),
        })
    }
}
