//! Services: lines of orders that nobody stocks or ships.

use serde_json::Value;
use waybill::rest::number;

/// Whether a line of an order is a service.
pub(super) fn is_service(line: &Value) -> bool {
    line["itemKind"] == "ITEM_KIND_SERVICE"
}

/// Checks that services are neither reserved nor released nor returned, and count as shipped and delivered only as their goods are.
pub(super) fn follow_goods(orders: &[Value]) -> anyhow::Result<()> {
    for order in orders {
        let lines: Vec<&Value> = order["lines"].as_array().into_iter().flatten().collect();
        let (services, goods): (Vec<&Value>, Vec<&Value>) = lines.into_iter().partition(|line| is_service(line));
        for service in services {
            let of_group = goods.iter().filter(|line| line["shipToGroup"] == service["shipToGroup"]).count() > 0;
            let sum = |names: &[&str]| -> i64 {
                let goods = goods.iter().filter(|line| !of_group || line["shipToGroup"] == service["shipToGroup"]);
                goods.flat_map(|line| names.iter().map(|name| number(&line["counters"][name]))).sum()
            };
            let of = |name: &str| number(&service["counters"][name]);
            let elsewhere =
                ["backordered", "reserved", "released", "overShipped", "returnAuthorized", "returnReceived"];
            let problem = if elsewhere.iter().any(|name| of(name) > 0) {
                "is reserved, released or returned"
            } else if of("shipped") > 0 && sum(&["unallocated", "backordered", "reserved", "released"]) > 0 {
                "counts as shipped, and its goods are open"
            } else if of("delivered") > 0 && sum(&["shipped"]) > sum(&["delivered"]) {
                "counts as delivered, and its goods are under way"
            } else {
                continue;
            };
            anyhow::bail!("a service of {} {problem}: {service}", order["orderId"]);
        }
    }
    Ok(())
}
