//! Followers of logs: which event is turned into which command.

use std::time::Duration;

use mesh::Channel;
use proto::{
    events::{FulfillmentEvent, InventoryEvent, OperationsEvent, OrderEvent, ReturnsEvent},
    fulfillment::v1::{FulfillmentOrder, Shipment, WriteOffRemedy},
    inventory::v1::inventory_service_client::InventoryServiceClient,
};
use types::Fault;

use crate::{
    item::StoreItems,
    node::CopyNode,
    process::{cancellation::release_reservation, confirmation::reserve, returned_units::RecordReturn},
    record::record,
    record_exceptions::RecordExceptions,
    report::{OrderReport, read_id, read_reservations, read_units},
};

/// Follows this service's own log: it reserves stock for submitted orders and releases that of cancelled units.
pub(crate) struct OrderFollower {
    /// The inventory service.
    pub(crate) inventory: InventoryServiceClient<Channel>,
    /// How long reserved units wait for their release.
    pub(crate) expire_after: Duration,
}

store::reactions! {
    OrderFollower, "order.order", OrderEvent, |follower, event| {
        OrderSubmitted(submitted) =>
            reserve(follower.inventory.clone(), follower.expire_after, &event.event_id, submitted).await,
        OrderLineCancelled(cancelled) =>
            release_reservation(follower.inventory.clone(), &event.event_id, cancelled).await.map(|()| Vec::new()),
        ignored: AccountCreated, AccountUpdated, OrderConfirmed, OrderRejected, OrderBackordered, OrderReleased,
            OrderReleaseSuperseded, OrderHoldPlaced, OrderHoldReleased, OrderCancelRequested, OrderCancelled, OrderCancelLost,
            OrderInvoiceReady, OrderCreditProposed, OrderCreditRefused, OrderClosed, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows inventory: items are copied, reservations recorded.
pub(crate) struct InventoryFollower;

store::reactions! {
    InventoryFollower, "order.inventory", InventoryEvent, |_follower, event| {
        ItemCreated | ItemUpdated(changed) => Ok(vec![Box::new(StoreItems(changed.item.into_iter().collect()))]),
        InventoryReserved | InventoryReservationReleased(changed) =>
            record(&changed.order_id, OrderReport::Reserved(read_reservations(&changed.reservations))),
        InventoryReservationExpired(changed) =>
            record(&changed.order_id, OrderReport::Expired(read_reservations(&changed.reservations))),
        InventoryReplacementReserved(replaced) => {
            let reservations = read_reservations(&replaced.reservations);
            let (units, shipment_id) = (read_units(&replaced.lines)?, read_id(&replaced.shipment_id)?);
            record(&replaced.order_id, OrderReport::Replaced { shipment_id, units, reservations })
        },
        ignored: LocationCreated, LocationReachChanged, InventoryReceived, InventoryAdjusted, InventoryRestocked, InventorySnapshotReported,
            InventoryAllocated, InventoryDeallocated, InventoryConsumed, InventoryShortfallDetected,
            InventoryDriftDetected, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows fulfillment: what nodes and carriers did with the units.
pub(crate) struct FulfillmentFollower;

store::reactions! {
    FulfillmentFollower, "order.fulfillment", FulfillmentEvent, |_follower, event| {
        NodeCreated | NodeUpdated(changed) => Ok(vec![Box::new(CopyNode::read(changed.node)?)]),
        FulfillmentPicked(picked) => {
            let order_id = order_id(picked.fulfillment_order, &event.correlation_id);
            record(&order_id, OrderReport::Picked(read_units(&picked.lines)?))
        },
        FulfillmentShortPicked(short) => {
            let order_id = order_id(short.fulfillment_order, &event.correlation_id);
            record(&order_id, OrderReport::Short(read_units(&short.lines)?))
        },
        FulfillmentPickRetracted(retracted) => {
            let order_id = order_id(retracted.fulfillment_order, &event.correlation_id);
            let mut reports = record(&order_id, OrderReport::PickRetracted(read_units(&retracted.lines)?))?;
            if !retracted.found.is_empty() {
                reports.extend(record(&order_id, OrderReport::Found(read_units(&retracted.found)?))?);
            }
            Ok(reports)
        },
        ShipmentWrittenOff(written_off) => match written_off.remedy() {
            // The units are replaced once inventory has reserved others.
            WriteOffRemedy::Replace => Ok(Vec::new()),
            WriteOffRemedy::Cancel | WriteOffRemedy::Unspecified => {
                let (units, shipment) = (read_units(&written_off.lines)?, shipment(written_off.shipment)?);
                let shipment_id = read_id(&shipment.shipment_id)?;
                record(&shipment.order_id, OrderReport::WrittenOff { shipment_id, units })
            }
        },
        FulfillmentUnfulfillable(units) => {
            let reservations = read_reservations(&units.reservations);
            record(&units.order_id, OrderReport::Unfulfillable(read_units(&units.lines)?, reservations))
        },
        FulfillmentCancelled(cancelled) => {
            let order_id = order_id(cancelled.fulfillment_order, &event.correlation_id);
            record(&order_id, OrderReport::Cancelled(read_units(&cancelled.lines)?))
        },
        ShipmentShipped(shipped) => {
            let (units, beyond) = (read_units(&shipped.lines)?, read_units(&shipped.over_shipped)?);
            let (shipment, cancellation_lost) = (shipment(shipped.shipment)?, shipped.cancellation_lost);
            let shipment_id = read_id(&shipment.shipment_id)?;
            record(&shipment.order_id, OrderReport::Shipped { shipment_id, units, beyond, cancellation_lost })
        },
        ShipmentPartiallyDelivered | ShipmentDelivered(delivered) => {
            let (units, shipment) = (read_units(&delivered.lines)?, shipment(delivered.shipment)?);
            let shipment_id = read_id(&shipment.shipment_id)?;
            record(&shipment.order_id, OrderReport::Delivered { shipment_id, units })
        },
        ShipmentDepartureRetracted(shipped) => {
            let (mut units, shipment) = (read_units(&shipped.lines)?, shipment(shipped.shipment)?);
            // Units that no node has are taken back once inventory has reserved them again.
            for free in read_units(&shipped.free)? {
                units.iter_mut().filter(|unit| unit.line_number == free.line_number).for_each(|unit| unit.quantity -= free.quantity);
            }
            units.retain(|unit| unit.quantity > 0);
            let shipment_id = read_id(&shipment.shipment_id)?;
            record(&shipment.order_id, OrderReport::DepartureRetracted { shipment_id, units })
        },
        ShipmentDeliveryRetracted(delivered) => {
            let (units, shipment) = (read_units(&delivered.lines)?, shipment(delivered.shipment)?);
            let shipment_id = read_id(&shipment.shipment_id)?;
            record(&shipment.order_id, OrderReport::DeliveryRetracted { shipment_id, units })
        },
        ignored: FulfillmentRouted, FulfillmentRoutingFailed, FulfillmentRequested,
            FulfillmentAccepted, FulfillmentRejected, FulfillmentTimedOut, FulfillmentCompleted,
            FulfillmentIncomplete, FulfillmentCancellationRequested, FulfillmentCancellationRejected, FulfillmentHoldPlaced, FulfillmentHoldReleased,
            ShipmentLabelled, ShipmentOverShipped, ShipmentMilestoneRecorded, ShipmentUnmatchedMilestoneRecorded,
            ShipmentPodCaptured, ShipmentReportRetracted, ShipmentVoided, ShipmentReturnedToSender, ShipmentRecovered, ExceptionOpened, ExceptionResolved,
    }
}

/// The order of a fulfillment order. Units that were cancelled before a node was found have none, only the correlation id.
fn order_id(fulfillment_order: Option<FulfillmentOrder>, correlation_id: &str) -> String {
    let named = fulfillment_order.map(|fulfillment_order| fulfillment_order.order_id);
    named.filter(|order_id| !order_id.is_empty()).unwrap_or_else(|| correlation_id.to_owned())
}

fn shipment(shipment: Option<Shipment>) -> Result<Shipment, Fault> {
    shipment.ok_or_else(|| Fault::internal("an event without its shipment"))
}

/// Follows returns: units that may come back, and units that came back.
pub(crate) struct ReturnsFollower;

store::reactions! {
    ReturnsFollower, "order.returns", ReturnsEvent, |_follower, event| {
        ReturnAuthorized | ReturnInspected | ReturnCancelled | ReturnClosed(changed) =>
            Ok(vec![Box::new(RecordReturn::read(changed.r#return)?)]),
        ReturnReceived | ReturnOverReceived | ReturnReceiptRetracted(received) => Ok(vec![Box::new(RecordReturn::read(received.r#return)?)]),
        ignored: ReturnCreditProposed, ReturnDisposed, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows operations: whether exceptions of an order are open.
pub(crate) struct OperationsFollower;

store::reactions! {
    OperationsFollower, "order.operations", OperationsEvent, |_follower, _event| {
        ExceptionOrderChanged(changed) => Ok(vec![Box::new(RecordExceptions {
            order_id: read_id(&changed.order_id)?,
            open_exceptions: changed.open_exceptions.into(),
        })]),
        ignored: ExceptionRetried, ExceptionAssigned, ExceptionClosed, ExceptionDismissed, ExceptionOpened, ExceptionResolved,
    }
}
