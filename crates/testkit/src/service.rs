//! A service under test, over its real server in memory.

use std::{fmt::Debug, sync::Arc};

use mesh::{Channel, Principal, Server};
use proto::event::v1::{ListEventsRequest, event_service_client::EventServiceClient};
use store::{Db, Migration, Options, Workers};
use types::{Fault, ManualClock};

use crate::{Events, database};

/// Runs a test in a world of its own on each database. `open` makes the world on an empty database.
pub async fn each<W>(open: impl AsyncFn(Options) -> W, test: impl AsyncFn(W)) {
    database::each(async |options| test(open(options).await).await).await;
}

/// The server of a fake of another service. Calls without a principal are that service's own.
pub fn peer(name: &str) -> Server {
    Server::new(name, &mesh::Config::default(), proto::pool()).with_default_principal(Principal::service(name))
}

/// A service under test.
#[derive(Debug)]
pub struct Service {
    /// Its database, for a replica on the same one.
    pub options: Options,
    /// Its time.
    pub clock: Arc<ManualClock>,
    /// Its open database.
    pub db: Db,
    /// Its server in memory. Calls without a principal are those of an administrator.
    pub channel: Channel,
    /// What it does on its own, for tests in which that fails or hangs. Others call [`Service::drain`].
    pub workers: Workers,
}

impl Service {
    /// Opens the service. `workers` is given the channel to its own server.
    pub async fn open<E: Debug>(
        options: Options,
        clock: Arc<ManualClock>,
        (name, migrations): (&'static str, &'static [Migration]),
        server: impl FnOnce(Db) -> Result<Server, E>,
        workers: impl FnOnce(Db, Channel) -> Workers,
    ) -> Self {
        let db = Db::open(&options, name, migrations, clock.clone()).await.unwrap();
        let server = server(db.clone()).unwrap().with_default_principal(Principal::local_administrator());
        let channel = server.into_channel().unwrap();
        let workers = workers(db.clone(), channel.for_service(name));
        Self { options, clock, db, channel, workers }
    }

    /// Handles every event and every task that is due, and what follows from them.
    pub async fn drain(&self) {
        self.try_drain().await.unwrap();
    }

    /// As [`Service::drain`], up to the first failure that has to be tried again.
    pub async fn try_drain(&self) -> Result<(), Fault> {
        for _ in 0..100 {
            if self.workers.drain().await? == 0 {
                return Ok(());
            }
        }
        panic!("the workers never come to an end");
    }

    /// Everything that the service emitted.
    pub async fn events(&self) -> Events {
        self.events_of("").await
    }

    /// What the service emitted about an order.
    pub async fn events_of(&self, order_id: &str) -> Events {
        let mut client = EventServiceClient::new(self.channel.for_service("test"));
        let mut request =
            ListEventsRequest { correlation_id: order_id.to_owned(), page_size: 1_000, ..Default::default() };
        let mut events = Vec::new();
        loop {
            let page = client.list_events(request.clone()).await.unwrap().into_inner().events;
            let Some(last) = page.last() else { return Events(events) };
            request.after_position = last.position;
            events.extend(page);
        }
    }
}
