//! A fake of inventory: a little stock, and failures.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use proto::inventory::v1::{
    self as contract, Item, Reservation, ShortagePolicy,
    inventory_service_server::{InventoryService, InventoryServiceServer},
};
use tonic::{Request, Response, Status};
use types::{Fault, Reason};

/// How inventory behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    /// It answers.
    #[default]
    Up,
    /// It cannot be reached.
    Down,
    /// It handles calls, and the answers are lost.
    Mute,
}

#[derive(Clone, Default)]
pub(crate) struct Inventory(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    mood: Mood,
    items: BTreeMap<String, Item>,
    /// Units left of the items that are short; the others have plenty.
    free: HashMap<String, i64>,
    /// What receipts bring.
    dated: HashMap<String, Vec<contract::DatedSupply>>,
    answers: HashMap<String, contract::ReserveResponse>,
    /// By order and line.
    reservations: BTreeMap<(String, i32), Reservation>,
    reserved: Vec<contract::ReserveRequest>,
    released: Vec<contract::ReleaseRequest>,
}

impl Inventory {
    pub(crate) fn server(&self) -> InventoryServiceServer<Self> {
        InventoryServiceServer::new(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.state().mood = mood;
    }

    pub(crate) fn add(&self, item: &Item) {
        self.state().items.insert(item.sku.clone(), item.clone());
    }

    /// Leaves only so many units of an item.
    pub(crate) fn leave(&self, sku: &str, units: i64) {
        self.state().free.insert(sku.to_owned(), units);
    }

    /// Expects so many more units of an item, in all, at some times.
    pub(crate) fn expect(&self, sku: &str, supply: &[(prost_types::Timestamp, i64)]) {
        let dated = supply.iter().map(|(expect_time, available_to_promise)| contract::DatedSupply {
            expect_time: Some(*expect_time),
            available_to_promise: *available_to_promise,
            ..Default::default()
        });
        self.state().dated.insert(sku.to_owned(), dated.collect());
    }

    /// Every call of Reserve that was handled.
    pub(crate) fn reserved(&self) -> Vec<contract::ReserveRequest> {
        self.state().reserved.clone()
    }

    /// The units that a line has requested in all.
    pub(crate) fn requested(&self, order_id: &str, line_number: i32) -> i64 {
        let key = (order_id.to_owned(), line_number);
        self.state().reservations.get(&key).map_or(0, |reservation| reservation.requested)
    }

    /// Every call of Release that was handled.
    pub(crate) fn released(&self) -> Vec<contract::ReleaseRequest> {
        self.state().released.clone()
    }
}

impl State {
    fn is_up(&self) -> Result<(), Status> {
        if self.mood == Mood::Down { Err(unreachable()) } else { Ok(()) }
    }

    fn reserve(&mut self, request: &contract::ReserveRequest) -> Result<contract::ReserveResponse, Status> {
        let mut free = self.free.clone();
        let mut reservations = Vec::new();
        for line in &request.lines {
            let key = (request.order_id.clone(), line.line_number);
            let mut reservation = self.reservations.get(&key).cloned().unwrap_or_else(|| Reservation {
                order_id: request.order_id.clone(),
                line_number: line.line_number,
                sku: line.sku.clone(),
                ..Default::default()
            });
            let more = line.quantity - reservation.requested;
            let left = free.entry(line.sku.clone()).or_insert(i64::MAX);
            let reserved = more.min(*left);
            *left -= reserved;
            reservation.requested += more;
            reservation.reserved += reserved;
            reservation.backordered += more - reserved;
            reservation.version += 1;
            reservations.push(reservation);
        }
        let short = reservations.iter().any(|reservation| reservation.backordered > 0);
        if short && request.shortage_policy() == ShortagePolicy::Refuse {
            return Err(mesh::status(Fault::new(Reason::InsufficientStock, "too little of it")));
        }
        self.free = free;
        let keyed = |known: &Reservation| ((known.order_id.clone(), known.line_number), known.clone());
        self.reservations.extend(reservations.iter().map(keyed));
        Ok(contract::ReserveResponse { reservations })
    }
}

fn unreachable() -> Status {
    mesh::status(Fault::unavailable("inventory is unavailable"))
}

#[tonic::async_trait]
impl InventoryService for Inventory {
    async fn batch_get_items(
        &self,
        request: Request<contract::BatchGetItemsRequest>,
    ) -> Result<Response<contract::BatchGetItemsResponse>, Status> {
        let state = self.state();
        state.is_up()?;
        let items = request.into_inner().skus.iter().filter_map(|sku| state.items.get(sku).cloned()).collect();
        Ok(Response::new(contract::BatchGetItemsResponse { items }))
    }

    async fn reserve(
        &self,
        request: Request<contract::ReserveRequest>,
    ) -> Result<Response<contract::ReserveResponse>, Status> {
        let (mut state, request) = (self.state(), request.into_inner());
        state.is_up()?;
        let answer = match state.answers.get(&request.request_id) {
            Some(first) => first.clone(),
            None => {
                let answer = state.reserve(&request)?;
                state.answers.insert(request.request_id.clone(), answer.clone());
                answer
            }
        };
        state.reserved.push(request);
        if state.mood == Mood::Mute { Err(unreachable()) } else { Ok(Response::new(answer)) }
    }

    async fn release(
        &self,
        request: Request<contract::ReleaseRequest>,
    ) -> Result<Response<contract::ReleaseResponse>, Status> {
        let (mut state, request) = (self.state(), request.into_inner());
        state.is_up()?;
        state.released.push(request);
        Ok(Response::new(contract::ReleaseResponse::default()))
    }

    async fn get_availability(
        &self,
        request: Request<contract::GetAvailabilityRequest>,
    ) -> Result<Response<contract::GetAvailabilityResponse>, Status> {
        let state = self.state();
        state.is_up()?;
        let skus = request.into_inner().skus;
        let of = |sku: &String| contract::Availability {
            sku: sku.clone(),
            atp: state.free.get(sku).copied().unwrap_or(i64::MAX),
            dated_supply: state.dated.get(sku).cloned().unwrap_or_default(),
            ..Default::default()
        };
        Ok(Response::new(contract::GetAvailabilityResponse { availability: skus.iter().map(of).collect() }))
    }

    testkit::unimplemented_methods! {
        create_item: contract::CreateItemRequest => Item;
        get_item: contract::GetItemRequest => Item;
        list_items: contract::ListItemsRequest => contract::ListItemsResponse;
        update_item: contract::UpdateItemRequest => Item;
        create_location: contract::CreateLocationRequest => contract::Location;
        list_locations: contract::ListLocationsRequest => contract::ListLocationsResponse;
        receive_stock: contract::ReceiveStockRequest => contract::ReceiveStockResponse;
        retract_movement: contract::RetractMovementRequest => contract::StockLevel;
        retract_count: contract::RetractCountRequest => contract::RetractCountResponse;
        adjust_stock: contract::AdjustStockRequest => contract::StockLevel;
        report_snapshot: contract::ReportSnapshotRequest => contract::ReportSnapshotResponse;
        allocate: contract::AllocateRequest => contract::AllocateResponse;
        deallocate: contract::DeallocateRequest => contract::DeallocateResponse;
        consume: contract::ConsumeRequest => contract::ConsumeResponse;
        schedule_receipt: contract::ScheduleReceiptRequest => contract::ScheduleReceiptResponse;
        list_scheduled_receipts: contract::ListScheduledReceiptsRequest => contract::ListScheduledReceiptsResponse;
        list_backorders: contract::ListBackordersRequest => contract::ListBackordersResponse;
        update_backorder: contract::UpdateBackorderRequest => Reservation;
        get_backorder_rules: contract::GetBackorderRulesRequest => contract::BackorderRules;
        update_backorder_rules: contract::UpdateBackorderRulesRequest => contract::BackorderRules;
        preview_backorder_release:
            contract::PreviewBackorderReleaseRequest => contract::PreviewBackorderReleaseResponse;
        release_backorders: contract::ReleaseBackordersRequest => contract::ReleaseBackordersResponse;
        list_reservations: contract::ListReservationsRequest => contract::ListReservationsResponse;
        list_movements: contract::ListMovementsRequest => contract::ListMovementsResponse;
    }
}
