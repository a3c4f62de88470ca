//! A fake of fulfillment: the fulfillment orders that it is told of.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use proto::fulfillment::v1::{
    self as contract, FulfillmentOrder, Node, Shipment,
    fulfillment_service_server::{FulfillmentService, FulfillmentServiceServer},
};
use tonic::{Request, Response, Status};
use types::Fault;

#[derive(Clone, Default)]
pub(crate) struct Fulfillment(Arc<Mutex<BTreeMap<String, FulfillmentOrder>>>);

impl Fulfillment {
    pub(crate) fn server(&self) -> FulfillmentServiceServer<Self> {
        FulfillmentServiceServer::new(self.clone())
    }

    /// A fulfillment order with lines of an order.
    pub(crate) fn has(&self, fulfillment_order_id: &str, order_id: &str, line_numbers: &[i32]) {
        let line = |line_number: &i32| contract::FulfillmentLine { line_number: *line_number, ..Default::default() };
        let order = FulfillmentOrder {
            fulfillment_order_id: fulfillment_order_id.to_owned(),
            order_id: order_id.to_owned(),
            lines: line_numbers.iter().map(line).collect(),
            ..Default::default()
        };
        self.0.lock().unwrap().insert(fulfillment_order_id.to_owned(), order);
    }
}

#[tonic::async_trait]
impl FulfillmentService for Fulfillment {
    async fn get_fulfillment_order(
        &self,
        request: Request<contract::GetFulfillmentOrderRequest>,
    ) -> Result<Response<FulfillmentOrder>, Status> {
        let id = request.into_inner().fulfillment_order_id;
        let found = self.0.lock().unwrap().get(&id).cloned();
        found.map(Response::new).ok_or_else(|| mesh::status(Fault::not_found("fulfillment order", id)))
    }

    testkit::unimplemented_methods! {
        create_node: contract::CreateNodeRequest => Node;
        get_node: contract::GetNodeRequest => Node;
        list_nodes: contract::ListNodesRequest => contract::ListNodesResponse;
        update_node: contract::UpdateNodeRequest => Node;
        preview_routing: contract::PreviewRoutingRequest => contract::RoutingDecision;
        list_routing_decisions: contract::ListRoutingDecisionsRequest => contract::ListRoutingDecisionsResponse;
        retry_routing: contract::RetryRoutingRequest => contract::RetryRoutingResponse;
        list_fulfillment_orders: contract::ListFulfillmentOrdersRequest => contract::ListFulfillmentOrdersResponse;
        accept_fulfillment_order: contract::AcceptFulfillmentOrderRequest => FulfillmentOrder;
        reject_fulfillment_order: contract::RejectFulfillmentOrderRequest => FulfillmentOrder;
        record_pick: contract::RecordPickRequest => FulfillmentOrder;
        record_labels: contract::RecordLabelsRequest => Shipment;
        record_shipment: contract::RecordShipmentRequest => Shipment;
        request_cancellation: contract::RequestCancellationRequest => FulfillmentOrder;
        answer_cancellation: contract::AnswerCancellationRequest => FulfillmentOrder;
        answer_ship_to_change: contract::AnswerShipToChangeRequest => FulfillmentOrder;
        record_milestone: contract::RecordMilestoneRequest => contract::RecordMilestoneResponse;
        record_proof_of_delivery: contract::RecordProofOfDeliveryRequest => contract::RecordProofOfDeliveryResponse;
        retract_tracking_report: contract::RetractTrackingReportRequest => contract::RetractTrackingReportResponse;
        void_labels: contract::VoidLabelsRequest => Shipment;
        retract_shipment: contract::RetractShipmentRequest => Shipment;
        correct_shipment: contract::CorrectShipmentRequest => Shipment;
        retract_pick: contract::RetractPickRequest => FulfillmentOrder;
        write_off_package: contract::WriteOffPackageRequest => Shipment;
        get_shipment: contract::GetShipmentRequest => Shipment;
        list_shipments: contract::ListShipmentsRequest => contract::ListShipmentsResponse;
        list_milestones: contract::ListMilestonesRequest => contract::ListMilestonesResponse;
    }
}
