//! The returns service, the logs it follows, and what happens in most tests.

use std::ops::Deref;

use mesh::{Channel, Principal};
use proto::types::v1::LineQuantity;
use proto::{
    events::{FulfillmentEvent, OrderEvent},
    fulfillment::v1::{Shipment, ShipmentDelivered},
    order::v1::{
        CreditedLine, LineCounters, Order, OrderCreditProposed, OrderCreditRefused, OrderLine, OrderSubmitted,
        ProposedCredit,
    },
    returns::v1::{
        AuthorizeReturnRequest, Disposition, DispositionKind, GetReturnRequest, GetReturnableQuantityRequest,
        InspectReturnRequest, InspectedLine, ReceiveReturnRequest, Return, ReturnQuantity,
        returns_service_client::ReturnsServiceClient,
    },
};
use store::Options;
use testkit::{Log, Service};
use tonic::{Response, Status};
use waybill_returns::{Config, MIGRATIONS, NAME, Peers, server, workers};

/// The order of most tests: 10 TEA for 100.00, 3 CUP for 1.00.
pub(crate) const ORDER: &str = "ord_1";

/// The service and the logs it follows.
pub(crate) struct World {
    service: Service,
    pub(crate) order: Log,
    pub(crate) fulfillment: Log,
}

impl Deref for World {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl World {
    /// Opens everything.
    pub(crate) async fn open(options: Options) -> Self {
        let (order, fulfillment) = (Log::new("order"), Log::new("fulfillment"));
        let peers = Peers { order: order.channel(), fulfillment: fulfillment.channel() };
        let config = Config::default();
        let server = |db| server(db, &config, &mesh::Config::default());
        let workers = |db, _| workers(db, peers, &config);
        let service = Service::open(options, testkit::clock(), (NAME, MIGRATIONS), server, workers).await;
        Self { service, order, fulfillment }
    }

    /// The order with all of it delivered.
    pub(crate) async fn delivered(options: Options) -> Self {
        let world = Self::open(options).await;
        world.place().await;
        world.deliver("1", "nod_a", 1, 10).await;
        world.deliver("2", "nod_a", 2, 3).await;
        world
    }

    /// The order service proposes a credit for inspected units of a return; returns the return as it is then.
    pub(crate) async fn credits(&self, rma: &Return, line_number: i32, quantity: i64, amount_minor: i64) -> Return {
        let credit = ProposedCredit {
            return_id: rma.return_id.clone(),
            lines: vec![CreditedLine { line_number, quantity, amount_minor, ..CreditedLine::default() }],
            ..ProposedCredit::default()
        };
        self.decides(rma, OrderEvent::OrderCreditProposed(OrderCreditProposed { credit: Some(credit) })).await
    }

    /// The order service refuses a credit for inspected units of a return; returns the return as it is then.
    pub(crate) async fn refuses(&self, rma: &Return, line_number: i32, quantity: i64) -> Return {
        let lines = vec![LineQuantity { line_number, quantity, ..LineQuantity::default() }];
        let (order_id, return_id) = (ORDER.to_owned(), rma.return_id.clone());
        self.decides(rma, OrderEvent::OrderCreditRefused(OrderCreditRefused { order_id, return_id, lines })).await
    }

    async fn decides(&self, rma: &Return, event: OrderEvent) -> Return {
        self.order.emit(ORDER, &event);
        self.drain().await;
        let get = GetReturnRequest { return_id: rma.return_id.clone() };
        self.client().get_return(get).await.unwrap().into_inner()
    }

    /// A client that calls for an administrator.
    pub(crate) fn client(&self) -> ReturnsServiceClient<Channel> {
        ReturnsServiceClient::new(self.channel.clone())
    }

    /// A client that calls for a principal.
    pub(crate) fn client_of(&self, principal: &Principal) -> ReturnsServiceClient<Channel> {
        ReturnsServiceClient::new(self.channel.for_principal(principal))
    }

    /// The order is placed, nothing is delivered.
    pub(crate) async fn place(&self) {
        let line = |line_number: i32, sku: &str, ordered: i64, amount_minor: i64| OrderLine {
            line_number,
            sku: sku.to_owned(),
            amount_minor,
            counters: Some(LineCounters { ordered, ..LineCounters::default() }),
            ..OrderLine::default()
        };
        let order = Order {
            order_id: ORDER.to_owned(),
            account_id: "acc_a".to_owned(),
            currency: "EUR".to_owned(),
            lines: vec![line(1, "TEA", 10, 10_000), line(2, "CUP", 3, 100)],
            ..Order::default()
        };
        self.order.emit(ORDER, &OrderEvent::OrderSubmitted(OrderSubmitted { order: Some(order) }));
        self.drain().await;
    }

    /// Units of a line arrive from a node. A delivery with the key of an earlier one is that one.
    pub(crate) async fn deliver(&self, key: &str, node_id: &str, line_number: i32, quantity: i64) {
        let shipment = Shipment {
            shipment_id: format!("shm_{key}"),
            order_id: ORDER.to_owned(),
            node_id: node_id.to_owned(),
            ..Shipment::default()
        };
        let lines = vec![testkit::units(line_number, quantity)];
        let delivered = ShipmentDelivered { shipment: Some(shipment), lines, deliver_time: None };
        let event = testkit::event(ORDER, &FulfillmentEvent::ShipmentDelivered(delivered));
        self.fulfillment.append(proto::event::v1::Event { event_id: format!("delivery-{key}"), ..event });
        self.drain().await;
    }

    /// Authorizes a return.
    pub(crate) async fn authorize(&self, units: &[(i32, i64)]) -> Result<Return, Status> {
        self.client().authorize_return(wanted(units)).await.map(Response::into_inner)
    }

    /// The return as it is now.
    pub(crate) async fn get(&self, rma: &Return) -> Return {
        let request = GetReturnRequest { return_id: rma.return_id.clone() };
        self.client().get_return(request).await.unwrap().into_inner()
    }

    /// Receives units.
    pub(crate) async fn receive(&self, rma: &Return, units: &[(i32, i64)]) -> Result<Return, Status> {
        let return_id = rma.return_id.clone();
        let request = ReceiveReturnRequest { return_id, lines: lines(units), ..ReceiveReturnRequest::default() };
        self.client().receive_return(request).await.map(Response::into_inner)
    }

    /// Inspects units of a line.
    pub(crate) async fn inspect(
        &self,
        rma: &Return,
        line_number: i32,
        units: &[(DispositionKind, i64)],
    ) -> Result<Return, Status> {
        let disposition = |&(kind, quantity): &(DispositionKind, i64)| Disposition { kind: kind.into(), quantity };
        let line = InspectedLine { line_number, dispositions: units.iter().map(disposition).collect() };
        let return_id = rma.return_id.clone();
        let request = InspectReturnRequest { return_id, lines: vec![line], ..InspectReturnRequest::default() };
        self.client().inspect_return(request).await.map(Response::into_inner)
    }

    /// Units that can still come back, by line.
    pub(crate) async fn returnable(&self) -> Vec<(i32, i64)> {
        let request = GetReturnableQuantityRequest { order_id: ORDER.to_owned() };
        let answer = self.client().get_returnable_quantity(request).await.unwrap().into_inner();
        answer.lines.into_iter().map(|line| (line.line_number, line.quantity)).collect()
    }
}

/// Units of lines.
pub(crate) fn lines(units: &[(i32, i64)]) -> Vec<ReturnQuantity> {
    units.iter().map(|&(line_number, quantity)| ReturnQuantity { line_number, quantity }).collect()
}

/// A request for a return.
pub(crate) fn wanted(units: &[(i32, i64)]) -> AuthorizeReturnRequest {
    AuthorizeReturnRequest { order_id: ORDER.to_owned(), lines: lines(units), ..AuthorizeReturnRequest::default() }
}
