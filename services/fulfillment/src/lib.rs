//! The fulfillment service.
//!
//! **Owns** nodes, releases and their routing, fulfillment orders, shipments, packages, and tracking reports.
//!
//! **Promises**
//! - A released unit is in exactly one place: unrouted, planned for a node, at a node, returned to the order, or cancelled.
//!   Units that no node may take wait here, with an open exception, until stock or nodes change.
//! - Inventory is asked under keys that outlive a crash at any step ([`keys`]): no unit is allocated twice, and none that is
//!   allocated is forgotten.
//! - A reported fact is recorded even when it contradicts what is recorded; the contradiction opens an exception.
//! - Tracking reports are ordered by when they occurred: any order and repetition of the same reports give the same status.
//! - Rows and events are written together: only saving an aggregate emits its events.
//!
//! **Absent on purpose**: stock (the inventory service), the state of the order (the order service), exchanging messages with
//! nodes and carriers (the partner service).

mod aggregate;
mod assignment;
mod buffered_reports;
mod create_node;
mod doubts;
mod fulfillment_order;
mod inventory;
mod keys;
pub mod milestone;
mod node;
mod package;
pub mod package_key;
mod package_status;
mod problem;
pub mod process;
mod reactions;
mod release;
pub mod report;
mod routing;
mod routing_decision;
mod rpc;
mod ship_to_change;
mod shipment;
mod store;
pub mod tracking_report;
mod update_node;
mod watchdog;
mod wire;

use std::{sync::Arc, time::Duration};

use ::store::{Db, Follower, Migration, TaskHandler, Workers};
use mesh::{Channel, Server, ServerError};
use proto::{
    event::v1::event_service_client::EventServiceClient,
    fulfillment::v1::fulfillment_service_server::FulfillmentServiceServer,
};

use crate::{
    inventory::Inventory,
    process::{
        acceptance_timeout::TimeoutTask,
        routing::{AllocateTask, RouteTask},
        ship_to_change::ExpiryTask,
        undelivered::SilenceTask,
    },
    reactions::{FulfillmentFollower, InventoryFollower, OrderFollower},
    rpc::Rpc,
};

/// Name of the service, and the source of its events.
pub const NAME: &str = "fulfillment";

/// The schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "fulfillment", sql: include_str!("../migrations/0001_fulfillment.sql") }];

/// Settings. The time to accept a fulfillment order is none of them: it is the node's own.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Minutes after which released units without a route need a person, even if routing goes on.
    #[arg(long = "fulfillment-unrouted-minutes", env = "WAYBILL_FULFILLMENT_UNROUTED_MINUTES", default_value_t = 15,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub unrouted_minutes: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { unrouted_minutes: 15 }
    }
}

/// The services that are followed and called.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Its orders are released and cancelled.
    pub order: Channel,
    /// Keeps stock, and allocates it.
    pub inventory: Channel,
    /// This service's own log.
    pub fulfillment: Channel,
}

/// The service's server. `inventory` is asked for previews of routing.
pub fn server(db: Db, inventory: Channel, _: &Config, mesh_config: &mesh::Config) -> Result<Server, ServerError> {
    let server = chassis::server(NAME, &db, mesh_config)?;
    let rpc = Rpc { db, inventory: Inventory::new(inventory) };
    Ok(server.add_service(FulfillmentServiceServer::new(rpc)))
}

/// What the service does in the background: the logs that it follows and its tasks.
pub fn workers(db: Db, peers: Peers, config: &Config) -> Workers {
    let Peers { order, inventory, fulfillment } = peers;
    let client = Inventory::new(inventory.clone());
    let unrouted_after = Duration::from_secs(u64::from(config.unrouted_minutes) * 60);
    let handlers: [Arc<dyn TaskHandler>; 5] = [
        Arc::new(RouteTask { db: db.clone(), inventory: client.clone(), unrouted_after }),
        Arc::new(AllocateTask { db: db.clone(), inventory: client.clone(), unrouted_after }),
        Arc::new(TimeoutTask),
        Arc::new(ExpiryTask),
        Arc::new(SilenceTask { db: db.clone() }),
    ];
    let own = Arc::new(FulfillmentFollower { inventory: client });
    let followers = [
        Follower::new(db.clone(), EventServiceClient::new(order), Arc::new(OrderFollower)),
        Follower::new(db.clone(), EventServiceClient::new(inventory), Arc::new(InventoryFollower)),
        Follower::new(db.clone(), EventServiceClient::new(fulfillment), own),
    ];
    Workers::new(db, followers, handlers, watchdog::CHECKS)
}
