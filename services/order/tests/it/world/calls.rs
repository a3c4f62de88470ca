//! Calls of the service, and events of the services that it follows.

use proto::{
    events::{FulfillmentEvent, InventoryEvent, OperationsEvent},
    fulfillment::v1 as fulfillment,
    inventory::v1::{Reservation, ReservationsChanged},
    operations::v1::OrderExceptionsChanged,
    order::v1 as contract,
};
use tonic::{Response, Status};

use super::{World, quantities};

impl World {
    pub(crate) async fn create_account(&self, request: contract::CreateAccountRequest) -> contract::Account {
        self.orders.clone().create_account(request).await.unwrap().into_inner()
    }

    /// Places an order, and lets stock be reserved for it.
    pub(crate) async fn place(&self, request: contract::PlaceOrderRequest) -> contract::Order {
        let placed = self.try_place(request).await.unwrap();
        self.drain().await;
        self.get(&placed.order_id).await
    }

    pub(crate) async fn try_place(&self, request: contract::PlaceOrderRequest) -> Result<contract::Order, Status> {
        self.orders.clone().place_order(request).await.map(Response::into_inner)
    }

    pub(crate) async fn get(&self, order_id: &str) -> contract::Order {
        let request = contract::GetOrderRequest { order_id: order_id.to_owned() };
        self.orders.clone().get_order(request).await.unwrap().into_inner()
    }

    /// Cancels units of lines; all that is open of a line when there are none.
    pub(crate) async fn cancel_units(&self, order_id: &str, units: &[(i32, i64)]) -> Result<contract::Order, Status> {
        let line = |&(line_number, quantity): &(i32, i64)| contract::LineCancellation { line_number, quantity };
        let request = contract::CancelOrderRequest {
            order_id: order_id.to_owned(),
            reason: "too many".to_owned(),
            lines: units.iter().map(line).collect(),
            ..Default::default()
        };
        self.orders.clone().cancel_order(request).await.map(Response::into_inner)
    }

    pub(crate) async fn cancel(&self, order_id: &str) -> Result<contract::Order, Status> {
        let request = contract::CancelOrderRequest {
            order_id: order_id.to_owned(),
            reason: "changed their mind".to_owned(),
            ..Default::default()
        };
        self.orders.clone().cancel_order(request).await.map(Response::into_inner)
    }

    /// Inventory emits a new version of a reservation; returns the order after it.
    pub(crate) async fn stock_came(
        &self,
        order_id: &str,
        line_number: i32,
        version: i64,
        backordered: i64,
    ) -> contract::Order {
        let reservation = Reservation {
            order_id: order_id.to_owned(),
            line_number,
            version,
            requested: self.inventory.requested(order_id, line_number),
            backordered,
            ..Default::default()
        };
        let changed = ReservationsChanged {
            order_id: order_id.to_owned(),
            reservations: vec![reservation],
            ..Default::default()
        };
        self.inventory_log.emit(order_id, &InventoryEvent::InventoryReserved(changed));
        self.drain().await;
        self.get(order_id).await
    }

    /// Fulfillment emits that units were shipped; returns the order after it.
    pub(crate) async fn ships(&self, order: &contract::Order, shipment: &str, units: &[(i32, i64)]) -> contract::Order {
        self.emit_shipped(order, shipment, units, false).await
    }

    /// The same of units whose cancellation had been requested from the node.
    pub(crate) async fn ships_despite_cancellation(
        &self,
        order: &contract::Order,
        shipment: &str,
        units: &[(i32, i64)],
    ) -> contract::Order {
        self.emit_shipped(order, shipment, units, true).await
    }

    async fn emit_shipped(
        &self,
        order: &contract::Order,
        id: &str,
        units: &[(i32, i64)],
        lost: bool,
    ) -> contract::Order {
        let shipped = fulfillment::ShipmentShipped {
            shipment: Some(shipment(order, id)),
            lines: quantities(units),
            cancellation_lost: lost,
            ..Default::default()
        };
        self.fulfillment_emits(order, &FulfillmentEvent::ShipmentShipped(shipped)).await
    }

    /// Fulfillment emits that units were delivered; returns the order after it.
    pub(crate) async fn delivers(&self, order: &contract::Order, id: &str, units: &[(i32, i64)]) -> contract::Order {
        let delivered = fulfillment::ShipmentDelivered {
            shipment: Some(shipment(order, id)),
            lines: quantities(units),
            deliver_time: None,
        };
        self.fulfillment_emits(order, &FulfillmentEvent::ShipmentDelivered(delivered)).await
    }

    /// Operations emits how many exceptions of the order are open; returns the order after it.
    pub(crate) async fn has_open_exceptions(&self, order: &contract::Order, open_exceptions: i32) -> contract::Order {
        let changed = OrderExceptionsChanged { order_id: order.order_id.clone(), open_exceptions };
        self.operations_log.emit(&order.order_id, &OperationsEvent::ExceptionOrderChanged(changed));
        self.drain().await;
        self.get(&order.order_id).await
    }

    /// Fulfillment emits another event about the order; returns the order after it.
    pub(crate) async fn fulfillment_emits(&self, order: &contract::Order, event: &FulfillmentEvent) -> contract::Order {
        self.fulfillment_log.emit(&order.order_id, event);
        self.drain().await;
        self.get(&order.order_id).await
    }
}

fn shipment(order: &contract::Order, shipment_id: &str) -> fulfillment::Shipment {
    fulfillment::Shipment {
        shipment_id: shipment_id.to_owned(),
        order_id: order.order_id.clone(),
        ..Default::default()
    }
}
