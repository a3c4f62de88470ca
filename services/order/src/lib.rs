//! The order service: accounts, their orders, and the one true state of every order.
//!
//! **Owns** accounts and ship-tos, their prices and what they owe, orders with the counters of their lines, their changes and holds, invoice
//! readiness, proposed credits, the ERP's invoices of them, and copies of inventory's items and fulfillment's nodes, so that orders are
//! taken while those services are unavailable.
//!
//! Orders are found by what people know of them: their customer PO number, an SKU, the account's name, a tracking number.
//!
//! **Promises**
//! - An order is accepted as a whole or refused as a whole, naming every wrong line and why; the answer is what is stored.
//! - The units of a line add up after any reports of other services in any order, and state and status follow from the
//!   counters of all lines.
//! - Nothing is released under a hold, or before it may be shipped; what the fill policy does not let wait is cancelled.
//! - Reports are recorded even when they contradict the order: units shipped after their cancellation count as shipped,
//!   and an exception is opened.
//! - The amounts that become ready to invoice, less those credited, are the rounded price of the units that the customer owes. Nothing
//!   is credited that was not ready to invoice.
//! - An invoice of the ERP is counted once by its number and order, whether it comes before or after the reports that it is based on;
//!   what is left to invoice and to credit follows.
//! - An account with a credit limit owes what its orders come to, however they are cancelled, closed and opened again, and nothing is
//!   released beyond the limit that nobody approved.
//!
//! **Absent on purpose**: stock, routing and shipments. Tax: Waybill computes
//! none, the ERP adds it to the invoice. Exceptions are kept by operations; the status EXCEPTION says that one is open.
//!
//! The steps of an order over time are in `src/process`, one process in each file.

mod account;
mod aggregate;
mod cancel;
mod change;
mod credit;
mod events;
mod hold;
mod invoice;
mod item;
mod node;
mod numbered_task;
mod order;
mod order_line;
mod own_fields;
mod place;
mod price;
mod process;
mod promise;
mod quote;
mod reactions;
mod record;
mod record_exceptions;
mod record_invoice;
mod record_proof;
mod report;
mod rpc;
mod ship_to_group;
mod store;
mod tracking_number;
mod watchdog;
mod wire;

use std::{sync::Arc, time::Duration};

use ::store::{Db, Follower, Migration, Reactions, TaskHandler, Workers};
use mesh::{Channel, Principal, Server, ServerError};
use proto::{
    event::v1::event_service_client::EventServiceClient,
    fulfillment::v1::fulfillment_service_client::FulfillmentServiceClient,
    inventory::v1::inventory_service_client::InventoryServiceClient,
    order::v1::order_service_server::OrderServiceServer,
};

use crate::{
    process::{
        credit_check::ReleaseHoldsTask,
        ship_window::{CancelTask, ReleaseTask},
    },
    reactions::{FulfillmentFollower, InventoryFollower, OperationsFollower, OrderFollower, ReturnsFollower},
    rpc::Rpc,
};

/// The service's name.
pub const NAME: &str = "order";

/// The service's tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "order", sql: include_str!("../migrations/0001_order.sql") }];

/// Settings of the service.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Days after which reserved units that are not at a node become available to other orders.
    #[arg(long = "order-reservation-days", env = "WAYBILL_ORDER_RESERVATION_DAYS", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub reservation_days: u32,
    /// Seconds for which an answer is delayed at most when its caller waits until stock is reserved.
    #[arg(long = "order-wait-seconds", env = "WAYBILL_ORDER_WAIT_SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(0..=600))]
    pub wait_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { reservation_days: 30, wait_seconds: 20 }
    }
}

/// The services whose logs are followed, this one among them.
#[derive(Debug, Clone)]
pub struct Peers {
    /// This service.
    pub order: Channel,
    /// The inventory service, which is called too.
    pub inventory: Channel,
    /// The fulfillment service.
    pub fulfillment: Channel,
    /// The returns service.
    pub returns: Channel,
    /// The operations service.
    pub operations: Channel,
}

/// The service's server. It calls `inventory` for items that it has no copy of, and `fulfillment` for the fulfillment orders
/// that holds are placed on.
#[expect(clippy::needless_pass_by_value, reason = "the servers of all services are given their channels")]
pub fn server(
    db: Db,
    inventory: Channel,
    fulfillment: Channel,
    config: &Config,
    mesh_config: &mesh::Config,
) -> Result<Server, ServerError> {
    let server = chassis::server(NAME, &db, mesh_config)?;
    // As the service itself: what it reads is not what its caller would be shown.
    let inventory = InventoryServiceClient::new(inventory.for_principal(&Principal::service(NAME)));
    let fulfillment = FulfillmentServiceClient::new(fulfillment.for_principal(&Principal::service(NAME)));
    let rpc = Rpc { db, inventory, fulfillment, config: config.clone() };
    Ok(server.add_service(OrderServiceServer::new(rpc)))
}

/// The background work of the service: it follows its own log and those of the services that work on its orders.
pub fn workers(db: Db, peers: Peers, config: &Config) -> Workers {
    let inventory = InventoryServiceClient::new(peers.inventory.clone());
    let expire_after = Duration::from_secs(u64::from(config.reservation_days) * 24 * 60 * 60);
    let follow = |peer: Channel, reactions: Arc<dyn Reactions>| {
        Follower::new(db.clone(), EventServiceClient::new(peer), reactions)
    };
    let followers = [
        follow(peers.order, Arc::new(OrderFollower { inventory, expire_after })),
        follow(peers.inventory, Arc::new(InventoryFollower)),
        follow(peers.fulfillment, Arc::new(FulfillmentFollower)),
        follow(peers.returns, Arc::new(ReturnsFollower)),
        follow(peers.operations, Arc::new(OperationsFollower)),
    ];
    let handlers: [Arc<dyn TaskHandler>; 5] = [
        Arc::new(hold::EXPIRE),
        Arc::new(change::EXPIRE),
        Arc::new(ReleaseTask),
        Arc::new(CancelTask),
        Arc::new(ReleaseHoldsTask),
    ];
    Workers::new(db, followers, handlers, watchdog::CHECKS)
}
