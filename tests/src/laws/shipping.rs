//! What left in packages, what left stock, and what orders count as shipped and delivered are the same units.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use waybill::rest::{Rest, number};

use super::services::is_service;

/// Units by an id and a line number or SKU.
type Units = BTreeMap<(String, String), i64>;

/// Checks that every package is in one shipment, that what left in packages is what left stock and what orders count as shipped of goods,
/// and that what was delivered is what they count as delivered.
///
/// Units of a package that is written off left stock and are not counted by the order. A movement that says so in its note moved
/// fewer units than left: a later count lacked them, or they were not on hand.
pub(super) async fn is_counted_once(rest: &Rest, orders: &[Value], movements: &[Value]) -> anyhow::Result<()> {
    let (mut left, mut shipped, mut delivered) = (Units::new(), Units::new(), Units::new());
    let mut packages = BTreeSet::new();
    for shipment in rest.list("/v1/shipments", "shipments").await? {
        let (id, order) = (text(&shipment["shipmentId"]), text(&shipment["orderId"]));
        for package in shipment["packages"].as_array().into_iter().flatten() {
            anyhow::ensure!(packages.insert(text(&package["packageId"])), "a package is in two shipments: {package}");
            if package["shipTime"].is_null() {
                continue;
            }
            let counts =
                text(&package["writeOffRemedy"]).ends_with("UNSPECIFIED") || package["writeOffRemedy"].is_null();
            for line in package["lines"].as_array().into_iter().flatten() {
                let units = number(&line["quantity"]);
                *left.entry((id.clone(), text(&line["sku"]))).or_default() += units;
                if counts {
                    let of_order = (order.clone(), number(&line["lineNumber"]).to_string());
                    *shipped.entry(of_order.clone()).or_default() += units;
                    let is_delivered = package["status"] == "MILESTONE_CODE_DELIVERED";
                    *delivered.entry(of_order).or_default() += if is_delivered { units } else { 0 };
                }
            }
        }
    }
    for order in orders {
        for line in order["lines"].as_array().into_iter().flatten().filter(|line| !is_service(line)) {
            let key = (text(&order["orderId"]), number(&line["lineNumber"]).to_string());
            for (name, packed) in [("shipped", &shipped), ("delivered", &delivered)] {
                let (counted, packed) =
                    (number(&line["counters"][name]), packed.get(&key).copied().unwrap_or_default());
                anyhow::ensure!(counted == packed, "order {key:?} counts {counted} {name}, its packages say {packed}");
            }
        }
    }
    let (mut gone, mut doubtful) = (Units::new(), BTreeSet::new());
    for movement in movements.iter().filter(|movement| movement["kind"] == "MOVEMENT_KIND_SHIPPED") {
        let key = (text(&movement["reference"]), text(&movement["sku"]));
        *gone.entry(key.clone()).or_default() -= number(&movement["onHandDelta"]);
        let note = text(&movement["note"]);
        if !note.is_empty() && note != "did not leave after all" {
            doubtful.insert(key);
        }
    }
    for key in left.keys().chain(gone.keys()).filter(|key| !doubtful.contains(*key)) {
        let of = |units: &Units| units.get(key).copied().unwrap_or_default();
        anyhow::ensure!(of(&left) == of(&gone), "{key:?}: {} left in packages, {} left stock", of(&left), of(&gone));
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
