//! Short ways to call the service.

use std::time::Duration;

use prost::Name;
use proto::{
    event::v1::Event,
    events::EventType,
    inventory::v1::{
        AllocateRequest, AllocateResponse, Availability, DeallocateRequest, DeallocationPolicy, GetAvailabilityRequest,
        ItemQuantity, ListMovementsRequest, ListReservationsRequest, ListReservationsResponse, ReceiveStockRequest,
        ReportSnapshotRequest, ReportSnapshotResponse, Reservation, ReserveRequest, ShortagePolicy, StockMovement,
    },
};
use tonic::Status;
use types::{Clock, Timestamp};

use super::{HERE, World, allocations, requested};

impl World {
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

    /// Reserves; units that are not available are backordered.
    pub(crate) async fn reserve(&self, order_id: &str, lines: &[(i32, &str, i64)]) -> Vec<Reservation> {
        let request =
            ReserveRequest { shortage_policy: ShortagePolicy::Backorder.into(), ..requested(order_id, lines) };
        self.client.clone().reserve(request).await.unwrap().into_inner().reservations
    }

    /// Reserves all or nothing.
    pub(crate) async fn reserve_all(
        &self,
        order_id: &str,
        lines: &[(i32, &str, i64)],
    ) -> Result<Vec<Reservation>, Status> {
        let answer = self.client.clone().reserve(requested(order_id, lines)).await;
        answer.map(|answer| answer.into_inner().reservations)
    }

    pub(crate) async fn allocate(&self, key: &str, order_id: &str, lines: &[(i32, &str, i64)]) -> AllocateResponse {
        let request = AllocateRequest {
            allocation_key: key.to_owned(),
            order_id: order_id.to_owned(),
            allocations: allocations(lines),
        };
        self.client.clone().allocate(request).await.unwrap().into_inner()
    }

    pub(crate) async fn deallocate(
        &self,
        order_id: &str,
        lines: &[(i32, &str, i64)],
        policy: DeallocationPolicy,
    ) -> Vec<Reservation> {
        let request = DeallocateRequest {
            order_id: order_id.to_owned(),
            allocations: allocations(lines),
            policy: policy.into(),
            ..Default::default()
        };
        self.client.clone().deallocate(request).await.unwrap().into_inner().reservations
    }

    pub(crate) async fn availability(&self, sku: &str) -> Availability {
        let request = GetAvailabilityRequest { skus: vec![sku.to_owned()], ..Default::default() };
        let answer = self.client.clone().get_availability(request).await.unwrap().into_inner();
        answer.availability.into_iter().next().unwrap()
    }

    pub(crate) async fn reservations(&self, order_id: &str) -> ListReservationsResponse {
        let request = ListReservationsRequest { order_id: order_id.to_owned() };
        self.client.clone().list_reservations(request).await.unwrap().into_inner()
    }

    /// The one reservation of an order.
    pub(crate) async fn reservation(&self, order_id: &str) -> Reservation {
        self.reservations(order_id).await.reservations.into_iter().next().unwrap()
    }

    pub(crate) async fn movements(&self, sku: &str) -> Vec<StockMovement> {
        let request = ListMovementsRequest { sku: sku.to_owned(), page_size: 500, ..Default::default() };
        self.client.clone().list_movements(request).await.unwrap().into_inner().movements
    }

    /// The events of one type that the service emitted.
    pub(crate) async fn emitted(&self, event_type: EventType) -> Vec<Event> {
        self.events().await.of(event_type)
    }

    /// The payloads of those events.
    pub(crate) async fn payloads<M: Name + Default>(&self, event_type: EventType) -> Vec<M> {
        self.events().await.payloads(event_type)
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
