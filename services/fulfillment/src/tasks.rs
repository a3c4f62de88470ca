//! Work due at a time: routing, asking inventory, ending a node's time to accept.

use std::time::Duration;

use mesh::{Channel, fault};
use proto::inventory::v1::{AllocateRequest, GetAvailabilityRequest, inventory_service_client::InventoryServiceClient};
use store::{AnyCommand, Command, Context, Db, Needs, Rows, Task, TaskHandler};
use types::{DecisionId, Fault, NodeId, Reason};

use crate::{
    decision::{Decision, State},
    keys,
    release::{Routing, wanted},
    report::TimeOutWork,
    route::{PlanRouting, SettleRouting},
    routing::Stock,
    store as reads,
};

/// The most items one call asks for.
const SKUS: usize = 5_000;

/// After so many attempts a task that waits for inventory is begun anew, so that it never comes to an end without it.
const PATIENCE: i64 = 12;

/// How long after that it begins anew.
const PAUSE: Duration = Duration::from_secs(300);

/// Routes what a release has at no node.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    db: Db,
    inventory: InventoryServiceClient<Channel>,
}

/// Asks inventory for what a plan wants.
#[derive(Debug, Clone)]
pub(crate) struct Allocate {
    db: Db,
    inventory: InventoryServiceClient<Channel>,
}

/// Ends a node's time to accept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeOut;

impl Route {
    /// Routes for this database with this inventory.
    pub(crate) fn new(db: Db, inventory: Channel) -> Self {
        Self { db, inventory: InventoryServiceClient::new(inventory) }
    }

    async fn plan(&self, key: &str) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let (order_id, release_number) =
            keys::parse_release(key).ok_or_else(|| Fault::internal(format!("{key:?} is not a release")))?;
        let Some((release, lines)) = reads::release(&self.db, &order_id, release_number).await? else {
            return Ok(Vec::new());
        };
        let wanted = wanted(&lines);
        if release.routing != Routing::Wanted || release.decision_id.is_some() || wanted.is_empty() {
            return Ok(Vec::new());
        }
        let nodes = reads::all_nodes(&self.db).await?;
        let stock = stock(&self.inventory, wanted.into_iter().map(|line| line.sku)).await?;
        Ok(vec![Box::new(PlanRouting { order_id, release_number, nodes, stock })])
    }
}

impl Allocate {
    /// Asks this inventory for plans in this database.
    pub(crate) fn new(db: Db, inventory: Channel) -> Self {
        Self { db, inventory: InventoryServiceClient::new(inventory) }
    }

    async fn settle(&self, key: &str) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let decision_id: DecisionId =
            key.parse().map_err(|_| Fault::internal(format!("{key:?} is not a routing decision")))?;
        let decision = self.db.load::<Decision>(&decision_id).await?;
        let Some(decision) = decision.filter(|decision| decision.state == State::Planned) else {
            return Ok(Vec::new());
        };
        let request = AllocateRequest {
            allocation_key: decision.allocation_key.clone(),
            order_id: decision.order_id.to_string(),
            allocations: decision.picks(),
        };
        let allocated = match self.inventory.clone().allocate(request).await.map_err(|status| fault(&status)) {
            Ok(reply) => reply.into_inner().allocations,
            Err(fault) if nothing_was_allocated(&fault) => {
                tracing::warn!(%fault, %decision_id, "inventory refused a plan");
                Vec::new()
            }
            Err(fault) => return Err(fault),
        };
        Ok(vec![Box::new(SettleRouting { decision_id, allocated })])
    }
}

/// Whether inventory refused for good: then nobody has the units.
fn nothing_was_allocated(fault: &Fault) -> bool {
    matches!(
        fault.reason,
        Reason::InvalidArgument | Reason::NotFound | Reason::ActionNotSupported | Reason::InsufficientStock
    )
}

/// Units available by item and node.
pub(crate) async fn stock(
    inventory: &InventoryServiceClient<Channel>,
    skus: impl IntoIterator<Item = String>,
) -> Result<Stock, Fault> {
    let mut skus: Vec<String> = skus.into_iter().collect();
    skus.sort();
    skus.dedup();
    let mut stock = Stock::new();
    for skus in skus.chunks(SKUS) {
        let request = GetAvailabilityRequest { skus: skus.to_vec() };
        let reply = inventory.clone().get_availability(request).await.map_err(|status| fault(&status))?;
        for level in reply.into_inner().availability.into_iter().flat_map(|item| item.levels) {
            if let Ok(node_id) = level.location_id.parse::<NodeId>() {
                stock.insert((level.sku, node_id), level.available);
            }
        }
    }
    Ok(stock)
}

/// A task is begun anew when its patience is at an end and the cause is not.
fn patiently(task: &Task, outcome: Result<Vec<Box<dyn AnyCommand>>, Fault>) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    match outcome {
        Err(fault) if fault.is_transient() && task.attempts >= PATIENCE => {
            tracing::error!(%fault, kind = task.kind, key = task.key, "routing waits for inventory");
            Ok(vec![Box::new(BeginAnew(task.clone()))])
        }
        outcome => outcome,
    }
}

/// Schedules a task again.
struct BeginAnew(Task);

impl Command for BeginAnew {
    type Reply = ();
    const NAME: &'static str = "BeginTaskAnew";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut task = self.0.clone();
        task.due = cx.now().after(PAUSE);
        cx.schedule(task);
        Ok(())
    }
}

#[async_trait::async_trait]
impl TaskHandler for Route {
    fn kind(&self) -> &'static str {
        keys::ROUTE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        patiently(task, self.plan(&task.key).await)
    }
}

#[async_trait::async_trait]
impl TaskHandler for Allocate {
    fn kind(&self) -> &'static str {
        keys::ALLOCATE
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        patiently(task, self.settle(&task.key).await)
    }
}

#[async_trait::async_trait]
impl TaskHandler for TimeOut {
    fn kind(&self) -> &'static str {
        keys::ACCEPT
    }

    async fn run(&self, task: &Task) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let fulfillment_order_id =
            task.key.parse().map_err(|_| Fault::internal(format!("{:?} is not work", task.key)))?;
        Ok(vec![Box::new(TimeOutWork { fulfillment_order_id })])
    }
}
