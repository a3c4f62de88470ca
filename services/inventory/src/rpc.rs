//! Declares the gRPC methods: commands, and reads.

use chassis::Answers;
use mesh::{
    CallInfo,
    wire::{Checks, checked, one_id},
};
use proto::inventory::v1::{
    AdjustStockRequest, AllocateRequest, AllocateResponse, BatchGetItemsRequest, BatchGetItemsResponse, ConsumeRequest,
    ConsumeResponse, CreateItemRequest, CreateLocationRequest, DeallocateRequest, DeallocateResponse,
    GetAvailabilityRequest, GetAvailabilityResponse, GetItemRequest, Item, ListItemsRequest, ListItemsResponse,
    ListLocationsRequest, ListLocationsResponse, ListMovementsRequest, ListMovementsResponse, ListReservationsRequest,
    ListReservationsResponse, Location, ReceiveStockRequest, ReceiveStockResponse, ReleaseRequest, ReleaseResponse,
    ReportSnapshotRequest, ReportSnapshotResponse, ReserveRequest, ReserveResponse, RetractCountRequest,
    RetractCountResponse, RetractMovementRequest, StockLevel, UpdateItemRequest,
    inventory_service_server::InventoryService,
};
use store::Db;
use types::Fault;

use crate::{
    adjust::AdjustStock,
    allocate::Allocate,
    consume::Consume,
    create_item::CreateItem,
    create_location::CreateLocation,
    deallocate::Deallocate,
    item::{self, read_skus},
    reach::Reach,
    receive::ReceiveStock,
    release::Release,
    report_snapshot::ReportSnapshot,
    reserve::Reserve,
    retract_count::RetractCount,
    retract_movement::RetractMovement,
    stock::{Level, Stock},
    store as reads,
    update_item::UpdateItem,
    wire,
};

/// Answers the calls of the inventory service.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    db: Db,
}

impl Answers for Rpc {
    fn db(&self) -> &Db {
        &self.db
    }
}

chassis::rpc! {
    InventoryService for Rpc {
        commands {
            create_item(CreateItemRequest) -> Item = CreateItem::parse;
            update_item(UpdateItemRequest) -> Item = UpdateItem::parse;
            create_location(CreateLocationRequest) -> Location = CreateLocation::parse;
            receive_stock(ReceiveStockRequest) -> ReceiveStockResponse = ReceiveStock::parse;
            adjust_stock(AdjustStockRequest) -> StockLevel = AdjustStock::parse;
            retract_movement(RetractMovementRequest) -> StockLevel = RetractMovement::parse;
            retract_count(RetractCountRequest) -> RetractCountResponse = RetractCount::parse;
            reserve(ReserveRequest) -> ReserveResponse = Reserve::parse;
            release(ReleaseRequest) -> ReleaseResponse = Release::parse;
            deallocate(DeallocateRequest) -> DeallocateResponse = Deallocate::parse;
        }
        calls {
            report_snapshot(ReportSnapshotRequest) -> ReportSnapshotResponse;
            allocate(AllocateRequest) -> AllocateResponse;
            consume(ConsumeRequest) -> ConsumeResponse;
            get_item(GetItemRequest) -> Item;
            batch_get_items(BatchGetItemsRequest) -> BatchGetItemsResponse;
            list_items(ListItemsRequest) -> ListItemsResponse;
            list_locations(ListLocationsRequest) -> ListLocationsResponse;
            get_availability(GetAvailabilityRequest) -> GetAvailabilityResponse;
            list_reservations(ListReservationsRequest) -> ListReservationsResponse;
            list_movements(ListMovementsRequest) -> ListMovementsResponse;
        }
    }
}

/// The answer to a call.
type Reply<T> = Result<T, Fault>;

impl Rpc {
    /// Answers with a database.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    async fn report_snapshot(&self, info: &CallInfo, request: ReportSnapshotRequest) -> Reply<ReportSnapshotResponse> {
        let now = self.db.clock().now();
        chassis::command(self, info, &request, |request, _| ReportSnapshot::parse(request, now)).await
    }

    /// Repeatable under its allocation key.
    async fn allocate(&self, info: &CallInfo, request: AllocateRequest) -> Reply<AllocateResponse> {
        self.db.run(chassis::call(info), Allocate::parse(&request)?).await
    }

    /// Repeatable under its shipment id.
    async fn consume(&self, info: &CallInfo, request: ConsumeRequest) -> Reply<ConsumeResponse> {
        self.db.run(chassis::call(info), Consume::parse(&request)?).await
    }

    async fn get_item(&self, _: &CallInfo, request: GetItemRequest) -> Reply<Item> {
        let mut checks = Checks::new();
        let sku = checks.sku("sku", &request.sku);
        checks.done()?;
        let sku = checked(sku)?;
        let found = self.db.load::<item::Item>(&sku).await?;
        found.map(|found| wire::item(&found)).ok_or_else(|| Fault::not_found("item", sku))
    }

    async fn batch_get_items(&self, _: &CallInfo, request: BatchGetItemsRequest) -> Reply<BatchGetItemsResponse> {
        let items = reads::items(&self.db, &read_skus(request.skus)?).await?;
        Ok(BatchGetItemsResponse { items: items.iter().map(wire::item).collect() })
    }

    async fn list_items(&self, _: &CallInfo, request: ListItemsRequest) -> Reply<ListItemsResponse> {
        let ListItemsRequest { page_size, page_token } = request;
        let (items, next_page_token) = reads::item_page(&self.db, page_size, &page_token).await?;
        Ok(ListItemsResponse { items: items.iter().map(wire::item).collect(), next_page_token })
    }

    async fn list_locations(&self, _: &CallInfo, request: ListLocationsRequest) -> Reply<ListLocationsResponse> {
        let ListLocationsRequest { page_size, page_token } = request;
        let (locations, next_page_token) = reads::location_page(&self.db, page_size, &page_token).await?;
        Ok(ListLocationsResponse { locations: locations.iter().map(wire::location).collect(), next_page_token })
    }

    async fn get_availability(&self, _: &CallInfo, request: GetAvailabilityRequest) -> Reply<GetAvailabilityResponse> {
        let country = request.ship_to_country;
        let mut checks = Checks::new();
        if !country.is_empty() {
            checks.country("ship_to_country", &country);
        }
        checks.done()?;
        let found = reads::availability(&self.db, &read_skus(request.skus)?).await?;
        let reach = if country.is_empty() { None } else { self.db.load::<Reach>(&Reach::key()).await? };
        let availability =
            |(stock, levels): &(Stock, Vec<Level>)| wire::availability(stock, levels, reach.as_ref(), &country);
        Ok(GetAvailabilityResponse { availability: found.iter().map(availability).collect() })
    }

    async fn list_reservations(
        &self,
        info: &CallInfo,
        request: ListReservationsRequest,
    ) -> Reply<ListReservationsResponse> {
        let order_id = one_id("order_id", &request.order_id)?;
        let (reservations, allocations) = reads::reservations(&self.db, &order_id, &info.principal).await?;
        Ok(ListReservationsResponse {
            reservations: reservations.iter().map(wire::reservation).collect(),
            allocations: allocations.iter().map(wire::allocation).collect(),
        })
    }

    async fn list_movements(&self, info: &CallInfo, request: ListMovementsRequest) -> Reply<ListMovementsResponse> {
        let (movements, next_page_token) = reads::movement_page(&self.db, &request, &info.principal).await?;
        Ok(ListMovementsResponse { movements: movements.iter().map(wire::movement).collect(), next_page_token })
    }
}
