//! Where units go, and why. A pure decision: the same nodes, stock and exclusions give the same answer.
//!
//! Hard constraints are never bent: the node is active, keeps the handling class, ships to the country, was not excluded,
//! and has the stock. Among what is left one node that can take everything wins, by rank, then by stock; otherwise each
//! line goes to the best rank, then to the most stock, and is split when no one node has all of it.

#[cfg(test)]
mod tests;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use types::NodeId;

use crate::node::{HandlingClass, Node, State};

/// What is to be routed, and all that the decision depends on.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Where the goods go, ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// What goes there.
    pub lines: &'a [Wanted],
    /// All nodes.
    pub nodes: &'a [Node],
    /// Units available by item and node.
    pub stock: &'a Stock,
    /// Nodes not to use.
    pub exclusions: &'a Exclusions,
}

/// Units available by item and node.
pub type Stock = BTreeMap<(String, NodeId), i64>;

/// An order line's units without a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The order line.
    pub line_number: i64,
    /// The item.
    pub sku: String,
    /// How it must be kept. The same for all lines of an item.
    pub handling_class: HandlingClass,
    /// Base units.
    pub quantity: i64,
}

/// Nodes not to use: for everything, or for one item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exclusions(pub BTreeSet<(NodeId, Option<String>)>);

/// Why a node may not take a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// It gets no new work.
    Paused,
    /// It can not keep the item.
    HandlingClass,
    /// It does not ship there.
    ServiceArea,
    /// It rejected or shorted this work.
    Excluded,
    /// It has none.
    NoStock,
}

/// Why a node was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It can take everything that any node may take.
    WholeOrder,
    /// No other node has as good a rank.
    BestRank,
    /// Of those with the best rank it has the most.
    MostStock,
}

/// A node as seen for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The order line.
    pub line_number: i64,
    /// The node.
    pub node_id: NodeId,
    /// Units available there.
    pub available: i64,
    /// Rank of its best service area; `None` when it does not ship there.
    pub rank: Option<i32>,
    /// Why it is not eligible; `None` when it is.
    pub obstacle: Option<Obstacle>,
}

/// Units given to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The order line.
    pub line_number: i64,
    /// The node.
    pub node_id: NodeId,
    /// Base units.
    pub quantity: i64,
    /// Why this node.
    pub reason: Reason,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Every line and node that was looked at.
    pub candidates: Vec<Candidate>,
    /// What was chosen.
    pub choices: Vec<Choice>,
    /// Lines, or parts of them, that no node could take.
    pub unrouted: Vec<Wanted>,
}

impl Plan {
    /// Leaves what is beyond so many choices without a node, for another plan.
    pub fn cap(&mut self, most: usize, lines: &[Wanted]) {
        for choice in self.choices.split_off(most.min(self.choices.len())) {
            let same = |line: &&Wanted| line.line_number == choice.line_number;
            match self.unrouted.iter_mut().find(|line| line.line_number == choice.line_number) {
                Some(rest) => rest.quantity += choice.quantity,
                None => {
                    let rest = lines.iter().find(same).map(|line| Wanted { quantity: choice.quantity, ..line.clone() });
                    self.unrouted.extend(rest);
                }
            }
        }
        self.unrouted.sort_by_key(|line| line.line_number);
    }
}

impl Obstacle {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "PAUSED",
            Self::HandlingClass => "HANDLING_CLASS",
            Self::ServiceArea => "SERVICE_AREA",
            Self::Excluded => "EXCLUDED",
            Self::NoStock => "NO_STOCK",
        }
    }
}

impl Reason {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WholeOrder => "WHOLE_ORDER",
            Self::BestRank => "BEST_RANK",
            Self::MostStock => "MOST_STOCK",
        }
    }
}

impl Exclusions {
    /// Whether the node is not to be used for the item.
    pub fn excludes(&self, node_id: &NodeId, sku: &str) -> bool {
        self.0.contains(&(node_id.clone(), None)) || self.0.contains(&(node_id.clone(), Some(sku.to_owned())))
    }

    /// Nodes that are not to be used for something.
    pub fn nodes(&self) -> BTreeSet<&NodeId> {
        self.0.iter().map(|(node_id, _)| node_id).collect()
    }
}

/// A node that may take units of a line.
#[derive(Debug, Clone, Copy)]
struct Eligible<'a> {
    node_id: &'a NodeId,
    rank: i32,
}

impl<'a> Eligible<'a> {
    /// Best rank first, then most units.
    fn preference(&self, units: i64) -> (i32, Reverse<i64>, &'a NodeId) {
        (self.rank, Reverse(units), self.node_id)
    }
}

/// Decides where the lines go.
pub fn route(question: &Question<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut lines: Vec<(&Wanted, Vec<Eligible<'_>>)> = Vec::with_capacity(question.lines.len());
    for line in question.lines {
        let mut eligible = Vec::new();
        for node in question.nodes {
            let candidate = question.look(line, node);
            if let (Some(rank), None) = (candidate.rank, candidate.obstacle) {
                eligible.push(Eligible { node_id: &node.node_id, rank });
            }
            plan.candidates.push(candidate);
        }
        lines.push((line, eligible));
    }
    if let Some(node_id) = whole(&lines, question.stock) {
        for (line, eligible) in lines {
            if eligible.is_empty() {
                plan.unrouted.push(line.clone());
            } else {
                plan.choices.push(line.choose(node_id, line.quantity, Reason::WholeOrder));
            }
        }
        return plan;
    }
    let mut stock = question.stock.clone();
    for (line, eligible) in lines {
        let rest = spread(line, &eligible, &mut stock, &mut plan.choices);
        if rest > 0 {
            plan.unrouted.push(Wanted { quantity: rest, ..line.clone() });
        }
    }
    plan
}

/// The best node that can take everything that any node may take.
fn whole<'a>(lines: &[(&Wanted, Vec<Eligible<'a>>)], stock: &Stock) -> Option<&'a NodeId> {
    let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
    let routable = || lines.iter().filter(|(_, eligible)| !eligible.is_empty());
    for (line, _) in routable() {
        let sum = wanted.entry(&line.sku).or_default();
        *sum = sum.saturating_add(line.quantity);
    }
    let takes_all = |one: &&Eligible<'a>| {
        let may = routable().all(|(_, eligible)| eligible.iter().any(|other| other.node_id == one.node_id));
        may && wanted.iter().all(|(sku, quantity)| available(stock, sku, one.node_id) >= *quantity)
    };
    let all = |one: &&Eligible<'a>| {
        let total = wanted.keys().fold(0_i64, |sum, sku| sum.saturating_add(available(stock, sku, one.node_id)));
        one.preference(total)
    };
    let (_, first) = routable().next()?;
    first.iter().filter(takes_all).min_by_key(all).map(|one| one.node_id)
}

/// Gives a line to the best nodes; answers what none could take.
fn spread(line: &Wanted, eligible: &[Eligible<'_>], stock: &mut Stock, choices: &mut Vec<Choice>) -> i64 {
    let mut rest = line.quantity;
    while rest > 0 {
        let has = |one: &Eligible<'_>| available(stock, &line.sku, one.node_id);
        let able: Vec<_> = eligible.iter().filter(|one| has(one) > 0).collect();
        let sufficing: Vec<_> = able.iter().copied().filter(|one| has(one) >= rest).collect();
        let pool = if sufficing.is_empty() { able } else { sufficing };
        let Some(chosen) = pool.iter().copied().min_by_key(|one| one.preference(has(one))) else { break };
        let rivals = pool.iter().filter(|one| one.rank == chosen.rank).count();
        let reason = if rivals > 1 { Reason::MostStock } else { Reason::BestRank };
        let quantity = has(chosen).min(rest);
        choices.push(line.choose(chosen.node_id, quantity, reason));
        stock.entry((line.sku.clone(), chosen.node_id.clone())).and_modify(|left| *left -= quantity);
        rest -= quantity;
    }
    rest
}

fn available(stock: &Stock, sku: &str, node_id: &NodeId) -> i64 {
    stock.get(&(sku.to_owned(), node_id.clone())).copied().unwrap_or(0)
}

impl Wanted {
    fn choose(&self, node_id: &NodeId, quantity: i64, reason: Reason) -> Choice {
        Choice { line_number: self.line_number, node_id: node_id.clone(), quantity, reason }
    }
}

impl Question<'_> {
    fn look(&self, line: &Wanted, node: &Node) -> Candidate {
        let available = available(self.stock, &line.sku, &node.node_id);
        let rank = node.rank(self.country);
        let obstacle = if node.state == State::Paused {
            Some(Obstacle::Paused)
        } else if !node.handling_classes.0.contains(&line.handling_class) {
            Some(Obstacle::HandlingClass)
        } else if rank.is_none() {
            Some(Obstacle::ServiceArea)
        } else if self.exclusions.excludes(&node.node_id, &line.sku) {
            Some(Obstacle::Excluded)
        } else if available <= 0 {
            Some(Obstacle::NoStock)
        } else {
            None
        };
        Candidate { line_number: line.line_number, node_id: node.node_id.clone(), available, rank, obstacle }
    }
}
