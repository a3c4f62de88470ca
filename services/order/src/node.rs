//! How nodes ship, and how long they need: a copy of fulfillment's nodes, all in one row, so that placing an order reads it with one key.
//!
//! 1. `node.created` and `node.updated` of fulfillment: [`CopyNode`] keeps the newest version of the node.
//! 2. Placing an order ([`Nodes::handling_time`]): what the slowest node needs that may ship some of its items to its
//!    destination. Which node ships is decided only after the release, and by the stock of that day.
//! 3. A line that no active node ships to its destination is refused ([`Nodes::deliver`]), once any node is known.
//! 4. The order is released so much earlier than it is wanted (`process/ship_window.rs`). An order that is placed keeps its time when
//!    nodes change.
//! 5. What a line is promised follows from the calendars and lanes of the nodes that may ship it (`process/promise.rs`).

use std::time::Duration;

use mesh::wire::Checks;
use proto::fulfillment::v1::{self as fulfillment, NodeState};
use store::{Command, Context, Needs, Proto, Rows};
use types::{Fault, LineReason};

use crate::item::HandlingClass;

store::record! {
    /// Every node. There is one row.
    pub(crate) struct Nodes in "nodes" key (name: String) {
        /// The nodes as fulfillment emitted them.
        nodes: Proto<fulfillment::ListNodesResponse>,
    }
}

/// What nodes need while none is known that may ship an order.
pub(crate) const DEFAULT_HANDLING: Duration = Duration::from_secs(24 * 60 * 60);

/// Every country, in service areas and lanes.
pub(crate) const EVERYWHERE: &str = "*";

impl Nodes {
    /// The key of the one row.
    pub(crate) fn key() -> String {
        "nodes".to_owned()
    }

    /// Every node.
    pub(crate) fn all(&self) -> &[fulfillment::Node] {
        &self.nodes.0.nodes
    }

    /// What the slowest active node needs that may ship items of some of the classes to the country.
    pub(crate) fn handling_time(&self, country: &str, classes: &[HandlingClass]) -> Duration {
        let serving = self.nodes.0.nodes.iter().filter(|node| serves(node, country, classes));
        let times = serving.filter_map(|node| Duration::try_from(node.handling_time?).ok());
        times.max().unwrap_or(DEFAULT_HANDLING)
    }

    /// Whether an active node ships items of the class to the country, or no node is known.
    pub(crate) fn deliver(&self, country: &str, class: HandlingClass) -> bool {
        let nodes = &self.nodes.0.nodes;
        nodes.is_empty() || nodes.iter().any(|node| serves(node, country, &[class]))
    }

    /// Notes at a field that no active node ships items of the class to the country.
    pub(crate) fn check_delivery(&self, field: String, country: &str, class: HandlingClass, checks: &mut Checks) {
        if !self.deliver(country, class) {
            let description = format!("no active node ships {} items to {country}", class.as_str());
            checks.wrong_line(field, LineReason::NotDeliverable, description);
        }
    }
}

/// Whether a node may ship items of some of the classes to the country.
pub(crate) fn serves(node: &fulfillment::Node, country: &str, classes: &[HandlingClass]) -> bool {
    let mut countries = node.service_areas.iter().flat_map(|area| &area.countries);
    let mut stored = node.handling_classes().filter_map(HandlingClass::from_contract);
    node.state() == NodeState::Active
        && countries.any(|code| code == country || code == EVERYWHERE)
        && stored.any(|class| classes.contains(&class))
}

/// Copies a node, unless there is a newer copy.
#[derive(Debug)]
pub(crate) struct CopyNode {
    node: fulfillment::Node,
    version: i64,
}

impl CopyNode {
    /// Reads the node of an event.
    pub(crate) fn read(node: Option<fulfillment::Node>) -> Result<Self, Fault> {
        let node = node.ok_or_else(|| Fault::internal("an event without its node"))?;
        Ok(Self { version: version(&node)?, node })
    }
}

fn version(node: &fulfillment::Node) -> Result<i64, Fault> {
    node.etag.parse().map_err(|_| Fault::internal("a node's etag is not a number"))
}

impl Command for CopyNode {
    type Reply = ();

    const NAME: &'static str = "CopyNode";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Nodes>(&Nodes::key());
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        let known = rows.get::<Nodes>(&Nodes::key())?.cloned();
        let mut copies = known.unwrap_or_else(|| Nodes { name: Nodes::key(), nodes: Proto::default(), version: 0 });
        let nodes = &mut copies.nodes.0.nodes;
        match nodes.iter_mut().find(|known| known.node_id == self.node.node_id) {
            Some(known) if version(known)? >= self.version => return Ok(()),
            Some(known) => *known = self.node.clone(),
            None => nodes.push(self.node.clone()),
        }
        rows.put(copies);
        Ok(())
    }
}
