//! Returns: what may come back of an order, what came back, and what it is worth.
//!
//! **Owns** returns, and copies of orders, of what was delivered of them, from where, and of which nodes there are.
//!
//! **Promises**
//! - No unit is authorized to come back twice, nor before it was delivered.
//! - What came back is recorded, also when nobody asked for it; then a person is told.
//! - Units go back on hand only when they were inspected and found fit.
//! - Credits of a line add up to its rounded price and never exceed what was delivered of it.
//!
//! **Absent on purpose**: the money itself, which the books keep; labels; returns of goods that were not ordered here.

mod authorize;
mod copy;
mod credit;
mod end;
mod held;
mod inspect;
mod order;
mod reactions;
mod receive;
mod rma;
mod rpc;
mod store;
mod tell;
mod wire;

use std::sync::Arc;

use ::store::{Db, EventApi, Follower, Migration, TaskRunner, Workers};
use mesh::{Channel, Server, ServerError};
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    returns::v1::returns_service_server::ReturnsServiceServer,
};

use crate::{
    reactions::{OfFulfillment, OfNodes, OfOrder},
    rpc::Rpc,
};

/// The service's name.
pub const NAME: &str = "returns";

/// The service's tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "returns", sql: include_str!("../migrations/0001_returns.sql") },
    Migration { version: 2, name: "callers", sql: include_str!("../migrations/0002_callers.sql") },
];

/// Settings of the service; there are none of its own.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Config {}

/// The services whose logs are followed.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Tells what was ordered.
    pub order: Channel,
    /// Tells what was delivered.
    pub fulfillment: Channel,
}

/// The service's server.
pub fn server(db: Db, _config: &Config, mesh_config: &mesh::Config) -> Result<Server, ServerError> {
    let ready = db.clone();
    Ok(Server::new(NAME, mesh_config, proto::pool())
        .add_service(ReturnsServiceServer::new(Rpc::new(db.clone())))
        .add_service(EventServiceServer::new(EventApi::new(db)))
        .with_readiness(move || {
            let db = ready.clone();
            async move { db.ready().await }
        }))
}

/// What the service does on its own: it follows orders and fulfillment, and tidies up.
pub fn workers(db: Db, peers: Peers, _config: &Config) -> Workers {
    let order = EventServiceClient::new(peers.order);
    let fulfillment = EventServiceClient::new(peers.fulfillment);
    Workers::new()
        .follow(Follower::new(db.clone(), order, Arc::new(OfOrder)))
        .follow(Follower::new(db.clone(), fulfillment.clone(), Arc::new(OfFulfillment)))
        .follow(Follower::new(db.clone(), fulfillment, Arc::new(OfNodes)))
        // There are no tasks; the runner drops answers kept for too long.
        .tasks(TaskRunner::new(db, []))
}
