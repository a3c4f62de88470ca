//! Units that no node may take wait until something changes.
//!
//! 1. Routing fails (`PlanRouting` or `SettleRouting`, `process/routing.rs`): saving the release opens the exception
//!    UNASSIGNED for the order, unless another of its releases has opened it (`release/aggregate/events.rs`).
//! 2. Stock comes in, or is deallocated from a node: [`stock_changed`] reacts to inventory's events.
//! 3. A node is created or changed: [`nodes_changed`] reacts to `node.created` and `node.updated`, and to
//!    `location.reach_changed` when inventory knows too.
//!    While inventory does not answer, the routing tasks are tried again; units without a route for long open UNASSIGNED too
//!    (`process/routing/overdue.rs`).
//! 4. Both run [`Reroute`], which routes the waiting releases in a new attempt; one that is being planned is planned on the
//!    facts as they are now.
//! 5. A person calls `RetryRouting` ([`RetryRouting`]), which also clears the exclusions: nodes that rejected the units
//!    or could not find them are asked again, because a person knows why.
//! 6. The releases are routed (`RouteTask`, `process/routing.rs`). When every unit has a node or is cancelled, saving
//!    the release resolves the exception.

use std::{collections::BTreeSet, sync::Arc};

use mesh::{Principal, wire::one_id};
use proto::{
    event::v1::Event,
    fulfillment::v1::{RetryRoutingRequest, RetryRoutingResponse},
    inventory::v1::StockMovement,
};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use super::routing;
use crate::release::{Release, ReleaseAggregate, ReleaseLine, RoutingState};

/// The column by which release lines with unrouted units of an item are found.
const UNROUTED_SKU: &[&str] = &["unrouted_sku"];

/// The column by which releases in a routing state are found.
const ROUTING_STATE: &[&str] = &["routing_state"];

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// A node.
    Node,
    /// Stock of an item.
    Stock {
        /// The item.
        sku: String,
        /// The order that caused it, if one did. It is not routed again because of it.
        cause: Option<OrderId>,
    },
}

/// Reacts to stock of items that came in or was freed.
pub(crate) fn stock_changed(
    event: &Event,
    skus: impl IntoIterator<Item = String>,
) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    // Recording a deallocation routes the order's own units again.
    let cause: Option<OrderId> = event.correlation_id.parse().ok();
    let skus: BTreeSet<String> = skus.into_iter().collect();
    let trigger = |sku| Trigger::Stock { sku, cause: cause.clone() };
    Ok(skus.into_iter().map(|sku| Box::new(Reroute { trigger: trigger(sku) }) as Box<dyn AnyCommand>).collect())
}

/// The items of which a movement added units.
pub(crate) fn added(movements: impl IntoIterator<Item = StockMovement>) -> impl Iterator<Item = String> {
    movements.into_iter().filter(|movement| movement.on_hand_delta > 0).map(|movement| movement.sku)
}

/// Reacts to a node that was created or changed.
pub(crate) fn nodes_changed() -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    Ok(vec![Box::new(Reroute { trigger: Trigger::Node })])
}

/// Routes the releases that wait for what has changed.
#[derive(Debug)]
pub struct Reroute {
    /// What has changed.
    pub trigger: Trigger,
}

impl Reroute {
    fn waiting(&self, rows: &Rows) -> Result<BTreeSet<(OrderId, i64)>, Fault> {
        Ok(match &self.trigger {
            Trigger::Node => {
                let mut releases = rows.by::<Release>(ROUTING_STATE, &RoutingState::Waiting)?;
                releases.extend(rows.by::<Release>(ROUTING_STATE, &RoutingState::Pending)?);
                releases.into_iter().map(|release| (release.order_id.clone(), release.release_number)).collect()
            }
            Trigger::Stock { sku, cause } => {
                let lines = rows.by::<ReleaseLine>(UNROUTED_SKU, sku)?;
                let others = lines.into_iter().filter(|line| Some(&line.order_id) != cause.as_ref());
                others.map(|line| (line.order_id.clone(), line.release_number)).collect()
            }
        })
    }
}

impl Command for Reroute {
    type Reply = ();
    const NAME: &'static str = "Reroute";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        match &self.trigger {
            Trigger::Node => {
                needs.by::<Release>(ROUTING_STATE, &RoutingState::Waiting);
                needs.by::<Release>(ROUTING_STATE, &RoutingState::Pending);
            }
            Trigger::Stock { sku, .. } => needs.by::<ReleaseLine>(UNROUTED_SKU, sku),
        }
        for (order_id, release_number) in self.waiting(rows).into_iter().flatten() {
            ReleaseAggregate::needs(&order_id, release_number, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for (order_id, release_number) in self.waiting(rows)? {
            if let Some(mut release) = ReleaseAggregate::load(&order_id, release_number, rows)? {
                release.reroute();
                release.save(rows, cx)?;
            }
        }
        Ok(())
    }
}

/// Routes the unrouted units of an order again, without regard to exclusions.
#[derive(Debug)]
pub(crate) struct RetryRouting {
    order_id: OrderId,
}

impl RetryRouting {
    /// Reads the request.
    pub(crate) fn parse(request: &RetryRoutingRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        Ok(Self { order_id: one_id("order_id", &request.order_id)? })
    }
}

impl Command for RetryRouting {
    type Reply = RetryRoutingResponse;
    const NAME: &'static str = "RetryRouting";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs_all(&self.order_id, rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<RetryRoutingResponse, Fault> {
        let releases = ReleaseAggregate::load_all(&self.order_id, rows)?;
        if releases.is_empty() {
            return Err(Fault::not_found("release of order", &self.order_id));
        }
        let mut lines = Vec::new();
        for mut release in releases {
            if let Some(decision_id) = &release.release().decision_id {
                // The plan stands, but its task may be put off.
                routing::schedule_allocation(decision_id, release.release(), cx);
                lines.extend(release.planned());
            }
            let routable = release.routable();
            if !routable.is_empty() {
                lines.extend(routable);
                release.clear_exclusions();
                release.reroute();
                release.save(rows, cx)?;
            }
        }
        Ok(RetryRoutingResponse { lines })
    }
}
