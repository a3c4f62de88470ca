//! Routing decisions: stored before inventory is asked, settled with what it answered.

use proto::{fulfillment::v1, inventory::v1::AllocationRequest, types::v1::LineQuantity};
use store::Proto;
use types::{AccountId, DecisionId, OrderId, Timestamp};

use crate::{
    fulfillment_order::number,
    routing::{Candidate, Choice, Exclusions, Plan},
    wire,
};

store::record! {
    /// Why work went where it went.
    pub struct Decision in "routing_decisions" key (decision_id: DecisionId) {
        /// The order.
        order_id: OrderId,
        /// The release it routes.
        release_number: i64,
        /// Whether inventory has answered.
        state: State,
        /// What inventory is asked under.
        allocation_key: String,
        /// The decision as it is told.
        body: Proto<v1::RoutingDecision>,
    }
}

store::text_enum! {
    /// Whether inventory has answered.
    pub enum State {
        /// It is to be asked.
        Planned = "PLANNED",
        /// It has answered, or there was nothing to ask.
        Settled = "SETTLED",
    }
}

impl Decision {
    /// What inventory is asked for.
    pub fn picks(&self) -> Vec<AllocationRequest> {
        let pick = |choice: &v1::RoutingChoice| AllocationRequest {
            line_number: choice.line_number,
            location_id: choice.node_id.clone(),
            quantity: choice.quantity,
        };
        self.body.0.choices.iter().map(pick).collect()
    }

    /// A fact about the decision.
    pub fn fact<M: prost::Message + prost::Name>(
        &self,
        kind: &'static str,
        account: &AccountId,
        told: &M,
    ) -> store::NewEvent {
        store::NewEvent::untyped(kind, &self.order_id, 0, &self.decision_id, told)
            .order(&self.order_id)
            .account(account)
    }
}

/// A decision as the wire has it.
pub fn body(plan: &Plan, exclusions: &Exclusions, now: Timestamp) -> v1::RoutingDecision {
    let unrouted = plan.unrouted.iter().map(|line| LineQuantity {
        line_number: number(line.line_number),
        sku: line.sku.clone(),
        quantity: line.quantity,
    });
    v1::RoutingDecision {
        candidates: plan.candidates.iter().map(candidate).collect(),
        choices: plan.choices.iter().map(choice).collect(),
        unrouted: unrouted.collect(),
        excluded_node_ids: exclusions.nodes().into_iter().map(ToString::to_string).collect(),
        decide_time: Some(mesh::wire::timestamp(now)),
        ..v1::RoutingDecision::default()
    }
}

fn candidate(candidate: &Candidate) -> v1::RoutingCandidate {
    v1::RoutingCandidate {
        line_number: number(candidate.line_number),
        node_id: candidate.node_id.to_string(),
        available: candidate.available,
        rank: candidate.rank.unwrap_or(-1),
        obstacle: candidate.obstacle.map(|obstacle| obstacle.as_str().to_owned()).unwrap_or_default(),
    }
}

fn choice(choice: &Choice) -> v1::RoutingChoice {
    v1::RoutingChoice {
        line_number: number(choice.line_number),
        node_id: choice.node_id.to_string(),
        quantity: choice.quantity,
        reason: choice.reason.as_str().to_owned(),
    }
}

/// The decision as it came out: what inventory allocated, with the reasons it was planned for.
pub fn settled(
    planned: &v1::RoutingDecision,
    allocated: &[AllocationRequest],
    unrouted: Vec<LineQuantity>,
) -> v1::RoutingDecision {
    let reason = |allocation: &AllocationRequest| {
        let same = |choice: &&v1::RoutingChoice| {
            choice.line_number == allocation.line_number && choice.node_id == allocation.location_id
        };
        planned.choices.iter().find(same).map(|choice| choice.reason.clone()).unwrap_or_default()
    };
    let choice = |allocation: &AllocationRequest| v1::RoutingChoice {
        line_number: allocation.line_number,
        node_id: allocation.location_id.clone(),
        quantity: allocation.quantity,
        reason: reason(allocation),
    };
    v1::RoutingDecision { choices: allocated.iter().map(choice).collect(), unrouted, ..planned.clone() }
}

/// Counts of a release for the decision about it.
pub fn about(body: v1::RoutingDecision, decision: (&DecisionId, &OrderId, i64, i64)) -> v1::RoutingDecision {
    let (decision_id, order_id, release_number, attempt) = decision;
    v1::RoutingDecision {
        decision_id: decision_id.to_string(),
        order_id: order_id.to_string(),
        release_number: wire::count(release_number),
        attempt: wire::count(attempt),
        ..body
    }
}
