//! The test's inventory on the wire.

use proto::inventory::v1::{
    self as contract, AdjustStockRequest, AllocateRequest, AllocateResponse, Availability, BatchGetItemsRequest,
    BatchGetItemsResponse, ConsumeRequest, ConsumeResponse, CreateItemRequest, CreateLocationRequest,
    DeallocateRequest, DeallocateResponse, GetAvailabilityRequest, GetAvailabilityResponse, GetItemRequest, Item,
    ListItemsRequest, ListItemsResponse, ListLocationsRequest, ListLocationsResponse, ListMovementsRequest,
    ListMovementsResponse, ListReservationsRequest, ListReservationsResponse, Location, ReceiveStockRequest,
    ReceiveStockResponse, ReleaseRequest, ReleaseResponse, ReportSnapshotRequest, ReportSnapshotResponse,
    ReserveRequest, ReserveResponse, RetractCountRequest, RetractCountResponse, RetractMovementRequest, StockLevel,
    UpdateItemRequest, inventory_service_server::InventoryService,
};
use tonic::{Request, Response, Status};
use types::Fault;

use super::{Inventory, down};

#[tonic::async_trait]
impl InventoryService for Inventory {
    testkit::unimplemented_methods! {
        create_item: CreateItemRequest => Item;
        get_item: GetItemRequest => Item;
        list_items: ListItemsRequest => ListItemsResponse;
        update_item: UpdateItemRequest => Item;
        create_location: CreateLocationRequest => Location;
        list_locations: ListLocationsRequest => ListLocationsResponse;
        retract_movement: RetractMovementRequest => StockLevel;
        retract_count: RetractCountRequest => RetractCountResponse;
        adjust_stock: AdjustStockRequest => StockLevel;
        report_snapshot: ReportSnapshotRequest => ReportSnapshotResponse;
        reserve: ReserveRequest => ReserveResponse;
        consume: ConsumeRequest => ConsumeResponse;
        list_reservations: ListReservationsRequest => ListReservationsResponse;
        list_movements: ListMovementsRequest => ListMovementsResponse;
        schedule_receipt: contract::ScheduleReceiptRequest => contract::ScheduleReceiptResponse;
        list_scheduled_receipts: contract::ListScheduledReceiptsRequest => contract::ListScheduledReceiptsResponse;
        list_backorders: contract::ListBackordersRequest => contract::ListBackordersResponse;
        update_backorder: contract::UpdateBackorderRequest => contract::Reservation;
        get_backorder_rules: contract::GetBackorderRulesRequest => contract::BackorderRules;
        update_backorder_rules: contract::UpdateBackorderRulesRequest => contract::BackorderRules;
        preview_backorder_release: contract::PreviewBackorderReleaseRequest => contract::PreviewBackorderReleaseResponse;
        release_backorders: contract::ReleaseBackordersRequest => contract::ReleaseBackordersResponse;
    }

    async fn get_availability(
        &self,
        request: Request<GetAvailabilityRequest>,
    ) -> Result<Response<GetAvailabilityResponse>, Status> {
        let hangs = self.0.lock().unwrap().hangs.clone();
        if let Some(hung) = hangs {
            hung.notify_one();
            return std::future::pending().await;
        }
        let mut ledger = self.0.lock().unwrap();
        if ledger.called("GetAvailability", "").is_some() {
            return Err(down());
        }
        let of = |sku: &String| Availability {
            sku: sku.clone(),
            levels: ledger
                .levels
                .iter()
                .filter(|((item, _), _)| item == sku)
                .map(|((_, node), level)| StockLevel {
                    sku: sku.clone(),
                    location_id: node.clone(),
                    on_hand: level.on_hand,
                    allocated: level.allocated,
                    available: (level.on_hand - level.allocated).max(0) + level.overstated,
                    ..StockLevel::default()
                })
                .collect(),
            ..Availability::default()
        };
        let availability = request.into_inner().skus.iter().map(of).collect();
        Ok(Response::new(GetAvailabilityResponse { availability }))
    }

    async fn batch_get_items(
        &self,
        request: Request<BatchGetItemsRequest>,
    ) -> Result<Response<BatchGetItemsResponse>, Status> {
        let ledger = self.0.lock().unwrap();
        let skus = request.into_inner().skus;
        let known = ledger.items.iter().filter(|(sku, _)| skus.contains(sku));
        let item = |(sku, class): (&String, &proto::types::v1::HandlingClass)| Item {
            sku: sku.clone(),
            handling_class: (*class).into(),
            ..Item::default()
        };
        Ok(Response::new(BatchGetItemsResponse { items: known.map(item).collect() }))
    }

    async fn allocate(&self, request: Request<AllocateRequest>) -> Result<Response<AllocateResponse>, Status> {
        let request = request.into_inner();
        let mut ledger = self.0.lock().unwrap();
        if request.allocations.len() > 5_000 {
            return Err(mesh::status(Fault::invalid("allocations", "must have 1 to 5,000 elements")));
        }
        ledger.answer("Allocate", &request.allocation_key, |ledger| ledger.allocate(&request))
    }

    async fn receive_stock(
        &self,
        request: Request<ReceiveStockRequest>,
    ) -> Result<Response<ReceiveStockResponse>, Status> {
        let request = request.into_inner();
        self.0.lock().unwrap().answer("ReceiveStock", &request.request_id, |ledger| ledger.receive(&request))
    }

    async fn deallocate(&self, request: Request<DeallocateRequest>) -> Result<Response<DeallocateResponse>, Status> {
        let request = request.into_inner();
        self.0.lock().unwrap().answer("Deallocate", &request.request_id, |ledger| ledger.deallocate(&request))
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        let ReleaseRequest { request_id, order_id, lines } = request.into_inner();
        self.0.lock().unwrap().answer("Release", &request_id, |ledger| ReleaseResponse {
            reservations: ledger.release(&request_id, &order_id, &lines),
        })
    }
}
