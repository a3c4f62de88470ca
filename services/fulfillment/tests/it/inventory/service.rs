//! The test's inventory on the wire.

use proto::inventory::v1::{
    AdjustStockRequest, AllocateRequest, AllocateResponse, Availability, BatchGetItemsRequest, BatchGetItemsResponse,
    ConsumeRequest, ConsumeResponse, CreateItemRequest, CreateLocationRequest, DeallocateRequest, DeallocateResponse,
    GetAvailabilityRequest, GetAvailabilityResponse, GetItemRequest, Item, ListItemsRequest, ListItemsResponse,
    ListLocationsRequest, ListLocationsResponse, ListMovementsRequest, ListMovementsResponse, ListReservationsRequest,
    ListReservationsResponse, Location, ReceiveStockRequest, ReceiveStockResponse, ReleaseRequest, ReleaseResponse,
    ReportSnapshotRequest, ReportSnapshotResponse, ReserveRequest, ReserveResponse, StockLevel, UpdateItemRequest,
    inventory_service_server::InventoryService,
};
use tonic::{Request, Response, Status};
use types::Fault;

use super::{Inventory, Outage, down};

/// Methods the fulfillment service never calls.
macro_rules! unused {
    ($($method:ident: $request:ty => $reply:ty;)*) => {$(
        fn $method<'s, 'f>(
            &'s self,
            _: Request<$request>,
        ) -> std::pin::Pin<Box<dyn Future<Output = Result<Response<$reply>, Status>> + Send + 'f>>
        where
            's: 'f,
            Self: 'f,
        {
            Box::pin(async { Err(Status::unimplemented("not part of the test")) })
        }
    )*};
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    unused! {
        create_item: CreateItemRequest => Item;
        get_item: GetItemRequest => Item;
        list_items: ListItemsRequest => ListItemsResponse;
        update_item: UpdateItemRequest => Item;
        create_location: CreateLocationRequest => Location;
        list_locations: ListLocationsRequest => ListLocationsResponse;
        receive_stock: ReceiveStockRequest => ReceiveStockResponse;
        adjust_stock: AdjustStockRequest => StockLevel;
        report_snapshot: ReportSnapshotRequest => ReportSnapshotResponse;
        reserve: ReserveRequest => ReserveResponse;
        consume: ConsumeRequest => ConsumeResponse;
        list_reservations: ListReservationsRequest => ListReservationsResponse;
        list_movements: ListMovementsRequest => ListMovementsResponse;
    }

    async fn get_availability(
        &self,
        request: Request<GetAvailabilityRequest>,
    ) -> Result<Response<GetAvailabilityResponse>, Status> {
        let mut books = self.0.lock().unwrap();
        if books.called("GetAvailability", "").is_some() {
            return Err(down());
        }
        let of = |sku: &String| Availability {
            sku: sku.clone(),
            levels: books
                .levels
                .iter()
                .filter(|((item, _), _)| item == sku)
                .map(|((_, node), level)| StockLevel {
                    sku: sku.clone(),
                    location_id: node.clone(),
                    on_hand: level.on_hand,
                    allocated: level.allocated,
                    available: (level.on_hand - level.allocated).max(0) + level.imagined,
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
        let books = self.0.lock().unwrap();
        let skus = request.into_inner().skus;
        let known = books.items.iter().filter(|(sku, _)| skus.contains(sku));
        let item = |(sku, class): (&String, &proto::types::v1::HandlingClass)| Item {
            sku: sku.clone(),
            handling_class: (*class).into(),
            ..Item::default()
        };
        Ok(Response::new(BatchGetItemsResponse { items: known.map(item).collect() }))
    }

    async fn allocate(&self, request: Request<AllocateRequest>) -> Result<Response<AllocateResponse>, Status> {
        let request = request.into_inner();
        let mut books = self.0.lock().unwrap();
        if request.allocations.len() > 5_000 {
            return Err(mesh::status(Fault::invalid("allocations", "must have 1 to 5,000 elements")));
        }
        match books.called("Allocate", &request.allocation_key) {
            Some(Outage::Before) => Err(down()),
            Some(Outage::After) => {
                books.allocate(&request);
                Err(down())
            }
            None => Ok(Response::new(books.allocate(&request))),
        }
    }

    async fn deallocate(&self, request: Request<DeallocateRequest>) -> Result<Response<DeallocateResponse>, Status> {
        let request = request.into_inner();
        let mut books = self.0.lock().unwrap();
        match books.called("Deallocate", &request.request_id) {
            Some(Outage::Before) => Err(down()),
            Some(Outage::After) => {
                books.deallocate(&request);
                Err(down())
            }
            None => Ok(Response::new(books.deallocate(&request))),
        }
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Result<Response<ReleaseResponse>, Status> {
        let ReleaseRequest { request_id, order_id, lines } = request.into_inner();
        let mut books = self.0.lock().unwrap();
        match books.called("Release", &request_id) {
            Some(Outage::Before) => Err(down()),
            Some(Outage::After) => {
                books.release(&request_id, &order_id, &lines);
                Err(down())
            }
            None => {
                let reservations = books.release(&request_id, &order_id, &lines);
                Ok(Response::new(ReleaseResponse { reservations }))
            }
        }
    }
}
