//! Returns: what may come back of an order, what came back, and how much of it is credited.
//!
//! **Owns** returns, and copies of orders, of their deliveries by node, and of the known nodes.
//!
//! **Promises**
//! - No unit is authorized to come back twice, and none before it was delivered.
//! - What comes back is recorded, also without authorization; then an exception is opened.
//! - Units are restocked only after an inspection found them fit.
//! - Every inspected unit that is fit to be credited is credited or refused a credit, as the order service decides.
//!
//! **Absent on purpose**: how much is credited (the order service), payment of credits, labels, and returns of goods that were not ordered here.
//!
//! From an authorization to a credit: `process/receipt_to_credit.rs`.

mod aggregate;
mod authorize;
mod copy;
mod end;
mod events;
mod inspect;
mod order;
mod process;
mod reactions;
mod receive;
mod record_credit;
mod retract_receipt;
mod return_line;
mod rma;
mod rpc;
mod store;
mod watchdog;
mod wire;

use std::sync::Arc;

use ::store::{Db, Follower, Migration, Workers};
use mesh::{Channel, Server, ServerError};
use proto::{
    event::v1::event_service_client::EventServiceClient, returns::v1::returns_service_server::ReturnsServiceServer,
};

use crate::{
    reactions::{FulfillmentFollower, OrderFollower},
    rpc::Rpc,
};

/// The service's name.
pub const NAME: &str = "returns";

/// The service's tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "returns", sql: include_str!("../migrations/0001_returns.sql") }];

/// Settings of the service; it has none of its own.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Config {}

/// The services whose logs are followed.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The order service.
    pub order: Channel,
    /// The fulfillment service.
    pub fulfillment: Channel,
}

/// The service's server.
pub fn server(db: Db, _config: &Config, mesh_config: &mesh::Config) -> Result<Server, ServerError> {
    Ok(chassis::server(NAME, &db, mesh_config)?.add_service(ReturnsServiceServer::new(Rpc { db })))
}

/// The background work of the service: it follows orders and fulfillment.
pub fn workers(db: Db, peers: Peers, _config: &Config) -> Workers {
    let order = EventServiceClient::new(peers.order);
    let fulfillment = EventServiceClient::new(peers.fulfillment);
    let followers = [
        Follower::new(db.clone(), order, Arc::new(OrderFollower)),
        Follower::new(db.clone(), fulfillment, Arc::new(FulfillmentFollower)),
    ];
    Workers::new(db, followers, [], watchdog::CHECKS)
}
