//! Answers list calls.

use mesh::{
    CallInfo,
    wire::{Checks, one_id},
};
use prost::Message as _;
use proto::fulfillment::v1::{
    FulfillmentOrder, ListFulfillmentOrdersRequest, ListFulfillmentOrdersResponse, ListNodesRequest, ListNodesResponse,
    ListRoutingDecisionsRequest, ListRoutingDecisionsResponse, ListShipmentsRequest, ListShipmentsResponse,
    PackageProblem,
};
use store::{Column as _, Kind, page::Page};
use types::{Fault, OrderId, limits::MAX_OUTSIDE_NUMBER};

use super::Rpc;
use crate::{
    fulfillment_order::{ExecutionState, FulfillmentOrderHeader, RequestState},
    problem::Problem,
    shipment::{Shipment, ShipmentState},
    store::{self as reads, FulfillmentOrderFilter, ShipmentFilter},
    wire,
};

impl Rpc {
    pub(super) async fn list_nodes(&self, _: &CallInfo, request: ListNodesRequest) -> Result<ListNodesResponse, Fault> {
        let page = Page::read("nodes", &[], &[Kind::Text], request.page_size, &request.page_token)?;
        let (nodes, next_page_token) = reads::nodes(&self.db, &page).await?;
        Ok(ListNodesResponse { nodes: nodes.iter().map(wire::node).collect(), next_page_token })
    }

    pub(super) async fn list_routing_decisions(
        &self,
        call: &CallInfo,
        request: ListRoutingDecisionsRequest,
    ) -> Result<ListRoutingDecisionsResponse, Fault> {
        let order_id: OrderId = one_id("order_id", &request.order_id)?;
        let marks = [request.order_id.as_str(), &call.principal.to_string()];
        let page = Page::read("routing decisions", &marks, &[Kind::Text], request.page_size, &request.page_token)?;
        let (decisions, next_page_token) =
            reads::routing_decisions(&self.db, &order_id, &call.principal, &page).await?;
        let decisions = decisions.into_iter().map(|decision| decision.body.0).collect();
        Ok(ListRoutingDecisionsResponse { decisions, next_page_token })
    }

    pub(super) async fn list_fulfillment_orders(
        &self,
        call: &CallInfo,
        request: ListFulfillmentOrdersRequest,
    ) -> Result<ListFulfillmentOrdersResponse, Fault> {
        let mut checks = Checks::new();
        let execution_states =
            checks.choices("execution_states", &request.execution_states, ExecutionState::from_contract);
        let request_states = checks.choices("request_states", &request.request_states, RequestState::from_contract);
        let filter = FulfillmentOrderFilter {
            partner_id: checks.optional_id("partner_id", &request.partner_id).flatten(),
            node_id: checks.optional_id("node_id", &request.node_id).flatten(),
            order_id: checks.optional_id("order_id", &request.order_id).flatten(),
            execution_states: execution_states.unwrap_or_default(),
            request_states: request_states.unwrap_or_default(),
            ship_to_group: request.ship_to_group,
        };
        check_group(request.ship_to_group, &request.order_id, &mut checks);
        checks.done()?;
        let FulfillmentOrderFilter { execution_states, request_states, ship_to_group, .. } = &filter;
        let states = format!("{execution_states:?}/{request_states:?}/{ship_to_group}");
        let caller = call.principal.to_string();
        let marks = [request.partner_id.as_str(), &request.node_id, &request.order_id, &states, &caller];
        let page = Page::read("fulfillment_orders", &marks, &[Kind::Text], request.page_size, &request.page_token)?;
        let mut headers = reads::fulfillment_orders(&self.db, &filter, &call.principal, &page).await?;
        let key = |header: &FulfillmentOrderHeader| vec![header.fulfillment_order_id.to_value()];
        let next_page_token = page.next_within(&mut headers, FulfillmentOrderHeader::full_bytes, key);
        let orders = reads::with_lines(&self.db, headers).await?;
        let mut fulfillment_orders: Vec<_> = orders.iter().map(wire::fulfillment_order).collect();
        let key = |order: &FulfillmentOrder| vec![order.fulfillment_order_id.clone().to_value()];
        let next_page_token = page.cut(&mut fulfillment_orders, next_page_token, FulfillmentOrder::encoded_len, key);
        Ok(ListFulfillmentOrdersResponse { fulfillment_orders, next_page_token })
    }

    pub(super) async fn list_shipments(
        &self,
        call: &CallInfo,
        request: ListShipmentsRequest,
    ) -> Result<ListShipmentsResponse, Fault> {
        let mut checks = Checks::new();
        let states = checks.choices("states", &request.states, ShipmentState::from_contract);
        let tracking_number = checks.optional_text("tracking_number", &request.tracking_number, MAX_OUTSIDE_NUMBER);
        let problem = checks.optional_choice::<PackageProblem>("problem", request.problem);
        let filter = ShipmentFilter {
            order_id: checks.optional_id("order_id", &request.order_id).flatten(),
            carrier_id: checks.optional_id("carrier_id", &request.carrier_id).flatten(),
            states: states.unwrap_or_default(),
            tracking_number: tracking_number.unwrap_or_default(),
            problem: problem.and_then(Problem::from_contract),
            ship_to_group: request.ship_to_group,
        };
        check_group(request.ship_to_group, &request.order_id, &mut checks);
        checks.done()?;
        let states = format!("{:?}/{:?}/{}", filter.states, filter.problem, filter.ship_to_group);
        let caller = call.principal.to_string();
        let marks = [request.order_id.as_str(), &request.carrier_id, &states, &request.tracking_number, &caller];
        let page = Page::read("shipments", &marks, reads::SHIPMENT_KEY, request.page_size, &request.page_token)?;
        let mut shipments = reads::shipments(&self.db, &filter, &call.principal, &page).await?;
        let key = |shipment: &Shipment| vec![shipment.create_time.to_value(), shipment.shipment_id.to_value()];
        let next_page_token = page.next_within(&mut shipments, Shipment::full_bytes, key);
        let snapshots = self.snapshots(shipments.clone()).await?;
        let mut listed: Vec<_> = shipments.into_iter().zip(snapshots).collect();
        let next_page_token =
            page.cut(&mut listed, next_page_token, |(_, shown)| shown.encoded_len(), |(shipment, _)| key(shipment));
        Ok(ListShipmentsResponse { shipments: listed.into_iter().map(|(_, shown)| shown).collect(), next_page_token })
    }
}

/// Numbers of ship-to groups are those of an order.
fn check_group(ship_to_group: i32, order_id: &str, checks: &mut Checks) {
    if ship_to_group < 0 {
        checks.wrong("ship_to_group", "must be at least 0");
    }
    if ship_to_group > 0 && order_id.is_empty() {
        checks.wrong("order_id", "is required with ship_to_group");
    }
}
