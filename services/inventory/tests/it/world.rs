//! The service on an empty database, and short ways to call it.

mod calls;

use std::{ops::Deref, sync::Arc};

use mesh::Channel;
use proto::{
    inventory::v1::{
        AllocationRequest, CreateItemRequest, CreateLocationRequest, Reservation, ReserveRequest,
        inventory_service_client::InventoryServiceClient,
    },
    types::v1::{HandlingClass, LineQuantity},
};
use store::Options;
use testkit::{Log, Service};
use types::ManualClock;
use waybill_inventory::{Config, MIGRATIONS, NAME, Peers, server, workers};

/// The location of most tests.
pub(crate) const HERE: &str = "nod_here";
/// Another location.
pub(crate) const THERE: &str = "nod_there";

pub(crate) type Client = InventoryServiceClient<Channel>;

/// The service and the logs it follows.
pub(crate) struct World {
    service: Service,
    /// A client of an administrator.
    pub(crate) client: Client,
    pub(crate) order: Log,
    pub(crate) fulfillment: Log,
    pub(crate) returns: Log,
}

impl Deref for World {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl World {
    /// The service with the items `A`, `B`, `C` and two locations without stock.
    pub(crate) async fn open(options: Options) -> Self {
        let logs = ["order", "fulfillment", "returns"].map(Log::new);
        let service = start(options, testkit::clock(), &logs).await;
        let mut client = InventoryServiceClient::new(service.channel.clone());
        for sku in ["A", "B", "C"] {
            client.create_item(item(sku)).await.unwrap();
        }
        for location_id in [HERE, THERE] {
            let request = CreateLocationRequest { name: "a location".to_owned(), ..location(location_id) };
            client.create_location(request).await.unwrap();
        }
        let [order, fulfillment, returns] = logs;
        Self { service, client, order, fulfillment, returns }
    }

    /// A client of a second process on the same database.
    pub(crate) async fn replica(&self) -> Client {
        let logs = [self.order.clone(), self.fulfillment.clone(), self.returns.clone()];
        InventoryServiceClient::new(start(self.options.clone(), self.clock.clone(), &logs).await.channel)
    }
}

async fn start(options: Options, clock: Arc<ManualClock>, [order, fulfillment, returns]: &[Log; 3]) -> Service {
    let peers = Peers { order: order.channel(), fulfillment: fulfillment.channel(), returns: returns.channel() };
    let config = Config::default();
    let server = |db| server(db, &config, &mesh::Config::default());
    let workers = |db, _| workers(db, peers, &config);
    Service::open(options, clock, (NAME, MIGRATIONS), server, workers).await
}

pub(crate) fn item(sku: &str) -> CreateItemRequest {
    CreateItemRequest {
        sku: sku.to_owned(),
        name: "an item".to_owned(),
        handling_class: HandlingClass::Ambient.into(),
        ..Default::default()
    }
}

pub(crate) fn location(location_id: &str) -> CreateLocationRequest {
    CreateLocationRequest { location_id: location_id.to_owned(), ..Default::default() }
}

pub(crate) fn requested(order_id: &str, lines: &[(i32, &str, i64)]) -> ReserveRequest {
    let (order_id, account_id) = (order_id.to_owned(), "acc_1".to_owned());
    ReserveRequest { order_id, account_id, lines: quantities(lines), ..Default::default() }
}

pub(crate) fn quantities(lines: &[(i32, &str, i64)]) -> Vec<LineQuantity> {
    let line =
        |&(line_number, sku, quantity): &(i32, &str, i64)| LineQuantity { line_number, sku: sku.to_owned(), quantity };
    lines.iter().map(line).collect()
}

pub(crate) fn allocations(lines: &[(i32, &str, i64)]) -> Vec<AllocationRequest> {
    let line = |&(line_number, location_id, quantity): &(i32, &str, i64)| AllocationRequest {
        line_number,
        location_id: location_id.to_owned(),
        quantity,
    };
    lines.iter().map(line).collect()
}

/// `(reserved, allocated, consumed, backordered, released)` of a reservation.
pub(crate) fn units(of: &Reservation) -> (i64, i64, i64, i64, i64) {
    (of.reserved, of.allocated, of.consumed, of.backordered, of.released)
}
