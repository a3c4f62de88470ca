//! Followers of other services' logs: which event starts or continues which process.

use proto::{
    events::{FulfillmentEvent, InventoryEvent, OrderEvent},
    inventory::v1::{ReservationsChanged, SnapshotReported, StockChanged},
};
use types::Fault;

use crate::{
    inventory::Inventory,
    process::{
        cancellation, faster_node, found_units,
        hold::{self, HoldChange},
        rejection,
        rerouting::{self, added},
        routing, ship_to_change, short_pick,
    },
};

/// Follows the order service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OrderFollower;

store::reactions! {
    OrderFollower, "fulfillment.order", OrderEvent, |_follower, event| {
        OrderReleased(payload) => routing::accept_release(payload),
        OrderReleaseSuperseded(payload) => faster_node::supersede(payload),
        OrderCancelRequested(payload) => cancellation::cancel_order(payload),
        OrderShipToChangeRequested(payload) => ship_to_change::change_ship_to(event, payload),
        OrderHoldPlaced(payload) => hold::hold_changed(payload, HoldChange::Placed),
        OrderHoldReleased(payload) => hold::hold_changed(payload, HoldChange::Released),
        ignored: AccountCreated, AccountUpdated, AccountPricesChanged, AccountReceivablesRecorded, ShipToCreated,
            ShipToUpdated, PriceListCreated, PriceListUpdated, OrderSubmitted, OrderConfirmed, OrderRejected, OrderBackordered,
            OrderLineCancelled, OrderCancelled, OrderCancelLost, OrderPromiseSet, OrderPromiseChanged, OrderInvoiceReady,
            OrderCreditProposed, OrderCreditRefused, OrderInvoiced, OrderCreditPosted, OrderClosed, OrderChangeProposed,
            OrderChangeConfirmed, OrderChangeEnded, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows the inventory service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InventoryFollower;

store::reactions! {
    InventoryFollower, "fulfillment.inventory", InventoryEvent, |_follower, event| {
        InventoryReceived | InventoryRestocked | InventoryAdjusted (StockChanged { movement, .. }) => {
            rerouting::stock_changed(event, added(movement))
        },
        InventorySnapshotReported(SnapshotReported { movements, .. }) => {
            rerouting::stock_changed(event, added(movements))
        },
        InventoryDeallocated(ReservationsChanged { allocations, .. }) => {
            rerouting::stock_changed(event, allocations.into_iter().map(|allocation| allocation.sku))
        },
        LocationReachChanged(_) => rerouting::nodes_changed(),
        ignored: ItemCreated, ItemUpdated, LocationCreated, InventoryReserved, InventoryReservationReleased,
            InventoryReservationExpired, InventoryAllocated, InventoryConsumed, InventoryShortfallDetected,
            InventoryReceiptScheduled, InventoryBackorderDated, InventoryBackorderUpdated, BackorderRulesUpdated,
            InventoryDriftDetected, InventoryReplacementReserved, ExceptionOpened, ExceptionResolved,
    }
}

/// Follows the service's own log.
#[derive(Debug, Clone)]
pub(crate) struct FulfillmentFollower {
    pub(crate) inventory: Inventory,
}

store::reactions! {
    FulfillmentFollower, "fulfillment.fulfillment", FulfillmentEvent, |follower, event| {
        FulfillmentRejected | FulfillmentTimedOut (payload) => {
            rejection::deallocate_withdrawn(&follower.inventory, event, payload).await
        },
        FulfillmentShortPicked(payload) => short_pick::deallocate_short(&follower.inventory, event, payload).await,
        FulfillmentPickRetracted(payload) => found_units::allocate_found(&follower.inventory, event, payload).await,
        FulfillmentCancelled(payload) => cancellation::deallocate_cancelled(&follower.inventory, event, payload).await,
        NodeCreated | NodeUpdated (_) => rerouting::nodes_changed(),
        ignored: FulfillmentRouted, FulfillmentRoutingFailed, FulfillmentUnfulfillable, FulfillmentRequested,
            FulfillmentAccepted, FulfillmentCompleted, FulfillmentIncomplete, FulfillmentCancellationRequested,
            FulfillmentCancellationRejected, FulfillmentPicked, ShipmentLabelled, ShipmentShipped, ShipmentOverShipped,
            ShipmentMilestoneRecorded, ShipmentUnmatchedMilestoneRecorded, ShipmentPartiallyDelivered,
            ShipmentDelivered, ShipmentPodCaptured, ShipmentDepartureRetracted, ShipmentDeliveryRetracted,
            ShipmentReportRetracted, ShipmentVoided, ShipmentReturnedToSender, ShipmentRecovered,
            ShipmentWrittenOff, FulfillmentHoldPlaced, FulfillmentHoldReleased,
            FulfillmentShipToChangeRequested, FulfillmentShipToChangeAccepted, FulfillmentShipToChangeRejected,
            FulfillmentShipToChangeSettled, ExceptionOpened, ExceptionResolved,
    }
}

/// An id in a payload.
pub(crate) fn id<I: types::Id>(text: &str) -> Result<I, Fault> {
    text.parse().map_err(|error: types::IdError| Fault::internal(format!("{text:?} in an event: {error}")))
}
