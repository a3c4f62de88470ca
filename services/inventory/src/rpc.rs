//! The service over gRPC: wire in, command or read, wire out.

use prost::Message;
use proto::inventory::v1::{
    AdjustStockRequest, AllocateRequest, AllocateResponse, BatchGetItemsRequest, BatchGetItemsResponse, ConsumeRequest,
    ConsumeResponse, CreateItemRequest, CreateLocationRequest, DeallocateRequest, DeallocateResponse,
    GetAvailabilityRequest, GetAvailabilityResponse, GetItemRequest, Item, ListItemsRequest, ListItemsResponse,
    ListLocationsRequest, ListLocationsResponse, ListMovementsRequest, ListMovementsResponse, ListReservationsRequest,
    ListReservationsResponse, Location, ReceiveStockRequest, ReceiveStockResponse, ReleaseRequest, ReleaseResponse,
    ReportSnapshotRequest, ReportSnapshotResponse, ReserveRequest, ReserveResponse, StockLevel, UpdateItemRequest,
    inventory_service_server::InventoryService,
};
use store::{Call, Command, Db};
use tonic::{Request, Response, Status};
use types::Fault;

use crate::{item, store as reads, wire};

/// The service of one database.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    db: Db,
}

type Answer<T> = Result<Response<T>, Status>;

impl Rpc {
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Runs the command a request parses to; a repeat under the same request id is answered alike.
    async fn run<M: Message, C: Command>(
        &self,
        request: Request<M>,
        request_id: impl Fn(&M) -> &str,
        parse: impl Fn(&M) -> Result<C, Fault>,
    ) -> Answer<C::Reply> {
        let info = mesh::call(&request);
        let request = request.into_inner();
        let request_id = wire::request_id(request_id(&request)).map_err(status)?;
        let command = parse(&request).map_err(status)?;
        let trace_parent = Some(info.trace_parent).filter(|trace_parent| !trace_parent.is_empty());
        let call = Call::new(info.principal.actor()).request(&request_id, &request).trace(trace_parent);
        self.db.run(call, command).await.map(Response::new).map_err(status)
    }
}

/// The most violations a refusal names: it is told in headers, which are small.
const NAMED: usize = 50;

fn status(mut fault: Fault) -> Status {
    fault.violations.truncate(NAMED);
    mesh::status(fault)
}

/// A request that is known by something else.
fn none<M>(_: &M) -> &str {
    ""
}

#[tonic::async_trait]
impl InventoryService for Rpc {
    async fn create_item(&self, request: Request<CreateItemRequest>) -> Answer<Item> {
        self.run(request, |request| &request.request_id, wire::create_item).await
    }

    async fn get_item(&self, request: Request<GetItemRequest>) -> Answer<Item> {
        let sku = wire::sku(&request.into_inner().sku).map_err(status)?;
        let found = self.db.load::<item::Item>(&sku).await.map_err(status)?;
        let found = found.ok_or_else(|| status(Fault::not_found("item", sku)))?;
        Ok(Response::new(wire::item(&found)))
    }

    async fn batch_get_items(&self, request: Request<BatchGetItemsRequest>) -> Answer<BatchGetItemsResponse> {
        let skus = wire::skus(&request.into_inner().skus).map_err(status)?;
        let items = reads::items(&self.db, &skus).await.map_err(status)?;
        Ok(Response::new(BatchGetItemsResponse { items: items.iter().map(wire::item).collect() }))
    }

    async fn list_items(&self, request: Request<ListItemsRequest>) -> Answer<ListItemsResponse> {
        let ListItemsRequest { page_size, page_token } = request.into_inner();
        let (items, next_page_token) = reads::item_page(&self.db, page_size, &page_token).await.map_err(status)?;
        Ok(Response::new(ListItemsResponse { items: items.iter().map(wire::item).collect(), next_page_token }))
    }

    async fn update_item(&self, request: Request<UpdateItemRequest>) -> Answer<Item> {
        self.run(request, |request| &request.request_id, wire::update_item).await
    }

    async fn create_location(&self, request: Request<CreateLocationRequest>) -> Answer<Location> {
        self.run(request, |request| &request.request_id, wire::create_location).await
    }

    async fn list_locations(&self, request: Request<ListLocationsRequest>) -> Answer<ListLocationsResponse> {
        let ListLocationsRequest { page_size, page_token } = request.into_inner();
        let page = reads::location_page(&self.db, page_size, &page_token).await;
        let (locations, next_page_token) = page.map_err(status)?;
        let locations = locations.iter().map(wire::location).collect();
        Ok(Response::new(ListLocationsResponse { locations, next_page_token }))
    }

    async fn receive_stock(&self, request: Request<ReceiveStockRequest>) -> Answer<ReceiveStockResponse> {
        self.run(request, |request| &request.request_id, wire::receive).await
    }

    async fn adjust_stock(&self, request: Request<AdjustStockRequest>) -> Answer<StockLevel> {
        self.run(request, |request| &request.request_id, wire::adjust).await
    }

    async fn report_snapshot(&self, request: Request<ReportSnapshotRequest>) -> Answer<ReportSnapshotResponse> {
        let now = self.db.clock().now();
        self.run(request, |request| &request.request_id, |request| wire::report_snapshot(request, now)).await
    }

    async fn reserve(&self, request: Request<ReserveRequest>) -> Answer<ReserveResponse> {
        self.run(request, |request| &request.request_id, wire::reserve).await
    }

    async fn release(&self, request: Request<ReleaseRequest>) -> Answer<ReleaseResponse> {
        self.run(request, |request| &request.request_id, wire::release).await
    }

    async fn allocate(&self, request: Request<AllocateRequest>) -> Answer<AllocateResponse> {
        self.run(request, none, wire::allocate).await
    }

    async fn deallocate(&self, request: Request<DeallocateRequest>) -> Answer<DeallocateResponse> {
        self.run(request, |request| &request.request_id, wire::deallocate).await
    }

    async fn consume(&self, request: Request<ConsumeRequest>) -> Answer<ConsumeResponse> {
        self.run(request, none, wire::consume).await
    }

    async fn get_availability(&self, request: Request<GetAvailabilityRequest>) -> Answer<GetAvailabilityResponse> {
        let skus = wire::skus(&request.into_inner().skus).map_err(status)?;
        let found = reads::availability(&self.db, &skus).await.map_err(status)?;
        let availability = found.iter().map(|(stock, levels)| wire::availability(stock, levels)).collect();
        Ok(Response::new(GetAvailabilityResponse { availability }))
    }

    async fn list_reservations(&self, request: Request<ListReservationsRequest>) -> Answer<ListReservationsResponse> {
        let order_id = wire::order_id(&request.into_inner().order_id).map_err(status)?;
        let (reservations, allocations) = reads::promises(&self.db, &order_id).await.map_err(status)?;
        Ok(Response::new(ListReservationsResponse {
            reservations: reservations.iter().map(wire::reservation).collect(),
            allocations: allocations.iter().map(wire::allocation).collect(),
        }))
    }

    async fn list_movements(&self, request: Request<ListMovementsRequest>) -> Answer<ListMovementsResponse> {
        let request = request.into_inner();
        let filter = wire::movements(&request).map_err(status)?;
        let page = reads::movement_page(&self.db, &filter, request.page_size, &request.page_token).await;
        let (movements, next_page_token) = page.map_err(status)?;
        let movements = movements.iter().map(wire::movement).collect();
        Ok(Response::new(ListMovementsResponse { movements, next_page_token }))
    }
}
