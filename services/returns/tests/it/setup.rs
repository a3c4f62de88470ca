//! A returns service with the logs it follows.

use std::{collections::HashMap, sync::Arc};

use mesh::{Channel, Principal, Server};
use prost::{Message, Name};
use proto::{
    event::v1::{
        Event, ExceptionOpened, ListEventsRequest, event_service_client::EventServiceClient,
        event_service_server::EventServiceServer,
    },
    returns::v1::returns_service_client::ReturnsServiceClient,
};
use store::{Call, Command, Context, Db, EventApi, Needs, NewEvent, Options, Rows, Workers};
use types::{Fault, ManualClock, Reason, Timestamp};
use waybill_returns::{Config, MIGRATIONS, NAME, Peers, server, workers};

/// The service, and the others' logs.
pub(crate) struct World {
    channel: Channel,
    workers: Workers,
    order: Db,
    fulfillment: Db,
    _directory: tempfile::TempDir,
}

impl World {
    /// Opens everything.
    pub(crate) async fn open(options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)));
        let directory = tempfile::tempdir().unwrap();
        let elsewhere =
            |name: &str| Options::new(format!("sqlite:{}", directory.path().join(format!("{name}.db")).display()));
        let order = Db::open(&elsewhere("order"), "order", &[], clock.clone()).await.unwrap();
        let fulfillment = Db::open(&elsewhere("fulfillment"), "fulfillment", &[], clock.clone()).await.unwrap();
        let db = Db::open(&options, NAME, MIGRATIONS, clock).await.unwrap();

        let config = Config::default();
        let served = server(db.clone(), &config, &mesh::Config::default()).unwrap();
        let channel = served.with_default_principal(Principal::local_administrator()).into_channel().unwrap();
        let peers = Peers { order: log_of(&order), fulfillment: log_of(&fulfillment) };
        let workers = workers(db, peers, &config);
        Self { channel, workers, order, fulfillment, _directory: directory }
    }

    /// A client of an administrator.
    pub(crate) fn client(&self) -> ReturnsServiceClient<Channel> {
        ReturnsServiceClient::new(self.channel.clone())
    }

    /// A client of somebody.
    pub(crate) fn client_of(&self, principal: &Principal) -> ReturnsServiceClient<Channel> {
        ReturnsServiceClient::new(self.channel.for_principal(principal))
    }

    /// Appends an event to the order service's log, and lets the service follow it.
    pub(crate) async fn order_tells<M: Message + Name>(&self, kind: &'static str, key: &str, fact: &M) {
        tell(&self.order, kind, key, fact).await;
        self.workers.drain().await.unwrap();
    }

    /// Appends an event to fulfillment's log, and lets the service follow it.
    pub(crate) async fn fulfillment_tells<M: Message + Name>(&self, kind: &'static str, key: &str, fact: &M) {
        tell(&self.fulfillment, kind, key, fact).await;
        self.workers.drain().await.unwrap();
    }

    /// The log.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let request = ListEventsRequest { page_size: 1_000, ..ListEventsRequest::default() };
        let mut log = EventServiceClient::new(self.channel.clone());
        log.list_events(request).await.unwrap().into_inner().events
    }

    /// Facts of one kind.
    pub(crate) async fn facts<M: Message + Name + Default>(&self, kind: &str) -> Vec<M> {
        let events = self.events().await;
        events.iter().filter(|event| event.r#type == kind).map(|event| store::payload(event).unwrap()).collect()
    }

    /// How often each kind of event was told.
    pub(crate) async fn told(&self) -> HashMap<String, usize> {
        let mut told = HashMap::new();
        for event in self.events().await {
            *told.entry(event.r#type).or_default() += 1;
        }
        told
    }

    /// The types of the exceptions that were opened.
    pub(crate) async fn exceptions(&self) -> Vec<String> {
        let opened = self.facts::<ExceptionOpened>("exception.opened").await;
        opened.into_iter().map(|exception| exception.r#type).collect()
    }
}

/// The reason of a refusal and the fields it names.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, tonic::Status>) -> (Reason, Vec<String>) {
    let fault = mesh::fault(&result.unwrap_err());
    (fault.reason, fault.violations.into_iter().map(|violation| violation.field).collect())
}

fn log_of(db: &Db) -> Channel {
    Server::new("log", &mesh::Config::default(), proto::pool())
        .add_service(EventServiceServer::new(EventApi::new(db.clone())))
        .into_channel()
        .unwrap()
        .for_service(NAME)
}

async fn tell<M: Message + Name>(db: &Db, kind: &'static str, key: &str, fact: &M) {
    db.run(Call::new(types::Actor::service("test")), Tell(NewEvent::untyped(kind, key, 1, key, fact))).await.unwrap();
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
