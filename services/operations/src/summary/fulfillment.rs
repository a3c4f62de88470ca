//! Lines of the fulfillment service's events about nodes, routing and fulfillment orders.

use std::collections::{BTreeMap, BTreeSet};

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{
        FulfillmentOrder, FulfillmentOrderChanged, FulfillmentPicked, FulfillmentShipToChange,
        FulfillmentShipToChangeSettled, NodeChanged, RoutingDecision, ShipmentLabelled, ShipmentMilestoneRecorded,
    },
    types::v1::LineQuantity,
};

use super::{
    exception,
    format::{colon, count, items, line_items, list, one_line, or, place, units},
    shipment,
};

pub(super) fn line(event: FulfillmentEvent) -> Option<String> {
    Some(match event {
        FulfillmentEvent::NodeCreated(payload) => format!("node {} added", node(payload)?),
        FulfillmentEvent::NodeUpdated(payload) => format!("node {} changed", node(payload)?),
        FulfillmentEvent::FulfillmentRouted(payload) => routed(&payload.decision?),
        FulfillmentEvent::FulfillmentRoutingFailed(payload) => routing_failed(&payload.decision?),
        FulfillmentEvent::FulfillmentUnfulfillable(payload) => {
            format!("no node has {}: returned to the order", line_items(&payload.lines))
        }
        FulfillmentEvent::FulfillmentRequested(payload) => requested(&payload.fulfillment_order?),
        FulfillmentEvent::FulfillmentAccepted(payload) => format!("{} accepted", party_of(payload)?),
        FulfillmentEvent::FulfillmentRejected(payload) => with_reason(payload, "rejected")?,
        FulfillmentEvent::FulfillmentTimedOut(payload) => format!("{} did not answer in time", party_of(payload)?),
        FulfillmentEvent::FulfillmentCompleted(payload) => format!("{} is done", party_of(payload)?),
        FulfillmentEvent::FulfillmentIncomplete(payload) => incomplete(&payload.fulfillment_order?),
        FulfillmentEvent::FulfillmentCancellationRequested(payload) => {
            let which = named(&payload.lines);
            format!("{} asked to cancel{which}", party_of(payload)?)
        }
        FulfillmentEvent::FulfillmentCancellationRejected(payload) => {
            let which = named(&payload.lines);
            with_reason(payload, &format!("cannot cancel{which} any more"))?
        }
        FulfillmentEvent::FulfillmentShipToChangeRequested(payload) => {
            format!("{} asked to ship {}", party(payload.fulfillment_order.as_ref()?), to_place(&payload)?)
        }
        FulfillmentEvent::FulfillmentShipToChangeAccepted(payload) => {
            format!("{} ships {}", party(payload.fulfillment_order.as_ref()?), to_place(&payload)?)
        }
        FulfillmentEvent::FulfillmentShipToChangeRejected(payload) => {
            let (party, place) = (party(payload.fulfillment_order.as_ref()?), place(&payload.ship_to?));
            format!("{party} does not ship to {place}{}", colon(&payload.reason))
        }
        FulfillmentEvent::FulfillmentShipToChangeSettled(payload) => ship_to_change_settled(&payload),
        FulfillmentEvent::FulfillmentHoldPlaced(payload) => format!("{} may not begin: on hold", party_of(payload)?),
        FulfillmentEvent::FulfillmentHoldReleased(payload) => hold_released(payload)?,
        FulfillmentEvent::FulfillmentPicked(FulfillmentPicked { fulfillment_order, lines }) => {
            format!("{} picked {}", party(&fulfillment_order?), line_items(&lines))
        }
        FulfillmentEvent::FulfillmentShortPicked(FulfillmentPicked { fulfillment_order, lines }) => {
            format!("{} could not find {}", party(&fulfillment_order?), line_items(&lines))
        }
        FulfillmentEvent::FulfillmentCancelled(payload) => {
            let party = party(&payload.fulfillment_order?);
            let ended = [
                (payload.lines, "cancelled in time"),
                (payload.superseded, "shipped by another node"),
                (payload.reassigned, "another node is to ship them"),
            ];
            let ended = ended.iter().filter(|(lines, _)| !lines.is_empty());
            let ended: Vec<_> = ended.map(|(lines, why)| format!("{}: {why}", line_items(lines))).collect();
            format!("{party} will not ship {}", ended.join("; "))
        }
        FulfillmentEvent::ShipmentLabelled(ShipmentLabelled { shipment }) => {
            let shipment = shipment?;
            let packages = count(shipment.packages.len(), "package");
            format!("{} labelled {packages}; nothing has left yet", shipment.node_id)
        }
        FulfillmentEvent::ShipmentShipped(payload) => shipment::shipped(payload)?,
        FulfillmentEvent::ShipmentOverShipped(payload) => {
            format!("{} has {} more than was requested", payload.shipment_id, line_items(&payload.lines))
        }
        FulfillmentEvent::ShipmentMilestoneRecorded(ShipmentMilestoneRecorded { milestone, .. }) => {
            shipment::milestone("package", &milestone?)
        }
        FulfillmentEvent::ShipmentUnmatchedMilestoneRecorded(ShipmentMilestoneRecorded { milestone, .. }) => {
            shipment::milestone("unmatched package", &milestone?)
        }
        FulfillmentEvent::ShipmentPartiallyDelivered(payload) => {
            format!("delivered {}; more is on its way", line_items(&payload.lines))
        }
        FulfillmentEvent::ShipmentDelivered(payload) => {
            format!("delivered {}: {} is complete", line_items(&payload.lines), shipment::name(&payload.shipment?))
        }
        FulfillmentEvent::ShipmentDepartureRetracted(payload) => {
            format!("did not leave after all: {} of {}", line_items(&payload.lines), shipment::name(&payload.shipment?))
        }
        FulfillmentEvent::ShipmentDeliveryRetracted(payload) => {
            format!("not delivered after all: {} of {}", line_items(&payload.lines), shipment::name(&payload.shipment?))
        }
        FulfillmentEvent::ShipmentReportRetracted(payload) => {
            let milestone = payload.milestone?;
            format!("taken back: {}{}", shipment::milestone("package", &milestone), colon(&milestone.retract_reason))
        }
        FulfillmentEvent::FulfillmentPickRetracted(payload) => {
            let (lines, found) = (line_items(&payload.lines), line_items(&payload.found));
            let what = match (payload.lines.is_empty(), payload.found.is_empty()) {
                (_, true) => format!("did not pick {lines}"),
                (true, false) => format!("found {found}"),
                (false, false) => format!("did not pick {lines} and found {found}"),
            };
            format!("{} {what} after all", party(&payload.fulfillment_order?))
        }
        FulfillmentEvent::ShipmentVoided(payload) => {
            format!("labels of {} are void: {}", shipment::name(&payload.shipment?), line_items(&payload.lines))
        }
        FulfillmentEvent::ShipmentReturnedToSender(payload) => {
            format!("{} comes back to its sender: {}", payload.package_id, line_items(&payload.lines))
        }
        FulfillmentEvent::ShipmentRecovered(payload) => {
            format!("{} does not come back after all: {}", payload.package_id, line_items(&payload.lines))
        }
        FulfillmentEvent::ShipmentWrittenOff(payload) => shipment::written_off(&payload),
        FulfillmentEvent::ShipmentPodCaptured(payload) => shipment::proof_of_delivery(&payload)?,
        FulfillmentEvent::ExceptionOpened(payload) => exception::opened(&payload),
        FulfillmentEvent::ExceptionResolved(payload) => exception::resolved(&payload),
    })
}

fn node(payload: NodeChanged) -> Option<String> {
    let node = payload.node?;
    Some(format!("{} ({})", one_line(&node.name), node.node_id))
}

fn hold_released(payload: FulfillmentOrderChanged) -> Option<String> {
    let order = payload.fulfillment_order?;
    let party = party(&order);
    Some(match order.holds.len() {
        0 => format!("{party} may begin: no hold remains"),
        more => format!("{party} may not begin: still on {}", count(more, "hold")),
    })
}

/// Units after a blank; nothing when there are none.
fn named(lines: &[LineQuantity]) -> String {
    if lines.is_empty() { String::new() } else { format!(" {}", line_items(lines)) }
}

fn to_place(payload: &FulfillmentShipToChange) -> Option<String> {
    let units = if payload.lines.is_empty() { String::new() } else { format!("{} ", line_items(&payload.lines)) };
    Some(format!("{units}to {}", place(payload.ship_to.as_ref()?)))
}

fn ship_to_change_settled(payload: &FulfillmentShipToChangeSettled) -> String {
    let (accepted, rejected) = (line_items(&payload.accepted), line_items(&payload.rejected));
    let why = colon(&payload.reason);
    match (payload.accepted.is_empty(), payload.rejected.is_empty()) {
        (_, true) => format!("destination changed for {accepted}"),
        (true, false) => format!("destination not changed for {rejected}{why}"),
        (false, false) => format!("destination changed for {accepted}, not for {rejected}{why}"),
    }
}

fn party_of(payload: FulfillmentOrderChanged) -> Option<String> {
    Some(party(&payload.fulfillment_order?))
}

fn with_reason(payload: FulfillmentOrderChanged, what: &str) -> Option<String> {
    let order = payload.fulfillment_order?;
    Some(format!("{} {what}{}", party(&order), colon(&order.reason)))
}

/// The partner that runs the node, with the node; the node alone when it is the distributor's own.
fn party(order: &FulfillmentOrder) -> String {
    if order.partner_id.is_empty() {
        order.node_id.clone()
    } else {
        format!("{} ({})", order.partner_id, order.node_id)
    }
}

fn attempt(number: i32) -> String {
    if number > 1 { format!(" (attempt {number})") } else { String::new() }
}

fn requested(order: &FulfillmentOrder) -> String {
    let quantities = items(order.lines.iter().map(|line| (line.sku.as_str(), line.quantity)));
    format!("{} asked to ship {quantities}{}", party(order), attempt(order.attempt))
}

fn incomplete(order: &FulfillmentOrder) -> String {
    let missing = items(order.lines.iter().map(|line| (line.sku.as_str(), line.quantity - line.shipped)));
    format!("{} is done without {missing}", party(order))
}

fn routed(decision: &RoutingDecision) -> String {
    let mut nodes: BTreeMap<&str, i64> = BTreeMap::new();
    for choice in &decision.choices {
        *nodes.entry(&choice.node_id).or_default() += choice.quantity;
    }
    let parts: Vec<String> = nodes.into_iter().map(|(node, sum)| format!("{} to {node}", units(sum))).collect();
    format!("routed {}{}", list(&parts, "units"), attempt(decision.attempt))
}

fn routing_failed(decision: &RoutingDecision) -> String {
    let open: BTreeSet<i32> = decision.unrouted.iter().map(|line| line.line_number).collect();
    let obstacles: BTreeSet<String> = decision
        .candidates
        .iter()
        .filter(|candidate| open.contains(&candidate.line_number) && !candidate.obstacle.is_empty())
        .map(|candidate| format!("{} {}", candidate.node_id, or(&candidate.obstacle, "refused")))
        .collect();
    let obstacles = obstacles.into_iter().collect::<Vec<_>>();
    let reason = if obstacles.is_empty() { String::new() } else { list(&obstacles, "obstacles") };
    format!("no node may take {}{}", line_items(&decision.unrouted), colon(&reason))
}
