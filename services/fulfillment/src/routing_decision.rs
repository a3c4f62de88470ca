//! Routing decisions: stored before inventory is asked to allocate, settled with what it allocated.

use proto::fulfillment::v1::{FulfillmentRouted, FulfillmentRoutingFailed};
use proto::{events::FulfillmentEvent, fulfillment::v1, inventory::v1::AllocationRequest, types::v1::LineQuantity};
use store::{Context, NewEvent, Proto, Rows};
use types::{AccountId, DecisionId, OrderId, Timestamp};

use crate::{
    keys,
    release::Release,
    routing::{Candidate, Choice, Exclusions, Plan},
    wire::count,
};

store::record! {
    /// Why units were routed where they were.
    pub(crate) struct RoutingDecision in "routing_decisions" key (decision_id: DecisionId) {
        /// The order.
        order_id: OrderId,
        /// The account that ordered.
        account_id: AccountId,
        /// The release that it routes.
        release_number: i64,
        /// Whether inventory has answered.
        state: DecisionState,
        /// The key under which inventory is asked.
        allocation_key: String,
        /// The decision as the contract has it.
        body: Proto<v1::RoutingDecision>,
    }
}

store::text_enum! {
    /// Whether inventory has answered.
    pub(crate) enum DecisionState {
        /// It is to be asked.
        Planned = "PLANNED",
        /// It has answered, or there was nothing to ask.
        Settled = "SETTLED",
    }
}

/// What a decision means for the units that it routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Some units have nodes.
    Routed,
    /// Some units have no node until something changes.
    Failed,
}

impl RoutingDecision {
    /// The decision that a plan for a release amounts to.
    pub(crate) fn new(decision_id: DecisionId, release: &Release, plan: &Plan, now: Timestamp) -> Self {
        let Release { order_id, account_id, release_number, attempt, plan_number, exclusions, .. } = release;
        let body = v1::RoutingDecision {
            decision_id: decision_id.to_string(),
            order_id: order_id.to_string(),
            release_number: count(*release_number),
            attempt: count(*attempt),
            ..body(plan, exclusions, now)
        };
        Self {
            order_id: order_id.clone(),
            account_id: account_id.clone(),
            release_number: *release_number,
            state: if plan.choices.is_empty() { DecisionState::Settled } else { DecisionState::Planned },
            allocation_key: keys::allocation(order_id, *release_number, *attempt, *plan_number),
            body: Proto(body),
            decision_id,
            version: 0,
        }
    }

    /// The allocations that inventory is asked for.
    pub(crate) fn allocations(&self) -> Vec<AllocationRequest> {
        let allocation = |choice: &v1::RoutingChoice| AllocationRequest {
            line_number: choice.line_number,
            location_id: choice.node_id.clone(),
            quantity: choice.quantity,
        };
        self.body.0.choices.iter().map(allocation).collect()
    }

    /// Replaces the planned choices by what inventory allocated. They keep their reasons.
    pub(crate) fn settle(&mut self, allocated: &[AllocationRequest], unrouted: Vec<LineQuantity>) {
        let planned = std::mem::take(&mut self.body.0.choices);
        let choice = |allocation: &AllocationRequest| {
            let same = |choice: &&v1::RoutingChoice| {
                choice.line_number == allocation.line_number && choice.node_id == allocation.location_id
            };
            v1::RoutingChoice {
                line_number: allocation.line_number,
                node_id: allocation.location_id.clone(),
                quantity: allocation.quantity,
                reason: planned.iter().find(same).map(|choice| choice.reason.clone()).unwrap_or_default(),
            }
        };
        self.state = DecisionState::Settled;
        self.body.0.choices = allocated.iter().map(choice).collect();
        self.body.0.unrouted = unrouted;
    }

    /// Saves it and emits an event for each outcome.
    pub(crate) fn save(self, outcomes: impl IntoIterator<Item = Outcome>, rows: &mut Rows, cx: &mut Context<'_>) {
        let decision = rows.put(self);
        for outcome in outcomes {
            let body = Some(decision.body.0.clone());
            let payload = match outcome {
                Outcome::Routed => FulfillmentEvent::FulfillmentRouted(FulfillmentRouted { decision: body }),
                Outcome::Failed => {
                    FulfillmentEvent::FulfillmentRoutingFailed(FulfillmentRoutingFailed { decision: body })
                }
            };
            let event = NewEvent::new(payload, &decision.order_id, 0, &decision.decision_id);
            cx.emit(event.order(&decision.order_id).account(&decision.account_id));
        }
    }
}

/// A plan as the contract has it.
pub(crate) fn body(plan: &Plan, exclusions: &Exclusions, now: Timestamp) -> v1::RoutingDecision {
    let unrouted = plan.unrouted.iter().map(|line| LineQuantity {
        line_number: count(line.line_number),
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
        line_number: count(candidate.line_number),
        node_id: candidate.node_id.to_string(),
        available: candidate.available,
        rank: candidate.rank.unwrap_or(-1),
        obstacle: candidate.obstacle.map(|obstacle| obstacle.as_str().to_owned()).unwrap_or_default(),
    }
}

fn choice(choice: &Choice) -> v1::RoutingChoice {
    v1::RoutingChoice {
        line_number: count(choice.line_number),
        node_id: choice.node_id.to_string(),
        quantity: choice.quantity,
        reason: choice.reason.as_str().to_owned(),
    }
}
