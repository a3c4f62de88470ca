//! Prints the outcome of the demo.
#![expect(clippy::print_stdout, reason = "the summary is the demo's output")]

use std::time::Duration;

use serde_json::Value;

use super::Outcome;
use crate::rest::Rest;
use crate::rest::number;

/// How long it took.
pub(super) struct Timing {
    /// Until the last order was placed.
    pub(super) submitted: Duration,
    /// Until the last unit was delivered.
    pub(super) delivered: Duration,
    /// Reports the partners sent.
    pub(super) reports: u64,
}

/// Prints the summary, and the timelines of an order whose parcel came back and of one whose delivery was corrected.
pub(super) async fn print(rest: &Rest, orders: usize, timing: &Timing) -> anyhow::Result<Outcome> {
    let summary = rest.get("/v1/orders:summary").await?;
    let exceptions = rest.get("/v1/exceptions:summary").await?;
    let statuses: Vec<(String, i64)> = entries(&summary["statuses"])
        .map(|entry| (plain(&entry["status"], "ORDER_STATUS_"), number(&entry["orderCount"])))
        .collect();
    let units: Vec<(String, i64)> =
        summary["units"].as_object().into_iter().flatten().map(|(name, value)| (name.clone(), number(value))).collect();

    println!("\nOrders by status");
    for (status, number) in &statuses {
        println!("  {status:<24} {number:>8}");
    }
    println!("\nLines {:>28}", number(&summary["lineCount"]));
    println!("Units");
    for (name, number) in units.iter().filter(|(name, number)| *number != 0 || name == "backordered") {
        println!("  {name:<24} {number:>8}");
    }
    println!("\nExceptions for a person");
    for entry in entries(&exceptions["counts"]) {
        let state = plain(&entry["state"], "EXCEPTION_STATE_");
        println!("  {:<30} {state:<14} {:>4}", entry["type"].as_str().unwrap_or_default(), number(&entry["count"]));
    }
    let mut invoice_ready_minor = 0;
    for money in entries(&summary["invoiceReady"]) {
        let minor = number(&money["minorUnits"]);
        invoice_ready_minor += minor;
        println!("\nReady to invoice {:>17} {}", amount(minor), money["currency"].as_str().unwrap_or_default());
    }
    let credits = rest.list("/v1/proposed-credits", "credits").await?;
    let credited: i64 = credits.iter().map(|credit| number(&credit["amount"]["minorUnits"])).sum();
    println!(
        "Credits proposed {:>17} in {} credits, for corrected reports and returns",
        amount(credited),
        credits.len()
    );
    println!("Customers owe {:>20}", amount(invoice_ready_minor - credited));
    let returns = rest.list("/v1/returns", "returns").await?;
    let came_back: Vec<&Value> = returns.iter().filter(|one| one["packageId"] != "").collect();
    println!("Packages that came back {:>11}", came_back.len());
    let rate = orders as f64 / timing.delivered.as_secs_f64();
    println!(
        "Time {:.1} s to submit, {:.1} s to the last delivery: {rate:.0} orders a second, {} partner reports",
        timing.submitted.as_secs_f64(),
        timing.delivered.as_secs_f64(),
        timing.reports,
    );
    let stories = [
        ("a parcel that came back", came_back.first().map(|back| &back["orderId"])),
        (
            "a corrected delivery",
            credits.iter().find(|one| one["reason"] == "CORRECTED").map(|credit| &credit["orderId"]),
        ),
    ];
    for (what, order_id) in stories {
        if let Some(order_id) = order_id.and_then(Value::as_str) {
            print_timeline(rest, what, order_id).await?;
        }
    }
    Ok(Outcome { invoice_ready_minor, statuses, units })
}

/// The timeline of an order.
async fn print_timeline(rest: &Rest, what: &str, order_id: &str) -> anyhow::Result<()> {
    let order = rest.get(&format!("/v1/orders/{order_id}")).await?;
    println!("\nThe story of {what}: {} ({order_id})", order["customerPo"].as_str().unwrap_or_default());
    for entry in rest.list(&format!("/v1/orders/{order_id}/timeline"), "entries").await? {
        let time = entry["event"]["occurTime"].as_str().unwrap_or_default();
        let source = entry["event"]["source"].as_str().unwrap_or_default();
        println!("  {:<27} {source:<12} {}", time, entry["summary"].as_str().unwrap_or_default());
    }
    Ok(())
}

fn entries(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn plain(name: &Value, prefix: &str) -> String {
    name.as_str().unwrap_or_default().trim_start_matches(prefix).to_lowercase().replace('_', " ")
}

/// Minor units with two decimals and thousands separators.
fn amount(minor: i64) -> String {
    let whole = (minor / 100).to_string();
    let grouped: Vec<&str> =
        whole.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    format!("{}.{:02}", grouped.join(","), (minor % 100).abs())
}

#[cfg(test)]
mod tests {
    #[test]
    fn amounts_are_grouped_by_thousands() {
        assert_eq!(super::amount(126_579_329), "1,265,793.29");
        assert_eq!(super::amount(5), "0.05");
    }
}
