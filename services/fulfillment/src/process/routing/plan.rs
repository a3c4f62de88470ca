//! Plans which nodes ship the unrouted units of a release, before inventory is asked to allocate them.

use std::time::Duration;

use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task, TaskHandler};
use types::{Fault, OrderId, limits::MAX_LINES};

use super::{ROUTE, overdue::report_when_overdue, schedule_allocation};
use crate::{
    inventory::Inventory,
    keys,
    node::Node,
    release::ReleaseAggregate,
    routing::{RoutingRequest, Stock, route},
    routing_decision::{Outcome, RoutingDecision},
    store as reads,
};

/// Runs the routing task.
#[derive(Debug, Clone)]
pub(crate) struct RouteTask {
    pub(crate) db: Db,
    pub(crate) inventory: Inventory,
    /// How long units wait for a route before a person is told.
    pub(crate) unrouted_after: Duration,
}

impl RouteTask {
    async fn plan(&self, key: &str) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let (order_id, release_number) =
            keys::parse_release(key).ok_or_else(|| Fault::internal(format!("{key:?} is not a release")))?;
        let Some((release, lines)) = reads::release(&self.db, &order_id, release_number).await? else {
            return Ok(Vec::new());
        };
        if !release.awaits_plan(&lines) {
            return Ok(Vec::new());
        }
        let nodes = reads::all_nodes(&self.db).await?;
        let skus = release.requested_lines(&lines).into_iter().map(|line| line.sku);
        let country = release.ship_to.0.country.clone();
        let stock = self.inventory.stock(skus.collect(), &country).await?;
        Ok(vec![Box::new(PlanRouting { order_id, release_number, nodes, country, stock })])
    }
}

#[async_trait::async_trait]
impl TaskHandler for RouteTask {
    fn kind(&self) -> &'static str {
        ROUTE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let release = keys::parse_release(&task.key);
        report_when_overdue(&self.db, self.unrouted_after, task, release, self.plan(&task.key).await).await
    }
}

/// Plans the unrouted units of a release. Changes nothing when there are none, or when a plan stands already.
#[derive(Debug)]
pub(super) struct PlanRouting {
    order_id: OrderId,
    release_number: i64,
    /// All nodes.
    nodes: Vec<Node>,
    /// The country that the goods went to when inventory was asked.
    country: String,
    /// Available units for that country, as inventory reported them.
    stock: Stock,
}

impl Command for PlanRouting {
    type Reply = ();
    const NAME: &'static str = "PlanRouting";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        ReleaseAggregate::needs(&self.order_id, self.release_number, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let Some(mut aggregate) = ReleaseAggregate::load(&self.order_id, self.release_number, rows)? else {
            return Ok(());
        };
        let release = aggregate.release();
        // With another destination the release is planned anew.
        if !release.awaits_plan(aggregate.lines()) || release.ship_to.0.country != self.country {
            return Ok(());
        }
        let lines = release.requested_lines(aggregate.lines());
        let mut plan = route(&RoutingRequest {
            country: &release.ship_to.0.country,
            lines: &lines,
            nodes: &self.nodes,
            stock: &self.stock,
            exclusions: &release.exclusions,
        });
        // Inventory allocates no more in one request; an order split over many nodes takes several plans.
        plan.cap(MAX_LINES, &lines);
        let decision = RoutingDecision::new(cx.new_id(), release, &plan, cx.now());
        aggregate.plan(&plan, &decision.decision_id, cx.now());
        let failed = plan.choices.is_empty();
        if !failed {
            schedule_allocation(&decision.decision_id, aggregate.release(), cx);
        }
        decision.save(failed.then_some(Outcome::Failed), rows, cx);
        aggregate.save(rows, cx)
    }
}
