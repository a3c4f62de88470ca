//! Answering reads.

use mesh::{
    Principal,
    wire::{Checks, MAX_CHOICES},
};
use proto::fulfillment::v1::{
    self, ExecutionState, FulfillmentOrder, GetFulfillmentOrderRequest, GetNodeRequest, GetShipmentRequest,
    ListFulfillmentOrdersRequest, ListFulfillmentOrdersResponse, ListMilestonesRequest, ListMilestonesResponse,
    ListNodesRequest, ListNodesResponse, ListRoutingDecisionsRequest, ListRoutingDecisionsResponse,
    ListShipmentsRequest, ListShipmentsResponse, RequestState, ShipmentState,
};
use store::{Column as _, Kind, page::Page};
use types::{Fault, FulfillmentOrderId, NodeId, OrderId, ShipmentId};

use super::{Api, node::unread};
use crate::{
    node::Node,
    shipment::Shipment,
    store::{self as reads, ShipmentFilter, WorkFilter},
    wire,
};

impl Api {
    pub(super) async fn node(&self, _: &Principal, request: &GetNodeRequest) -> Result<v1::Node, Fault> {
        let id: NodeId = id("node_id", &request.node_id)?;
        let node = self.db.load::<Node>(&id).await?;
        node.map(|node| wire::node(&node)).ok_or_else(|| Fault::not_found("node", id))
    }

    pub(super) async fn nodes(&self, _: &Principal, request: &ListNodesRequest) -> Result<ListNodesResponse, Fault> {
        let page = Page::read("nodes", &[], &[Kind::Text], request.page_size, &request.page_token)?;
        let mut nodes = reads::nodes(&self.db, &page).await?;
        let next_page_token = page.next(&mut nodes, |node| vec![node.node_id.to_value()]);
        Ok(ListNodesResponse { nodes: nodes.iter().map(wire::node).collect(), next_page_token })
    }

    pub(super) async fn decisions(
        &self,
        _: &Principal,
        request: &ListRoutingDecisionsRequest,
    ) -> Result<ListRoutingDecisionsResponse, Fault> {
        let order_id: OrderId = id("order_id", &request.order_id)?;
        let decisions = reads::decisions(&self.db, &order_id).await?;
        let decisions = decisions.into_iter().map(|decision| decision.body.0).collect();
        Ok(ListRoutingDecisionsResponse { decisions })
    }

    pub(super) async fn work(
        &self,
        principal: &Principal,
        request: &GetFulfillmentOrderRequest,
    ) -> Result<FulfillmentOrder, Fault> {
        let id: FulfillmentOrderId = id("fulfillment_order_id", &request.fulfillment_order_id)?;
        let work = reads::work(&self.db, &id, principal).await?;
        work.map(|work| wire::fulfillment_order(&work)).ok_or_else(|| Fault::not_found("fulfillment order", id))
    }

    pub(super) async fn works(
        &self,
        principal: &Principal,
        request: &ListFulfillmentOrdersRequest,
    ) -> Result<ListFulfillmentOrdersResponse, Fault> {
        let mut checks = Checks::new();
        let executions = choices::<ExecutionState>("execution_states", &request.execution_states, &mut checks);
        let requests = choices::<RequestState>("request_states", &request.request_states, &mut checks);
        let filter = WorkFilter {
            partner_id: checks.optional_id("partner_id", &request.partner_id).flatten(),
            node_id: checks.optional_id("node_id", &request.node_id).flatten(),
            order_id: checks.optional_id("order_id", &request.order_id).flatten(),
            executions: executions
                .iter()
                .filter_map(|state| wire::named(state.as_str_name(), "EXECUTION_STATE_"))
                .collect(),
            requests: requests.iter().filter_map(|state| wire::named(state.as_str_name(), "REQUEST_STATE_")).collect(),
        };
        checks.done()?;
        let states = format!("{:?}/{:?}", filter.executions, filter.requests);
        let caller = principal.to_string();
        let marks = [request.partner_id.as_str(), &request.node_id, &request.order_id, &states, &caller];
        let page = Page::read("fulfillment_orders", &marks, &[Kind::Text], request.page_size, &request.page_token)?;
        let mut orders = reads::works(&self.db, &filter, principal, &page).await?;
        let next_page_token = page.next(&mut orders, |order| vec![order.fulfillment_order_id.to_value()]);
        let works = reads::with_lines(&self.db, orders).await?;
        let fulfillment_orders = works.iter().map(wire::fulfillment_order).collect();
        Ok(ListFulfillmentOrdersResponse { fulfillment_orders, next_page_token })
    }

    pub(super) async fn shipment(
        &self,
        principal: &Principal,
        request: &GetShipmentRequest,
    ) -> Result<v1::Shipment, Fault> {
        let shipment = self.own_shipment(principal, &request.shipment_id).await?;
        self.images(vec![shipment]).await?.pop().ok_or_else(unread)
    }

    pub(super) async fn shipments(
        &self,
        principal: &Principal,
        request: &ListShipmentsRequest,
    ) -> Result<ListShipmentsResponse, Fault> {
        let mut checks = Checks::new();
        let states = choices::<ShipmentState>("states", &request.states, &mut checks);
        let number = checks.optional_text("tracking_number", &request.tracking_number, 64);
        let filter = ShipmentFilter {
            order_id: checks.optional_id("order_id", &request.order_id).flatten(),
            carrier_id: checks.optional_id("carrier_id", &request.carrier_id).flatten(),
            states: states.iter().filter_map(|state| wire::named(state.as_str_name(), "SHIPMENT_STATE_")).collect(),
            tracking_number: number.unwrap_or_default(),
        };
        checks.done()?;
        let states = format!("{:?}", filter.states);
        let caller = principal.to_string();
        let marks = [request.order_id.as_str(), &request.carrier_id, &states, &request.tracking_number, &caller];
        let page = Page::read("shipments", &marks, reads::SHIPMENT_KEY, request.page_size, &request.page_token)?;
        let mut shipments = reads::shipments(&self.db, &filter, principal, &page).await?;
        let key = |shipment: &Shipment| vec![shipment.create_time.to_value(), shipment.shipment_id.to_value()];
        let next_page_token = page.next(&mut shipments, key);
        Ok(ListShipmentsResponse { shipments: self.images(shipments).await?, next_page_token })
    }

    pub(super) async fn milestones(
        &self,
        principal: &Principal,
        request: &ListMilestonesRequest,
    ) -> Result<ListMilestonesResponse, Fault> {
        let shipment = self.own_shipment(principal, &request.shipment_id).await?;
        let milestones = reads::milestones(&self.db, &shipment).await?;
        Ok(ListMilestonesResponse { milestones: milestones.iter().map(wire::milestone).collect() })
    }

    async fn own_shipment(&self, principal: &Principal, text: &str) -> Result<Shipment, Fault> {
        let id: ShipmentId = id("shipment_id", text)?;
        let shipment = reads::shipment(&self.db, &id, principal).await?;
        shipment.ok_or_else(|| Fault::not_found("shipment", id))
    }

    /// Shipments with their packages and what they have of their work.
    async fn images(&self, shipments: Vec<Shipment>) -> Result<Vec<v1::Shipment>, Fault> {
        let packages = reads::packages(&self.db, &shipments).await?;
        let works = reads::work_of(&self.db, &shipments).await?;
        let image = |shipment: &Shipment| {
            let own = packages.iter().filter(|package| package.shipment_id == shipment.shipment_id);
            let work = works.iter().find(|work| work.fulfillment_order_id == shipment.fulfillment_order_id);
            let (ship_to, customer_po) =
                work.map(|work| (work.ship_to.0.clone(), work.customer_po.as_str())).unwrap_or_default();
            wire::shipment(shipment, own, &ship_to, customer_po)
        };
        Ok(shipments.iter().map(image).collect())
    }
}

fn id<I: types::Id>(field: &str, text: &str) -> Result<I, Fault> {
    let mut checks = Checks::new();
    let id = checks.id(field, text);
    checks.done()?;
    id.ok_or_else(unread)
}

/// Values of an enum, each of which must be set.
fn choices<E: TryFrom<i32> + PartialEq + Default>(field: &str, numbers: &[i32], checks: &mut Checks) -> Vec<E> {
    checks.at_most(field, numbers.len(), MAX_CHOICES);
    let numbered = numbers.iter().enumerate().take(MAX_CHOICES);
    numbered.filter_map(|(at, number)| checks.choice(format!("{field}[{at}]"), *number)).collect()
}
