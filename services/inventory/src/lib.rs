//! Items, where they are, and who they are promised to.
//!
//! **Owns** the stock ledger: per item and per item and location the counters, per order line the reservation, per order
//! line and location the allocation, and the append-only movements whose sums the counters are.
//!
//! **Promises**
//! - A unit is never promised twice. Lines of one call that share an item share what is free of it.
//! - Whoever waits is served in the order they began to wait; those whose units a location could not find go first.
//! - `requested = reserved + allocated + consumed + backordered + released`, for every reservation, always.
//! - Facts from outside are never refused for lack of stock: a count below what is promised is a shortfall with names, a
//!   shipment of units that were not there is drift.
//! - News may come late: a count stands for the time it was taken, and what happened before or after it is told apart.
//!
//! **Absent on purpose**: where units should be taken from (fulfillment decides), lots and their shelf life, transfers
//! between locations, and prices beyond the list price.

mod adjust;
mod allocate;
mod consume;
mod create_item;
mod create_location;
mod deallocate;
mod expire;
mod hold;
mod item;
mod ledger;
mod movement;
mod promise;
mod publish;
mod reactions;
mod receive;
mod release;
mod reserve;
mod restock;
mod rpc;
mod scope;
mod snapshot;
mod stock;
mod store;
mod update_item;
mod wire;

use std::sync::Arc;

use ::store::{Db, EventApi, Follower, Migration, TaskHandler, TaskRunner, Workers};
use mesh::{Channel, Server, ServerError};
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    inventory::v1::inventory_service_server::InventoryServiceServer,
};

/// The service's name: of its database, its log and its metrics.
pub const NAME: &str = "inventory";

/// The service's tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "inventory", sql: include_str!("../migrations/0001_inventory.sql") }];

/// Settings of the service. It has none of its own yet.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub struct Config {}

/// The services whose logs it follows.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Places and releases holds.
    pub order: Channel,
    /// Ships.
    pub fulfillment: Channel,
    /// Restocks.
    pub returns: Channel,
}

/// The service's server.
pub fn server(db: Db, _: &Config, mesh: &mesh::Config) -> Result<Server, ServerError> {
    let ready = db.clone();
    Ok(Server::new(NAME, mesh, proto::pool())
        .with_readiness(move || {
            let db = ready.clone();
            async move { db.ready().await }
        })
        .add_service(EventServiceServer::new(EventApi::new(db.clone())))
        .add_service(InventoryServiceServer::new(rpc::Rpc::new(db))))
}

/// What the service does on its own: follows orders, shipments and returns, and ends reservations whose time is over.
pub fn workers(db: Db, peers: Peers, _: &Config) -> Workers {
    let Peers { order, fulfillment, returns } = peers;
    let log = |channel: Channel| EventServiceClient::new(channel.for_service(NAME));
    Workers::new()
        .follow(Follower::new(db.clone(), log(order), Arc::new(reactions::Orders)))
        .follow(Follower::new(db.clone(), log(fulfillment), Arc::new(reactions::Shipments)))
        .follow(Follower::new(db.clone(), log(returns), Arc::new(reactions::Returns)))
        .tasks(TaskRunner::new(db, [Arc::new(expire::ExpireTasks) as Arc<dyn TaskHandler>]))
}
