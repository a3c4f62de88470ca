//! A partner service with played peers.

use std::{sync::Arc, time::Duration};

use mesh::{Channel, Principal, Server};
use prost::{Message, Name};
use proto::{
    event::v1::{event_service_client::EventServiceClient, event_service_server::EventServiceServer},
    fulfillment::v1::fulfillment_service_server::FulfillmentServiceServer,
    inventory::v1::inventory_service_server::InventoryServiceServer,
    partner::v1::{api_client_service_client::ApiClientServiceClient, partner_service_client::PartnerServiceClient},
};
use store::{Command, Context, Db, EventApi, Needs, NewEvent, Options, Rows, Workers};
use types::{Fault, ManualClock, Timestamp};
use waybill_partner::{Config, MIGRATIONS, NAME, Peers, server, workers};

use crate::peers::Fulfillment;

/// How long a partner has to answer: more than one that answers takes on any machine, less than a task may.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The service, its peers, and the time.
pub(crate) struct World {
    channel: Channel,
    /// Its workers.
    pub workers: Workers,
    /// The played fulfillment and inventory.
    pub fulfillment: Fulfillment,
    /// The time.
    pub clock: Arc<ManualClock>,
    fulfillment_log: Db,
    _directory: tempfile::TempDir,
}

impl World {
    /// Opens everything.
    pub(crate) async fn open(options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)));
        let directory = tempfile::tempdir().unwrap();
        let elsewhere = Options::new(format!("sqlite:{}", directory.path().join("fulfillment.db").display()));
        let fulfillment_log = Db::open(&elsewhere, "fulfillment", &[], clock.clone()).await.unwrap();
        let db = Db::open(&options, NAME, MIGRATIONS, clock.clone()).await.unwrap();

        let fulfillment = Fulfillment::default();
        let peer = Server::new("peers", &mesh::Config::default(), proto::pool())
            .add_service(FulfillmentServiceServer::new(fulfillment.clone()))
            .add_service(InventoryServiceServer::new(fulfillment.clone()))
            .add_service(EventServiceServer::new(EventApi::new(fulfillment_log.clone())))
            .into_channel()
            .unwrap()
            .for_service(NAME);
        let config = Config { answer_within: ANSWER_WITHIN };
        let server = server(db.clone(), peer.clone(), peer.clone(), &config, &mesh::Config::default()).unwrap();
        let channel = server.with_default_principal(Principal::local_administrator()).into_channel().unwrap();
        let workers = workers(db, Peers { fulfillment: peer.clone(), inventory: peer }, &config);
        Self { channel, workers, fulfillment, clock, fulfillment_log, _directory: directory }
    }

    /// A client of an administrator.
    pub(crate) fn client(&self) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.channel.clone())
    }

    /// A client of somebody.
    pub(crate) fn client_of(&self, principal: &Principal) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.channel.for_principal(principal))
    }

    /// An administrator's client of API clients and keys.
    pub(crate) fn api_clients(&self) -> ApiClientServiceClient<Channel> {
        ApiClientServiceClient::new(self.channel.clone())
    }

    /// Somebody's client of API clients and keys.
    pub(crate) fn api_clients_of(&self, principal: &Principal) -> ApiClientServiceClient<Channel> {
        ApiClientServiceClient::new(self.channel.for_principal(principal))
    }

    /// A client of the log.
    pub(crate) fn log(&self) -> EventServiceClient<Channel> {
        EventServiceClient::new(self.channel.clone())
    }

    /// Appends an event to fulfillment's log, and lets the service do what there is to do.
    pub(crate) async fn tell<M: Message + Name>(&self, kind: &'static str, subject: &str, fact: &M) {
        self.append(kind, subject, fact).await;
        self.workers.drain().await.unwrap();
    }

    /// Appends an event to fulfillment's log.
    pub(crate) async fn append<M: Message + Name>(&self, kind: &'static str, subject: &str, fact: &M) {
        let draft = NewEvent::untyped(kind, subject, 1, 1, fact);
        self.fulfillment_log.run(store::Call::new(types::Actor::service("test")), Tell(draft)).await.unwrap();
    }

    /// Moves the time, and lets the service do what is due then.
    pub(crate) async fn after(&self, time: Duration) {
        self.clock.advance(time);
        self.workers.drain().await.unwrap();
    }
}

struct Tell(NewEvent);

impl Command for Tell {
    type Reply = ();
    const NAME: &'static str = "Tell";

    fn needs(&self, _: &Rows, _: &mut Needs) {}

    fn decide(&self, _: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        cx.emit(self.0.clone());
        Ok(())
    }
}
