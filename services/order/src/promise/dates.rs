//! The dates that can be trusted before it is known which node ships: the latest of the nodes that may.
//!
//! Which node ships is decided only after the release, by the stock of that moment. So the earliest dates of every node that may
//! ship an item to a destination are found, and the latest of them promised; there is no delivery date while one of them has no
//! lane to the destination. Once a node is asked to ship, it alone counts.

use proto::fulfillment::v1::Node;
use types::Timestamp;

use super::{
    departure::departure,
    lane::{Destination, delivery, lane},
};
use crate::node::DEFAULT_HANDLING;

/// What can be promised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dates {
    /// When the goods leave.
    pub(crate) ship: Timestamp,
    /// When they are delivered; `None` when no lane says.
    pub(crate) delivery: Option<Timestamp>,
    /// The nodes and the lane that decide, for people.
    pub(crate) source: String,
}

/// Dates of goods that these nodes may be asked for at `request`, and that leave not before they are wanted.
pub(crate) fn dates<'n>(
    nodes: impl Iterator<Item = &'n Node>,
    to: &Destination,
    request: Timestamp,
    wanted: Option<Timestamp>,
) -> Dates {
    let mut ships: Option<(Timestamp, &Node)> = None;
    // As long as all nodes have a lane.
    let mut delivers: Result<Option<(Timestamp, &Node)>, &Node> = Ok(None);
    for node in nodes {
        let Some(ship) = departure(node, request, wanted) else { continue };
        if ships.is_none_or(|(latest, _)| ship > latest) {
            ships = Some((ship, node));
        }
        let delivered = lane(node, to).and_then(|(lane, _)| delivery(node, lane, to, ship));
        delivers = match (delivers, delivered) {
            (Err(without), _) => Err(without),
            (Ok(_), None) => Err(node),
            (Ok(Some((latest, of))), Some(at)) if latest >= at => Ok(Some((latest, of))),
            (Ok(_), Some(at)) => Ok(Some((at, node))),
        };
    }
    let Some((ship, node)) = ships else {
        let soonest = request.after(DEFAULT_HANDLING);
        let ship = wanted.map_or(soonest, |wanted| wanted.max(soonest));
        return Dates {
            ship,
            delivery: None,
            source: "a day of handling, since no node is known that may ship it".to_owned(),
        };
    };
    let leaves = leaves(node);
    let (delivery, arrives) = match delivers {
        Ok(Some((at, from))) => (Some(at), arrives(from, to, from.node_id != node.node_id)),
        Ok(None) => (None, String::new()),
        Err(without) => (None, format!("no lane from {}", without.node_id)),
    };
    Dates { ship, delivery, source: [leaves, arrives].join("; ") }
}

/// Delivery of goods that left a node at some time.
pub(crate) fn delivery_after(node: &Node, to: &Destination, ship: Timestamp) -> Option<(Timestamp, String)> {
    let (lane, _) = lane(node, to)?;
    Some((delivery(node, lane, to, ship)?, format!("left {}; {}", node.node_id, arrives(node, to, false))))
}

fn leaves(node: &Node) -> String {
    match node.cutoff_time.as_str() {
        "" => node.node_id.clone(),
        cutoff => format!("{}, requests until {cutoff}", node.node_id),
    }
}

fn arrives(node: &Node, to: &Destination, is_other: bool) -> String {
    let Some((lane, prefix)) = lane(node, to) else { return String::new() };
    let days = match lane.transit_days {
        1 => "1 delivery day".to_owned(),
        days => format!("{days} delivery days"),
    };
    let from = if is_other { format!(" from {}", node.node_id) } else { String::new() };
    let area = if prefix.is_empty() { to.country.clone() } else { format!("{} {prefix}", to.country) };
    format!("{days}{from} to {area}, {}", to.zone_name(node))
}
