//! Short ways to ask the service.

use proto::{
    fulfillment::v1::{
        AcceptFulfillmentOrderRequest, CreateNodeRequest, FulfillmentOrder, ListFulfillmentOrdersRequest,
        ListRoutingDecisionsRequest, RecordShipmentRequest, RejectFulfillmentOrderRequest, RoutingDecision,
        ServiceArea, Shipment,
    },
    types::v1::HandlingClass,
};

use super::World;

impl World {
    /// Creates a node that ships ambient goods to Germany.
    pub(crate) async fn node(&self, id: &str, rank: i32) {
        self.create(node(id, rank)).await;
    }

    pub(crate) async fn create(&self, request: CreateNodeRequest) {
        self.api().create_node(request).await.unwrap();
    }

    /// The fulfillment orders of an order, oldest first.
    pub(crate) async fn orders(&self, order: &str) -> Vec<FulfillmentOrder> {
        let request = ListFulfillmentOrdersRequest { order_id: order.to_owned(), ..Default::default() };
        self.api().list_fulfillment_orders(request).await.unwrap().into_inner().fulfillment_orders
    }

    /// The one fulfillment order of an order.
    pub(crate) async fn order(&self, order: &str) -> FulfillmentOrder {
        let mut orders = self.orders(order).await;
        assert_eq!(orders.len(), 1, "{orders:?}");
        orders.remove(0)
    }

    /// Nodes with their units of a line, of fulfillment orders that are not over.
    pub(crate) async fn open_units(&self, order: &str, line: i32) -> Vec<(String, i64)> {
        let mut open: Vec<_> = self
            .orders(order)
            .await
            .into_iter()
            .filter_map(|work| {
                let line = work.lines.iter().find(|one| one.line_number == line)?;
                let units = line.quantity - line.shipped - line.short - line.cancelled;
                (units > 0).then_some((work.node_id, units))
            })
            .collect();
        open.sort();
        open
    }

    pub(crate) async fn decisions(&self, order: &str) -> Vec<RoutingDecision> {
        let request = ListRoutingDecisionsRequest { order_id: order.to_owned() };
        self.api().list_routing_decisions(request).await.unwrap().into_inner().decisions
    }

    pub(crate) async fn accept(&self, work: &FulfillmentOrder) -> FulfillmentOrder {
        let request = AcceptFulfillmentOrderRequest {
            fulfillment_order_id: work.fulfillment_order_id.clone(),
            ..Default::default()
        };
        self.partners().accept_fulfillment_order(request).await.unwrap().into_inner()
    }

    pub(crate) async fn reject(&self, work: &FulfillmentOrder) -> FulfillmentOrder {
        let request = RejectFulfillmentOrderRequest {
            fulfillment_order_id: work.fulfillment_order_id.clone(),
            reason: "full".to_owned(),
            ..Default::default()
        };
        self.partners().reject_fulfillment_order(request).await.unwrap().into_inner()
    }

    pub(crate) async fn ship(&self, request: RecordShipmentRequest) -> Shipment {
        self.partners().record_shipment(request).await.unwrap().into_inner()
    }

    /// Types of the emitted events, without those of nodes.
    pub(crate) async fn event_types(&self) -> Vec<String> {
        let types = self.events().await.types().into_iter();
        types.filter(|event_type| !event_type.starts_with("node.")).collect()
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
    }
}
