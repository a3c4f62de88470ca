//! New events of items, of stock and of shipments.

use mesh::wire::timestamp;
use proto::{
    event::v1::ExceptionType,
    events::InventoryEvent,
    inventory::v1::{DriftDetected, ItemChanged, ReceiptScheduled, SnapshotReported, StockChanged, StockConsumed},
};
use store::{Context, Exception, NewEvent};
use types::{AccountId, NodeId, OrderId};

use crate::{
    item::Item,
    movement::{Movement, MovementKind},
    scheduled_receipt::ScheduledReceipt,
    stock::{Level, Location, lookup_key},
    wire,
};

/// Emits that an item was created or updated; returns it as the contract has it.
pub(crate) fn emit_item(
    event: fn(ItemChanged) -> InventoryEvent,
    item: &Item,
    cx: &mut Context<'_>,
) -> proto::inventory::v1::Item {
    let changed = wire::item(item);
    let payload = event(ItemChanged { item: Some(changed.clone()) });
    cx.emit(NewEvent::new(payload, &item.sku, item.version, item.version));
    changed
}

/// Emits that units on hand were received, corrected or restocked. Counts are in one event for all items, and the other
/// movements are in the events of reservations and shipments.
pub(crate) fn emit_stock_change(
    movement: &Movement,
    level: Option<&Level>,
    version: i64,
    order_id: Option<&OrderId>,
    cx: &mut Context<'_>,
) {
    let event = match movement.kind {
        MovementKind::Received => InventoryEvent::InventoryReceived,
        MovementKind::Adjusted => InventoryEvent::InventoryAdjusted,
        MovementKind::Restocked => InventoryEvent::InventoryRestocked,
        MovementKind::Counted
        | MovementKind::Reserved
        | MovementKind::Released
        | MovementKind::Allocated
        | MovementKind::Deallocated
        | MovementKind::Shipped => return,
    };
    let payload = StockChanged { movement: Some(wire::movement(movement)), level: level.map(wire::level) };
    let event = NewEvent::new(event(payload), &movement.sku, version, movement.movement_number);
    let event = event.occurred(movement.occur_time, 0);
    let event = match order_id {
        Some(order_id) => event.order(order_id),
        None => event,
    };
    cx.emit(event.account(movement.account_id.as_ref()));
}

/// Emits what is to come in.
pub(crate) fn emit_receipt(receipt: &ScheduledReceipt, cx: &mut Context<'_>) {
    let ScheduledReceipt { sku, location_id, receipt_number, version, .. } = receipt;
    let payload = ReceiptScheduled { receipt: Some(wire::receipt(receipt, cx.now())) };
    let payload = InventoryEvent::InventoryReceiptScheduled(payload);
    let subject = format!("{}@{receipt_number}", lookup_key(sku, location_id));
    cx.emit(NewEvent::new(payload, subject, *version, version));
}

/// Emits what a count of a location changed.
pub(crate) fn emit_snapshot(location: &Location, movements: &[Movement], cx: &mut Context<'_>) {
    let Location { location_id, count_time, version, .. } = location;
    let counted = movements.iter().filter(|movement| movement.kind == MovementKind::Counted);
    let payload = InventoryEvent::InventorySnapshotReported(SnapshotReported {
        location_id: location_id.to_string(),
        movements: counted.map(wire::movement).collect(),
        count_time: count_time.map(timestamp),
    });
    let event = NewEvent::new(payload, location_id, *version, version);
    cx.emit(event.occurred(count_time.unwrap_or_else(|| cx.now()), 0));
}

/// A shipment, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfShipment<'a> {
    pub(crate) order_id: &'a OrderId,
    pub(crate) shipment_id: &'a str,
    /// None when it is not known.
    pub(crate) account_id: Option<&'a AccountId>,
}

impl OfShipment<'_> {
    fn emit(self, event: NewEvent, cx: &mut Context<'_>) {
        cx.emit(event.order(self.order_id).account(self.account_id));
    }
}

/// Emits which units a shipment consumed.
pub(crate) fn emit_consumed(of: OfShipment<'_>, movements: &[Movement], cx: &mut Context<'_>) {
    let shipped: Vec<&Movement> = movements.iter().filter(|movement| movement.kind == MovementKind::Shipped).collect();
    let Some(first) = shipped.first() else { return };
    let payload = InventoryEvent::InventoryConsumed(StockConsumed {
        order_id: of.order_id.to_string(),
        shipment_id: of.shipment_id.to_owned(),
        movements: shipped.iter().map(|movement| wire::movement(movement)).collect(),
    });
    let key = format!("{}:{}", first.sku, first.movement_number);
    of.emit(NewEvent::new(payload, of.shipment_id, 1, key).occurred(first.occur_time, 0), cx);
}

/// Emits that a shipment took units that were not on hand, and opens an exception.
pub(crate) fn emit_drift(sku: &str, location_id: &NodeId, quantity: i64, of: OfShipment<'_>, cx: &mut Context<'_>) {
    let shipment_id = of.shipment_id;
    let payload = InventoryEvent::InventoryDriftDetected(DriftDetected {
        sku: sku.to_owned(),
        location_id: location_id.to_string(),
        quantity,
        shipment_id: shipment_id.to_owned(),
    });
    let key = format!("{shipment_id}:{location_id}:{}", cx.now().as_micros());
    of.emit(NewEvent::new(payload, sku, 1, &key), cx);
    let exception = Exception::new(ExceptionType::StockDrift, shipment_id, format!("{sku}:{key}"))
        .order(of.order_id)
        .account(of.account_id);
    exception.open(
        cx,
        format!("shipment {shipment_id} took {quantity} units of {sku} that {location_id} did not have"),
        [("sku", sku.to_owned()), ("location_id", location_id.to_string()), ("quantity", quantity.to_string())],
    );
}
