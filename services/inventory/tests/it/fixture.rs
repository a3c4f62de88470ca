//! The service on an empty database, and short ways to ask it.

use std::{sync::Arc, time::Duration};

use mesh::{Channel, Principal};
use proto::{
    event::v1::{Event, ListEventsRequest, event_service_client::EventServiceClient},
    inventory::v1::{
        AllocateRequest, AllocateResponse, AllocationRequest, Availability, CreateItemRequest, CreateLocationRequest,
        DeallocateRequest, DeallocationPolicy, GetAvailabilityRequest, ItemQuantity, ListMovementsRequest,
        ListReservationsRequest, ListReservationsResponse, ReceiveStockRequest, ReportSnapshotRequest,
        ReportSnapshotResponse, Reservation, ReserveRequest, ShortagePolicy, StockMovement,
        inventory_service_client::InventoryServiceClient,
    },
    types::v1::{HandlingClass, LineQuantity},
};
use store::{Db, Options};
use tonic::Status;
use types::{Clock, Fault, ManualClock, Reason, Timestamp};
use waybill_inventory::{Config, MIGRATIONS, NAME};

/// The location of most tests.
pub(crate) const HERE: &str = "nod_here";
/// Another location.
pub(crate) const THERE: &str = "nod_there";

pub(crate) type Client = InventoryServiceClient<Channel>;

/// A running service.
pub(crate) struct Fixture {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) db: Db,
    pub(crate) channel: Channel,
    pub(crate) client: Client,
}

impl Fixture {
    /// The service with the items `A`, `B`, `C` and two locations without stock.
    pub(crate) async fn open(options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(1_750_000_000_000_000)));
        let db = Db::open(&options, NAME, MIGRATIONS, clock.clone()).await.unwrap();
        let server = waybill_inventory::server(db.clone(), &Config::default(), &mesh::Config::default()).unwrap();
        let channel = server.into_channel().unwrap().for_principal(&Principal::service("order"));
        let administrator = channel.for_principal(&Principal::local_administrator());
        let mut client = InventoryServiceClient::new(administrator.clone());
        for sku in ["A", "B", "C"] {
            client.create_item(item(sku)).await.unwrap();
        }
        for location_id in [HERE, THERE] {
            let request = CreateLocationRequest { name: "a place".to_owned(), ..location(location_id) };
            client.create_location(request).await.unwrap();
        }
        Self { clock, db, channel: administrator, client }
    }

    pub(crate) async fn receive(&self, sku: &str, location_id: &str, quantity: i64) {
        let items = vec![ItemQuantity { sku: sku.to_owned(), quantity }];
        let request = ReceiveStockRequest { location_id: location_id.to_owned(), items, ..Default::default() };
        self.client.clone().receive_stock(request).await.unwrap();
    }

    pub(crate) async fn count(&self, sku: &str, quantity: i64, age: Duration) -> ReportSnapshotResponse {
        let micros = self.clock.now().as_micros() - i64::try_from(age.as_micros()).unwrap();
        let request = ReportSnapshotRequest {
            location_id: HERE.to_owned(),
            items: vec![ItemQuantity { sku: sku.to_owned(), quantity }],
            count_time: Some(mesh::wire::timestamp(Timestamp::from_micros(micros))),
            ..Default::default()
        };
        self.client.clone().report_snapshot(request).await.unwrap().into_inner()
    }

    /// Reserves, letting what is not there wait.
    pub(crate) async fn reserve(&self, order_id: &str, lines: &[(i32, &str, i64)]) -> Vec<Reservation> {
        let request = ReserveRequest { shortage_policy: ShortagePolicy::Backorder.into(), ..wanted(order_id, lines) };
        self.client.clone().reserve(request).await.unwrap().into_inner().reservations
    }

    /// Reserves all or nothing.
    pub(crate) async fn reserve_all(
        &self,
        order_id: &str,
        lines: &[(i32, &str, i64)],
    ) -> Result<Vec<Reservation>, Fault> {
        let answer = self.client.clone().reserve(wanted(order_id, lines)).await;
        answer.map(|answer| answer.into_inner().reservations).map_err(|status| told(&status))
    }

    pub(crate) async fn allocate(&self, key: &str, order_id: &str, picks: &[(i32, &str, i64)]) -> AllocateResponse {
        let request = AllocateRequest {
            allocation_key: key.to_owned(),
            order_id: order_id.to_owned(),
            allocations: allocations(picks),
        };
        self.client.clone().allocate(request).await.unwrap().into_inner()
    }

    pub(crate) async fn deallocate(
        &self,
        order_id: &str,
        picks: &[(i32, &str, i64)],
        policy: DeallocationPolicy,
    ) -> Vec<Reservation> {
        let request = DeallocateRequest {
            order_id: order_id.to_owned(),
            allocations: allocations(picks),
            policy: policy.into(),
            ..Default::default()
        };
        self.client.clone().deallocate(request).await.unwrap().into_inner().reservations
    }

    pub(crate) async fn availability(&self, sku: &str) -> Availability {
        let request = GetAvailabilityRequest { skus: vec![sku.to_owned()] };
        let answer = self.client.clone().get_availability(request).await.unwrap().into_inner();
        answer.availability.into_iter().next().unwrap()
    }

    pub(crate) async fn promises(&self, order_id: &str) -> ListReservationsResponse {
        let request = ListReservationsRequest { order_id: order_id.to_owned() };
        self.client.clone().list_reservations(request).await.unwrap().into_inner()
    }

    /// The one reservation of an order.
    pub(crate) async fn reservation(&self, order_id: &str) -> Reservation {
        self.promises(order_id).await.reservations.into_iter().next().unwrap()
    }

    pub(crate) async fn movements(&self, sku: &str) -> Vec<StockMovement> {
        let request = ListMovementsRequest { sku: sku.to_owned(), page_size: 500, ..Default::default() };
        self.client.clone().list_movements(request).await.unwrap().into_inner().movements
    }

    /// Events of these types, oldest first.
    pub(crate) async fn events(&self, kinds: &[&str]) -> Vec<Event> {
        let request = ListEventsRequest {
            types: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            page_size: 1_000,
            ..Default::default()
        };
        EventServiceClient::new(self.channel.clone()).list_events(request).await.unwrap().into_inner().events
    }

    /// The sums of the ledger are the counters, and those of the reservations too.
    pub(crate) async fn check(&self, sku: &str) {
        let now = self.availability(sku).await;
        let movements = self.movements(sku).await;
        assert_eq!(movements.iter().map(|movement| movement.on_hand_delta).sum::<i64>(), now.on_hand);
        assert_eq!(movements.iter().map(|movement| movement.reserved_delta).sum::<i64>(), now.reserved);
        assert_eq!(movements.iter().map(|movement| movement.allocated_delta).sum::<i64>(), now.allocated);
        let sql = "SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT), CAST(COALESCE(SUM(allocated), 0) AS BIGINT), \
                   CAST(COALESCE(SUM(backordered), 0) AS BIGINT) FROM reservations WHERE sku = $1";
        let rows = self.db.rows(sql, vec![store::Value::Text(sku.to_owned())]).await.unwrap();
        let sum = |index| rows[0].at::<i64>(index).unwrap();
        assert_eq!((sum(0), sum(1), sum(2)), (now.reserved, now.allocated, now.backordered));
    }
}

/// The fault a status tells.
pub(crate) fn told(status: &Status) -> Fault {
    mesh::fault(status)
}

/// The fields a refused request has wrong.
pub(crate) fn wrong<T>(answer: Result<T, Status>) -> Vec<String> {
    let Err(status) = answer else { panic!("the request was taken") };
    let fault = told(&status);
    assert_eq!(fault.reason, Reason::InvalidArgument, "{fault}");
    fault.violations.into_iter().map(|violation| violation.field).collect()
}

/// Why a request was refused.
pub(crate) fn reason<T>(answer: Result<T, Status>) -> Reason {
    let Err(status) = answer else { panic!("the request was taken") };
    told(&status).reason
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

pub(crate) fn wanted(order_id: &str, lines: &[(i32, &str, i64)]) -> ReserveRequest {
    ReserveRequest { order_id: order_id.to_owned(), lines: quantities(lines), ..Default::default() }
}

pub(crate) fn quantities(lines: &[(i32, &str, i64)]) -> Vec<LineQuantity> {
    let line =
        |&(line_number, sku, quantity): &(i32, &str, i64)| LineQuantity { line_number, sku: sku.to_owned(), quantity };
    lines.iter().map(line).collect()
}

pub(crate) fn allocations(picks: &[(i32, &str, i64)]) -> Vec<AllocationRequest> {
    let pick = |&(line_number, location_id, quantity): &(i32, &str, i64)| AllocationRequest {
        line_number,
        location_id: location_id.to_owned(),
        quantity,
    };
    picks.iter().map(pick).collect()
}

/// `(reserved, allocated, consumed, backordered, released)` of a reservation.
pub(crate) fn units(of: &Reservation) -> (i64, i64, i64, i64, i64) {
    (of.reserved, of.allocated, of.consumed, of.backordered, of.released)
}
