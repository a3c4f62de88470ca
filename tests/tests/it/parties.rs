//! What warehouses and the carrier report in tests, and a picture of what it has come to.

use serde_json::{Value, json};
use types::Timestamp;
use waybill_e2e::{World, number};

/// The node of most tests, and the partner that runs it.
pub(crate) const NODE: &str = "nod_hamburg";
pub(crate) const WAREHOUSE: &str = "par_hanse";
/// The carrier of most tests.
pub(crate) const CARRIER: &str = "par_parcel";

/// An instant, in minutes since the clock of a new mesh.
pub(crate) fn minute(minute: i64) -> String {
    let (seconds, nanos) = Timestamp::from_micros(1_780_000_000_000_000 + minute * 60_000_000).to_parts();
    prost_types::Timestamp { seconds, nanos }.to_string()
}

/// Units of lines, as reports have them.
pub(crate) fn units(lines: &[(i64, i64)]) -> Value {
    lines.iter().map(|(line, quantity)| json!({"lineNumber": line, "quantity": quantity})).collect()
}

/// A package of a report.
pub(crate) fn package(tracking: &str, lines: &[(i64, i64)]) -> Value {
    json!({"trackingNumber": tracking, "lines": units(lines)})
}

/// A carrier's report of a package.
pub(crate) fn milestone(tracking: &str, code: &str, at: &str) -> Value {
    let milestone = json!({
        "trackingNumber": tracking, "code": format!("MILESTONE_CODE_{code}"), "rawCode": code, "occurTime": at,
    });
    json!({"milestone": {"milestone": milestone}})
}

/// A warehouse's report of a shipment: `kind` is a field of `SubmitReportRequest`.
pub(crate) fn shipment(kind: &str, work: &str, reference: &str, packages: &[Value], at: &str) -> Value {
    let mut report = json!({
        "fulfillmentOrderId": work, "shipmentReference": reference, "packages": packages, "occurTime": at,
        "carrierId": CARRIER,
    });
    if kind == "shipmentCorrected" {
        report["reason"] = json!("counted again");
        report.as_object_mut().unwrap().remove("carrierId");
    }
    json!({ kind: report })
}

/// A warehouse takes something back: labels (`voided`) or a departure (`shipmentRetracted`) of packages, of all when none is named.
pub(crate) fn taken_back(kind: &str, work: &str, reference: &str, packages: &[&str], at: &str) -> Value {
    json!({kind: {
        "fulfillmentOrderId": work, "shipmentReference": reference, "packageNames": packages, "reason": "a mistake",
        "occurTime": at,
    }})
}

/// The id of the tracking report that a message amounted to.
pub(crate) fn report_id(message: &Value) -> String {
    let outcome = message["outcome"].as_str().unwrap_or_default();
    let id = outcome.split(' ').find(|word| word.starts_with("trk_"));
    id.unwrap_or_else(|| panic!("no report: {message}")).trim_end_matches([',', '.', ';']).to_owned()
}

/// What an order has come to: everything but ids, numbers of names, and when it was recorded. Two courses of events that amount to the
/// same have equal pictures.
pub(crate) async fn picture(world: &World, order_id: &str) -> Value {
    let order = world.get(&format!("/v1/orders/{order_id}")).await;
    let lines = array(&order["lines"]).iter().map(|line| {
        let mut counters = line["counters"].clone();
        let owed = number(&counters["invoiceReady"]) - number(&counters["credited"]);
        let counted = counters.as_object_mut().unwrap();
        counted.retain(|name, _| name != "invoiceReady" && name != "credited");
        counted.insert("owed".to_owned(), json!(owed));
        let owed_minor = number(&line["invoiceReadyMinor"]) - number(&line["creditedMinor"]);
        json!({"status": line["status"], "counters": counters, "owedMinor": owed_minor})
    });
    let work = world.fulfillment_orders(order_id).await;
    let work = work.iter().map(|one| {
        json!({
            "node": one["nodeId"], "execution": one["executionState"], "request": one["requestState"], "lines": one["lines"],
        })
    });
    let shipments = world.get(&format!("/v1/orders/{order_id}/shipments")).await;
    let shipments = array(&shipments["shipments"]).iter().map(|shipment| {
        json!({
            "state": shipment["state"], "carrier": shipment["carrierId"], "inferred": shipment["inferred"],
            "shipTime": shipment["shipTime"], "deliverTime": shipment["deliverTime"],
            "packages": sorted(array(&shipment["packages"]).iter().map(package_picture)),
        })
    });
    let mut exceptions = Vec::new();
    for state in ["OPEN", "ASSIGNED"] {
        let path = format!("/v1/exceptions?orderId={order_id}&states=EXCEPTION_STATE_{state}");
        exceptions
            .extend(world.rest.list(&path, "exceptions").await.unwrap().into_iter().map(|one| one["type"].clone()));
    }
    let returns = world.rest.list(&format!("/v1/returns?orderId={order_id}"), "returns").await.unwrap();
    let returns = returns.iter().filter(|one| one["state"] != "RETURN_STATE_CANCELLED");
    let returns = returns.map(|one| json!({"state": one["state"], "lines": one["lines"], "node": one["nodeId"]}));
    json!({
        "state": order["state"], "status": order["status"], "holds": array(&order["holds"]).len(),
        "lines": lines.collect::<Vec<_>>(), "work": sorted(work), "shipments": sorted(shipments),
        "exceptions": sorted(exceptions), "returns": sorted(returns),
    })
}

/// Units of an item on hand, reserved, allocated, waited for, and available.
pub(crate) async fn stock(world: &World, sku: &str) -> [i64; 5] {
    let stock = world.get(&format!("/v1/availability?skus={sku}")).await;
    ["onHand", "reserved", "allocated", "backordered", "atp"].map(|name| number(&stock["availability"][0][name]))
}

/// The elements of a list; none when it is absent.
pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn package_picture(package: &Value) -> Value {
    let mut picture = json!({});
    let told = [
        "lines",
        "status",
        "statusTime",
        "problem",
        "shipTime",
        "writeOffRemedy",
        "supportedActions",
        "proofOfDelivery",
    ];
    for name in told {
        picture[name] = package[name].clone();
    }
    picture["voided"] = json!(!package["voidTime"].is_null());
    picture
}

/// In an order that does not depend on ids.
fn sorted(all: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut all: Vec<Value> = all.into_iter().collect();
    all.sort_by_key(ToString::to_string);
    all
}
