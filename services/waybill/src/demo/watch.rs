//! Waits until every order is delivered or cancelled. Plays the supplier that delivers what orders wait for, and the people
//! who retry routing after every suitable warehouse rejected a fulfillment order, and take in and replace what comes back.

use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::load::handling_class;
use crate::{
    northwind::{Item, Northwind},
    rest::{Rest, number},
    sandbox::{Sandbox, WAREHOUSES, people},
};

const CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// After so many checks without a change the mesh counts as stuck. Longer than the lease of a task whose runner died.
const MAX_UNCHANGED: u32 = 1_500;
/// After so many checks without a change what is delivered stays delivered: reports take effect after they are answered.
const STILL: u32 = 10;
/// Every how many checks people look at what comes back.
const DECIDE_EVERY: u64 = 10;

/// Waits until no unit is under way any more; returns since when. Fails when nothing changes for too long before.
pub async fn until_settled(
    rest: &Rest,
    data: &Northwind,
    partners: &Sandbox,
    bar: &ProgressBar,
) -> anyhow::Result<Instant> {
    bar.set_message("fulfilling");
    let (mut last, mut unchanged, mut settled) = (Value::Null, 0, None);
    for check in 1_u64.. {
        let summary = rest.get("/v1/orders:summary").await?;
        let delivered = orders_in(&summary, &["ORDER_STATUS_DELIVERED", "ORDER_STATUS_CANCELLED"]);
        bar.set_position(u64::try_from(delivered).unwrap_or(0));
        let units = &summary["units"];
        let open: i64 =
            ["unallocated", "reserved", "released", "backordered"].iter().map(|name| number(&units[*name])).sum();
        unchanged = if summary == last { unchanged + 1 } else { 0 };
        let all_delivered = open == 0 && number(&units["shipped"]) == number(&units["delivered"]);
        match settled {
            _ if !all_delivered || unchanged == 0 || partners.reporting() > 0 => settled = None,
            None => settled = Some(Instant::now()),
            Some(since) if unchanged >= STILL => return Ok(since),
            Some(_) => {}
        }
        if check.is_multiple_of(DECIDE_EVERY) {
            people::receive_returns(rest).await?;
            people::write_off(rest, 0).await?;
        }
        if number(&units["backordered"]) > 0 {
            supply(rest, data).await?;
        }
        if unchanged > 0 && !all_delivered {
            people::retry_routing(rest).await?;
        }
        anyhow::ensure!(unchanged < MAX_UNCHANGED, "nothing changes any more: {units}");
        last = summary;
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
    unreachable!("checks do not end")
}

/// Delivers what orders wait for to the first warehouse that can store it.
async fn supply(rest: &Rest, data: &Northwind) -> anyhow::Result<()> {
    let skus: String = data.items.iter().map(|item| format!("&skus={}", item.sku)).collect();
    let answer = rest.get(&format!("/v1/availability?{}", skus.trim_start_matches('&'))).await?;
    let waiting = |item: &Item| {
        let of_item = answer["availability"].as_array().into_iter().flatten().find(|found| found["sku"] == item.sku);
        of_item.map_or(0, |found| number(&found["backordered"]))
    };
    let mut left: Vec<&Item> = data.items.iter().filter(|item| waiting(item) > 0).collect();
    for warehouse in WAREHOUSES {
        let (here, elsewhere): (Vec<&Item>, Vec<&Item>) =
            left.into_iter().partition(|item| warehouse.handling_classes.contains(&handling_class(item.handling)));
        left = elsewhere;
        if !here.is_empty() {
            let items: Vec<Value> =
                here.iter().map(|item| json!({"sku": item.sku, "quantity": waiting(item)})).collect();
            let body = json!({"items": items, "reference": "supplier delivery"});
            let path = format!("/v1/locations/{}:receive", warehouse.node_id);
            if let Err(problem) = rest.post(&path, None, &body).await? {
                anyhow::bail!("{path}: {} {}", problem.reason, problem.detail);
            }
        }
    }
    Ok(())
}

pub(super) fn orders_in(summary: &Value, statuses: &[&str]) -> i64 {
    let counts = summary["statuses"].as_array().into_iter().flatten();
    counts
        .filter(|entry| statuses.iter().any(|status| entry["status"] == *status))
        .map(|entry| number(&entry["orderCount"]))
        .sum()
}
