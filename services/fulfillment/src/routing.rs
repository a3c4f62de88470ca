//! Routing: which node ships which units, and why. Pure: the same nodes, stock and exclusions give the same plan.

mod exclusions;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use types::NodeId;

use crate::node::{HandlingClass, Node};

pub(crate) use exclusions::Exclusions;
pub(crate) use rules::{Plan, route};

/// What is to be routed, and all that the decision depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoutingRequest<'a> {
    /// Where the goods go, ISO 3166-1 alpha-2.
    pub(crate) country: &'a str,
    /// What goes there.
    pub(crate) lines: &'a [RequestedLine],
    /// All nodes.
    pub(crate) nodes: &'a [Node],
    /// Available units.
    pub(crate) stock: &'a Stock,
    /// Nodes not to use.
    pub(crate) exclusions: &'a Exclusions,
}

/// Available units by item and node.
pub(crate) type Stock = BTreeMap<(String, NodeId), i64>;

/// Units of an order line that have no node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestedLine {
    /// The order line.
    pub(crate) line_number: i64,
    /// The item.
    pub(crate) sku: String,
    /// How it must be stored. The same for all lines of an item.
    pub(crate) handling_class: HandlingClass,
    /// Base units.
    pub(crate) quantity: i64,
}

store::text_enum! {
    /// Why a node is not eligible for a line.
    pub(crate) enum Obstacle {
        /// It is paused.
        Paused = "PAUSED",
        /// It cannot store the item.
        HandlingClass = "HANDLING_CLASS",
        /// It does not ship there.
        ServiceArea = "SERVICE_AREA",
        /// It rejected or shorted the units.
        Excluded = "EXCLUDED",
        /// It has no available unit.
        NoStock = "NO_STOCK",
    }
}

store::text_enum! {
    /// Why a node was chosen.
    pub(crate) enum ChoiceReason {
        /// It can ship everything that any node can ship.
        WholeOrder = "WHOLE_ORDER",
        /// It has the best rank.
        BestRank = "BEST_RANK",
        /// It has the most units of those with the best rank.
        MostStock = "MOST_STOCK",
    }
}

/// How a node was judged for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The order line.
    pub(crate) line_number: i64,
    /// The node.
    pub(crate) node_id: NodeId,
    /// Units available there.
    pub(crate) available: i64,
    /// Rank of its best service area; `None` when it does not ship there.
    pub(crate) rank: Option<i32>,
    /// Why it is not eligible; `None` when it is.
    pub(crate) obstacle: Option<Obstacle>,
}

/// Units that a node is to ship.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The order line.
    pub(crate) line_number: i64,
    /// The node.
    pub(crate) node_id: NodeId,
    /// Base units.
    pub(crate) quantity: i64,
    /// Why this node.
    pub(crate) reason: ChoiceReason,
}
