//! Items, where they are in stock, and for which orders they are reserved.
//!
//! **Owns** a copy of where nodes ship what, and the stock ledger: the counters of each item and of each item at each location, the reservation of each
//! order line, the allocation of each order line at each location, and the append-only movements whose sums the
//! counters are; the receipts that are scheduled, and the rules by which free units are given.
//!
//! **Promises**
//! - A unit is never reserved twice. Lines of one call that share an item share its free units.
//! - What is promised to a destination can reach it: from an active node that ships there and may store the item. Units that
//!   other orders have reserved keep a location that reaches them.
//! - Free units are given to backorders by the rules, by default in the order in which they began; those of short picks are filled
//!   first. A preview of a release says exactly who gets what.
//! - What scheduled receipts are expected to fill is dated with every change, in the order in which it will be filled.
//! - `requested = reserved + allocated + consumed + backordered + released`, for every reservation, always.
//! - Reports from outside are never refused for lack of stock: a count below the reserved units is a shortfall that
//!   names the orders at stake, a shipment of units that were not on hand is drift.
//! - Reports may come late: a count stands for its own time, and what occurred before and after it is distinguished.
//!
//! **Absent on purpose**: where units should be taken from (fulfillment decides), lots and their shelf life, transfers
//! between locations, and prices beyond the list price.
//!
//! `process/` describes the processes that go over several commands and services.

mod adjust;
mod allocate;
mod backorder;
mod consume;
mod create_item;
mod create_location;
mod deallocate;
mod events;
mod expire;
mod item;
mod ledger;
mod movement;
mod process;
mod quantity;
mod reach;
mod reactions;
mod receive;
mod record_open_holds;
mod release;
mod release_backorders;
mod replace_consumed;
mod report_snapshot;
mod reservation;
mod reserve;
mod restore_consumed;
mod retract_count;
mod retract_movement;
mod rpc;
mod schedule_receipt;
mod scheduled_receipt;
mod stock;
mod store;
mod supply;
mod uncovered;
mod unit;
mod update_backorder;
mod update_backorder_rules;
mod update_item;
mod watchdog;
mod wire;
mod working_set;

use std::sync::Arc;

use ::store::{Db, Follower, Migration, TaskHandler, Workers};
use mesh::{Channel, Server, ServerError};
use proto::{
    event::v1::event_service_client::EventServiceClient,
    inventory::v1::inventory_service_server::InventoryServiceServer,
};

use crate::reactions::{FulfillmentFollower, OrderFollower, ReturnsFollower};

/// The name of the service, its database, its log and its metrics.
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
    /// Has the holds of orders.
    pub order: Channel,
    /// Has shipments.
    pub fulfillment: Channel,
    /// Has returns.
    pub returns: Channel,
}

/// The service's server.
pub fn server(db: Db, _: &Config, mesh: &mesh::Config) -> Result<Server, ServerError> {
    Ok(chassis::server(NAME, &db, mesh)?.add_service(InventoryServiceServer::new(rpc::Rpc::new(db))))
}

/// What the service does on its own: follows orders, fulfillment and returns, ends reservations whose time is over, stops counting
/// on receipts that are overdue, and gives free units when the rules change.
pub fn workers(db: Db, peers: Peers, _: &Config) -> Workers {
    let Peers { order, fulfillment, returns } = peers;
    let log = |channel: Channel| EventServiceClient::new(channel.for_service(NAME));
    let followers = [
        Follower::new(db.clone(), log(order), Arc::new(OrderFollower)),
        Follower::new(db.clone(), log(fulfillment), Arc::new(FulfillmentFollower { db: db.clone() })),
        Follower::new(db.clone(), log(returns), Arc::new(ReturnsFollower)),
    ];
    let review = update_backorder_rules::ReviewTasks { db: db.clone() };
    let tasks: [Arc<dyn TaskHandler>; 3] =
        [Arc::new(expire::ExpireTasks), Arc::new(scheduled_receipt::OverdueTasks), Arc::new(review)];
    Workers::new(db, followers, tasks, watchdog::CHECKS)
}
