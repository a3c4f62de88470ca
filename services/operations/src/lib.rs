//! Timelines of orders, exceptions that only a person can decide, and the verification of every log.
//!
//! **Owns** the timeline of every order over all services, the exceptions made of `exception.opened` and
//! `exception.resolved` events, the position up to which each log was followed, and the calls of each client per method
//! and day.
//!
//! **Promises**
//! - Every event of an order is in its timeline once. Entry numbers are in commit order, so that a follower of a
//!   timeline misses none; lists are in the order in which events occurred.
//! - A customer sees the state of its orders, and no internal events of the distributor and its partners.
//! - There is one open exception for a type and subject. It closes by itself when its cause is gone.
//! - The log says when the first exception of an order opens and when its last one is closed.
//! - A service's report of the calls it counted is added once, however often it is sent. Days past their retention
//!   are dropped.
//! - A service that cannot be reached is reported as such; the answer about the others does not fail.
//!
//! - Failed work that an exception names is tried again when a person asks for it.
//!
//! **Absent on purpose**: decisions about orders, calls that change another service's orders, and exceptions of its own, except
//! for events and tasks that failed here, which are in its own log and therefore followed too.

mod exception;
mod follow;
mod logs;
mod reactions;
mod rpc;
mod store;
pub mod summary;
mod timeline;
mod usage;
mod wire;

use std::{sync::Arc, time::Duration};

use ::store::{Db, EventApi, Follower, Migration, TaskHandler, Workers};
use mesh::{Channel, ServerError};
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    events::EventSource,
    operations::v1::{operations_service_server::OperationsServiceServer, usage_service_server::UsageServiceServer},
};

pub use crate::usage::UsageReporter;

use crate::{exception::RetryTask, logs::Logs, reactions::LogFollower, usage::Purge};

/// Name of the service.
pub const NAME: &str = "operations";

/// The schema.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "operations", sql: include_str!("../migrations/0001_operations.sql") }];

/// Settings of the service.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// How often a followed timeline is read for new entries, in milliseconds.
    #[arg(
        long = "operations-timeline-poll-millis",
        env = "WAYBILL_OPERATIONS_TIMELINE_POLL_MILLIS",
        default_value_t = 250,
        value_parser = clap::value_parser!(u64).range(10..=60_000)
    )]
    pub timeline_poll_millis: u64,
    /// How many days the calls of clients are kept.
    #[arg(
        long = "operations-usage-days",
        env = "WAYBILL_OPERATIONS_USAGE_DAYS",
        default_value_t = 90,
        value_parser = clap::value_parser!(u16).range(1..=1_000)
    )]
    pub usage_days: u16,
    /// How often a member reports the calls it counted, in seconds.
    #[arg(
        long = "usage-report-seconds",
        env = "WAYBILL_USAGE_REPORT_SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=3_600)
    )]
    pub usage_report_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { timeline_poll_millis: 250, usage_days: 90, usage_report_seconds: 60 }
    }
}

/// The server. `logs` are channels to the services whose logs are followed, by service.
pub fn server(
    db: Db,
    logs: Vec<(EventSource, Channel)>,
    config: &Config,
    mesh_config: &mesh::Config,
) -> Result<mesh::Server, ServerError> {
    let server = chassis::server(NAME, &db, mesh_config)?;
    let poll = Duration::from_millis(config.timeline_poll_millis);
    let rpc = rpc::Rpc::new(db.clone(), Logs::new(db.clone(), logs), poll);
    let usage = usage::Rpc::new(db, config.usage_days.into());
    Ok(server.add_service(OperationsServiceServer::new(rpc)).add_service(UsageServiceServer::new(usage)))
}

/// Background work: following every log, its own too, asking for retries, and dropping usage past its retention.
pub fn workers(db: Db, logs: Vec<(EventSource, Channel)>, config: &Config) -> Workers {
    let handlers: [Arc<dyn TaskHandler>; 2] =
        [Arc::new(Purge::new(db.clone(), config.usage_days.into())), Arc::new(RetryTask::new(db.clone(), &logs))];
    let follow = |(source, channel): (EventSource, Channel)| {
        let client = EventServiceClient::new(channel.for_service(NAME));
        Follower::new(db.clone(), client, Arc::new(LogFollower::new(source)))
    };
    let own = EventServiceClient::new(EventServiceServer::new(EventApi::new(db.clone())));
    let own = Follower::new(db.clone(), own, Arc::new(LogFollower::new(EventSource::Operations)));
    let followers: Vec<_> = logs.into_iter().map(follow).chain([own]).collect();
    // Nothing here waits for anything but events and tasks.
    Workers::new(db, followers, handlers, &[])
}
