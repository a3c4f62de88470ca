//! What must hold whatever happened, as far as the API shows it.
//!
//! [`laws`] holds at any time at which no report is half done. [`waiting_in_vain`] holds when every worker has done what is due.

mod services;
mod shipping;
mod waiting;

use serde_json::Value;
use waybill::rest::{Rest, number};

pub use waiting::waiting_in_vain;

/// What must hold whatever happened: every chain verifies, every line's units add up and are invoiced and credited as far as
/// they are owed, services go with their goods, stock equals its ledger, what shipments have is what left stock and what orders count, and no more units are
/// reserved and allocated than there are.
pub async fn laws(rest: &Rest) -> anyhow::Result<()> {
    verify_logs(rest).await?;
    let orders = rest.list("/v1/orders?view=ORDER_VIEW_FULL", "orders").await?;
    lines_add_up(rest, &orders).await?;
    services::follow_goods(&orders)?;
    let movements = stock_equals_its_ledger(rest).await?;
    shipping::is_counted_once(rest, &orders, &movements).await
}

async fn verify_logs(rest: &Rest) -> anyhow::Result<()> {
    let mut logs = rest.get("/v1/logs:verify").await?;
    // A busy machine may need longer for a long log than a call may take.
    for _ in 0..5 {
        if logs["logs"].as_array().into_iter().flatten().all(|log| log["problem"] == "") {
            break;
        }
        logs = rest.get("/v1/logs:verify").await?;
    }
    for log in logs["logs"].as_array().into_iter().flatten() {
        anyhow::ensure!(log["problem"] == "", "log not verified: {log}");
        anyhow::ensure!(number(&log["verification"]["firstBadPosition"]) == 0, "log broken: {log}");
    }
    Ok(())
}

/// The units of every line add up, and what is to be paid for them is what its account's policy says.
async fn lines_add_up(rest: &Rest, orders: &[Value]) -> anyhow::Result<()> {
    let accounts = rest.list("/v1/accounts", "accounts").await?;
    for order in orders {
        let id = &order["orderId"];
        let account = accounts.iter().find(|account| account["accountId"] == order["accountId"]);
        let on_shipment = account.is_some_and(|account| account["invoicePolicy"] == "INVOICE_POLICY_ON_SHIPMENT");
        let lines = || order["lines"].as_array().into_iter().flatten();
        anyhow::ensure!(
            number(&order["lineCount"]) == i64::try_from(lines().count())?,
            "lines of {id} are not counted"
        );
        for name in ["ordered", "cancelled", "shipped", "delivered", "invoiceReady", "returnReceived"] {
            let sum: i64 = lines().map(|line| number(&line["counters"][name])).sum();
            anyhow::ensure!(number(&order["units"][name]) == sum, "units of {id} are not the sum of its lines: {name}");
        }
        for line in lines() {
            let at = |name: &str| number(&line["counters"][name]);
            let accounted: i64 = ["cancelled", "unallocated", "backordered", "reserved", "released", "shipped"]
                .iter()
                .map(|name| at(name))
                .sum();
            anyhow::ensure!(at("ordered") + at("overShipped") == accounted, "units of {id} do not add up: {line}");
            anyhow::ensure!(at("delivered") <= at("shipped"), "more delivered of {id} than shipped: {line}");
            anyhow::ensure!(at("returnReceived") <= at("shipped"), "more returned of {id} than shipped: {line}");
            anyhow::ensure!(at("credited") <= at("invoiceReady"), "more credited of {id} than invoiced: {line}");
            let left = if on_shipment { at("shipped") } else { at("delivered") };
            let owed = left.min(at("shipped") - at("overShipped"));
            anyhow::ensure!(at("invoiceReady") - at("credited") <= owed, "more invoiced of {id} than owed: {line}");
        }
    }
    Ok(())
}

/// A value of a query.
fn encoded(text: &str) -> String {
    let byte =
        |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(byte).collect()
}

/// Every counter of stock is the sum of its movements, and no more units are promised than there are. Returns all movements.
async fn stock_equals_its_ledger(rest: &Rest) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for item in rest.list("/v1/items", "items").await? {
        let sku = item["sku"].as_str().unwrap_or_default();
        let encoded = encoded(sku);
        let answer = rest.get(&format!("/v1/availability?skus={encoded}")).await?;
        let found = &answer["availability"][0];
        let movements = rest.list(&format!("/v1/stock-movements?sku={encoded}"), "movements").await?;
        let moved = |name: &str| movements.iter().map(|movement| number(&movement[name])).sum::<i64>();
        for (counter, delta) in
            [("onHand", "onHandDelta"), ("reserved", "reservedDelta"), ("allocated", "allocatedDelta")]
        {
            let (current, ledger) = (number(&found[counter]), moved(delta));
            anyhow::ensure!(current == ledger, "{sku}: {counter} is {current}, its ledger sums to {ledger}");
        }
        let committed = number(&found["reserved"]) + number(&found["allocated"]);
        let covered = number(&found["onHand"]) + number(&found["shortfall"]);
        anyhow::ensure!(committed <= covered, "{sku}: {committed} units reserved or allocated of {covered}");
        all.extend(movements);
    }
    Ok(all)
}
