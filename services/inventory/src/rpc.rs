//! Declares the gRPC methods: commands, and reads.

use chassis::Answers;
use mesh::{
    CallInfo,
    wire::{Checks, checked, one_id},
};
use proto::inventory::v1::{
    AdjustStockRequest, AllocateRequest, AllocateResponse, BackorderRules, BatchGetItemsRequest, BatchGetItemsResponse,
    ConsumeRequest, ConsumeResponse, CreateItemRequest, CreateLocationRequest, DeallocateRequest, DeallocateResponse,
    GetAvailabilityRequest, GetAvailabilityResponse, GetBackorderRulesRequest, GetItemRequest, Item,
    ListBackordersRequest, ListBackordersResponse, ListItemsRequest, ListItemsResponse, ListLocationsRequest,
    ListLocationsResponse, ListMovementsRequest, ListMovementsResponse, ListReservationsRequest,
    ListReservationsResponse, ListScheduledReceiptsRequest, ListScheduledReceiptsResponse, Location,
    PreviewBackorderReleaseRequest, PreviewBackorderReleaseResponse, ReceiveStockRequest, ReceiveStockResponse,
    ReleaseBackordersRequest, ReleaseBackordersResponse, ReleaseRequest, ReleaseResponse, ReportSnapshotRequest,
    ReportSnapshotResponse, Reservation, ReserveRequest, ReserveResponse, RetractCountRequest, RetractCountResponse,
    RetractMovementRequest, ScheduleReceiptRequest, ScheduleReceiptResponse, StockLevel, UpdateBackorderRequest,
    UpdateBackorderRulesRequest, UpdateItemRequest, inventory_service_server::InventoryService,
};
use store::Db;
use types::Fault;

use crate::{
    adjust::AdjustStock,
    allocate::Allocate,
    backorder,
    consume::Consume,
    create_item::CreateItem,
    create_location::CreateLocation,
    deallocate::Deallocate,
    item::{self, read_skus},
    reach::Reach,
    receive::ReceiveStock,
    release::Release,
    release_backorders::{PreviewBackorderRelease, ReleaseBackorders},
    report_snapshot::ReportSnapshot,
    reserve::Reserve,
    retract_count::RetractCount,
    retract_movement::RetractMovement,
    schedule_receipt::ScheduleReceipt,
    stock::{Level, Stock},
    store as reads,
    update_backorder::UpdateBackorder,
    update_backorder_rules::UpdateBackorderRules,
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
            schedule_receipt(ScheduleReceiptRequest) -> ScheduleReceiptResponse = ScheduleReceipt::parse;
            reserve(ReserveRequest) -> ReserveResponse = Reserve::parse;
            release(ReleaseRequest) -> ReleaseResponse = Release::parse;
            deallocate(DeallocateRequest) -> DeallocateResponse = Deallocate::parse;
            update_backorder(UpdateBackorderRequest) -> Reservation = UpdateBackorder::parse;
            update_backorder_rules(UpdateBackorderRulesRequest) -> BackorderRules = UpdateBackorderRules::parse;
            release_backorders(ReleaseBackordersRequest) -> ReleaseBackordersResponse = ReleaseBackorders::parse;
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
            list_scheduled_receipts(ListScheduledReceiptsRequest) -> ListScheduledReceiptsResponse;
            list_backorders(ListBackordersRequest) -> ListBackordersResponse;
            get_backorder_rules(GetBackorderRulesRequest) -> BackorderRules;
            preview_backorder_release(PreviewBackorderReleaseRequest) -> PreviewBackorderReleaseResponse;
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
        let dated: Vec<String> =
            found.iter().filter(|(stock, _)| stock.expected_receipts > 0).map(|(stock, _)| stock.sku.clone()).collect();
        let receipts = reads::expected_receipts(&self.db, &dated).await?;
        let now = self.db.clock().now();
        let reach = if country.is_empty() { None } else { self.db.load::<Reach>(&Reach::key()).await? };
        let availability = |(stock, levels): &(Stock, Vec<Level>)| {
            let receipts = receipts.get(&stock.sku).into_iter().flatten();
            let expected: Vec<_> = receipts.filter(|receipt| receipt.is_expected(now)).collect();
            wire::availability(stock, levels, &expected, reach.as_ref(), &country)
        };
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

    async fn list_scheduled_receipts(
        &self,
        _: &CallInfo,
        request: ListScheduledReceiptsRequest,
    ) -> Reply<ListScheduledReceiptsResponse> {
        let (receipts, next_page_token) = reads::receipt_page(&self.db, &request).await?;
        let now = self.db.clock().now();
        let receipts = receipts.iter().map(|receipt| wire::receipt(receipt, now)).collect();
        Ok(ListScheduledReceiptsResponse { receipts, next_page_token })
    }

    async fn list_backorders(&self, info: &CallInfo, request: ListBackordersRequest) -> Reply<ListBackordersResponse> {
        let (waiting, next_page_token) = reads::backorder_page(&self.db, &request, &info.principal).await?;
        Ok(ListBackordersResponse { backorders: waiting.iter().map(wire::backorder).collect(), next_page_token })
    }

    async fn get_backorder_rules(&self, _: &CallInfo, _: GetBackorderRulesRequest) -> Reply<BackorderRules> {
        let rules = self.db.load::<backorder::BackorderRules>(&backorder::BackorderRules::key()).await?;
        Ok(wire::backorder_rules(&rules.unwrap_or_default()))
    }

    /// A command that saves nothing, so that it decides on the same rows as a release.
    async fn preview_backorder_release(
        &self,
        info: &CallInfo,
        request: PreviewBackorderReleaseRequest,
    ) -> Reply<PreviewBackorderReleaseResponse> {
        self.db.run(chassis::call(info), PreviewBackorderRelease::parse(&request)?).await
    }
}
