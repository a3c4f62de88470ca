//! The routing rules.
//!
//! Hard constraints: the node is active, stores the handling class, ships to the country, is not excluded, and has available
//! units. Among the eligible nodes one that can ship everything is chosen, by rank, then by stock. Otherwise each line goes to
//! the best rank, then to the most stock, and is split when no single node has all of it.

use std::{cmp::Reverse, collections::BTreeMap};

use types::NodeId;

use super::{Candidate, Choice, ChoiceReason, Obstacle, RequestedLine, RoutingRequest, Stock};
use crate::node::{Node, NodeState};

/// The outcome of routing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Plan {
    /// Every pair of line and node.
    pub(crate) candidates: Vec<Candidate>,
    /// The chosen nodes.
    pub(crate) choices: Vec<Choice>,
    /// Units that no node can ship.
    pub(crate) unrouted: Vec<RequestedLine>,
}

impl Plan {
    /// Moves choices beyond `most` to the unrouted units, for another plan.
    pub(crate) fn cap(&mut self, most: usize, lines: &[RequestedLine]) {
        for choice in self.choices.split_off(most.min(self.choices.len())) {
            let same = |line: &&RequestedLine| line.line_number == choice.line_number;
            match self.unrouted.iter_mut().find(|line| line.line_number == choice.line_number) {
                Some(rest) => rest.quantity += choice.quantity,
                None => {
                    let line = lines.iter().find(same);
                    self.unrouted.extend(line.map(|line| RequestedLine { quantity: choice.quantity, ..line.clone() }));
                }
            }
        }
        self.unrouted.sort_by_key(|line| line.line_number);
    }
}

/// A node that can ship units of a line.
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

/// Chooses nodes for the lines.
pub(crate) fn route(request: &RoutingRequest<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut lines: Vec<(&RequestedLine, Vec<Eligible<'_>>)> = Vec::with_capacity(request.lines.len());
    for line in request.lines {
        let mut eligible = Vec::new();
        for node in request.nodes {
            let candidate = request.judge(line, node);
            if let (Some(rank), None) = (candidate.rank, candidate.obstacle) {
                eligible.push(Eligible { node_id: &node.node_id, rank });
            }
            plan.candidates.push(candidate);
        }
        lines.push((line, eligible));
    }
    if let Some(node_id) = node_for_all(&lines, request.stock) {
        for (line, eligible) in lines {
            if eligible.is_empty() {
                plan.unrouted.push(line.clone());
            } else {
                plan.choices.push(line.choose(node_id, line.quantity, ChoiceReason::WholeOrder));
            }
        }
        return plan;
    }
    let mut stock = request.stock.clone();
    for (line, eligible) in lines {
        let rest = split(line, &eligible, &mut stock, &mut plan.choices);
        if rest > 0 {
            plan.unrouted.push(RequestedLine { quantity: rest, ..line.clone() });
        }
    }
    plan
}

/// The best node that can ship everything that any node can ship.
fn node_for_all<'a>(lines: &[(&RequestedLine, Vec<Eligible<'a>>)], stock: &Stock) -> Option<&'a NodeId> {
    let mut requested: BTreeMap<&str, i64> = BTreeMap::new();
    let routable = || lines.iter().filter(|(_, eligible)| !eligible.is_empty());
    for (line, _) in routable() {
        let sum = requested.entry(&line.sku).or_default();
        *sum = sum.saturating_add(line.quantity);
    }
    let ships_all = |one: &&Eligible<'a>| {
        let eligible = routable().all(|(_, eligible)| eligible.iter().any(|other| other.node_id == one.node_id));
        eligible && requested.iter().all(|(sku, quantity)| available(stock, sku, one.node_id) >= *quantity)
    };
    let preference = |one: &&Eligible<'a>| {
        let total = requested.keys().fold(0_i64, |sum, sku| sum.saturating_add(available(stock, sku, one.node_id)));
        one.preference(total)
    };
    let (_, first) = routable().next()?;
    first.iter().filter(ships_all).min_by_key(preference).map(|one| one.node_id)
}

/// Splits a line over the best nodes; returns the units that none could ship.
fn split(line: &RequestedLine, eligible: &[Eligible<'_>], stock: &mut Stock, choices: &mut Vec<Choice>) -> i64 {
    let mut rest = line.quantity;
    while rest > 0 {
        let has = |one: &Eligible<'_>| available(stock, &line.sku, one.node_id);
        let able: Vec<_> = eligible.iter().filter(|one| has(one) > 0).collect();
        let sufficient: Vec<_> = able.iter().copied().filter(|one| has(one) >= rest).collect();
        let pool = if sufficient.is_empty() { able } else { sufficient };
        let Some(chosen) = pool.iter().copied().min_by_key(|one| one.preference(has(one))) else { break };
        let rivals = pool.iter().filter(|one| one.rank == chosen.rank).count();
        let reason = if rivals > 1 { ChoiceReason::MostStock } else { ChoiceReason::BestRank };
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

impl RequestedLine {
    fn choose(&self, node_id: &NodeId, quantity: i64, reason: ChoiceReason) -> Choice {
        Choice { line_number: self.line_number, node_id: node_id.clone(), quantity, reason }
    }
}

impl RoutingRequest<'_> {
    fn judge(&self, line: &RequestedLine, node: &Node) -> Candidate {
        let available = available(self.stock, &line.sku, &node.node_id);
        let rank = node.rank(self.country);
        let obstacle = if node.state == NodeState::Paused {
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
