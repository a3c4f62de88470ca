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
use crate::{
    item::HandlingClass,
    node::{DEFAULT_HANDLING, serves},
};

/// What can be promised.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dates {
    /// When the goods leave.
    pub(crate) ship: Timestamp,
    /// When they are delivered; `None` when no lane says.
    pub(crate) delivery: Option<Timestamp>,
    /// What decides.
    pub(crate) source: Source,
}

/// What decides dates.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Source {
    /// For people, customers among them: it names no node.
    pub(crate) text: String,
    /// The node that ships last, and the one that delivers last when that is another one.
    pub(crate) node_ids: Vec<String>,
}

impl Source {
    /// The same of stock that is expected.
    pub(crate) fn of_expected_stock(self) -> Self {
        Self { text: format!("stock that is expected; {}", self.text), ..self }
    }
}

/// Dates of items of a class that any node which serves the destination may be asked for at `request`, and that leave not before
/// they are wanted.
pub(crate) fn dates_of_any(
    nodes: &[Node],
    class: HandlingClass,
    to: &Destination,
    request: Timestamp,
    wanted: Option<Timestamp>,
) -> Dates {
    dates(nodes.iter().filter(|node| serves(node, &to.country, &[class])), to, request, wanted)
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
        let text = "a day of handling, since no warehouse is known that may ship it".to_owned();
        return Dates { ship, delivery: None, source: Source { text, node_ids: Vec::new() } };
    };
    let mut node_ids = vec![node.node_id.clone()];
    let mut other = |from: &Node| {
        let is_other = from.node_id != node.node_id;
        node_ids.extend(is_other.then(|| from.node_id.clone()));
        if is_other { " from another warehouse" } else { "" }
    };
    let (delivery, arrives) = match delivers {
        Ok(Some((at, from))) => (Some(at), arrives(from, to, other(from))),
        Ok(None) => (None, String::new()),
        Err(without) => (None, format!("no lane{}", other(without))),
    };
    Dates { ship, delivery, source: Source { text: [leaves(node), arrives].join("; "), node_ids } }
}

/// Delivery of goods that left a node at some time.
pub(crate) fn delivery_after(node: &Node, to: &Destination, ship: Timestamp) -> Option<(Timestamp, Source)> {
    let (lane, _) = lane(node, to)?;
    let text = format!("left later than promised; {}", arrives(node, to, ""));
    Some((delivery(node, lane, to, ship)?, Source { text, node_ids: vec![node.node_id.clone()] }))
}

fn leaves(node: &Node) -> String {
    match node.cutoff_time.as_str() {
        "" => "a warehouse".to_owned(),
        cutoff => format!("a warehouse, requests until {cutoff}"),
    }
}

fn arrives(node: &Node, to: &Destination, from: &str) -> String {
    let Some((lane, prefix)) = lane(node, to) else { return String::new() };
    let days = match lane.transit_days {
        1 => "1 delivery day".to_owned(),
        days => format!("{days} delivery days"),
    };
    let area = if prefix.is_empty() { to.country.clone() } else { format!("{} {prefix}", to.country) };
    format!("{days}{from} to {area}, {}", to.zone_name(node))
}
