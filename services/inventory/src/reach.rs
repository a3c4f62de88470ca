//! Where the units of a location can be sent: a copy of what fulfillment's nodes are, all in one row, so that a decision reads it
//! with one key.
//!
//! 1. `node.created` and `node.updated` of fulfillment: [`RecordNode`] keeps the newest version of the node, and emits
//!    `location.reach_changed`. A location without a known node is restricted in nothing.
//! 2. The same event has [`FillBackorders`] for every item that orders wait for and that the node has or expects: its units may be
//!    theirs now.
//! 3. Reserve, availability and allocation count what can reach the customer (`supply.rs`).
//! 4. Fulfillment follows `location.reach_changed`, and routes again what waited for the node
//!    (`services/fulfillment/src/process/rerouting.rs`).

use proto::{
    events::InventoryEvent,
    fulfillment::v1::{Node, NodeState},
    inventory::v1::LocationReachChanged,
};
use store::{Column, Command, Context, Kind, Needs, NewEvent, Rows, Value};
use types::{Fault, Id as _, NodeId};

use crate::{item::HandlingClass, ledger::Cause, stock::Stock, working_set::WorkingSet};

store::record! {
    /// What every node ships where. There is one row.
    pub(crate) struct Reach in "reach" key (name: String) {
        nodes: NodeReaches,
    }
}

/// Nodes with their version, state, handling classes and countries: `nod_a|3|ACTIVE|AMBIENT,CHILLED|DE,AT;nod_b|…`. It is read
/// as it is stored, since most decisions ask for a few nodes and allocate nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct NodeReaches(String);

/// Every country.
const EVERYWHERE: &str = "*";

/// One node.
#[derive(Debug, Clone, Copy)]
struct NodeReach<'a> {
    version: i64,
    is_active: bool,
    classes: &'a str,
    countries: &'a str,
}

fn has(list: &str, wanted: &str) -> bool {
    list.split(',').any(|one| one == wanted)
}

impl NodeReach<'_> {
    fn ships(&self, country: &str, class: HandlingClass) -> bool {
        let there = country.is_empty() || has(self.countries, country) || has(self.countries, EVERYWHERE);
        there && has(self.classes, class.as_str())
    }
}

impl Reach {
    /// The key of the one row.
    pub(crate) fn key() -> String {
        "nodes".to_owned()
    }

    fn node(&self, location_id: &str) -> Option<NodeReach<'_>> {
        let mut entries = self.nodes.0.split(';');
        let mut fields = entries.find_map(|entry| entry.strip_prefix(location_id)?.strip_prefix('|'))?.split('|');
        Some(NodeReach {
            version: fields.next()?.parse().ok()?,
            is_active: fields.next()? == NodeState::Active.as_str_name(),
            classes: fields.next()?,
            countries: fields.next()?,
        })
    }

    /// Whether units at the location can be sent to the country now; to some country when it is empty.
    pub(crate) fn reaches(&self, location_id: &str, country: &str, class: HandlingClass) -> bool {
        self.node(location_id).is_none_or(|node| node.is_active && node.ships(country, class))
    }

    /// The same once its node is active: what is reserved waits for it.
    pub(crate) fn will_reach(&self, location_id: &str, country: &str, class: HandlingClass) -> bool {
        self.node(location_id).is_none_or(|node| node.ships(country, class))
    }

    /// Whether units at the location can be sent everywhere now.
    pub(crate) fn reaches_everywhere(&self, location_id: &str, class: HandlingClass) -> bool {
        self.reaches(location_id, EVERYWHERE, class)
    }

    /// Active nodes that store ambient goods and ship to these countries.
    #[cfg(test)]
    pub(crate) fn of(nodes: &[(&str, &[&str])]) -> Self {
        let mut reach = Self { name: Self::key(), nodes: NodeReaches::default(), version: 0 };
        for (id, countries) in nodes {
            reach.record(&RecordNode {
                location_id: id.parse().expect("the id of a node"),
                version: 1,
                is_active: true,
                classes: vec![HandlingClass::Ambient.as_str()],
                countries: countries.iter().map(|country| (*country).to_owned()).collect(),
            });
        }
        reach
    }

    /// Keeps a newer version of a node; returns whether it is one.
    fn record(&mut self, node: &RecordNode) -> bool {
        let id = node.location_id.to_string();
        if self.node(&id).is_some_and(|known| known.version >= node.version) {
            return false;
        }
        let others = self.nodes.0.split(';').filter(|entry| entry.split('|').next() != Some(&id));
        let mut entries: Vec<String> = others.filter(|entry| !entry.is_empty()).map(str::to_owned).collect();
        let state = if node.is_active { NodeState::Active } else { NodeState::Paused };
        let (classes, countries) = (node.classes.join(","), node.countries.join(","));
        entries.push(format!("{id}|{}|{}|{classes}|{countries}", node.version, state.as_str_name()));
        self.nodes.0 = entries.join(";");
        true
    }
}

/// Whether units of an item that a destination needs may stay at a location: its node ships there, if it is not active now.
pub(crate) fn may_stay(reach: Option<&Reach>, stock: &Stock, location_id: &NodeId, country: &str) -> bool {
    reach.is_none_or(|reach| reach.will_reach(location_id.as_str(), country, stock.handling_class))
}

impl Column for NodeReaches {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::Text(self.0.clone())
    }

    fn from_value(value: Value) -> Option<Self> {
        String::from_value(value).map(Self)
    }
}

/// A node was created or changed.
#[derive(Debug)]
pub(crate) struct RecordNode {
    location_id: NodeId,
    version: i64,
    is_active: bool,
    classes: Vec<&'static str>,
    /// In order, each once.
    countries: Vec<String>,
}

impl RecordNode {
    /// Reads the node of an event.
    pub(crate) fn read(node: &Node) -> Result<Self, Fault> {
        let unreadable = |what: &str| Fault::internal(format!("an event about a node whose {what} is unreadable"));
        let classes = node.handling_classes().filter_map(HandlingClass::from_contract);
        let mut countries: Vec<String> = node.service_areas.iter().flat_map(|area| area.countries.clone()).collect();
        countries.sort_unstable();
        countries.dedup();
        Ok(Self {
            location_id: node.node_id.parse().map_err(|_| unreadable("id"))?,
            version: node.etag.parse().map_err(|_| unreadable("etag"))?,
            is_active: node.state() != NodeState::Paused,
            classes: classes.map(|class| class.as_str()).collect(),
            countries,
        })
    }

    /// The location.
    pub(crate) fn location_id(&self) -> &NodeId {
        &self.location_id
    }
}

impl Command for RecordNode {
    type Reply = ();
    const NAME: &'static str = "RecordNode";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Reach>(&Reach::key());
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let known = rows.get::<Reach>(&Reach::key())?.cloned();
        let mut reach =
            known.unwrap_or_else(|| Reach { name: Reach::key(), nodes: NodeReaches::default(), version: 0 });
        if reach.record(self) {
            rows.put(reach);
            let payload =
                LocationReachChanged { location_id: self.location_id.to_string(), node_version: self.version };
            let payload = InventoryEvent::LocationReachChanged(payload);
            cx.emit(NewEvent::new(payload, &self.location_id, self.version, self.version));
        }
        Ok(())
    }
}

/// Fills the backorders of an item with units that can reach them now, and dates the others.
#[derive(Debug)]
pub(crate) struct FillBackorders {
    pub(crate) sku: String,
}

impl FillBackorders {
    fn working_set(&self, rows: &Rows) -> WorkingSet {
        let mut set = WorkingSet::default();
        set.units_become_free(rows, &self.sku);
        set
    }
}

impl Command for FillBackorders {
    type Reply = ();
    const NAME: &'static str = "FillBackorders";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.working_set(rows).request(rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut ledger = self.working_set(rows).load(rows, cx.now())?;
        ledger.touch(&self.sku)?;
        ledger.save(&Cause::Stock, rows, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, version: i64, classes: &[&'static str], countries: &[&str]) -> RecordNode {
        RecordNode {
            location_id: id.parse().unwrap(),
            version,
            is_active: true,
            classes: classes.to_vec(),
            countries: countries.iter().map(|country| (*country).to_owned()).collect(),
        }
    }

    #[test]
    fn a_node_is_asked_by_state_class_and_country_and_only_its_newest_version_counts() {
        let (ambient, frozen) = (HandlingClass::Ambient, HandlingClass::Frozen);
        let mut known = Reach { name: Reach::key(), nodes: NodeReaches::default(), version: 0 };
        let paused = RecordNode { is_active: false, ..node("nod_c", 2, &["AMBIENT"], &["*"]) };
        let newer = [
            node("nod_a", 2, &["AMBIENT"], &["AT", "DE"]),
            node("nod_ab", 1, &["AMBIENT", "FROZEN"], &["*"]),
            node("nod_c", 1, &["AMBIENT"], &["*"]),
            paused,
        ];
        assert!(newer.iter().all(|node| known.record(node)));
        assert!(!known.record(&node("nod_a", 1, &["FROZEN"], &["US"])), "it is older");
        assert!(known.reaches("nod_a", "DE", ambient) && known.reaches("nod_a", "", ambient));
        assert!(!known.reaches("nod_a", "US", ambient) && !known.reaches("nod_a", "DE", frozen));
        assert!(known.reaches_everywhere("nod_ab", frozen) && !known.reaches_everywhere("nod_a", ambient));
        assert!(!known.reaches("nod_c", "DE", ambient) && known.will_reach("nod_c", "DE", ambient), "it is paused");
        assert!(known.reaches("nod_unknown", "DE", ambient) && known.reaches_everywhere("nod_unknown", frozen));
    }
}
