//! The fulfillment service.
//!
//! **Owns** nodes, routing decisions and what of a release has no node, the work at nodes, shipments, packages, and what
//! carriers say of them.
//!
//! **Promises**
//! - A released unit is in exactly one place: without a node, planned for one, at one, given back, or cancelled. What no
//!   node may take waits here, visibly, until something changes.
//! - Units are asked of inventory under keys that outlive a crash at any step ([`keys`]): never allocated twice, never
//!   forgotten.
//! - A reported fact is recorded even when it contradicts; the contradiction opens an exception.
//! - What carriers say counts by the time it happened: any order and repetition of the same reports give the same status.
//!
//! **Absent on purpose**: stock (inventory's), the state of the order (the order service's), talking to nodes and
//! carriers (the partner service's).

pub mod decision;
pub mod dossier;
pub mod exception;
pub mod fulfillment_order;
pub mod keys;
pub mod node;
pub mod nodes;
pub mod reactions;
pub mod release;
pub mod report;
pub mod route;
pub mod routing;
mod rpc;
pub mod shipment;
mod store;
mod tasks;
pub mod tracking;
pub mod wire;

use std::sync::Arc;

use ::store::{Db, EventApi, Follower, Migration, TaskHandler, TaskRunner, Workers};
use mesh::{Channel, Server, ServerError};
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    fulfillment::v1::fulfillment_service_server::FulfillmentServiceServer,
};

/// Name of the service, and the source of its events.
pub const NAME: &str = "fulfillment";

/// The schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "fulfillment", sql: include_str!("../migrations/0001_fulfillment.sql") },
    Migration { version: 2, name: "callers", sql: include_str!("../migrations/0002_callers.sql") },
    Migration { version: 3, name: "tracking_numbers", sql: include_str!("../migrations/0003_tracking_numbers.sql") },
];

/// Settings. There are none: how long a node may take is the node's own.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
#[group(skip)]
pub struct Config {}

/// What the service follows and calls on its own.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Orders give units out, and call them off.
    pub order: Channel,
    /// Keeps stock, and is asked for it.
    pub inventory: Channel,
    /// Its own log.
    pub fulfillment: Channel,
}

/// The service's server. `inventory` is asked for previews of routing.
pub fn server(db: Db, inventory: Channel, _: &Config, mesh_config: &mesh::Config) -> Result<Server, ServerError> {
    let ready = db.clone();
    let events = EventServiceServer::new(EventApi::new(db.clone()));
    Ok(Server::new(NAME, mesh_config, proto::pool())
        .with_readiness(move || {
            let db = ready.clone();
            async move { db.ready().await }
        })
        .add_service(FulfillmentServiceServer::new(rpc::Api::new(db, inventory)))
        .add_service(events))
}

/// What the service does on its own: the logs it follows and the tasks it has.
pub fn workers(db: Db, peers: Peers, _: &Config) -> Workers {
    let Peers { order, inventory, fulfillment } = peers;
    let handlers: [Arc<dyn TaskHandler>; 3] = [
        Arc::new(tasks::Route::new(db.clone(), inventory.clone())),
        Arc::new(tasks::Allocate::new(db.clone(), inventory.clone())),
        Arc::new(tasks::TimeOut),
    ];
    Workers::new()
        .follow(Follower::new(db.clone(), EventServiceClient::new(order), Arc::new(reactions::OnOrder)))
        .follow(Follower::new(db.clone(), EventServiceClient::new(inventory.clone()), Arc::new(reactions::OnInventory)))
        .follow(Follower::new(
            db.clone(),
            EventServiceClient::new(fulfillment),
            Arc::new(reactions::OnOwn::new(inventory)),
        ))
        .tasks(TaskRunner::new(db, handlers))
}
