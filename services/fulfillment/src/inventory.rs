//! Calls to the inventory service.

use std::collections::{BTreeMap, BTreeSet};

use mesh::{Channel, fault};
use proto::{
    event::v1::Event,
    fulfillment::v1::FulfillmentOrder,
    inventory::v1::{
        AllocateRequest, AllocationRequest, BatchGetItemsRequest, DeallocateRequest, DeallocationPolicy,
        GetAvailabilityRequest, ItemQuantity, ReceiveStockRequest, ReleaseRequest, Reservation,
        inventory_service_client::InventoryServiceClient,
    },
    types::v1::LineQuantity,
};
use types::{Fault, NodeId, limits::MAX_LINES};

use crate::{keys, node::HandlingClass, routing::Stock, routing_decision::RoutingDecision};

/// The inventory service. Calls that change something are repeatable: their keys come from what causes them.
#[derive(Debug, Clone)]
pub(crate) struct Inventory(InventoryServiceClient<Channel>);

impl Inventory {
    /// The service behind a channel.
    pub(crate) fn new(channel: Channel) -> Self {
        Self(InventoryServiceClient::new(channel))
    }

    /// Units of items at nodes that are available for a country.
    pub(crate) async fn stock(&self, skus: BTreeSet<String>, country: &str) -> Result<Stock, Fault> {
        let skus: Vec<String> = skus.into_iter().collect();
        let mut stock = Stock::new();
        for skus in skus.chunks(MAX_LINES) {
            let request = GetAvailabilityRequest { skus: skus.to_vec(), ship_to_country: country.to_owned() };
            let reply = self.0.clone().get_availability(request).await.map_err(|status| fault(&status))?;
            for level in reply.into_inner().availability.into_iter().flat_map(|item| item.levels) {
                if let Ok(node_id) = level.location_id.parse::<NodeId>() {
                    stock.insert((level.sku, node_id), level.available);
                }
            }
        }
        Ok(stock)
    }

    /// How items must be stored, as far as they are known.
    pub(crate) async fn handling_classes(
        &self,
        skus: BTreeSet<String>,
    ) -> Result<BTreeMap<String, HandlingClass>, Fault> {
        let request = BatchGetItemsRequest { skus: skus.into_iter().collect() };
        let reply = self.0.clone().batch_get_items(request).await.map_err(|status| fault(&status))?;
        let items = reply.into_inner().items.into_iter();
        let class = |item: proto::inventory::v1::Item| {
            let class = HandlingClass::from_contract(item.handling_class())?;
            Some((item.sku, class))
        };
        Ok(items.filter_map(class).collect())
    }

    /// Allocates what a decision plans, as far as there is stock.
    pub(crate) async fn allocate(&self, decision: &RoutingDecision) -> Result<Vec<AllocationRequest>, Fault> {
        let request = AllocateRequest {
            allocation_key: decision.allocation_key.clone(),
            order_id: decision.order_id.to_string(),
            allocations: decision.allocations(),
        };
        let reply = self.0.clone().allocate(request).await.map_err(|status| fault(&status))?;
        Ok(reply.into_inner().allocations)
    }

    /// Deallocates units from the node of a fulfillment order because of an event; returns the order's reservations.
    pub(crate) async fn deallocate(
        &self,
        request_id: String,
        event: &Event,
        fulfillment_order: &FulfillmentOrder,
        lines: &[LineQuantity],
        policy: DeallocationPolicy,
    ) -> Result<Vec<Reservation>, Fault> {
        let request = DeallocateRequest {
            request_id,
            order_id: fulfillment_order.order_id.clone(),
            allocations: at_node(fulfillment_order, lines),
            policy: policy.into(),
            occur_time: event.occur_time,
        };
        let reply = self.0.clone().deallocate(request).await.map_err(|status| fault(&status))?;
        Ok(reply.into_inner().reservations)
    }

    /// Puts units on hand again that the node of a fulfillment order found after all, and allocates them there, because of an
    /// event.
    pub(crate) async fn put_back(
        &self,
        key: &str,
        event: &Event,
        fulfillment_order: &FulfillmentOrder,
        items: &BTreeMap<&str, i64>,
        lines: &[LineQuantity],
    ) -> Result<(), Fault> {
        let item = |(sku, quantity): (&&str, &i64)| ItemQuantity { sku: (*sku).to_owned(), quantity: *quantity };
        let request = ReceiveStockRequest {
            request_id: key.to_owned(),
            location_id: fulfillment_order.node_id.clone(),
            items: items.iter().map(item).collect(),
            reference: fulfillment_order.fulfillment_order_id.clone(),
            occur_time: event.occur_time,
        };
        self.0.clone().receive_stock(request).await.map_err(|status| fault(&status))?;
        let request = AllocateRequest {
            allocation_key: key.to_owned(),
            order_id: fulfillment_order.order_id.clone(),
            allocations: at_node(fulfillment_order, lines),
        };
        self.0.clone().allocate(request).await.map(|_| ()).map_err(|status| fault(&status))
    }

    /// Releases units that are reserved for an order and have no node, because of an event.
    pub(crate) async fn release(&self, event: &Event, order_id: &str, lines: Vec<LineQuantity>) -> Result<(), Fault> {
        let request_id = keys::reservation_release(&event.event_id);
        let request = ReleaseRequest { request_id, order_id: order_id.to_owned(), lines };
        self.0.clone().release(request).await.map(|_| ()).map_err(|status| fault(&status))
    }
}

/// Units at the node of a fulfillment order.
fn at_node(fulfillment_order: &FulfillmentOrder, lines: &[LineQuantity]) -> Vec<AllocationRequest> {
    let allocation = |unit: &LineQuantity| AllocationRequest {
        line_number: unit.line_number,
        location_id: fulfillment_order.node_id.clone(),
        quantity: unit.quantity,
    };
    lines.iter().map(allocation).collect()
}
