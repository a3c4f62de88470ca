//! What people watch: timelines of orders, cases only a person can decide, and the proof that no log was tampered with.
//!
//! **Owns** the timeline of every order over all services, the cases made of their `exception.opened` and
//! `exception.resolved`, how far each log was followed, and who called which method on which day.
//!
//! **Promises**
//! - Every event of an order is in its timeline once. Entry numbers are in commit order, so whoever follows a timeline
//!   misses none; lists are in the order things happened.
//! - A customer is shown what became of its orders, and nothing of how the distributor and its partners work.
//! - There is one open case for a type and subject. It closes by itself when its cause is gone.
//! - A member's report of what it counted is added once, however often it comes. Days past their retention are dropped.
//! - A service that can not be asked is told as such; it never fails the answer about the others.
//!
//! **Absent on purpose**: decisions about orders, calls that change another service, and exceptions of its own, save the
//! events it could not apply, which are in its own log and therefore followed too.

pub mod audience;
mod case;
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

use ::store::{Db, EventApi, Follower, Migration, TaskHandler, TaskRunner, Workers};
use mesh::Channel;
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    operations::v1::{operations_service_server::OperationsServiceServer, usage_service_server::UsageServiceServer},
};
use types::Fault;

pub use crate::usage::UsageReporter;

use crate::{
    logs::Logs,
    reactions::Observe,
    rpc::OperationsApi,
    usage::{Purge, UsageApi},
};

/// Name of the service.
pub const NAME: &str = "operations";

/// The schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "operations", sql: include_str!("../migrations/0001_operations.sql") },
    Migration { version: 2, name: "audience", sql: include_str!("../migrations/0002_audience.sql") },
    Migration { version: 3, name: "usage", sql: include_str!("../migrations/0003_usage.sql") },
];

/// Settings of the service.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// How often a followed timeline is looked at for new entries, in milliseconds.
    #[arg(
        long = "operations-timeline-poll-millis",
        env = "WAYBILL_OPERATIONS_TIMELINE_POLL_MILLIS",
        default_value_t = 250,
        value_parser = clap::value_parser!(u64).range(10..=60_000)
    )]
    pub timeline_poll_millis: u64,
    /// For how many days it is kept who called which method.
    #[arg(
        long = "operations-usage-days",
        env = "WAYBILL_OPERATIONS_USAGE_DAYS",
        default_value_t = 90,
        value_parser = clap::value_parser!(u16).range(1..=1_000)
    )]
    pub usage_days: u16,
    /// How often a member reports who called it, in seconds.
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

/// The server: the service and its log. `logs` are the ways to the logs that are followed, by service.
pub fn server(
    db: Db,
    logs: Vec<(&'static str, Channel)>,
    config: &Config,
    mesh_config: &mesh::Config,
) -> Result<mesh::Server, Fault> {
    let poll = Duration::from_millis(config.timeline_poll_millis);
    let api = OperationsApi::new(db.clone(), Logs::new(db.clone(), logs), poll);
    let log = EventApi::new(db.clone());
    Ok(mesh::Server::new(NAME, mesh_config, proto::pool())
        .add_service(OperationsServiceServer::new(api))
        .add_service(UsageServiceServer::new(UsageApi::new(db.clone(), config.usage_days.into())))
        .add_service(EventServiceServer::new(log))
        .with_readiness(move || {
            let db = db.clone();
            async move { db.ready().await }
        }))
}

/// What the service does on its own: it follows every log, its own too, and drops usage past its retention.
pub fn workers(db: Db, logs: Vec<(&'static str, Channel)>, config: &Config) -> Workers {
    let purge: Arc<dyn TaskHandler> = Arc::new(Purge::new(db.clone(), config.usage_days.into()));
    let mut workers = Workers::new().tasks(TaskRunner::new(db.clone(), [purge]));
    for (source, channel) in logs {
        let client = EventServiceClient::new(channel.for_service(NAME));
        workers = workers.follow(Follower::new(db.clone(), client, Arc::new(Observe::new(source))));
    }
    let own = EventServiceClient::new(EventServiceServer::new(EventApi::new(db.clone())));
    workers.follow(Follower::new(db, own, Arc::new(Observe::new(NAME))))
}
