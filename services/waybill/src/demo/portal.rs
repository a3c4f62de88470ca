//! The portal: places the orders and cancels a few of them.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{Options, customer_po, load};
use crate::{
    northwind::{Northwind, Order},
    rest::Rest,
};

/// How many customers order at the same time.
const AT_ONCE: usize = 32;
/// One order in this many is cancelled right after it was placed.
const CANCELLED_ONE_IN: u64 = 90;

/// Places all orders.
pub async fn submit(
    rest: &Rest,
    data: &Northwind,
    orders: &[Order],
    bar: &ProgressBar,
    options: &Options,
) -> anyhow::Result<()> {
    bar.set_message("submitting");
    let placed = AtomicU64::new(0);
    stream::iter(orders)
        .map(|order| {
            let placed = &placed;
            async move {
                let answer = place(rest, data, order).await?;
                if !options.ample && is_cancelled(order, options.seed) {
                    cancel(rest, order, &answer).await?;
                }
                bar.set_position(placed.fetch_add(1, Ordering::Relaxed) + 1);
                anyhow::Ok(())
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn place(rest: &Rest, data: &Northwind, order: &Order) -> anyhow::Result<Value> {
    let account = data.account(&order.account).context("an order without its account")?;
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|line| {
            json!({
                "sku": line.sku, "quantity": line.quantity, "unitPriceMinor": line.unit_price_minor,
                "discountBasisPoints": line.discount_bp,
            })
        })
        .collect();
    let body = json!({
        "accountId": load::account_id(account), "customerPo": customer_po(order),
        "shipToId": load::ship_to_id(account, order.ship_to), "lines": lines,
    });
    match rest.post("/v1/orders", Some(&format!("demo-order-{}", order.number)), &body).await? {
        Ok(placed) => Ok(placed),
        Err(problem) => bail!("order {}: {} {}", order.number, problem.reason, problem.detail),
    }
}

/// A cancellation that comes too late is refused, which is no error.
async fn cancel(rest: &Rest, order: &Order, placed: &Value) -> anyhow::Result<()> {
    let id = placed["orderId"].as_str().context("a placed order without its id")?;
    let body = json!({"reason": "ordered by mistake"});
    let key = format!("demo-cancel-{}", order.number);
    if let Err(problem) = rest.post(&format!("/v1/orders/{id}:cancel"), Some(&key), &body).await? {
        tracing::debug!(order = order.number, reason = problem.reason, "not cancelled");
    }
    Ok(())
}

fn is_cancelled(order: &Order, seed: u64) -> bool {
    order.number.parse::<u64>().is_ok_and(|number| (number + seed).is_multiple_of(CANCELLED_ONE_IN))
}
