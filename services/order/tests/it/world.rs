//! The order service, and the services around it as the test plays them.

mod inventory;
mod log;

use std::sync::Arc;

use mesh::{Channel, Principal, Server};
use proto::{
    event::v1::{Event, event_service_server::EventServiceServer},
    fulfillment::v1 as fulfillment,
    inventory::v1::{Item, ItemChanged, Reservation, ReservationsChanged, UnitConversion},
    order::v1::{self as wire, order_service_client::OrderServiceClient},
    types::v1::{Address, HandlingClass, LineQuantity, Money},
};
use store::{Db, Workers};
use types::{Fault, ManualClock, Timestamp};
use waybill_order as order;

pub(crate) use inventory::{Inventory, Mood};
pub(crate) use log::Log;

pub(crate) type Client = OrderServiceClient<Channel>;

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) channel: Channel,
    pub(crate) orders: Client,
    pub(crate) workers: Workers,
    pub(crate) inventory: Inventory,
    pub(crate) inventory_log: Log,
    pub(crate) fulfillment_log: Log,
    pub(crate) returns_log: Log,
}

/// Runs the test in a fresh world on each database.
pub(crate) async fn each(test: impl AsyncFn(World)) {
    let test = &test;
    testkit::database::each(|options| async move {
        let world = World::open(&options).await;
        let db = world.db.clone();
        test(world).await;
        db.close().await;
    })
    .await;
}

fn peer(name: &str, log: &Log) -> Server {
    Server::new(name, &mesh::Config::default(), proto::pool())
        .add_service(EventServiceServer::new(log.clone()))
        .with_default_principal(Principal::service(name))
}

impl World {
    async fn open(options: &store::Options) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let db = Db::open(options, order::NAME, order::MIGRATIONS, clock.clone()).await.unwrap();
        let (inventory, inventory_log, fulfillment_log, returns_log) =
            (Inventory::default(), Log::new("inventory"), Log::new("fulfillment"), Log::new("returns"));
        let stock = peer("inventory", &inventory_log).add_service(inventory.server()).into_channel().unwrap();
        let config = order::Config::default();
        let channel = order::server(db.clone(), stock.clone(), &config, &mesh::Config::default())
            .unwrap()
            .with_default_principal(Principal::local_administrator())
            .into_channel()
            .unwrap();
        let peers = order::Peers {
            order: channel.clone(),
            inventory: stock,
            fulfillment: peer("fulfillment", &fulfillment_log).into_channel().unwrap(),
            returns: peer("returns", &returns_log).into_channel().unwrap(),
        };
        let workers = order::workers(db.clone(), peers, &config);
        let orders = OrderServiceClient::new(channel.clone());
        Self { db, clock, channel, orders, workers, inventory, inventory_log, fulfillment_log, returns_log }
    }

    /// Lets the service do what there is to do.
    pub(crate) async fn drain(&self) {
        while self.workers.drain().await.unwrap() > 0 {}
    }

    /// A client that calls for someone else.
    pub(crate) fn as_customer(&self, accounts: &[&str]) -> Client {
        let accounts = accounts.iter().map(|account| account.parse().unwrap()).collect();
        let customer = Principal {
            kind: mesh::Kind::Person,
            subject: "a-customer".to_owned(),
            roles: mesh::Role::Customer.into(),
            accounts: mesh::Accounts::Only(accounts),
            partner: None,
        };
        OrderServiceClient::new(self.channel.for_principal(&customer))
    }

    /// An account with a ship-to, and two items that inventory told of.
    pub(crate) async fn furnish(&self) {
        self.create_account(account("acc_1")).await;
        let ship_to = wire::CreateShipToRequest {
            account_id: "acc_1".to_owned(),
            ship_to_id: "shp_1".to_owned(),
            address: Some(address()),
            ..Default::default()
        };
        self.orders.clone().create_ship_to(ship_to).await.unwrap();
        for item in [item("TEA"), item("CHAI")] {
            self.inventory.add(&item);
            self.inventory_log.tell("item.created", "", &ItemChanged { item: Some(item) });
        }
        self.drain().await;
    }

    pub(crate) async fn create_account(&self, request: wire::CreateAccountRequest) -> wire::Account {
        self.orders.clone().create_account(request).await.unwrap().into_inner()
    }

    /// Places an order, and lets stock be reserved for it.
    pub(crate) async fn place(&self, request: wire::PlaceOrderRequest) -> wire::Order {
        let placed = self.try_place(request).await.unwrap();
        self.drain().await;
        self.get(&placed.order_id).await
    }

    pub(crate) async fn try_place(&self, request: wire::PlaceOrderRequest) -> Result<wire::Order, Fault> {
        let placed = self.orders.clone().place_order(request).await;
        placed.map(tonic::Response::into_inner).map_err(|status| mesh::fault(&status))
    }

    pub(crate) async fn get(&self, order_id: &str) -> wire::Order {
        let request = wire::GetOrderRequest { order_id: order_id.to_owned() };
        self.orders.clone().get_order(request).await.unwrap().into_inner()
    }

    pub(crate) async fn cancel(&self, order_id: &str) -> Result<wire::Order, Fault> {
        let request = wire::CancelOrderRequest {
            order_id: order_id.to_owned(),
            reason: "changed their mind".to_owned(),
            ..Default::default()
        };
        let cancelled = self.orders.clone().cancel_order(request).await;
        cancelled.map(tonic::Response::into_inner).map_err(|status| mesh::fault(&status))
    }

    /// Inventory tells how a reservation is now; then the order as it is after it.
    pub(crate) async fn stock_came(
        &self,
        order_id: &str,
        line_number: i32,
        version: i64,
        backordered: i64,
    ) -> wire::Order {
        let reservation =
            Reservation { order_id: order_id.to_owned(), line_number, version, backordered, ..Default::default() };
        let changed = ReservationsChanged {
            order_id: order_id.to_owned(),
            reservations: vec![reservation],
            ..Default::default()
        };
        self.inventory_log.tell("inventory.reserved", order_id, &changed);
        self.drain().await;
        self.get(order_id).await
    }

    /// Fulfillment tells that units left; then the order as it is after it.
    pub(crate) async fn ships(&self, order: &wire::Order, shipment: &str, units: &[(i32, i64)]) -> wire::Order {
        self.ship_fact(order, shipment, units, false).await
    }

    /// The same of units whose cancellation the node had been told of.
    pub(crate) async fn ships_all_the_same(
        &self,
        order: &wire::Order,
        shipment: &str,
        units: &[(i32, i64)],
    ) -> wire::Order {
        self.ship_fact(order, shipment, units, true).await
    }

    async fn ship_fact(&self, order: &wire::Order, id: &str, units: &[(i32, i64)], lost: bool) -> wire::Order {
        let fact = fulfillment::ShipmentShipped {
            shipment: Some(shipment(order, id)),
            lines: quantities(units),
            cancellation_lost: lost,
        };
        self.fulfillment_log.tell("shipment.shipped", &order.order_id, &fact);
        self.drain().await;
        self.get(&order.order_id).await
    }

    /// Fulfillment tells that units arrived; then the order as it is after it.
    pub(crate) async fn delivers(&self, order: &wire::Order, id: &str, units: &[(i32, i64)]) -> wire::Order {
        let fact = fulfillment::ShipmentDelivered {
            shipment: Some(shipment(order, id)),
            lines: quantities(units),
            deliver_time: None,
        };
        self.fulfillment_log.tell("shipment.delivered", &order.order_id, &fact);
        self.drain().await;
        self.get(&order.order_id).await
    }

    /// Fulfillment tells something else about its work for the order; then the order as it is after it.
    pub(crate) async fn fulfillment_tells<M: prost::Message + prost::Name>(
        &self,
        kind: &str,
        order: &wire::Order,
        fact: &M,
    ) -> wire::Order {
        self.fulfillment_log.tell(kind, &order.order_id, fact);
        self.drain().await;
        self.get(&order.order_id).await
    }

    /// What the service told of an order, in order.
    pub(crate) async fn told(&self, order_id: &str) -> Vec<Event> {
        let request = proto::event::v1::ListEventsRequest {
            correlation_id: order_id.to_owned(),
            page_size: 1_000,
            ..Default::default()
        };
        let mut client = proto::event::v1::event_service_client::EventServiceClient::new(self.channel.clone());
        client.list_events(request).await.unwrap().into_inner().events
    }

    /// The types of what the service told of an order.
    pub(crate) async fn types_told(&self, order_id: &str) -> Vec<String> {
        self.told(order_id).await.into_iter().map(|event| event.r#type).collect()
    }

    /// The payloads of one type of what the service told of an order.
    pub(crate) async fn payloads<M>(&self, order_id: &str, kind: &str) -> Vec<M>
    where
        M: prost::Message + prost::Name + Default,
    {
        let told = self.told(order_id).await;
        told.iter().filter(|event| event.r#type == kind).map(|event| store::payload(event).unwrap()).collect()
    }
}

pub(crate) fn address() -> Address {
    Address {
        name: "Alfreds Futterkiste".to_owned(),
        street: "Obere Str. 57".to_owned(),
        city: "Berlin".to_owned(),
        postal_code: "12209".to_owned(),
        country: "DE".to_owned(),
        ..Default::default()
    }
}

pub(crate) fn account(account_id: &str) -> wire::CreateAccountRequest {
    wire::CreateAccountRequest {
        account_id: account_id.to_owned(),
        name: "Alfreds Futterkiste".to_owned(),
        bill_to: Some(address()),
        currency: "USD".to_owned(),
        ..Default::default()
    }
}

/// An item of 10.05 USD, twelve of which are a case.
pub(crate) fn item(sku: &str) -> Item {
    Item {
        sku: sku.to_owned(),
        name: format!("{sku}, loose"),
        handling_class: HandlingClass::Ambient.into(),
        base_uom: "EA".to_owned(),
        units: vec![
            UnitConversion { uom: "CS".to_owned(), numerator: 12, denominator: 1 },
            UnitConversion { uom: "HALF".to_owned(), numerator: 1, denominator: 2 },
        ],
        list_price: Some(Money { currency: "USD".to_owned(), minor_units: 1_005 }),
        etag: "1".to_owned(),
        ..Default::default()
    }
}

/// An order of items, a line each, from line 1 on.
pub(crate) fn order_of(customer_po: &str, lines: &[(&str, i64)]) -> wire::PlaceOrderRequest {
    let line = |(sku, quantity): &(&str, i64)| wire::NewOrderLine {
        sku: (*sku).to_owned(),
        quantity: *quantity,
        ..Default::default()
    };
    wire::PlaceOrderRequest {
        account_id: "acc_1".to_owned(),
        customer_po: customer_po.to_owned(),
        ship_to_id: "shp_1".to_owned(),
        lines: lines.iter().map(line).collect(),
        ..Default::default()
    }
}

pub(crate) fn quantities(units: &[(i32, i64)]) -> Vec<LineQuantity> {
    let quantity = |(line_number, quantity): &(i32, i64)| LineQuantity {
        line_number: *line_number,
        quantity: *quantity,
        sku: String::new(),
    };
    units.iter().map(quantity).collect()
}

fn shipment(order: &wire::Order, shipment_id: &str) -> fulfillment::Shipment {
    fulfillment::Shipment {
        shipment_id: shipment_id.to_owned(),
        order_id: order.order_id.clone(),
        ..Default::default()
    }
}

/// Work for the order, as in events about work.
pub(crate) fn work(order: &wire::Order) -> Option<fulfillment::FulfillmentOrder> {
    Some(fulfillment::FulfillmentOrder { order_id: order.order_id.clone(), ..Default::default() })
}

/// The counters of the line at this place.
pub(crate) fn counters(order: &wire::Order, index: usize) -> wire::LineCounters {
    order.lines[index].counters.unwrap()
}
