//! The order service: accounts, their orders, and the one true state of every order.
//!
//! **Owns** accounts and ship-tos, orders with the counters of their lines, holds, invoice readiness, and a copy of
//! inventory's items so that orders are taken while inventory is away.
//!
//! **Promises**
//! - An order is valid as a whole or refused as a whole; what is answered is stored.
//! - Whatever other services say, in whatever order, the units of a line always add up, and state and status follow from
//!   the counters of all lines.
//! - Facts are recorded even when they contradict: what was shipped after its cancellation is shipped, and a person is
//!   told.
//! - What may be invoiced sums, over all shipments, to the line's rounded price.
//!
//! **Absent on purpose**: stock, routing, shipments, credit; changes to what was ordered. The status EXCEPTION shows the
//! exceptions this service opens itself, until everything arrived; the queue of all exceptions is operations'.

pub mod account;
mod advance;
pub mod cancel;
pub mod fact;
pub mod hold;
pub mod invoice;
pub mod item;
pub mod line;
pub mod news;
pub mod order;
pub mod place;
pub mod progress;
pub mod reactions;
pub mod record;
mod rpc;
mod store;
mod tell;
pub mod wire;

use std::{sync::Arc, time::Duration};

use ::store::{Db, EventApi, Follower, Migration, TaskRunner, Workers};
use mesh::{Channel, Server};
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    inventory::v1::inventory_service_client::InventoryServiceClient,
    order::v1::order_service_server::OrderServiceServer,
};
use types::Fault;

/// The service's name: of its log, its database and its settings.
pub const NAME: &str = "order";

/// What its database needs.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "order", sql: include_str!("../migrations/0001_order.sql") },
    Migration { version: 2, name: "accounts", sql: include_str!("../migrations/0002_accounts.sql") },
];

/// Settings of the service.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Days after which units reserved and not given to a node go to others.
    #[arg(long = "order-reservation-days", env = "WAYBILL_ORDER_RESERVATION_DAYS", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub reservation_days: u32,
    /// Seconds an answer is held at most when its caller waits for stock to be decided.
    #[arg(long = "order-wait-seconds", env = "WAYBILL_ORDER_WAIT_SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(0..=600))]
    pub wait_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { reservation_days: 30, wait_seconds: 20 }
    }
}

impl Config {
    fn reservation(&self) -> Duration {
        Duration::from_secs(u64::from(self.reservation_days) * 24 * 60 * 60)
    }
}

/// The members whose logs the service follows, its own among them.
#[derive(Debug, Clone)]
pub struct Peers {
    /// This service.
    pub order: Channel,
    /// The inventory service, called too.
    pub inventory: Channel,
    /// The fulfillment service.
    pub fulfillment: Channel,
    /// The returns service.
    pub returns: Channel,
}

/// The server. `inventory` is asked for items this service has no copy of.
pub fn server(db: Db, inventory: Channel, config: &Config, mesh_config: &mesh::Config) -> Result<Server, Fault> {
    let api = rpc::Api::new(db.clone(), InventoryServiceClient::new(inventory), config.clone());
    let events = EventServiceServer::new(EventApi::new(db.clone()));
    Ok(Server::new(NAME, mesh_config, proto::pool())
        .add_service(OrderServiceServer::new(api))
        .add_service(events)
        .with_readiness(move || {
            let db = db.clone();
            async move { db.ready().await }
        }))
}

/// What the service does on its own.
pub fn workers(db: Db, peers: Peers, config: &Config) -> Workers {
    let inventory = InventoryServiceClient::new(peers.inventory.clone());
    let follow = |peer: Channel, reactions: Arc<dyn ::store::Reactions>| {
        Follower::new(db.clone(), EventServiceClient::new(peer), reactions)
    };
    let workers = Workers::new()
        .follow(follow(peers.order, Arc::new(reactions::Own::new(inventory, config.reservation()))))
        .follow(follow(peers.inventory, Arc::new(reactions::Inventory)))
        .follow(follow(peers.fulfillment, Arc::new(reactions::Fulfillment)))
        .follow(follow(peers.returns, Arc::new(reactions::Returns)));
    // No tasks of its own, but answers past their retention are dropped by the runner.
    workers.tasks(TaskRunner::new(db, []))
}
