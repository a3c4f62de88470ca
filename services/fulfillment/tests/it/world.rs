//! The service with its neighbours, as a test sees it.

use std::sync::Arc;

use mesh::{Channel, Principal, Role, Server};
use prost::{Message, Name};
use proto::{
    event::v1::{
        Event, ExceptionOpened, ExceptionResolved, ListEventsRequest, event_service_client::EventServiceClient,
        event_service_server::EventServiceServer,
    },
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, CreateNodeRequest, FulfillmentOrder, ListFulfillmentOrdersRequest,
        ListRoutingDecisionsRequest, RecordShipmentRequest, RejectFulfillmentOrderRequest, ReportedPackage,
        RoutingDecision, ServiceArea, Shipment, fulfillment_service_client::FulfillmentServiceClient,
    },
    inventory::v1::inventory_service_server::InventoryServiceServer,
    order::v1::{OrderCancelRequested, OrderReleased, ReleasedLine},
    types::v1::{Address, HandlingClass, LineQuantity},
};
use store::{Db, Options, Workers};
use types::{Fault, ManualClock, Timestamp};
use waybill_fulfillment::{self as fulfillment, Config, MIGRATIONS, NAME, Peers};

use crate::{inventory::Inventory, log::Log};

/// The time every test begins at.
pub(crate) const START: i64 = 1_750_000_000_000_000;

/// The order most tests are about.
pub(crate) const ORDER: &str = "ord_1";

/// The service with its neighbours.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) inventory: Inventory,
    pub(crate) orders: Log,
    pub(crate) stock: Log,
    pub(crate) channel: Channel,
    pub(crate) db: Db,
    workers: Workers,
}

impl World {
    pub(crate) async fn open(options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(START)));
        Self::beside(&options, clock, Inventory::default(), Log::default(), Log::default()).await
    }

    /// A second process on the same database, with the same neighbours.
    pub(crate) async fn replica(&self, options: &Options) -> Self {
        let Self { clock, inventory, orders, stock, .. } = self;
        Self::beside(options, clock.clone(), inventory.clone(), orders.clone(), stock.clone()).await
    }

    async fn beside(options: &Options, clock: Arc<ManualClock>, inventory: Inventory, orders: Log, stock: Log) -> Self {
        let db = Db::open(options, NAME, MIGRATIONS, clock.clone()).await.unwrap();
        let config = mesh::Config::default();
        let neighbour = |name: &'static str, log: &Log| {
            Server::new(name, &config, proto::pool()).add_service(EventServiceServer::new(log.clone()))
        };
        let to_orders = neighbour("order", &orders).into_channel().unwrap().for_service(NAME);
        let to_inventory = neighbour("inventory", &stock)
            .add_service(InventoryServiceServer::new(inventory.clone()))
            .into_channel()
            .unwrap()
            .for_service(NAME);
        let server = fulfillment::server(db.clone(), to_inventory.clone(), &Config::default(), &config).unwrap();
        let channel = server.into_channel().unwrap();
        let peers = Peers { order: to_orders, inventory: to_inventory, fulfillment: channel.for_service(NAME) };
        let workers = fulfillment::workers(db.clone(), peers, &Config::default());
        Self { clock, inventory, orders, stock, channel, db, workers }
    }

    /// A client on behalf of somebody.
    pub(crate) fn client(&self, principal: &Principal) -> FulfillmentServiceClient<Channel> {
        FulfillmentServiceClient::new(self.channel.for_principal(principal))
    }

    /// A client on behalf of an internal program.
    pub(crate) fn api(&self) -> FulfillmentServiceClient<Channel> {
        self.client(&Principal { roles: Role::Application.into(), ..Principal::service("test") })
    }

    /// A client on behalf of the partner service.
    pub(crate) fn partners(&self) -> FulfillmentServiceClient<Channel> {
        self.client(&Principal::service("partner"))
    }

    /// Does everything there is to do by now.
    pub(crate) async fn work(&self) {
        self.try_work().await.unwrap();
    }

    /// Does what there is to do, up to the first that has to be tried again.
    pub(crate) async fn try_work(&self) -> Result<(), Fault> {
        for _ in 0..100 {
            if self.workers.drain().await? == 0 {
                return Ok(());
            }
        }
        panic!("the work never ends");
    }

    /// A node that ships ambient goods to Germany.
    pub(crate) async fn node(&self, id: &str, rank: i32) {
        self.create(node(id, rank)).await;
    }

    pub(crate) async fn create(&self, request: CreateNodeRequest) {
        self.api().create_node(request).await.unwrap();
    }

    /// An order gives units out that inventory holds for it.
    pub(crate) fn release(&self, order: &str, number: i32, lines: &[(i32, &str, i64)]) {
        for (line, sku, quantity) in lines {
            self.inventory.hold(order, *line, sku, *quantity);
        }
        let lines = lines.iter().map(|(line_number, sku, quantity)| ReleasedLine {
            line_number: *line_number,
            sku: (*sku).to_owned(),
            quantity: *quantity,
            handling_class: HandlingClass::Ambient.into(),
        });
        let released = OrderReleased {
            order_id: order.to_owned(),
            release_number: number,
            account_id: "acc_1".to_owned(),
            customer_po: "PO-1".to_owned(),
            ship_to: Some(Address { name: "Depot".to_owned(), country: "DE".to_owned(), ..Address::default() }),
            lines: lines.collect(),
            requested_ship_time: None,
        };
        self.orders.tell("order.released", order, &released);
    }

    /// The order is not wanted any more.
    pub(crate) fn cancel(&self, order: &str) {
        let told = OrderCancelRequested { order_id: order.to_owned(), reason: "not wanted".to_owned() };
        self.orders.tell("order.cancel_requested", order, &told);
    }

    /// The work of an order, oldest first.
    pub(crate) async fn orders(&self, order: &str) -> Vec<FulfillmentOrder> {
        let request = ListFulfillmentOrdersRequest { order_id: order.to_owned(), ..Default::default() };
        self.api().list_fulfillment_orders(request).await.unwrap().into_inner().fulfillment_orders
    }

    /// The one piece of work of an order.
    pub(crate) async fn order(&self, order: &str) -> FulfillmentOrder {
        let mut orders = self.orders(order).await;
        assert_eq!(orders.len(), 1, "{orders:?}");
        orders.remove(0)
    }

    /// Nodes with their units of a line, of work that is not over.
    pub(crate) async fn open_work(&self, order: &str, line: i32) -> Vec<(String, i64)> {
        let mut open: Vec<_> = self
            .orders(order)
            .await
            .into_iter()
            .filter_map(|work| {
                let line = work.lines.iter().find(|one| one.line_number == line)?;
                let units = line.quantity - line.shipped - line.short - line.cancelled;
                (units > 0).then_some((work.node_id, units))
            })
            .collect();
        open.sort();
        open
    }

    pub(crate) async fn decisions(&self, order: &str) -> Vec<RoutingDecision> {
        let request = ListRoutingDecisionsRequest { order_id: order.to_owned() };
        self.api().list_routing_decisions(request).await.unwrap().into_inner().decisions
    }

    pub(crate) async fn accept(&self, work: &FulfillmentOrder) -> FulfillmentOrder {
        let request = AcceptFulfillmentOrderRequest {
            fulfillment_order_id: work.fulfillment_order_id.clone(),
            ..Default::default()
        };
        self.partners().accept_fulfillment_order(request).await.unwrap().into_inner()
    }

    pub(crate) async fn reject(&self, work: &FulfillmentOrder) -> FulfillmentOrder {
        let request = RejectFulfillmentOrderRequest {
            fulfillment_order_id: work.fulfillment_order_id.clone(),
            reason: "full".to_owned(),
            ..Default::default()
        };
        self.partners().reject_fulfillment_order(request).await.unwrap().into_inner()
    }

    pub(crate) async fn ship(&self, request: RecordShipmentRequest) -> Shipment {
        self.partners().record_shipment(request).await.unwrap().into_inner()
    }

    /// All events of the service, in order.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let mut client = EventServiceClient::new(self.channel.for_service("test"));
        let request = ListEventsRequest { page_size: 1_000, ..Default::default() };
        client.list_events(request).await.unwrap().into_inner().events
    }

    /// Types of the events, without those of nodes.
    pub(crate) async fn kinds(&self) -> Vec<String> {
        let events = self.events().await.into_iter().map(|event| event.r#type);
        events.filter(|kind| !kind.starts_with("node.")).collect()
    }

    /// Payloads of one type of events.
    pub(crate) async fn told<M: Message + Name + Default>(&self, kind: &str) -> Vec<M> {
        let events = self.events().await;
        events.iter().filter(|event| event.r#type == kind).map(|event| store::payload(event).unwrap()).collect()
    }

    /// Types and subjects of exceptions that are open.
    pub(crate) async fn exceptions(&self) -> Vec<(String, String)> {
        let mut open = Vec::new();
        for event in self.events().await {
            if let Some(opened) = store::payload::<ExceptionOpened>(&event) {
                open.push((opened.r#type, opened.subject));
            } else if let Some(resolved) = store::payload::<ExceptionResolved>(&event) {
                open.retain(|(kind, subject)| (kind, subject) != (&resolved.r#type, &resolved.subject));
            }
        }
        open
    }
}

/// A node that ships ambient goods to Germany.
pub(crate) fn node(id: &str, rank: i32) -> CreateNodeRequest {
    CreateNodeRequest {
        request_id: String::new(),
        node_id: id.to_owned(),
        name: format!("Warehouse {id}"),
        partner_id: format!("par_{}", id.trim_start_matches("nod_")),
        country: "DE".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        handling_classes: vec![HandlingClass::Ambient.into()],
        service_areas: vec![ServiceArea { countries: vec!["DE".to_owned()], rank }],
        accept_within: None,
    }
}

/// Units of a line.
pub(crate) fn units(line_number: i32, quantity: i64) -> LineQuantity {
    LineQuantity { line_number, sku: String::new(), quantity }
}

/// A report of packages that left, each with units of line 1.
pub(crate) fn shipped(work: &FulfillmentOrder, packages: &[(&str, i64)]) -> RecordShipmentRequest {
    RecordShipmentRequest {
        fulfillment_order_id: work.fulfillment_order_id.clone(),
        shipment_reference: "S-1".to_owned(),
        carrier_id: "par_carrier".to_owned(),
        packages: packages.iter().map(|(number, quantity)| package(number, *quantity)).collect(),
        ..Default::default()
    }
}

/// A package with units of line 1.
pub(crate) fn package(number: &str, quantity: i64) -> ReportedPackage {
    ReportedPackage { tracking_number: number.to_owned(), sscc: String::new(), lines: vec![units(1, quantity)] }
}

/// An instant some seconds after the start.
pub(crate) fn after(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: START / 1_000_000 + seconds, nanos: 0 }
}
