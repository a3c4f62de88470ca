//! The distributor's people: what is left to a person's decision, decided.
//!
//! Whoever has routing retried, takes in what comes back and ends the wait for packages that do not arrive, works from lists.
//! What must not be done twice is done under a key that follows from what is decided.

use serde_json::{Value, json};

use super::script::fingerprint;
use crate::rest::Rest;

/// What may happen to packages that a person has to decide about.
const PROBLEMS: [&str; 2] = ["RETURNED_TO_SENDER", "LOST"];

/// Retries routing for every order whose units no node accepted; returns how many there are. The exception is resolved when a
/// node accepts them.
pub async fn retry_routing(rest: &Rest) -> anyhow::Result<usize> {
    let exceptions = rest.list("/v1/exceptions?type=UNASSIGNED&states=EXCEPTION_STATE_OPEN", "exceptions").await?;
    for exception in &exceptions {
        let order = exception["orderId"].as_str().unwrap_or_default();
        // It may have been routed meanwhile, or have ended.
        tell(rest, &format!("/v1/orders/{order}:retryRouting"), None, &json!({})).await?;
    }
    Ok(exceptions.len())
}

/// Receives and inspects what carriers brought back: all of it can be sold again. Returns how many packages there are.
pub async fn receive_returns(rest: &Rest) -> anyhow::Result<usize> {
    let returns =
        rest.list("/v1/returns?states=RETURN_STATE_AUTHORIZED&states=RETURN_STATE_RECEIVED", "returns").await?;
    let of_packages: Vec<&Value> = returns.iter().filter(|one| one["packageId"] != "").collect();
    for rma in &of_packages {
        let id = rma["returnId"].as_str().unwrap_or_default();
        let lines = rma["lines"].as_array().into_iter().flatten();
        let (mut received, mut inspected) = (Vec::new(), Vec::new());
        for line in lines {
            let (number, units) = (&line["lineNumber"], &line["authorized"]);
            received.push(json!({"lineNumber": number, "quantity": units}));
            let fit = json!([{"kind": "DISPOSITION_KIND_RESTOCK", "quantity": units}]);
            inspected.push(json!({"lineNumber": number, "dispositions": fit}));
        }
        let path = format!("/v1/returns/{id}");
        tell(rest, &format!("{path}:receive"), Some(&format!("{id}-receive")), &json!({ "lines": received })).await?;
        tell(rest, &format!("{path}:inspect"), Some(&format!("{id}-inspect")), &json!({ "lines": inspected })).await?;
    }
    Ok(of_packages.len())
}

/// Writes off the packages that do not arrive; returns how many there are. Of `cancelled` out of 1,000 the units are cancelled,
/// of the others they are sent again.
pub async fn write_off(rest: &Rest, cancelled: u64) -> anyhow::Result<usize> {
    let mut written_off = 0;
    for problem in PROBLEMS {
        let shipments = rest.list(&format!("/v1/shipments?problem=PACKAGE_PROBLEM_{problem}"), "shipments").await?;
        let packages = shipments.iter().flat_map(|shipment| shipment["packages"].as_array().into_iter().flatten());
        for package in packages.filter(|package| package["problem"] == format!("PACKAGE_PROBLEM_{problem}")) {
            let text = |name: &str| package[name].as_str().unwrap_or_default();
            let cancels = fingerprint(text("trackingNumber")) % 1_000 < cancelled;
            let remedy = if cancels { "WRITE_OFF_REMEDY_CANCEL" } else { "WRITE_OFF_REMEDY_REPLACE" };
            let body = json!({"remedy": remedy, "claimReference": format!("C-{}", text("trackingNumber"))});
            let (path, key) = (format!("/v1/packages/{}:writeOff", text("packageId")), text("packageId"));
            tell(rest, &path, Some(&format!("{key}-write-off")), &body).await?;
            written_off += 1;
        }
    }
    Ok(written_off)
}

/// Sends a command. A refusal says that the facts have changed since they were read, so it is no error.
async fn tell(rest: &Rest, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<()> {
    if let Err(problem) = rest.post(path, key, body).await? {
        tracing::debug!(path, reason = problem.reason, detail = problem.detail, "a decision was refused");
    }
    Ok(())
}
