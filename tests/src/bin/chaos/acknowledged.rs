//! Checks over the API that everything that was acknowledged is still there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::portal::{Acknowledged, Caller};

/// Checks every acknowledged command; returns the number of orders by status.
pub(crate) async fn check(caller: &Caller) -> anyhow::Result<BTreeMap<String, u64>> {
    let tally = &caller.tally;
    let orders = caller.rest.list("/v1/orders", "orders").await?;
    once(caller, &orders);
    let mut repeated = 0;
    for first in caller.ledger.acknowledged() {
        repeat(caller, &first).await?;
        repeated += 1;
    }
    let again = caller.rest.list("/v1/orders", "orders").await?;
    if again.len() != orders.len() {
        tally.violation(format!("{repeated} repeats made {} orders of {}", again.len(), orders.len()));
    }
    if let Err(error) = waybill_e2e::laws(&caller.rest).await {
        tally.violation(format!("law: {error:#}"));
    }
    let mut statuses = BTreeMap::new();
    for order in &again {
        let status = order["status"].as_str().unwrap_or_default().trim_start_matches("ORDER_STATUS_");
        *statuses.entry(status.to_lowercase()).or_default() += 1;
    }
    Ok(statuses)
}

/// Every acknowledged order is there once, under its acknowledged id; one whose caller gave up at most once.
fn once(caller: &Caller, orders: &[Value]) {
    let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for order in orders {
        let text = |name: &str| order[name].as_str().unwrap_or_default();
        ids.entry(text("customerPo")).or_default().push(text("orderId"));
    }
    let (placed, abandoned) = (caller.ledger.placed(), caller.ledger.abandoned());
    for (po, id) in &placed {
        match ids.get(po.as_str()).map(Vec::as_slice) {
            Some([found]) if found == id => {}
            found => caller.tally.violation(format!("{po} was acknowledged as {id} and is there as {found:?}")),
        }
    }
    for (po, found) in &ids {
        let known = placed.contains_key(*po) || abandoned.contains(*po) || po.starts_with("FIRST-");
        if found.len() != 1 || !known {
            caller.tally.violation(format!("{po} is there as {found:?}"));
        }
    }
}

/// Repeats a command under its key, which must be answered as the first time.
async fn repeat(caller: &Caller, first: &Acknowledged) -> anyhow::Result<()> {
    let Acknowledged { path, key, body, answer } = first;
    match caller.rest.post(path, Some(key), body).await? {
        Ok(again) if again == *answer => {}
        Ok(again) => caller.tally.violation(format!("{path} {key} was answered {answer}, and repeated {again}")),
        Err(problem) => {
            let detail = problem.detail;
            caller.tally.violation(format!("{path} {key} was answered, and repeated refused: {detail}"));
        }
    }
    Ok(())
}
