//! Asks inventory to allocate a plan, and creates a fulfillment order at each node.

use std::{collections::BTreeMap, time::Duration};

use proto::inventory::v1::AllocationRequest;
use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task, TaskHandler};
use types::{DecisionId, Fault, NodeId, OrderId, Reason};

use super::{ALLOCATE, overdue::report_when_overdue};
use crate::{
    aggregate::FulfillmentOrderAggregate,
    fulfillment_order::{
        ExecutionState, FulfillmentLine, FulfillmentOrder, FulfillmentOrderHeader, LateAcceptance, RequestState,
    },
    inventory::Inventory,
    node::Node,
    process::acceptance_timeout,
    release::ReleaseAggregate,
    routing_decision::{DecisionState, Outcome, RoutingDecision},
};

/// Runs the allocation task.
#[derive(Debug, Clone)]
pub(crate) struct AllocateTask {
    pub(crate) db: Db,
    pub(crate) inventory: Inventory,
    /// How long units wait for a route before a person is told.
    pub(crate) unrouted_after: Duration,
}

impl AllocateTask {
    async fn allocate(&self, key: &str) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let decision_id: DecisionId =
            key.parse().map_err(|_| Fault::internal(format!("{key:?} is not a routing decision")))?;
        let decision = self.db.load::<RoutingDecision>(&decision_id).await?;
        let Some(decision) = decision.filter(|decision| decision.state == DecisionState::Planned) else {
            return Ok(Vec::new());
        };
        let allocated = match self.inventory.allocate(&decision).await {
            Err(fault) if is_final(&fault) => {
                tracing::warn!(%fault, %decision_id, "inventory refused a plan");
                Vec::new()
            }
            outcome => outcome?,
        };
        Ok(vec![Box::new(SettleRouting { decision_id, allocated })])
    }
}

impl AllocateTask {
    /// The release that a decision routes.
    async fn release(&self, key: &str) -> Result<Option<(OrderId, i64)>, Fault> {
        let Ok(decision_id) = key.parse::<DecisionId>() else { return Ok(None) };
        let decision = self.db.load::<RoutingDecision>(&decision_id).await?;
        Ok(decision.map(|decision| (decision.order_id, decision.release_number)))
    }
}

/// Whether inventory refused for good, so that nothing is allocated.
fn is_final(fault: &Fault) -> bool {
    matches!(
        fault.reason,
        Reason::InvalidArgument | Reason::NotFound | Reason::ActionNotSupported | Reason::InsufficientStock
    )
}

#[async_trait::async_trait]
impl TaskHandler for AllocateTask {
    fn kind(&self) -> &'static str {
        ALLOCATE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let outcome = self.allocate(&task.key).await;
        let release = if outcome.is_err() { self.release(&task.key).await? } else { None };
        report_when_overdue(&self.db, self.unrouted_after, task, release, outcome).await
    }
}

/// Settles a routing decision with what inventory allocated: one fulfillment order for each node. A decision is settled once.
#[derive(Debug)]
pub struct SettleRouting {
    /// The decision.
    pub decision_id: DecisionId,
    /// What inventory allocated.
    pub allocated: Vec<AllocationRequest>,
}

impl Command for SettleRouting {
    type Reply = ();
    const NAME: &'static str = "SettleRouting";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<RoutingDecision>(&self.decision_id);
        if let Ok(Some(decision)) = rows.get::<RoutingDecision>(&self.decision_id) {
            ReleaseAggregate::needs(&decision.order_id, decision.release_number, needs);
        }
        for node_id in self.allocated.iter().filter_map(|allocation| allocation.location_id.parse().ok()) {
            needs.row::<Node>(&node_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Some(mut decision) = rows.get::<RoutingDecision>(&self.decision_id)?.cloned() else { return Ok(()) };
        let release = ReleaseAggregate::load(&decision.order_id, decision.release_number, rows)?;
        let Some(mut release) = release else { return Ok(()) };
        if decision.state != DecisionState::Planned || release.release().decision_id.as_ref() != Some(&self.decision_id)
        {
            return Ok(());
        }
        let settlement = release.settle(&decision, &self.allocated, cx.now());
        decision.settle(&settlement.allocated, release.unrouted());
        let orders = fulfillment_orders(&decision, &settlement.allocated, &release, rows, cx)?;
        release.save(rows, cx)?;
        let routed = (!orders.is_empty()).then_some(Outcome::Routed);
        let failed = settlement.waits.then_some(Outcome::Failed);
        decision.save(routed.into_iter().chain(failed), rows, cx);
        for (order, node) in orders {
            let header = order.header.clone();
            let aggregate = FulfillmentOrderAggregate::create(order, rows, cx.now())?;
            // Under a hold the time to accept begins with the end of the last one (`process/hold.rs`).
            let awaited = !aggregate.order().ended() && !aggregate.order().is_held();
            aggregate.save(rows, cx)?;
            if let Some(accept_within) = node.accept_within().filter(|_| awaited) {
                acceptance_timeout::schedule(&header, accept_within, cx);
            }
        }
        Ok(())
    }
}

/// A fulfillment order for each node, and another one for what holds block there, so that nothing else waits with it.
fn fulfillment_orders(
    decision: &RoutingDecision,
    allocated: &[AllocationRequest],
    release: &ReleaseAggregate,
    rows: &Rows,
    cx: &Context<'_>,
) -> Result<Vec<(FulfillmentOrder, Node)>, Fault> {
    let mut by_node: BTreeMap<(NodeId, bool), Vec<&AllocationRequest>> = BTreeMap::new();
    for allocation in allocated {
        let node_id = allocation.location_id.parse().map_err(|_| Fault::internal("an allocation is at no node"))?;
        let held = release.release().holds.block(allocation.line_number.into());
        by_node.entry((node_id, held)).or_default().push(allocation);
    }
    let orders = by_node.into_iter().map(|((node_id, _), allocations)| {
        let node = rows.get::<Node>(&node_id)?.cloned().ok_or_else(|| Fault::not_found("node", &node_id))?;
        Ok((fulfillment_order(decision, release, &node, &allocations, cx), node))
    });
    orders.collect()
}

fn fulfillment_order(
    decision: &RoutingDecision,
    release: &ReleaseAggregate,
    node: &Node,
    allocations: &[&AllocationRequest],
    cx: &Context<'_>,
) -> FulfillmentOrder {
    let id: types::FulfillmentOrderId = cx.new_id();
    let line = |allocation: &&AllocationRequest| {
        let number = i64::from(allocation.line_number);
        let source = release.lines().iter().find(|line| line.line_number == number)?;
        Some(FulfillmentLine::new(id.clone(), number, source.sku.clone(), allocation.quantity))
    };
    let mut lines: Vec<_> = allocations.iter().filter_map(line).collect();
    lines.sort_by_key(|line| line.line_number);
    let line_numbers: Vec<_> = lines.iter().map(|line| line.line_number).collect();
    let release = release.release();
    let header = FulfillmentOrderHeader {
        fulfillment_order_id: id,
        order_id: release.order_id.clone(),
        account_id: release.account_id.clone(),
        customer_po: release.customer_po.clone(),
        node_id: node.node_id.clone(),
        partner_id: node.partner_id.clone(),
        release_number: release.release_number,
        attempt: i64::from(decision.body.0.attempt),
        execution_state: ExecutionState::Open,
        request_state: RequestState::Submitted,
        ship_to: release.ship_to.clone(),
        ship_to_group: release.ship_to_group,
        ship_to_change_number: release.ship_to_change_number,
        ship_to_change: None,
        requested_ship_time: release.requested_ship_time,
        reason: String::new(),
        decision_id: decision.decision_id.clone(),
        accept_time: None,
        reject_time: None,
        cancel_time: None,
        late_acceptance: LateAcceptance::None,
        holds: release.holds.blocking(&line_numbers),
        size_bytes: 0,
        create_time: cx.now(),
        update_time: cx.now(),
        version: 0,
    };
    FulfillmentOrder { header, lines }
}
