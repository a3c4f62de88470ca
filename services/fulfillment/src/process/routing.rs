//! A release is routed: its units get nodes, and each node a fulfillment order.
//!
//! 1. The order service emits `order.released` (`services/order/src/process/release.rs`); [`accept_release`] reacts to it, and
//!    [`AcceptRelease`] stores the release with all units unrouted.
//! 2. Saving a release that is to be routed schedules the routing task ([`schedule`], `release/aggregate.rs`).
//! 3. The task ([`RouteTask`]) reads stock from inventory, and [`plan::PlanRouting`] records a routing decision: which units,
//!    which nodes, and the allocation key. The rules are in `routing/rules.rs`. It schedules the allocation task.
//! 4. Without any node: `fulfillment.routing_failed`, and the release waits (`process/rerouting.rs`).
//! 5. The allocation task ([`AllocateTask`]) asks inventory under that key, and [`SettleRouting`] settles the decision with what
//!    was allocated: `fulfillment.routed`.
//! 6. It creates a fulfillment order for each node: `fulfillment.requested`. The partner service sends it to the node
//!    (`services/partner/src/process/outbound_message.rs`). A time to accept starts (`process/acceptance_timeout.rs`).
//! 7. Units that inventory did not allocate are planned again, at most three times an attempt, and wait then (step 4).
//!
//! A crash before step 3 is saved leaves nothing; after it the decision stands, and step 5 is repeated under its key until it
//! is saved. So no unit is allocated twice, and none that is allocated is forgotten.

mod allocate;
mod overdue;
mod plan;

use proto::order::v1::{OrderReleased, ReleasedLine};
use store::{AnyCommand, Command, Context, Needs, Proto, Rows, Task};
use types::{DecisionId, Fault, OrderId, Timestamp};

pub(crate) use allocate::AllocateTask;
pub use allocate::SettleRouting;
pub(crate) use plan::RouteTask;

use crate::{
    keys,
    node::HandlingClass,
    reactions::id,
    release::{OpenHolds, Release, ReleaseAggregate, ReleaseLine, RoutingState},
    routing::Exclusions,
};

/// The kind of the task that plans the unrouted units of a release. Its key is [`keys::release`].
const ROUTE: &str = "fulfillment.route";

/// The kind of the task that asks inventory for a plan. Its key is the decision's id.
const ALLOCATE: &str = "fulfillment.allocate";

/// Schedules the routing of a release.
pub(crate) fn schedule(release: &Release, cx: &mut Context<'_>) {
    let task = Task::new(ROUTE, keys::release(&release.order_id, release.release_number), cx.now());
    cx.schedule(task.order(&release.order_id, &release.account_id));
}

/// Schedules the allocation of a plan.
pub(crate) fn schedule_allocation(decision_id: &DecisionId, release: &Release, cx: &mut Context<'_>) {
    cx.schedule(Task::new(ALLOCATE, decision_id, cx.now()).order(&release.order_id, &release.account_id));
}

/// Stores a release and routes it. A release that is known changes nothing.
#[derive(Debug)]
struct AcceptRelease {
    release: Release,
    lines: Vec<ReleaseLine>,
}

impl Command for AcceptRelease {
    type Reply = ();
    const NAME: &'static str = "AcceptRelease";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs(&self.release.order_id, self.release.release_number, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        if ReleaseAggregate::load(&self.release.order_id, self.release.release_number, rows)?.is_some() {
            return Ok(());
        }
        let release = Release { create_time: cx.now(), ..self.release.clone() };
        ReleaseAggregate::new(release, self.lines.clone()).save(rows, cx)
    }
}

/// Reacts to a release of an order.
pub(crate) fn accept_release(payload: OrderReleased) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let order_id: OrderId = id(&payload.order_id)?;
    let release_number = i64::from(payload.release_number);
    let ship_to = payload.ship_to.ok_or_else(|| Fault::internal("a release has no address"))?;
    let lines = payload.lines.into_iter().map(|released| line(&order_id, release_number, released));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    let release = Release {
        order_id,
        release_number,
        account_id: id(&payload.account_id)?,
        customer_po: payload.customer_po,
        ship_to: Proto(ship_to),
        ship_to_group: payload.ship_to_group.into(),
        ship_to_change_number: 0,
        ship_to_attempt: 1,
        requested_ship_time: payload.requested_ship_time.as_ref().and_then(mesh::wire::from_timestamp),
        routing_state: RoutingState::Pending,
        attempt: 1,
        plan_number: 1,
        decision_id: None,
        exclusions: Exclusions::default(),
        holds: OpenHolds::default(),
        unrouted_time: Timestamp::default(),
        unassigned_time: None,
        cancel_time: None,
        cancel_reason: String::new(),
        create_time: Timestamp::default(),
        version: 0,
    };
    Ok(vec![Box::new(AcceptRelease { release, lines })])
}

fn line(order_id: &OrderId, release_number: i64, released: ReleasedLine) -> Result<ReleaseLine, Fault> {
    let handling_class = HandlingClass::from_contract(released.handling_class());
    let missing = || Fault::internal(format!("line {} has no handling class", released.line_number));
    Ok(ReleaseLine {
        order_id: order_id.clone(),
        release_number,
        line_number: i64::from(released.line_number),
        handling_class: handling_class.ok_or_else(missing)?,
        sku: released.sku,
        quantity: released.quantity,
        unrouted: released.quantity,
        planned: 0,
        to_cancel: 0,
        assigned: 0,
        returned_to_order: 0,
        returned_accounted: 0,
        cancelled: 0,
        unrouted_sku: None,
        version: 0,
    })
}
