//! Partners: the outside parties, and every message exchanged with them.
//!
//! **Owns** partners, the messages from and to them with their content, copies of whose work and whose node is whose, and
//! consumers: programs that call from outside, with the keys they prove themselves with.
//!
//! **Promises**
//! - A report is stored as it came before anything is done with it, takes effect once, and shows what it did.
//! - The same reference with the same content is answered with what the first did; with other content it is quarantined.
//! - Work is not given to a partner twice: when nobody knows whether it arrived, the partner is asked first.
//! - What can not be applied or sent is told to a person, and can be replayed. What may have arrived is told, too.
//! - A key is shown once, to whoever asked for it; only its hash is kept, and nothing that is told has it.
//!
//! **Absent on purpose**: the meaning of reports, which is of the services that own what they are about; formats other than
//! the public API's; the check of credentials, which is the mesh's: this service says whose key has a hash.

mod apply;
mod applying;
mod conclude;
mod connectors;
mod consumer;
mod create;
mod exception;
mod message;
mod partner;
mod reactions;
mod receive;
mod replay;
mod report;
mod request;
mod rpc;
mod sending;
mod store;
mod update;
mod view;
mod wire;
mod work;

use std::{sync::Arc, time::Duration};

use ::store::{Db, EventApi, Follower, Migration, TaskHandler, TaskRunner, Workers};
use mesh::{Channel, Server, ServerError};
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    partner::v1::{consumer_service_server::ConsumerServiceServer, partner_service_server::PartnerServiceServer},
};

use crate::{
    apply::Applier, applying::Apply, connectors::rest::Rest, consumer::rpc::Consumers, reactions::OfFulfillment,
    rpc::Rpc, sending::Send,
};

/// The service's name.
pub const NAME: &str = "partner";

/// The service's tables.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "partner", sql: include_str!("../migrations/0001_partner.sql") },
    Migration { version: 2, name: "consumer", sql: include_str!("../migrations/0002_consumer.sql") },
    Migration { version: 3, name: "direction", sql: include_str!("../migrations/0003_direction.sql") },
    Migration { version: 4, name: "arrival", sql: include_str!("../migrations/0004_arrival.sql") },
    Migration { version: 5, name: "trace", sql: include_str!("../migrations/0005_trace.sql") },
];

/// Settings of the service.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// How many seconds a partner may take to answer what it is sent.
    #[arg(id = "partner-answer-seconds", long = "partner-answer-seconds", env = "WAYBILL_PARTNER_ANSWER_SECONDS", default_value = "10", value_parser = seconds)]
    pub answer_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(10) }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    // Asking and sending together have to fit into the time a task may take.
    let seconds = text.parse().ok().filter(|seconds| (1..=20).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected 1 to 20 seconds".to_owned())
}

/// The services whose logs are followed, and that reports are passed on to.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Its log is followed, and reports on work and packages are recorded there.
    pub fulfillment: Channel,
    /// Counts are reported there.
    pub inventory: Channel,
}

/// The service's server.
#[expect(clippy::needless_pass_by_value, reason = "the servers of all services are put together alike")]
pub fn server(
    db: Db,
    fulfillment: Channel,
    inventory: Channel,
    _config: &Config,
    mesh_config: &mesh::Config,
) -> Result<Server, ServerError> {
    let applier = Applier::new(db.clone(), &fulfillment, &inventory);
    let ready = db.clone();
    Ok(Server::new(NAME, mesh_config, proto::pool())
        .add_service(PartnerServiceServer::new(Rpc::new(applier)))
        .add_service(ConsumerServiceServer::new(Consumers::new(db.clone())))
        .add_service(EventServiceServer::new(EventApi::new(db)))
        .with_readiness(move || {
            let db = ready.clone();
            async move { db.ready().await }
        }))
}

/// Only what says whose key has a hash: for those in this process who check keys.
pub fn key_server(db: Db, mesh_config: &mesh::Config) -> Server {
    Server::new(NAME, mesh_config, proto::pool()).add_service(ConsumerServiceServer::new(Consumers::new(db)))
}

/// What the service does on its own: it follows fulfillment, applies reports that were left over, and sends work.
pub fn workers(db: Db, peers: Peers, config: &Config) -> Workers {
    let applier = Applier::new(db.clone(), &peers.fulfillment, &peers.inventory);
    let rest = Arc::new(Rest::new(config.answer_within));
    let handlers: [Arc<dyn TaskHandler>; 2] = [Arc::new(Apply(applier)), Arc::new(Send::new(db.clone(), rest))];
    let log = EventServiceClient::new(peers.fulfillment);
    Workers::new().follow(Follower::new(db.clone(), log, Arc::new(OfFulfillment))).tasks(TaskRunner::new(db, handlers))
}
