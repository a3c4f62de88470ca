//! Fakes of fulfillment and inventory, which record each request id once.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use proto::{
    fulfillment::v1::{fulfillment_service_server::FulfillmentService, *},
    inventory::v1::{inventory_service_server::InventoryService, *},
};
use tokio::sync::Notify;
use tonic::{Request, Response, Status};
use types::Fault;

/// How the fake behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PeerBehavior {
    /// It answers.
    #[default]
    Well,
    /// It cannot be reached.
    Down,
    /// It refuses for good.
    Refuses,
    /// It never answers, and does nothing.
    HangsBefore,
    /// It does what it is asked, and never answers.
    HangsAfter,
}

/// An item that the fake does not know.
pub(crate) const UNKNOWN_SKU: &str = "UNKNOWN";

/// The fake of both services. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Fulfillment(Arc<Fake>);

#[derive(Default)]
struct Fake {
    behavior: Mutex<PeerBehavior>,
    orders: Mutex<HashMap<String, FulfillmentOrder>>,
    /// The only method that behaves so, if not all do.
    misbehaving: Mutex<Option<&'static str>>,
    /// Methods, request ids and requests, each request once.
    effects: Mutex<Vec<(&'static str, String, String)>>,
    milestones: Mutex<Vec<RecordMilestoneRequest>>,
    hangs: Notify,
}

impl Fulfillment {
    /// Sets how it behaves from now on.
    pub(crate) fn set_behavior(&self, behavior: PeerBehavior) {
        *self.0.behavior.lock().unwrap() = behavior;
    }

    /// Sets how one method behaves from now on; the others answer.
    pub(crate) fn set_behavior_of(&self, method: &'static str, behavior: PeerBehavior) {
        *self.0.misbehaving.lock().unwrap() = Some(method);
        self.set_behavior(behavior);
    }

    /// The methods that took effect, in order.
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        self.0.effects.lock().unwrap().iter().map(|(method, ..)| *method).collect()
    }

    /// The last request of a method that took effect, as text.
    pub(crate) fn request(&self, method: &str) -> String {
        let effects = self.0.effects.lock().unwrap();
        effects
            .iter()
            .rev()
            .find(|(known, ..)| *known == method)
            .map(|(.., request)| request.clone())
            .unwrap_or_default()
    }

    /// Adds a fulfillment order.
    pub(crate) fn has(&self, order: FulfillmentOrder) {
        self.0.orders.lock().unwrap().insert(order.fulfillment_order_id.clone(), order);
    }

    /// How many different requests took effect.
    pub(crate) fn effects(&self) -> usize {
        self.0.effects.lock().unwrap().len()
    }

    /// The milestones that were recorded.
    pub(crate) fn milestones(&self) -> Vec<RecordMilestoneRequest> {
        self.0.milestones.lock().unwrap().clone()
    }

    /// Waits until a call hangs.
    pub(crate) async fn hung(&self) {
        self.0.hangs.notified().await;
    }

    async fn record<T>(
        &self,
        method: &'static str,
        request_id: &str,
        request: &impl Debug,
        answer: T,
    ) -> Result<Response<T>, Status> {
        assert!(!request_id.is_empty(), "{method} is not repeatable");
        let behavior = self.behavior_of(method);
        match behavior {
            PeerBehavior::Down => return Err(mesh::status(Fault::unavailable("down"))),
            PeerBehavior::Refuses => return Err(mesh::status(Fault::not_supported("it is too late"))),
            PeerBehavior::HangsBefore => self.hang().await,
            PeerBehavior::Well | PeerBehavior::HangsAfter => {}
        }
        self.note(method, request_id, format!("{request:?}"));
        if behavior == PeerBehavior::HangsAfter {
            self.hang().await;
        }
        Ok(Response::new(answer))
    }

    fn behavior_of(&self, method: &'static str) -> PeerBehavior {
        let misbehaving = *self.0.misbehaving.lock().unwrap();
        if misbehaving.is_none_or(|one| one == method) { *self.0.behavior.lock().unwrap() } else { PeerBehavior::Well }
    }

    fn note(&self, method: &'static str, request_id: &str, request: String) {
        let mut effects = self.0.effects.lock().unwrap();
        match effects.iter().find(|(known, id, _)| (*known, id.as_str()) == (method, request_id)) {
            Some((.., first)) => assert_eq!(*first, request, "another request under the same id"),
            None => effects.push((method, request_id.to_owned(), request)),
        }
    }

    async fn hang(&self) {
        self.0.hangs.notify_one();
        std::future::pending::<()>().await;
    }

    fn order(&self, id: &str) -> Result<FulfillmentOrder, Status> {
        let order = self.0.orders.lock().unwrap().get(id).cloned();
        order.ok_or_else(|| mesh::status(Fault::not_found("fulfillment order", id)))
    }

    fn shipment(&self, fulfillment_order_id: &str, reference: &str) -> Result<Shipment, Status> {
        let order = self.order(fulfillment_order_id)?;
        let shipment_id = format!("shm_{reference}");
        Ok(Shipment { shipment_id, order_id: order.order_id, ..Shipment::default() })
    }
}

#[tonic::async_trait]
impl FulfillmentService for Fulfillment {
    async fn get_node(&self, request: Request<GetNodeRequest>) -> Result<Response<Node>, Status> {
        Err(mesh::status(Fault::not_found("node", request.into_inner().node_id)))
    }

    async fn get_fulfillment_order(
        &self,
        request: Request<GetFulfillmentOrderRequest>,
    ) -> Result<Response<FulfillmentOrder>, Status> {
        if self.behavior_of("get_fulfillment_order") == PeerBehavior::Down {
            return Err(mesh::status(Fault::unavailable("down")));
        }
        self.order(&request.into_inner().fulfillment_order_id).map(Response::new)
    }

    async fn accept_fulfillment_order(
        &self,
        request: Request<AcceptFulfillmentOrderRequest>,
    ) -> Result<Response<FulfillmentOrder>, Status> {
        let request = request.into_inner();
        assert!(request.occur_time.is_some(), "a repeat would be another request");
        self.record("accept", &request.request_id, &request, self.order(&request.fulfillment_order_id)?).await
    }

    async fn reject_fulfillment_order(
        &self,
        request: Request<RejectFulfillmentOrderRequest>,
    ) -> Result<Response<FulfillmentOrder>, Status> {
        let request = request.into_inner();
        self.record("reject", &request.request_id, &request, self.order(&request.fulfillment_order_id)?).await
    }

    async fn record_pick(&self, request: Request<RecordPickRequest>) -> Result<Response<FulfillmentOrder>, Status> {
        let request = request.into_inner();
        self.record("pick", &request.request_id, &request, self.order(&request.fulfillment_order_id)?).await
    }

    async fn record_labels(&self, request: Request<RecordLabelsRequest>) -> Result<Response<Shipment>, Status> {
        let request = request.into_inner();
        let shipment = self.shipment(&request.fulfillment_order_id, &request.shipment_reference)?;
        self.record("labels", &request.request_id, &request, shipment).await
    }

    async fn record_shipment(&self, request: Request<RecordShipmentRequest>) -> Result<Response<Shipment>, Status> {
        let request = request.into_inner();
        let shipment = self.shipment(&request.fulfillment_order_id, &request.shipment_reference)?;
        self.record("shipment", &request.request_id, &request, shipment).await
    }

    async fn answer_cancellation(
        &self,
        request: Request<AnswerCancellationRequest>,
    ) -> Result<Response<FulfillmentOrder>, Status> {
        let request = request.into_inner();
        self.record("cancellation", &request.request_id, &request, self.order(&request.fulfillment_order_id)?).await
    }

    async fn answer_ship_to_change(
        &self,
        request: Request<AnswerShipToChangeRequest>,
    ) -> Result<Response<FulfillmentOrder>, Status> {
        let request = request.into_inner();
        self.record("ship_to_change", &request.request_id, &request, self.order(&request.fulfillment_order_id)?).await
    }

    async fn record_milestone(
        &self,
        request: Request<RecordMilestoneRequest>,
    ) -> Result<Response<RecordMilestoneResponse>, Status> {
        let request = request.into_inner();
        self.0.milestones.lock().unwrap().push(request.clone());
        let (shipment_id, order_id) = ("shm_1".to_owned(), "ord_of_shipment".to_owned());
        let report_id = format!("trk_{}", request.milestone.as_ref().map_or("", |one| &one.tracking_number));
        let answer = RecordMilestoneResponse { shipment_id, order_id, report_id, ..Default::default() };
        self.record("milestone", &request.request_id, &request, answer).await
    }

    async fn record_proof_of_delivery(
        &self,
        request: Request<RecordProofOfDeliveryRequest>,
    ) -> Result<Response<RecordProofOfDeliveryResponse>, Status> {
        let request = request.into_inner();
        let report_id = format!("trk_proof_{}", request.tracking_number);
        let answer = RecordProofOfDeliveryResponse { report_id, ..Default::default() };
        self.record("proof", &request.request_id, &request, answer).await
    }

    async fn retract_tracking_report(
        &self,
        request: Request<RetractTrackingReportRequest>,
    ) -> Result<Response<RetractTrackingReportResponse>, Status> {
        let request = request.into_inner();
        assert!(!request.reporter_id.is_empty(), "only the reporter retracts its report");
        let answer = RetractTrackingReportResponse { report_id: request.report_id.clone(), ..Default::default() };
        self.record("retraction", &request.request_id, &request, answer).await
    }

    async fn get_shipment(&self, request: Request<GetShipmentRequest>) -> Result<Response<Shipment>, Status> {
        if self.behavior_of("get_shipment") == PeerBehavior::Down {
            return Err(mesh::status(Fault::unavailable("down")));
        }
        let shipment_id = request.into_inner().shipment_id;
        let shipment_reference = shipment_id.trim_start_matches("shm_").to_owned();
        Ok(Response::new(Shipment { shipment_id, shipment_reference, ..Shipment::default() }))
    }

    async fn void_labels(&self, request: Request<VoidLabelsRequest>) -> Result<Response<Shipment>, Status> {
        let request = request.into_inner();
        let shipment = self.shipment(&request.fulfillment_order_id, &request.shipment_reference)?;
        self.record("void", &request.request_id, &request, shipment).await
    }

    async fn retract_shipment(&self, request: Request<RetractShipmentRequest>) -> Result<Response<Shipment>, Status> {
        let request = request.into_inner();
        let shipment = self.shipment(&request.fulfillment_order_id, &request.shipment_reference)?;
        self.record("retract_shipment", &request.request_id, &request, shipment).await
    }

    async fn correct_shipment(&self, request: Request<CorrectShipmentRequest>) -> Result<Response<Shipment>, Status> {
        let request = request.into_inner();
        let shipment = self.shipment(&request.fulfillment_order_id, &request.shipment_reference)?;
        self.record("correct_shipment", &request.request_id, &request, shipment).await
    }

    async fn retract_pick(&self, request: Request<RetractPickRequest>) -> Result<Response<FulfillmentOrder>, Status> {
        let request = request.into_inner();
        let order = self.order(&request.fulfillment_order_id)?;
        self.record("retract_pick", &request.request_id, &request, order).await
    }

    testkit::unimplemented_methods! {
        write_off_package: WriteOffPackageRequest => Shipment;
        create_node: CreateNodeRequest => Node;
        list_nodes: ListNodesRequest => ListNodesResponse;
        update_node: UpdateNodeRequest => Node;
        preview_routing: PreviewRoutingRequest => RoutingDecision;
        list_routing_decisions: ListRoutingDecisionsRequest => ListRoutingDecisionsResponse;
        retry_routing: RetryRoutingRequest => RetryRoutingResponse;
        list_fulfillment_orders: ListFulfillmentOrdersRequest => ListFulfillmentOrdersResponse;
        request_cancellation: RequestCancellationRequest => FulfillmentOrder;
        list_shipments: ListShipmentsRequest => ListShipmentsResponse;
        list_milestones: ListMilestonesRequest => ListMilestonesResponse;
    }
}

#[tonic::async_trait]
impl InventoryService for Fulfillment {
    async fn report_snapshot(
        &self,
        request: Request<ReportSnapshotRequest>,
    ) -> Result<Response<ReportSnapshotResponse>, Status> {
        let request = request.into_inner();
        if let Some(index) = request.items.iter().position(|item| item.sku == UNKNOWN_SKU) {
            return Err(mesh::status(Fault::invalid(format!("items[{index}].sku"), "there is no such item")));
        }
        self.record("snapshot", &request.request_id, &request, ReportSnapshotResponse::default()).await
    }

    async fn retract_count(
        &self,
        request: Request<RetractCountRequest>,
    ) -> Result<Response<RetractCountResponse>, Status> {
        let request = request.into_inner();
        self.record("retract_count", &request.request_id, &request, RetractCountResponse::default()).await
    }

    testkit::unimplemented_methods! {
        create_item: CreateItemRequest => Item;
        get_item: GetItemRequest => Item;
        batch_get_items: BatchGetItemsRequest => BatchGetItemsResponse;
        list_items: ListItemsRequest => ListItemsResponse;
        update_item: UpdateItemRequest => Item;
        create_location: CreateLocationRequest => Location;
        list_locations: ListLocationsRequest => ListLocationsResponse;
        receive_stock: ReceiveStockRequest => ReceiveStockResponse;
        retract_movement: RetractMovementRequest => StockLevel;
        adjust_stock: AdjustStockRequest => StockLevel;
        schedule_receipt: ScheduleReceiptRequest => ScheduleReceiptResponse;
        list_scheduled_receipts: ListScheduledReceiptsRequest => ListScheduledReceiptsResponse;
        list_backorders: ListBackordersRequest => ListBackordersResponse;
        update_backorder: UpdateBackorderRequest => Reservation;
        get_backorder_rules: GetBackorderRulesRequest => BackorderRules;
        update_backorder_rules: UpdateBackorderRulesRequest => BackorderRules;
        preview_backorder_release:
            PreviewBackorderReleaseRequest => PreviewBackorderReleaseResponse;
        release_backorders: ReleaseBackordersRequest => ReleaseBackordersResponse;
        reserve: ReserveRequest => ReserveResponse;
        release: ReleaseRequest => ReleaseResponse;
        allocate: AllocateRequest => AllocateResponse;
        deallocate: DeallocateRequest => DeallocateResponse;
        consume: ConsumeRequest => ConsumeResponse;
        get_availability: GetAvailabilityRequest => GetAvailabilityResponse;
        list_reservations: ListReservationsRequest => ListReservationsResponse;
        list_movements: ListMovementsRequest => ListMovementsResponse;
    }
}
