//! After the faults: everything gets to its end, and people decide what only people can.

use std::{collections::BTreeSet, time::Duration};

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::time::sleep;
use waybill_e2e::number;

use crate::portal::Caller;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Nothing that moves for so many looks is at its end, or stuck.
const STILL: u32 = 16;
/// Nothing that moves for so many looks is stuck even if something should move: longer than a report may wait until it is
/// tried again, which are five minutes.
const STUCK: u32 = 1_400;
/// How often a person asks the warehouses again before the case stays open.
const ASKS: u32 = 20;
/// These say that a message needs a person, not that its order waits for one.
const OF_A_MESSAGE: &str = "CONTROL_NUMBER_REUSED";

/// An order that has not arrived and that nothing explains.
#[derive(Debug)]
pub(crate) struct Unexplained(pub(crate) Vec<String>);

/// Answers when nothing moves any more; with the orders that are neither at their end nor explained.
pub(crate) async fn settle(caller: &Caller, round: &mut u64) -> anyhow::Result<Unexplained> {
    let (mut last, mut still, mut asked) = (Value::Null, 0, 0);
    loop {
        let now = json!([
            caller.rest.get("/v1/orders:summary").await?,
            caller.rest.get("/v1/exceptions:summary").await?,
            caller.rest.get("/v1/logs").await?,
        ]);
        if number(&now[0]["units"]["backordered"]) > 0 {
            caller.supply(round).await;
        }
        still = if now == last { still + 1 } else { 0 };
        if still > 0 && still % STILL == 0 {
            if asked < ASKS && ask_again(caller).await? > 0 {
                asked += 1;
                still += 1;
                sleep(LOOK_EVERY).await;
                continue;
            }
            let behind = now[2]["logs"].as_array().into_iter().flatten();
            let behind = behind.filter(|log| number(&log["position"]) < number(&log["headPosition"])).count();
            let unexplained = unexplained(caller).await?;
            // A report whose call was lost waits for its task, and while it waits nothing else may move.
            let unapplied = caller.rest.list("/v1/messages?states=MESSAGE_STATE_RECEIVED", "messages").await?.len();
            if (unexplained.0.is_empty() && behind == 0 && unapplied == 0) || still >= STUCK {
                ensure!(behind == 0, "operations does not follow any more: {}", now[2]);
                return Ok(unexplained);
            }
        }
        last = now;
        sleep(LOOK_EVERY).await;
    }
}

/// Routes again what no node wanted; answers how much that was.
async fn ask_again(caller: &Caller) -> anyhow::Result<usize> {
    let open = "/v1/exceptions?type=UNASSIGNED&states=EXCEPTION_STATE_OPEN";
    let cases = caller.rest.list(open, "exceptions").await?;
    for case in &cases {
        let order = case["orderId"].as_str().unwrap_or_default();
        // It may have been routed meanwhile.
        caller.rest.post(&format!("/v1/orders/{order}:retryRouting"), None, &json!({})).await?.ok();
    }
    Ok(cases.len())
}

/// Orders that still have open units, or units under way, and neither a hold nor an open exception that says why.
async fn unexplained(caller: &Caller) -> anyhow::Result<Unexplained> {
    let mut named = BTreeSet::new();
    for state in ["EXCEPTION_STATE_OPEN", "EXCEPTION_STATE_ASSIGNED"] {
        for case in caller.rest.list(&format!("/v1/exceptions?states={state}"), "exceptions").await? {
            if case["type"] != OF_A_MESSAGE {
                named.insert(case["orderId"].as_str().unwrap_or_default().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    for order in caller.rest.list("/v1/orders", "orders").await? {
        let units = |name: &str| -> i64 {
            order["lines"].as_array().into_iter().flatten().map(|line| number(&line["counters"][name])).sum()
        };
        let open: i64 = ["unallocated", "backordered", "reserved", "released"].map(units).iter().sum();
        let at_end = open == 0 && units("shipped") == units("delivered");
        let held = order["holds"].as_array().is_some_and(|holds| !holds.is_empty());
        let id = order["orderId"].as_str().unwrap_or_default();
        let excepted = order["status"] == "ORDER_STATUS_EXCEPTION";
        if !(at_end && !excepted || held || named.contains(id)) {
            found.push(format!("order {} {id} is {} and nothing says why", order["customerPo"], order["status"]));
        }
    }
    Ok(Unexplained(found))
}
