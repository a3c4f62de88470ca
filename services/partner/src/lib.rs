//! Partners: the outside parties, and every message exchanged with them.
//!
//! **Owns** partners, the messages from and to them with their content, copies of which fulfillment order and node belongs
//! to which partner, and API clients: programs that call from outside, with the keys that authenticate them.
//!
//! **Promises**
//! - A report is stored as it was received before anything is done with it, takes effect once, and shows what it did.
//! - The same control number with the same content is answered as the first; with other content it is quarantined.
//! - A partner takes back or corrects its own reports by its control numbers.
//! - A fulfillment order is not requested twice: when a request may have arrived, the partner is asked first.
//! - A message that cannot be applied or sent opens an exception and can be replayed. One that may have arrived opens an
//!   exception too.
//! - A key is returned once, to the caller that created it; only its hash is stored, and no event contains it.
//!
//! **Absent on purpose**: the meaning of reports, which belongs to the services that record them; formats other than the
//! public API's; the check of credentials, which is the mesh's: this service returns the API client of a key's hash.
//!
//! Where to look: a report from receipt to effect is `process/report.rs`, a message to a partner is
//! `process/outbound_message.rs`. The kinds of reports are one table, `report_kind.rs`, and what takes them back another,
//! `retraction.rs`; retries are in `types::retry`.

mod api_client;
mod api_key;
mod connectors;
mod create_partner;
mod events;
mod fulfillment_request;
mod message;
mod node;
mod partner;
mod process;
mod reactions;
mod replay_message;
mod report_kind;
mod report_part;
mod reporter;
mod retraction;
mod rpc;
mod store;
mod submission;
mod text_list;
mod update_partner;
mod visibility;
mod watchdog;
mod wire;

use std::{sync::Arc, time::Duration};

use ::store::{Db, Follower, Migration, TaskHandler, Workers};
use mesh::{Channel, Server, ServerError, credentials::KeyChanges};
use proto::{
    event::v1::event_service_client::EventServiceClient,
    partner::v1::{api_client_service_server::ApiClientServiceServer, partner_service_server::PartnerServiceServer},
};

use crate::{
    connectors::rest::Rest,
    process::{
        outbound_message::SendMessages,
        report::{ApplyReports, Reports},
    },
    reactions::FulfillmentFollower,
    rpc::{Rpc, api_clients::ApiClients},
};

/// The service's name.
pub const NAME: &str = "partner";

/// The service's tables.
pub const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "partner", sql: include_str!("../migrations/0001_partner.sql") }];

/// Settings of the service.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Config {
    /// Seconds that a partner may take to answer a message.
    #[arg(id = "partner-answer-seconds", long = "partner-answer-seconds", env = "WAYBILL_PARTNER_ANSWER_SECONDS", default_value = "10", value_parser = seconds)]
    pub answer_within: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { answer_within: Duration::from_secs(10) }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    // Asking and sending together have to fit into the time that a task may take.
    let seconds = text.parse().ok().filter(|seconds| (1..=20).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected 1 to 20 seconds".to_owned())
}

/// The services that are followed, and that reports are recorded by.
#[derive(Debug, Clone)]
pub struct Peers {
    /// Its log is followed; it records reports on fulfillment orders and packages.
    pub fulfillment: Channel,
    /// It records counts.
    pub inventory: Channel,
}

/// The service's server. It announces when it changes a key, or an API client.
#[expect(clippy::needless_pass_by_value, reason = "the servers of all services are put together alike")]
pub fn server(
    db: Db,
    fulfillment: Channel,
    inventory: Channel,
    keys: &KeyChanges,
    _config: &Config,
    mesh_config: &mesh::Config,
) -> Result<Server, ServerError> {
    let reports = Reports::new(db.clone(), &fulfillment, &inventory);
    Ok(chassis::server(NAME, &db, mesh_config)?
        .add_service(PartnerServiceServer::new(Rpc::new(reports)))
        .add_service(ApiClientServiceServer::new(ApiClients::new(db, keys))))
}

/// A server with API clients and keys only, for processes that check keys.
pub fn key_server(db: Db, keys: &KeyChanges, mesh_config: &mesh::Config) -> Server {
    Server::new(NAME, mesh_config, proto::pool()).add_service(ApiClientServiceServer::new(ApiClients::new(db, keys)))
}

/// The service's background work: following fulfillment, applying reports that their call did not, sending messages.
pub fn workers(db: Db, peers: Peers, config: &Config) -> Workers {
    let reports = Reports::new(db.clone(), &peers.fulfillment, &peers.inventory);
    let rest = Arc::new(Rest::new(config.answer_within));
    let handlers: [Arc<dyn TaskHandler>; 2] =
        [Arc::new(ApplyReports(reports)), Arc::new(SendMessages { db: db.clone(), rest })];
    let log = EventServiceClient::new(peers.fulfillment);
    let fulfillment = Follower::new(db.clone(), log, Arc::new(FulfillmentFollower));
    Workers::new(db, [fulfillment], handlers, watchdog::CHECKS)
}
