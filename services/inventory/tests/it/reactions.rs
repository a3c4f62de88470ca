//! What happens here because of the facts of others.

use std::time::Duration;

use mesh::{Channel, Principal, Server};
use proto::{
    event::v1::{ExceptionOpened, event_service_server::EventServiceServer},
    fulfillment::v1::{Shipment, ShipmentShipped},
    inventory::v1::{ConsumeRequest, DriftDetected},
    order::v1::OrderHoldChanged,
    returns::v1::{DisposedLine, DispositionKind, Return, ReturnDisposed},
};
use store::{Call, Command, Context, Db, EventApi, Needs, NewEvent, Options, Rows, Workers};
use testkit::database::each;
use types::{Clock as _, Fault, Timestamp};

use crate::fixture::{Fixture, HERE, quantities, units};

/// The other services: their logs alone.
pub(crate) struct Sources {
    pub(crate) workers: Workers,
    order: Db,
    fulfillment: Db,
    returns: Db,
    _directory: tempfile::TempDir,
}

/// A fact of another service.
pub(crate) struct Fact {
    source: &'static str,
    draft: NewEvent,
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

impl Sources {
    pub(crate) async fn open(service: &Fixture) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let open = |name: &'static str| {
            let options = Options::new(format!("sqlite:{}", directory.path().join(name).display()));
            async move { Db::open(&options, name, &[], service.db.clock().clone()).await.unwrap() }
        };
        let (order, fulfillment, returns) = (open("order").await, open("fulfillment").await, open("returns").await);
        let peers = waybill_inventory::Peers {
            order: channel(&order),
            fulfillment: channel(&fulfillment),
            returns: channel(&returns),
        };
        let workers = waybill_inventory::workers(service.db.clone(), peers, &waybill_inventory::Config::default());
        Self { workers, order, fulfillment, returns, _directory: directory }
    }

    pub(crate) async fn tell(&self, fact: Fact) {
        let db = match fact.source {
            "order" => &self.order,
            "fulfillment" => &self.fulfillment,
            _ => &self.returns,
        };
        db.run(Call::new(types::Actor::service("test")), Tell(fact.draft)).await.unwrap();
    }
}

fn channel(db: &Db) -> Channel {
    Server::new(db.source(), &mesh::Config::default(), proto::pool())
        .add_service(EventServiceServer::new(EventApi::new(db.clone())))
        .into_channel()
        .unwrap()
        .for_principal(&Principal::service("inventory"))
}

/// `open_holds` holds stand on an order now.
pub(crate) fn hold(order_id: &str, open_holds: i32) -> Fact {
    let kind = if open_holds > 0 { "order.hold_placed" } else { "order.hold_released" };
    let fact = OrderHoldChanged { order_id: order_id.to_owned(), open_holds, ..Default::default() };
    Fact { source: "order", draft: NewEvent::untyped(kind, order_id, 1, open_holds, &fact).correlation(order_id) }
}

fn shipped(shipment_id: &str, version: i64, order_id: &str, lines: &[(i32, &str, i64)], at: Timestamp) -> Fact {
    let shipment = Shipment {
        shipment_id: shipment_id.to_owned(),
        order_id: order_id.to_owned(),
        node_id: HERE.to_owned(),
        ..Default::default()
    };
    let fact = ShipmentShipped { shipment: Some(shipment), lines: quantities(lines), ..Default::default() };
    let draft = NewEvent::untyped("shipment.shipped", shipment_id, version, version, &fact);
    Fact { source: "fulfillment", draft: draft.correlation(order_id).occurred(at, 0) }
}

#[tokio::test]
async fn a_shipment_takes_its_units_away_and_its_later_packages_theirs() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        let sources = Sources::open(&service).await;
        service.receive("A", HERE, 10).await;
        service.reserve("ord_1", &[(1, "A", 6)]).await;
        service.allocate("key", "ord_1", &[(1, HERE, 6)]).await;
        let now = service.clock.now();
        sources.tell(shipped("shm_1", 1, "ord_1", &[(1, "A", 4)], now)).await;
        sources.workers.drain().await.unwrap();
        assert_eq!(units(&service.reservation("ord_1").await), (0, 2, 4, 0, 0));
        sources.tell(shipped("shm_1", 2, "ord_1", &[(1, "A", 2)], now)).await;
        sources.workers.drain().await.unwrap();
        assert_eq!(units(&service.reservation("ord_1").await), (0, 0, 6, 0, 0));
        let now = service.availability("A").await;
        assert_eq!((now.on_hand, now.allocated, now.atp), (4, 0, 4));
        assert_eq!(service.events(&["inventory.consumed"]).await.len(), 2);
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_consumed_by_a_call_and_told_by_an_event_is_consumed_once() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        let sources = Sources::open(&service).await;
        service.receive("A", HERE, 10).await;
        service.reserve("ord_1", &[(1, "A", 6)]).await;
        service.allocate("key", "ord_1", &[(1, HERE, 6)]).await;
        let request = |quantity| ConsumeRequest {
            shipment_id: "shm_1".to_owned(),
            order_id: "ord_1".to_owned(),
            location_id: HERE.to_owned(),
            lines: quantities(&[(1, "A", quantity)]),
        };
        let first = service.client.clone().consume(request(5)).await.unwrap().into_inner();
        let again = service.client.clone().consume(request(5)).await.unwrap().into_inner();
        assert_eq!(first, again);
        sources.tell(shipped("shm_1", 1, "ord_1", &[(1, "A", 5)], service.clock.now())).await;
        sources.workers.drain().await.unwrap();
        assert_eq!(service.availability("A").await.on_hand, 5);
        assert_eq!(units(&service.reservation("ord_1").await), (0, 1, 5, 0, 0));
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn what_a_shipment_took_beyond_its_allocation_comes_off_the_reservation_and_then_off_the_stock() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        let sources = Sources::open(&service).await;
        service.receive("A", HERE, 10).await;
        service.reserve("ord_1", &[(1, "A", 6)]).await;
        service.allocate("key", "ord_1", &[(1, HERE, 4)]).await;
        sources.tell(shipped("shm_1", 1, "ord_1", &[(1, "A", 7)], service.clock.now())).await;
        sources.workers.drain().await.unwrap();
        assert_eq!(units(&service.reservation("ord_1").await), (0, 0, 6, 0, 0));
        assert_eq!(service.availability("A").await.on_hand, 3);
        assert!(service.events(&["inventory.drift_detected"]).await.is_empty());
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_of_units_that_are_not_there_is_drift_and_opens_an_exception() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        let sources = Sources::open(&service).await;
        service.receive("A", HERE, 2).await;
        service.reserve("ord_waiting", &[(1, "B", 1)]).await;
        sources.tell(shipped("shm_1", 1, "ord_1", &[(1, "A", 5)], service.clock.now())).await;
        sources.workers.drain().await.unwrap();
        assert_eq!(service.availability("A").await.on_hand, 0);
        let drift = service.events(&["inventory.drift_detected"]).await;
        let drift: DriftDetected = store::payload(&drift[0]).unwrap();
        assert_eq!((drift.quantity, drift.location_id.as_str()), (3, HERE));
        let opened = service.events(&["exception.opened"]).await;
        let opened: ExceptionOpened = store::payload(&opened[0]).unwrap();
        assert_eq!((opened.r#type.as_str(), opened.subject.as_str()), ("STOCK_DRIFT", "shm_1"));
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_shipment_that_left_before_a_count_does_not_come_off_the_stock_twice() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        let sources = Sources::open(&service).await;
        service.receive("A", HERE, 10).await;
        service.reserve("ord_1", &[(1, "A", 4)]).await;
        service.allocate("key", "ord_1", &[(1, HERE, 4)]).await;
        let left = service.clock.now();
        service.clock.advance(Duration::from_secs(60));
        // The warehouse counts 6: the 4 are gone already, though nobody told.
        service.count("A", 6, Duration::ZERO).await;
        sources.tell(shipped("shm_1", 1, "ord_1", &[(1, "A", 4)], left)).await;
        sources.workers.drain().await.unwrap();
        let now = service.availability("A").await;
        assert_eq!((now.on_hand, now.allocated, now.atp), (6, 0, 6));
        assert!(service.events(&["inventory.drift_detected"]).await.is_empty());
        service.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn what_a_return_found_sellable_is_on_hand_again_and_serves_those_who_wait() {
    each(|options| async move {
        let service = Fixture::open(options).await;
        let sources = Sources::open(&service).await;
        service.reserve("ord_2", &[(1, "A", 2)]).await;
        let line = |kind: DispositionKind, quantity| DisposedLine {
            line_number: 1,
            sku: "A".to_owned(),
            kind: kind.into(),
            quantity,
        };
        let back = Return {
            return_id: "rma_1".to_owned(),
            order_id: "ord_1".to_owned(),
            node_id: HERE.to_owned(),
            ..Default::default()
        };
        let lines = vec![line(DispositionKind::Restock, 3), line(DispositionKind::Scrap, 4)];
        let fact = ReturnDisposed { r#return: Some(back), lines };
        let draft = NewEvent::untyped("return.disposed", "rma_1", 1, 1, &fact).correlation("ord_1");
        sources.tell(Fact { source: "returns", draft }).await;
        sources.workers.drain().await.unwrap();
        let now = service.availability("A").await;
        assert_eq!((now.on_hand, now.reserved, now.atp), (3, 2, 1));
        assert_eq!(units(&service.reservation("ord_2").await), (2, 0, 0, 0, 0));
        let restocked = service.events(&["inventory.restocked"]).await;
        assert_eq!(restocked[0].correlation_id, "ord_1");
        service.check("A").await;
    })
    .await;
}
