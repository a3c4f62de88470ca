//! The service on the wire: requests in, a command or a read, answers out.

mod node;
mod preview;
mod read;
mod report;

use mesh::{Channel, status};
use prost::Message;
use proto::{
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, AnswerCancellationRequest, CreateNodeRequest, FulfillmentOrder,
        GetFulfillmentOrderRequest, GetNodeRequest, GetShipmentRequest, ListFulfillmentOrdersRequest,
        ListFulfillmentOrdersResponse, ListMilestonesRequest, ListMilestonesResponse, ListNodesRequest,
        ListNodesResponse, ListRoutingDecisionsRequest, ListRoutingDecisionsResponse, ListShipmentsRequest,
        ListShipmentsResponse, Node, PreviewRoutingRequest, RecordLabelsRequest, RecordMilestoneRequest,
        RecordMilestoneResponse, RecordPickRequest, RecordProofOfDeliveryRequest, RecordProofOfDeliveryResponse,
        RecordShipmentRequest, RejectFulfillmentOrderRequest, RequestCancellationRequest, RetryRoutingRequest,
        RetryRoutingResponse, RoutingDecision, Shipment, UpdateNodeRequest,
        fulfillment_service_server::FulfillmentService,
    },
    inventory::v1::inventory_service_client::InventoryServiceClient,
};
use store::{Call, Command, Db};
use tonic::{Request, Response, Status};
use types::Fault;

/// Answers calls.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    db: Db,
    inventory: InventoryServiceClient<Channel>,
}

type Answer<T> = Result<Response<T>, Status>;

impl Api {
    /// Answers from this database, and asks inventory for previews.
    pub(crate) fn new(db: Db, inventory: Channel) -> Self {
        Self { db, inventory: InventoryServiceClient::new(inventory) }
    }

    /// Runs the command a request comes to. `request_id` is the request's own.
    async fn run<T: Message, C: Command>(
        &self,
        request: &Request<T>,
        request_id: &str,
        command: Result<C, Fault>,
    ) -> Answer<C::Reply> {
        let command = command.and_then(|command| report::request_id(request_id).map(|()| command)).map_err(status)?;
        let info = mesh::call(request);
        let trace = Some(info.trace_parent).filter(|trace| !trace.is_empty());
        let call = Call::new(info.principal.actor()).request(request_id, request.get_ref()).trace(trace);
        // Most are reports of partners, and none has a customer waiting for it.
        answer(self.db.run(call.batchable(), command).await)
    }
}

fn answer<T>(outcome: Result<T, Fault>) -> Answer<T> {
    outcome.map(Response::new).map_err(status)
}

/// The methods: those that change something read the request into a command, the others answer from the database.
macro_rules! methods {
    (
        commands { $($command:ident: $asked:ty => $done:ty, $parse:path;)* }
        reads { $($read:ident: $request:ty => $reply:ty, $by:ident;)* }
    ) => {
        #[tonic::async_trait]
        impl FulfillmentService for Api {
            $(async fn $command(&self, request: Request<$asked>) -> Answer<$done> {
                let command = $parse(request.get_ref());
                self.run(&request, &request.get_ref().request_id, command).await
            })*

            $(async fn $read(&self, request: Request<$request>) -> Answer<$reply> {
                answer(self.$by(mesh::caller(&request), request.get_ref()).await)
            })*
        }
    };
}

methods! {
    commands {
        create_node: CreateNodeRequest => Node, node::create;
        update_node: UpdateNodeRequest => Node, node::update;
        retry_routing: RetryRoutingRequest => RetryRoutingResponse, report::retry;
        accept_fulfillment_order: AcceptFulfillmentOrderRequest => FulfillmentOrder, report::accept;
        reject_fulfillment_order: RejectFulfillmentOrderRequest => FulfillmentOrder, report::reject;
        record_pick: RecordPickRequest => FulfillmentOrder, report::pick;
        record_labels: RecordLabelsRequest => Shipment, report::labels;
        record_shipment: RecordShipmentRequest => Shipment, report::shipment;
        request_cancellation: RequestCancellationRequest => FulfillmentOrder, report::request_cancellation;
        answer_cancellation: AnswerCancellationRequest => FulfillmentOrder, report::answer_cancellation;
        record_milestone: RecordMilestoneRequest => RecordMilestoneResponse, report::milestone;
        record_proof_of_delivery: RecordProofOfDeliveryRequest => RecordProofOfDeliveryResponse, report::proof;
    }
    reads {
        get_node: GetNodeRequest => Node, node;
        list_nodes: ListNodesRequest => ListNodesResponse, nodes;
        preview_routing: PreviewRoutingRequest => RoutingDecision, preview;
        list_routing_decisions: ListRoutingDecisionsRequest => ListRoutingDecisionsResponse, decisions;
        get_fulfillment_order: GetFulfillmentOrderRequest => FulfillmentOrder, work;
        list_fulfillment_orders: ListFulfillmentOrdersRequest => ListFulfillmentOrdersResponse, works;
        get_shipment: GetShipmentRequest => Shipment, shipment;
        list_shipments: ListShipmentsRequest => ListShipmentsResponse, shipments;
        list_milestones: ListMilestonesRequest => ListMilestonesResponse, milestones;
    }
}
