//! Four orders more, each of which shows something that the 830 do not: work that is split over warehouses, an order that is changed
//! and of which a line is cancelled, and units that go to whom the rules for backorders say.
//!
//! What is done once is done under a key, so that a demo that is started again tells the same.

#![expect(clippy::print_stdout, reason = "the stories are the demo's output")]

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::rest::{Rest, number};

/// How often it is looked whether something has happened, and how long.
const LOOKS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);

const ACCOUNT: &str = "acc_STORES";
const STATIONS: [(&str, &str); 3] = [
    ("DEMO-TEA", "HANDLING_CLASS_AMBIENT"),
    ("DEMO-FISH", "HANDLING_CLASS_FROZEN"),
    ("DEMO-HONEY", "HANDLING_CLASS_AMBIENT"),
];

/// Tells all of them.
pub(super) async fn tell(rest: &Rest) -> anyhow::Result<()> {
    furnish(rest).await?;
    split(rest).await.context("the order that is split")?;
    change(rest).await.context("the order that is changed")?;
    backorders(rest).await.context("the orders that wait")
}

/// An account with stores, and items of which there is some ambient and frozen stock, and no honey.
async fn furnish(rest: &Rest) -> anyhow::Result<()> {
    rules(rest, "reset", &json!({"criteria": [], "holdForRelease": false})).await?;
    for (sku, class) in STATIONS {
        let body = json!({
            "sku": sku, "name": sku.trim_start_matches("DEMO-").to_lowercase(), "handlingClass": class,
            "listPrice": {"currency": "USD", "minorUnits": "1000"},
        });
        rest.ensure("/v1/items", &format!("demo-item-{sku}"), &body).await?;
    }
    for (node, sku) in [("nod_hamburg", "DEMO-TEA"), ("nod_houston", "DEMO-TEA"), ("nod_rotterdam", "DEMO-FISH")] {
        let body = json!({"items": [{"sku": sku, "quantity": 100}], "reference": "opening stock"});
        rest.ensure(&format!("/v1/locations/{node}:receive"), &format!("demo-stock-{node}-{sku}"), &body).await?;
    }
    let account = json!({
        "accountId": ACCOUNT, "name": "Northwind Stores", "currency": "USD", "billTo": address("Berlin", "DE"),
    });
    rest.ensure("/v1/accounts", "demo-account-stores", &account).await
}

/// An order for two stores, of goods that no one warehouse keeps: split by geography and temperature.
async fn split(rest: &Rest) -> anyhow::Result<()> {
    let body = json!({
        "accountId": ACCOUNT, "customerPo": "STORES-1",
        "shipToGroups": [
            {"shipToGroup": 1, "shipToAddress": address("Berlin", "DE")},
            {"shipToGroup": 2, "shipToAddress": address("Boston", "US")},
        ],
        "lines": [
            {"sku": "DEMO-TEA", "quantity": 20, "split": [{"shipToGroup": 1, "quantity": 12}, {"shipToGroup": 2, "quantity": 8}]},
            {"sku": "DEMO-FISH", "quantity": 6, "shipToGroup": 1},
        ],
    });
    let id = place(rest, "split", &body).await?;
    let path = format!("/v1/orders/{id}/routing-decisions");
    let decisions = wait(rest, &path, |found| list(&found["decisions"]).count() >= 2).await?;
    println!("\nOne order for two stores, of tea and frozen fish: STORES-1 ({id})");
    let order = rest.get(&format!("/v1/orders/{id}")).await?;
    for decision in list(&decisions["decisions"]) {
        for choice in list(&decision["choices"]) {
            let line = list(&order["lines"]).find(|line| line["lineNumber"] == choice["lineNumber"]);
            let line = line.unwrap_or(&Value::Null);
            let (sku, group) = (text(&line["sku"]), number(&line["shipToGroup"]));
            let not: Vec<String> = list(&decision["candidates"])
                .filter(|one| one["lineNumber"] == choice["lineNumber"] && one["nodeId"] != choice["nodeId"])
                .map(|one| format!("{} {}", text(&one["nodeId"]), or(text(&one["obstacle"]), "is farther")))
                .collect();
            println!(
                "  {:>3} {sku:<10} store {group}  {:<14} {:<12} not {}",
                number(&choice["quantity"]),
                text(&choice["nodeId"]),
                text(&choice["reason"]),
                not.join(", "),
            );
        }
    }
    Ok(())
}

/// An order that waits for stock: it is changed, and a line of it is cancelled.
async fn change(rest: &Rest) -> anyhow::Result<()> {
    let lines = json!([{"sku": "DEMO-HONEY", "quantity": 5}, {"sku": "DEMO-HONEY", "quantity": 3}]);
    let body = json!({
        "accountId": ACCOUNT, "customerPo": "STORES-2", "shipToAddress": address("Berlin", "DE"), "lines": lines,
    });
    let id = place(rest, "changed", &body).await?;
    wait(rest, &format!("/v1/orders/{id}"), |order| order["state"] != "ORDER_STATE_SUBMITTED").await?;
    let proposal = json!({
        "lines": [{"lineNumber": 1, "quantity": "8"}],
        "addedLines": [{"line": {"sku": "DEMO-TEA", "quantity": 4}}],
        "reason": "the party grew",
    });
    let shown = send(rest, &format!("/v1/orders/{id}/changes"), "demo-change", &proposal).await?;
    println!("\nAn order is changed, and a line of it is cancelled: STORES-2 ({id})");
    for line in list(&shown["lines"]) {
        println!(
            "  line {} {:<10} {:>3} -> {:>3} units, {:>7} -> {:>7}",
            number(&line["lineNumber"]),
            text(&line["sku"]),
            number(&line["quantityBefore"]),
            number(&line["quantityAfter"]),
            amount(&line["amountMinorBefore"]),
            amount(&line["amountMinorAfter"]),
        );
    }
    let [before, after] = ["totalBefore", "totalAfter"].map(|name| amount(&shown[name]["minorUnits"]));
    println!("  in all {before} -> {after}, shown before it was confirmed");
    let confirm = format!("/v1/orders/{id}/changes/{}:confirm", number(&shown["changeNumber"]));
    let done = send(rest, &confirm, "demo-change-confirm", &json!({"etag": shown["orderEtag"]})).await?;
    println!("  confirmed: {}", plain(&done["state"], "ORDER_CHANGE_STATE_"));
    let cancel = json!({"lines": [{"lineNumber": 2}], "reason": "ordered twice"});
    let order = send(rest, &format!("/v1/orders/{id}:cancel"), "demo-cancel-line", &cancel).await?;
    for line in list(&order["lines"]) {
        let (number, status) = (number(&line["lineNumber"]), plain(&line["status"], "LINE_STATUS_"));
        println!("  line {number} {:<10} {status}", text(&line["sku"]));
    }
    Ok(())
}

/// Two orders wait for honey, and less comes than they want: the one with the higher priority gets it.
async fn backorders(rest: &Rest) -> anyhow::Result<()> {
    let mut ids = vec![];
    for (po, priority) in [("STORES-3", 3), ("STORES-4", 9)] {
        let body = json!({
            "accountId": ACCOUNT, "customerPo": po, "shipToAddress": address("Berlin", "DE"), "priority": priority,
            "lines": [{"sku": "DEMO-HONEY", "quantity": 6}],
        });
        ids.push(place(rest, po, &body).await?);
    }
    let waits = |id: &str| format!("/v1/orders/{id}");
    for id in &ids {
        wait(rest, &waits(id), |order| order["state"] != "ORDER_STATE_SUBMITTED").await?;
    }
    rules(rest, "hold", &json!({"criteria": ["BACKORDER_CRITERION_PRIORITY"], "holdForRelease": true})).await?;
    let receipt = json!({"items": [{"sku": "DEMO-HONEY", "quantity": 8}], "reference": "a little honey"});
    rest.ensure("/v1/locations/nod_hamburg:receive", "demo-stock-honey", &receipt).await?;
    let preview = rest.get("/v1/backorders:previewRelease?skus=DEMO-HONEY").await?;
    let released = send(rest, "/v1/backorders:release", "demo-release", &json!({"skus": ["DEMO-HONEY"]})).await?;
    // Of a demo that is started again nobody waits any more, and the release is answered as it was.
    let waits_now = list(&preview["releases"]).any(|one| list(&one["shares"]).next().is_some());
    if waits_now && released["releases"] != preview["releases"] {
        bail!("the release is not what was shown: {preview} {released}");
    }
    println!("\nEight units of honey come, and three orders wait for them. As shown before, released are:");
    for share in list(&released["releases"]).flat_map(|one| list(&one["shares"])) {
        let order = rest.get(&waits(text(&share["orderId"]))).await?;
        println!(
            "  {}. {} of {} for {}, priority {}{}",
            number(&share["place"]),
            number(&share["released"]),
            number(&share["waiting"]),
            text(&order["customerPo"]),
            order.get("priority").map_or(5, number),
            match plain(&share["obstacle"], "BACKORDER_OBSTACLE_").as_str() {
                "" | "unspecified" => String::new(),
                obstacle => format!(", no more: {obstacle}"),
            },
        );
    }
    rules(rest, "end", &json!({"criteria": [], "holdForRelease": false})).await?;
    let rest_of_it = json!({"items": [{"sku": "DEMO-HONEY", "quantity": 40}], "reference": "more honey"});
    rest.ensure("/v1/locations/nod_hamburg:receive", "demo-stock-more-honey", &rest_of_it).await
}

async fn rules(rest: &Rest, what: &str, rules: &Value) -> anyhow::Result<()> {
    match rest.patch("/v1/backorder-rules", None, rules).await? {
        Ok(_) => Ok(()),
        Err(problem) => bail!("rules to {what}: {} {}", problem.reason, problem.detail),
    }
}

async fn place(rest: &Rest, key: &str, body: &Value) -> anyhow::Result<String> {
    let placed = send(rest, "/v1/orders", &format!("demo-story-{key}"), body).await?;
    Ok(text(&placed["orderId"]).to_owned())
}

/// Sends a command under a key.
async fn send(rest: &Rest, path: &str, key: &str, body: &Value) -> anyhow::Result<Value> {
    match rest.post(path, Some(key), body).await? {
        Ok(answer) => Ok(answer),
        Err(problem) => bail!("{path}: {} {}", problem.reason, problem.detail),
    }
}

/// Reads until something has happened.
async fn wait(rest: &Rest, path: &str, happened: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
    for _ in 0..LOOKS {
        let found = rest.get(path).await?;
        if happened(&found) {
            return Ok(found);
        }
        tokio::time::sleep(PAUSE).await;
    }
    bail!("{path} does not change any more")
}

fn address(city: &str, country: &str) -> Value {
    json!({"name": "Northwind Stores", "street": "1 Market Square", "city": city, "country": country})
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn or<'a>(text: &'a str, other: &'a str) -> &'a str {
    if text.is_empty() { other } else { text }
}

fn plain(name: &Value, prefix: &str) -> String {
    text(name).trim_start_matches(prefix).to_lowercase().replace('_', " ")
}

fn amount(minor: &Value) -> String {
    let minor = number(minor);
    format!("{}.{:02}", minor / 100, (minor % 100).abs())
}
