//! What the fulfillment service tells of work.

use std::collections::{BTreeMap, BTreeSet};

use proto::{
    event::v1::Event,
    fulfillment::v1::{
        FulfillmentCancelled, FulfillmentOrder, FulfillmentOrderChanged, FulfillmentPicked, FulfillmentRouted,
        FulfillmentRoutingFailed, FulfillmentUnfulfillable, NodeChanged, RoutingDecision,
    },
    types::v1::LineQuantity,
};
use store::payload;

use super::words::{because, either, goods, lines, list, one_line, units};

pub(super) fn line(event: &Event) -> Option<String> {
    let kind = event.r#type.as_str();
    Some(match kind {
        "node.created" => format!("node {} added", node(event)?),
        "node.updated" => format!("node {} changed", node(event)?),
        "fulfillment.routed" => routed(&payload::<FulfillmentRouted>(event)?.decision?),
        "fulfillment.routing_failed" => routing_failed(&payload::<FulfillmentRoutingFailed>(event)?.decision?),
        "fulfillment.unfulfillable" => {
            let fact: FulfillmentUnfulfillable = payload(event)?;
            format!("no node has {}: back to wait for stock", lines(&fact.lines))
        }
        "fulfillment.picked" => {
            let (work, picked) = picked(event)?;
            format!("{} picked {}", who(&work), lines(&picked))
        }
        "fulfillment.short_picked" => {
            let (work, short) = picked(event)?;
            format!("{} could not find {}", who(&work), lines(&short))
        }
        "fulfillment.cancelled" => {
            let fact: FulfillmentCancelled = payload(event)?;
            format!("{} will not ship {}: cancelled in time", who(&fact.fulfillment_order?), lines(&fact.lines))
        }
        _ => changed(kind, event)?,
    })
}

/// The kinds that tell nothing but the work as it is now.
fn changed(kind: &str, event: &Event) -> Option<String> {
    let tell = match kind {
        "fulfillment.requested" => requested,
        "fulfillment.accepted" => |work: &FulfillmentOrder| format!("{} accepted", who(work)),
        "fulfillment.rejected" => |work: &FulfillmentOrder| format!("{} rejected{}", who(work), because(&work.reason)),
        "fulfillment.timed_out" => |work: &FulfillmentOrder| format!("{} did not answer in time", who(work)),
        "fulfillment.completed" => |work: &FulfillmentOrder| format!("{} is done", who(work)),
        "fulfillment.incomplete" => incomplete,
        "fulfillment.cancellation_requested" => |work: &FulfillmentOrder| format!("{} asked to cancel", who(work)),
        "fulfillment.cancellation_rejected" => {
            |work: &FulfillmentOrder| format!("{} can not cancel any more{}", who(work), because(&work.reason))
        }
        _ => return None,
    };
    Some(tell(&payload::<FulfillmentOrderChanged>(event)?.fulfillment_order?))
}

fn node(event: &Event) -> Option<String> {
    let node = payload::<NodeChanged>(event)?.node?;
    Some(format!("{} ({})", one_line(&node.name), node.node_id))
}

/// The partner that works there, with the node; the node alone when it is the distributor's own.
fn who(work: &FulfillmentOrder) -> String {
    if work.partner_id.is_empty() { work.node_id.clone() } else { format!("{} ({})", work.partner_id, work.node_id) }
}

fn requested(work: &FulfillmentOrder) -> String {
    let what = goods(work.lines.iter().map(|line| (line.sku.as_str(), line.quantity)));
    let again = if work.attempt > 1 { format!(" (attempt {})", work.attempt) } else { String::new() };
    format!("{} asked to ship {what}{again}", who(work))
}

fn incomplete(work: &FulfillmentOrder) -> String {
    let missing = goods(work.lines.iter().map(|line| (line.sku.as_str(), line.quantity - line.shipped)));
    format!("{} is done without {missing}", who(work))
}

fn picked(event: &Event) -> Option<(FulfillmentOrder, Vec<LineQuantity>)> {
    let fact: FulfillmentPicked = payload(event)?;
    Some((fact.fulfillment_order?, fact.lines))
}

fn routed(decision: &RoutingDecision) -> String {
    let mut nodes: BTreeMap<&str, i64> = BTreeMap::new();
    for choice in &decision.choices {
        *nodes.entry(&choice.node_id).or_default() += choice.quantity;
    }
    let parts: Vec<String> = nodes.into_iter().map(|(node, sum)| format!("{} to {node}", units(sum))).collect();
    let again = if decision.attempt > 1 { format!(" (attempt {})", decision.attempt) } else { String::new() };
    format!("routed {}{again}", list(&parts, "units"))
}

fn routing_failed(decision: &RoutingDecision) -> String {
    let open: BTreeSet<i32> = decision.unrouted.iter().map(|line| line.line_number).collect();
    let obstacles: BTreeSet<String> = decision
        .candidates
        .iter()
        .filter(|candidate| open.contains(&candidate.line_number) && !candidate.obstacle.is_empty())
        .map(|candidate| format!("{} {}", candidate.node_id, either(&candidate.obstacle, "refused")))
        .collect();
    let obstacles = obstacles.into_iter().collect::<Vec<_>>();
    let why = if obstacles.is_empty() { String::new() } else { list(&obstacles, "obstacles") };
    format!("no node may take {}{}", lines(&decision.unrouted), because(&why))
}
