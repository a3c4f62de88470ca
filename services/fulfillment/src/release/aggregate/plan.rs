//! Plans for the unrouted units of a release, and what inventory allocates of them.

use proto::inventory::v1::AllocationRequest;
use types::{DecisionId, Timestamp, limits::MAX_LINES, retry::routing::PLANS};

use super::ReleaseAggregate;
use crate::{package::add, release::RoutingState, routing::Plan, routing_decision::RoutingDecision};

/// What inventory allocated of a plan.
#[derive(Debug)]
pub(crate) struct Settlement {
    /// Units that are at nodes now.
    pub(crate) allocated: Vec<AllocationRequest>,
    /// Whether unrouted units wait from now on until stock or nodes change.
    pub(crate) waits: bool,
}

impl ReleaseAggregate {
    /// Allots unrouted units to nodes as planned; without any choice they wait until stock or nodes change.
    pub(crate) fn plan(&mut self, plan: &Plan, decision_id: &DecisionId, now: Timestamp) {
        if plan.choices.is_empty() {
            return self.wait(now);
        }
        for choice in &plan.choices {
            if let Some(line) = self.lines.iter_mut().find(|line| line.line_number == choice.line_number) {
                line.unrouted -= choice.quantity;
                line.planned += choice.quantity;
            }
        }
        // The release stays pending until inventory has answered: a plan is settled as a whole.
        self.release.decision_id = Some(decision_id.clone());
    }

    /// Moves what inventory allocated of a plan to the nodes, and the rest of the plan back to the unrouted units.
    pub(crate) fn settle(
        &mut self,
        decision: &RoutingDecision,
        allocated: &[AllocationRequest],
        now: Timestamp,
    ) -> Settlement {
        let allocated = self.assign(&decision.allocations(), allocated);
        let partial = self.lines.iter().any(|line| line.planned > 0);
        // A plan with the most choices left lines out, and allocated something.
        let cut_off = decision.body.0.choices.len() >= MAX_LINES && !allocated.is_empty();
        for line in &mut self.lines {
            line.unrouted += std::mem::take(&mut line.planned);
            let to_cancel = std::mem::take(&mut line.to_cancel);
            let cancelled = line.cancel_unrouted(to_cancel);
            if cancelled > 0 {
                add(&mut self.cancelled, vec![line.units(cancelled)]);
            }
        }
        self.release.decision_id = None;
        let waits = self.route_rest(i64::from(decision.body.0.attempt), partial, cut_off, now);
        Settlement { allocated, waits }
    }

    fn assign(&mut self, planned: &[AllocationRequest], allocated: &[AllocationRequest]) -> Vec<AllocationRequest> {
        let mut assigned = Vec::new();
        for allocation in allocated {
            let same = |one: &&AllocationRequest| {
                one.line_number == allocation.line_number && one.location_id == allocation.location_id
            };
            let most = planned.iter().find(same).map_or(0, |one| one.quantity);
            let number = i64::from(allocation.line_number);
            let Some(line) = self.lines.iter_mut().find(|line| line.line_number == number) else { continue };
            let quantity = allocation.quantity.min(most).min(line.planned);
            // Another node has shipped the rest meanwhile.
            let superseded = allocation.quantity.min(most) - quantity;
            if superseded > 0 {
                let units = line.units(superseded);
                self.freed.entry(allocation.location_id.clone()).or_default().superseded.push(units);
            }
            if quantity > 0 {
                line.planned -= quantity;
                line.assigned += quantity;
                assigned.push(AllocationRequest { quantity, ..allocation.clone() });
            }
        }
        self.cancel_allocated(&mut assigned);
        assigned
    }

    /// Takes units that the order cancelled meanwhile off the nodes, as far as inventory allocated what is cancelled.
    fn cancel_allocated(&mut self, assigned: &mut Vec<AllocationRequest>) {
        for one in assigned.iter_mut().rev() {
            let number = i64::from(one.line_number);
            let Some(line) = self.lines.iter_mut().find(|line| line.line_number == number) else { continue };
            // What is not allocated is cancelled first.
            let cancelled = one.quantity.min(line.to_cancel - line.to_cancel.min(line.planned));
            if cancelled > 0 {
                one.quantity -= cancelled;
                line.assigned -= cancelled;
                line.cancelled += cancelled;
                line.to_cancel -= cancelled;
                let units = line.units(cancelled);
                self.freed.entry(one.location_id.clone()).or_default().cancelled.push(units);
            }
        }
        assigned.retain(|one| one.quantity > 0);
    }

    /// Routes what is still unrouted after a plan of an attempt; returns whether it waits instead.
    fn route_rest(&mut self, attempt: i64, partial: bool, cut_off: bool, now: Timestamp) -> bool {
        if self.is_cancelled() || !self.has_unrouted() {
            return false;
        }
        if self.routable().is_empty() {
            // What holds block is routed in another attempt: inventory has answered under the keys of this one.
            self.release.attempt += 1;
            self.release.plan_number = 1;
            return false;
        }
        let changed_since = self.release.routing_state == RoutingState::Pending && self.release.attempt > attempt;
        if changed_since {
            self.route();
        } else if cut_off {
            self.release.attempt += 1;
            self.release.plan_number = 1;
            self.route();
        } else if partial && self.release.plan_number < PLANS {
            self.release.plan_number += 1;
            self.route();
        } else {
            self.wait(now);
            return true;
        }
        false
    }
}
