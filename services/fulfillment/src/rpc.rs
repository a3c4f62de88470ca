//! Declares the gRPC methods: commands, and reads.

mod list;
mod preview;

use chassis::Answers;
use mesh::{CallInfo, Principal, wire::one_id};
use proto::fulfillment::v1::{
    AcceptFulfillmentOrderRequest, AnswerCancellationRequest, AnswerShipToChangeRequest, CorrectShipmentRequest,
    CreateNodeRequest, FulfillmentOrder, GetFulfillmentOrderRequest, GetNodeRequest, GetShipmentRequest,
    ListFulfillmentOrdersRequest, ListFulfillmentOrdersResponse, ListMilestonesRequest, ListMilestonesResponse,
    ListNodesRequest, ListNodesResponse, ListRoutingDecisionsRequest, ListRoutingDecisionsResponse,
    ListShipmentsRequest, ListShipmentsResponse, Node, PreviewRoutingRequest, RecordLabelsRequest,
    RecordMilestoneRequest, RecordMilestoneResponse, RecordPickRequest, RecordProofOfDeliveryRequest,
    RecordProofOfDeliveryResponse, RecordShipmentRequest, RejectFulfillmentOrderRequest, RequestCancellationRequest,
    RetractPickRequest, RetractShipmentRequest, RetractTrackingReportRequest, RetractTrackingReportResponse,
    RetryRoutingRequest, RetryRoutingResponse, RoutingDecision, Shipment, UpdateNodeRequest, VoidLabelsRequest,
    WriteOffPackageRequest, fulfillment_service_server::FulfillmentService,
};
use store::{Call, Db};
use types::{Fault, FulfillmentOrderId, NodeId, PackageId, ShipmentId};

use crate::{
    create_node::CreateNode,
    inventory::Inventory,
    node,
    package::Package,
    process::{
        acceptance::AcceptFulfillmentOrder,
        cancellation::{AnswerCancellation, RequestCancellation},
        rejection::RejectFulfillmentOrder,
        rerouting::RetryRouting,
        ship_to_change::AnswerShipToChange,
        short_pick::RecordPick,
        undelivered::WriteOffPackage,
    },
    report::{
        CorrectShipment, RecordLabels, RecordMilestone, RecordProofOfDelivery, RecordShipment, RetractPick,
        RetractShipment, RetractTrackingReport, VoidLabels,
    },
    shipment, store as reads,
    update_node::UpdateNode,
    wire,
};

/// Answers calls.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    pub(crate) db: Db,
    /// Asked for previews of routing.
    pub(crate) inventory: Inventory,
}

impl Answers for Rpc {
    fn db(&self) -> &Db {
        &self.db
    }

    /// Most commands are reports of partners, for which no customer waits.
    fn adjust(call: Call) -> Call {
        call.batchable()
    }
}

chassis::rpc! {
    FulfillmentService for Rpc {
        commands {
            create_node(CreateNodeRequest) -> Node = CreateNode::parse;
            update_node(UpdateNodeRequest) -> Node = UpdateNode::parse;
            retry_routing(RetryRoutingRequest) -> RetryRoutingResponse = RetryRouting::parse,
                seen by check_release of order_id;
            accept_fulfillment_order(AcceptFulfillmentOrderRequest) -> FulfillmentOrder = AcceptFulfillmentOrder::parse,
                seen by check_work of fulfillment_order_id;
            reject_fulfillment_order(RejectFulfillmentOrderRequest) -> FulfillmentOrder = RejectFulfillmentOrder::parse,
                seen by check_work of fulfillment_order_id;
            record_pick(RecordPickRequest) -> FulfillmentOrder = RecordPick::parse,
                seen by check_work of fulfillment_order_id;
            record_labels(RecordLabelsRequest) -> Shipment = RecordLabels::parse,
                seen by check_work of fulfillment_order_id;
            record_shipment(RecordShipmentRequest) -> Shipment = RecordShipment::parse,
                seen by check_work of fulfillment_order_id;
            request_cancellation(RequestCancellationRequest) -> FulfillmentOrder = RequestCancellation::parse,
                seen by check_work of fulfillment_order_id;
            answer_cancellation(AnswerCancellationRequest) -> FulfillmentOrder = AnswerCancellation::parse,
                seen by check_work of fulfillment_order_id;
            answer_ship_to_change(AnswerShipToChangeRequest) -> FulfillmentOrder = AnswerShipToChange::parse,
                seen by check_work of fulfillment_order_id;
            record_milestone(RecordMilestoneRequest) -> RecordMilestoneResponse = RecordMilestone::parse;
            record_proof_of_delivery(RecordProofOfDeliveryRequest) -> RecordProofOfDeliveryResponse =
                RecordProofOfDelivery::parse;
            void_labels(VoidLabelsRequest) -> Shipment = VoidLabels::parse,
                seen by check_work of fulfillment_order_id;
            retract_shipment(RetractShipmentRequest) -> Shipment = RetractShipment::parse,
                seen by check_work of fulfillment_order_id;
            correct_shipment(CorrectShipmentRequest) -> Shipment = CorrectShipment::parse,
                seen by check_work of fulfillment_order_id;
            retract_pick(RetractPickRequest) -> FulfillmentOrder = RetractPick::parse,
                seen by check_work of fulfillment_order_id;
            write_off_package(WriteOffPackageRequest) -> Shipment = WriteOffPackage::parse,
                seen by check_package of package_id;
            retract_tracking_report(RetractTrackingReportRequest) -> RetractTrackingReportResponse =
                RetractTrackingReport::parse;
        }
        calls {
            get_node(GetNodeRequest) -> Node;
            list_nodes(ListNodesRequest) -> ListNodesResponse;
            preview_routing(PreviewRoutingRequest) -> RoutingDecision;
            list_routing_decisions(ListRoutingDecisionsRequest) -> ListRoutingDecisionsResponse;
            get_fulfillment_order(GetFulfillmentOrderRequest) -> FulfillmentOrder;
            list_fulfillment_orders(ListFulfillmentOrdersRequest) -> ListFulfillmentOrdersResponse;
            get_shipment(GetShipmentRequest) -> Shipment;
            list_shipments(ListShipmentsRequest) -> ListShipmentsResponse;
            list_milestones(ListMilestonesRequest) -> ListMilestonesResponse;
        }
    }
}

impl Rpc {
    async fn check_work(&self, id: &str, caller: &Principal) -> Result<(), Fault> {
        let id: FulfillmentOrderId = one_id("fulfillment_order_id", id)?;
        let order = reads::fulfillment_order(&self.db, &id, caller).await?;
        order.map(|_| ()).ok_or_else(|| Fault::not_found("fulfillment order", id))
    }

    async fn check_package(&self, id: &str, caller: &Principal) -> Result<(), Fault> {
        let id: PackageId = one_id("package_id", id)?;
        let package = self.db.load::<Package>(&id).await?;
        let unknown = || Fault::not_found("package", &id);
        let shipment_id = package.ok_or_else(unknown)?.shipment_id;
        reads::shipment(&self.db, &shipment_id, caller).await?.map(|_| ()).ok_or_else(unknown)
    }

    async fn check_release(&self, id: &str, caller: &Principal) -> Result<(), Fault> {
        reads::check_released(&self.db, &one_id("order_id", id)?, caller).await
    }

    async fn get_node(&self, _: &CallInfo, request: GetNodeRequest) -> Result<Node, Fault> {
        let id: NodeId = one_id("node_id", &request.node_id)?;
        let node = self.db.load::<node::Node>(&id).await?;
        node.map(|node| wire::node(&node)).ok_or_else(|| Fault::not_found("node", id))
    }

    async fn get_fulfillment_order(
        &self,
        call: &CallInfo,
        request: GetFulfillmentOrderRequest,
    ) -> Result<FulfillmentOrder, Fault> {
        let id: FulfillmentOrderId = one_id("fulfillment_order_id", &request.fulfillment_order_id)?;
        let order = reads::fulfillment_order(&self.db, &id, &call.principal).await?;
        order.map(|order| wire::fulfillment_order(&order)).ok_or_else(|| Fault::not_found("fulfillment order", id))
    }

    async fn get_shipment(&self, call: &CallInfo, request: GetShipmentRequest) -> Result<Shipment, Fault> {
        let shipment = self.seen_shipment(call, &request.shipment_id).await?;
        let mut snapshots = self.snapshots(vec![shipment]).await?;
        snapshots.pop().ok_or_else(|| Fault::not_found("shipment", &request.shipment_id))
    }

    async fn list_milestones(
        &self,
        call: &CallInfo,
        request: ListMilestonesRequest,
    ) -> Result<ListMilestonesResponse, Fault> {
        let shipment = self.seen_shipment(call, &request.shipment_id).await?;
        let milestones = reads::milestones(&self.db, &shipment).await?;
        Ok(ListMilestonesResponse { milestones })
    }

    async fn seen_shipment(&self, call: &CallInfo, text: &str) -> Result<shipment::Shipment, Fault> {
        let id: ShipmentId = one_id("shipment_id", text)?;
        let shipment = reads::shipment(&self.db, &id, &call.principal).await?;
        shipment.ok_or_else(|| Fault::not_found("shipment", id))
    }

    /// Snapshots of shipments, with their packages as of one moment, and what they take from their fulfillment orders.
    async fn snapshots(&self, shipments: Vec<shipment::Shipment>) -> Result<Vec<Shipment>, Fault> {
        self.db.whole(shipments, |shipments| self.with_packages(shipments)).await
    }

    async fn with_packages(&self, shipments: Vec<shipment::Shipment>) -> Result<Vec<Shipment>, Fault> {
        let packages = reads::packages(&self.db, &shipments).await?;
        let headers = reads::headers_of(&self.db, &shipments).await?;
        let snapshot = |shipment: &shipment::Shipment| {
            let own = packages.iter().filter(|package| package.shipment_id == shipment.shipment_id);
            let header = headers.iter().find(|one| one.fulfillment_order_id == shipment.fulfillment_order_id);
            let (ship_to, customer_po) =
                header.map(|header| (header.ship_to.0.clone(), header.customer_po.as_str())).unwrap_or_default();
            wire::shipment(shipment, own, &ship_to, customer_po)
        };
        Ok(shipments.iter().map(snapshot).collect())
    }
}
