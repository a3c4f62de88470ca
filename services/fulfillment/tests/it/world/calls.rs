//! Calls of the service.

use proto::{
    events::EventType,
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, AnswerCancellationRequest, AnswerShipToChangeRequest, CancellationAnswer,
        CreateNodeRequest, FulfillmentOrder, ListFulfillmentOrdersRequest, ListRoutingDecisionsRequest, Milestone,
        MilestoneCode, RecordLabelsRequest, RecordMilestoneRequest, RecordMilestoneResponse, RecordPickRequest,
        RecordShipmentRequest, RejectFulfillmentOrderRequest, RoutingDecision, ServiceArea, ShipToChangeAnswer,
        Shipment,
    },
    types::v1::HandlingClass,
};

use store::Options;
use testkit::units;
use tonic::{Response, Status};

use super::{ORDER, World, after, package};

impl World {
    /// Creates a node that ships ambient goods to Germany.
    pub(crate) async fn node(&self, id: &str, rank: i32) {
        self.create(node(id, rank)).await;
    }

    pub(crate) async fn create(&self, request: CreateNodeRequest) {
        self.api().create_node(request).await.unwrap();
    }

    /// The fulfillment orders of an order, oldest first.
    pub(crate) async fn fulfillment_orders(&self, order: &str) -> Vec<FulfillmentOrder> {
        let request = ListFulfillmentOrdersRequest { order_id: order.to_owned(), ..Default::default() };
        self.api().list_fulfillment_orders(request).await.unwrap().into_inner().fulfillment_orders
    }

    /// The one fulfillment order of an order.
    pub(crate) async fn fulfillment_order(&self, order: &str) -> FulfillmentOrder {
        let mut orders = self.fulfillment_orders(order).await;
        assert_eq!(orders.len(), 1, "{orders:?}");
        orders.remove(0)
    }

    /// Nodes with their units of a line, of fulfillment orders that have not ended.
    pub(crate) async fn open_units(&self, order: &str, line: i32) -> Vec<(String, i64)> {
        let mut open: Vec<_> = self
            .fulfillment_orders(order)
            .await
            .into_iter()
            .filter_map(|order| {
                let line = order.lines.iter().find(|one| one.line_number == line)?;
                let units = line.quantity - line.shipped - line.short - line.cancelled;
                (units > 0).then_some((order.node_id, units))
            })
            .collect();
        open.sort();
        open
    }

    pub(crate) async fn decisions(&self, order: &str) -> Vec<RoutingDecision> {
        let request = ListRoutingDecisionsRequest { order_id: order.to_owned(), ..Default::default() };
        self.api().list_routing_decisions(request).await.unwrap().into_inner().decisions
    }

    pub(crate) async fn accept(&self, order: &FulfillmentOrder) -> FulfillmentOrder {
        let request = AcceptFulfillmentOrderRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            ..Default::default()
        };
        self.partners().accept_fulfillment_order(request).await.unwrap().into_inner()
    }

    pub(crate) async fn reject(&self, order: &FulfillmentOrder) -> FulfillmentOrder {
        let request = RejectFulfillmentOrderRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            reason: "full".to_owned(),
            ..Default::default()
        };
        self.partners().reject_fulfillment_order(request).await.unwrap().into_inner()
    }

    pub(crate) async fn answer_cancellation(&self, order: &FulfillmentOrder, answer: CancellationAnswer) {
        let request = AnswerCancellationRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            answer: answer.into(),
            reason: "too late".to_owned(),
            ..Default::default()
        };
        self.partners().answer_cancellation(request).await.unwrap();
    }

    /// The node answers a change of the destination.
    pub(crate) async fn answer_ship_to_of(
        &self,
        order: &FulfillmentOrder,
        change_number: i32,
        answer: ShipToChangeAnswer,
    ) -> Result<FulfillmentOrder, Status> {
        let request = AnswerShipToChangeRequest {
            fulfillment_order_id: order.fulfillment_order_id.clone(),
            change_number,
            answer: answer.into(),
            reason: "the truck is loaded".to_owned(),
            ..Default::default()
        };
        self.partners().answer_ship_to_change(request).await.map(Response::into_inner)
    }

    pub(crate) async fn record_pick(&self, request: RecordPickRequest) -> FulfillmentOrder {
        self.partners().record_pick(request).await.unwrap().into_inner()
    }

    /// Labels packages of the shipment `S-1` of the one fulfillment order.
    pub(crate) async fn label(&self, carrier_id: &str, packages: &[(&str, i64)]) -> Shipment {
        let request = RecordLabelsRequest {
            fulfillment_order_id: self.fulfillment_order(ORDER).await.fulfillment_order_id,
            shipment_reference: "S-1".to_owned(),
            carrier_id: carrier_id.to_owned(),
            packages: packages.iter().map(|(number, quantity)| package(number, *quantity)).collect(),
            ..Default::default()
        };
        self.partners().record_labels(request).await.unwrap().into_inner()
    }

    /// Reports a milestone some seconds after the start.
    pub(crate) async fn report_milestone(
        &self,
        number: &str,
        code: MilestoneCode,
        seconds: i64,
        carrier_id: &str,
        reporter_id: &str,
    ) -> RecordMilestoneResponse {
        let milestone = Milestone {
            tracking_number: number.to_owned(),
            code: code.into(),
            raw_code: "X".to_owned(),
            occur_time: Some(after(seconds)),
            estimated_delivery_time: (code == MilestoneCode::Estimated).then(|| after(seconds + 1_000)),
            ..Milestone::default()
        };
        let request = RecordMilestoneRequest {
            milestone: Some(milestone),
            carrier_id: carrier_id.to_owned(),
            reporter_id: reporter_id.to_owned(),
            ..Default::default()
        };
        self.partners().record_milestone(request).await.unwrap().into_inner()
    }

    pub(crate) async fn ship(&self, request: RecordShipmentRequest) -> Shipment {
        self.partners().record_shipment(request).await.unwrap().into_inner()
    }

    /// How many events of a type were emitted.
    pub(crate) async fn count(&self, event_type: EventType) -> usize {
        self.events().await.of(event_type).len()
    }

    /// Types of the emitted events, without those of nodes.
    pub(crate) async fn event_types(&self) -> Vec<EventType> {
        let types = self.events().await.types().into_iter();
        types.filter(|event_type| !matches!(event_type, EventType::NodeCreated | EventType::NodeUpdated)).collect()
    }
}

/// A world in which 6 units of the order are at `nod_a`, which has 10.
pub(crate) async fn routed(options: Options) -> World {
    routed_units(options, 6).await
}

/// A world in which units of the order are at `nod_a`, which has 10.
pub(crate) async fn routed_units(options: Options, quantity: i64) -> World {
    let world = World::open(options).await;
    world.node("nod_a", 0).await;
    world.inventory.stock("A", "nod_a", 10);
    world.release(ORDER, 1, &[(1, "A", quantity)]);
    world.drain().await;
    world
}

/// Units of line 1 that are picked and short.
pub(crate) fn pick(order: &FulfillmentOrder, picked: i64, short: i64) -> RecordPickRequest {
    RecordPickRequest {
        request_id: String::new(),
        fulfillment_order_id: order.fulfillment_order_id.clone(),
        picked: vec![units(1, picked)],
        short: vec![units(1, short)],
        occur_time: None,
    }
}

/// A node that ships ambient goods to Germany.
pub(crate) fn node(id: &str, rank: i32) -> CreateNodeRequest {
    CreateNodeRequest {
        request_id: String::new(),
        node_id: id.to_owned(),
        name: format!("Warehouse {id}"),
        partner_id: format!("par_{}", id.trim_start_matches("nod_")),
        country: "DE".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        handling_classes: vec![HandlingClass::Ambient.into()],
        service_areas: vec![ServiceArea { countries: vec!["DE".to_owned()], rank }],
        accept_within: None,
        handling_time: None,
        ..Default::default()
    }
}
