//! After the faults: waits until everything is done, and makes the decisions of people.

use std::{collections::BTreeSet, time::Duration};

use anyhow::ensure;
use serde_json::{Value, json};
use tokio::time::sleep;
use waybill::sandbox::people;
use waybill_e2e::number;

use crate::portal::Caller;

const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// After so many checks without a change everything is done or stuck.
const STILL: u32 = 16;
/// After so many checks without a change it is stuck. Longer than the five minutes after which a report is retried.
const STUCK: u32 = 1_400;
/// How often routing is retried before the exception stays open.
const MAX_RETRIES: u32 = 20;
/// An exception about a message, which does not explain why an order is open.
const OF_A_MESSAGE: &str = "CONTROL_NUMBER_REUSED";

/// Open orders without a hold or exception that explains why.
#[derive(Debug)]
pub(crate) struct Unexplained(pub(crate) Vec<String>);

/// Returns when nothing changes any more, with the orders that are neither done nor explained.
pub(crate) async fn settle(caller: &Caller, round: &mut u64) -> anyhow::Result<Unexplained> {
    let (mut last, mut unchanged, mut asked) = (Value::Null, 0, 0);
    loop {
        let now = json!([
            caller.rest.get("/v1/orders:summary").await?,
            caller.rest.get("/v1/exceptions:summary").await?,
            caller.rest.get("/v1/logs").await?,
        ]);
        if number(&now[0]["units"]["backordered"]) > 0 {
            caller.supply(round).await;
        }
        unchanged = if now == last { unchanged + 1 } else { 0 };
        if unchanged > 0 && unchanged % STILL == 0 {
            if asked < MAX_RETRIES && people::retry_routing(&caller.rest).await? > 0 {
                asked += 1;
                unchanged += 1;
                sleep(CHECK_INTERVAL).await;
                continue;
            }
            let lagging = now[2]["logs"].as_array().into_iter().flatten();
            let lagging = lagging.filter(|log| number(&log["position"]) < number(&log["headPosition"])).count();
            let unexplained = unexplained(caller).await?;
            // A report whose call failed waits for its retry, and nothing else may change meanwhile.
            let unapplied = caller.rest.list("/v1/messages?states=MESSAGE_STATE_RECEIVED", "messages").await?.len();
            if (unexplained.0.is_empty() && lagging == 0 && unapplied == 0) || unchanged >= STUCK {
                ensure!(lagging == 0, "operations does not catch up: {}", now[2]);
                return Ok(unexplained);
            }
        }
        last = now;
        sleep(CHECK_INTERVAL).await;
    }
}

/// Orders that have open units or units under way, and neither a hold nor an open exception.
async fn unexplained(caller: &Caller) -> anyhow::Result<Unexplained> {
    let mut named = BTreeSet::new();
    for state in ["EXCEPTION_STATE_OPEN", "EXCEPTION_STATE_ASSIGNED"] {
        for exception in caller.rest.list(&format!("/v1/exceptions?states={state}"), "exceptions").await? {
            if exception["type"] != OF_A_MESSAGE {
                named.insert(exception["orderId"].as_str().unwrap_or_default().to_owned());
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
            found.push(format!(
                "order {} {id} is {} without a hold or an exception",
                order["customerPo"], order["status"]
            ));
        }
    }
    Ok(Unexplained(found))
}
