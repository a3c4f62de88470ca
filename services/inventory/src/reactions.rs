//! Followers of other services' logs: which event is turned into which command.

use mesh::wire::{from_timestamp, one_id};
use proto::{
    event::v1::Event,
    events::{FulfillmentEvent, OrderEvent, ReturnsEvent},
};
use store::AnyCommand;
use types::Timestamp;

use crate::{
    consume::Consume, process::restock::Restock, record_open_holds::RecordOpenHolds, replace_consumed::ReplaceConsumed,
    restore_consumed::RestoreConsumed,
};

/// Follows orders: their holds keep reservations from expiring.
#[derive(Debug)]
pub(crate) struct OrderFollower;

/// Follows fulfillment: shipments consume units, and restore those that did not leave after all; units that are written
/// off are reserved again.
#[derive(Debug)]
pub(crate) struct FulfillmentFollower;

/// Follows returns: units that can be sold again are restocked.
#[derive(Debug)]
pub(crate) struct ReturnsFollower;

store::reactions! {
    OrderFollower, "inventory.order", OrderEvent, |_follower, _event| {
        OrderHoldPlaced | OrderHoldReleased(changed) => Ok(vec![Box::new(RecordOpenHolds {
            order_id: one_id("order_id", &changed.order_id)?,
            open_holds: changed.open_holds.into(),
        })]),
        ignored: AccountCreated, AccountUpdated, OrderSubmitted, OrderConfirmed, OrderRejected, OrderBackordered,
            OrderReleased, OrderLineCancelled, OrderCancelRequested, OrderCancelled, OrderCancelLost,
            OrderInvoiceReady, OrderCreditProposed, OrderClosed, ExceptionOpened, ExceptionResolved,
    }
}

store::reactions! {
    FulfillmentFollower, "inventory.fulfillment", FulfillmentEvent, |_follower, event| {
        ShipmentShipped(shipped) => Ok(optional(Consume::of(shipped, occur_time(event))?)),
        ShipmentDepartureRetracted(stayed) => Ok(optional(RestoreConsumed::of(stayed, occur_time(event))?)),
        ShipmentWrittenOff(written_off) => Ok(optional(ReplaceConsumed::of(written_off)?)),
        ignored: NodeCreated, NodeUpdated, FulfillmentRouted, FulfillmentRoutingFailed, FulfillmentUnfulfillable,
            FulfillmentRequested, FulfillmentAccepted, FulfillmentRejected, FulfillmentTimedOut, FulfillmentCompleted,
            FulfillmentIncomplete, FulfillmentCancellationRequested, FulfillmentCancellationRejected,
            FulfillmentPicked, FulfillmentShortPicked, FulfillmentCancelled, ShipmentLabelled, ShipmentOverShipped,
            ShipmentMilestoneRecorded, ShipmentUnmatchedMilestoneRecorded, ShipmentPartiallyDelivered,
            ShipmentDelivered, ShipmentPodCaptured, ShipmentDeliveryRetracted,
            ShipmentReportRetracted, ShipmentVoided, ShipmentReturnedToSender, ShipmentRecovered,
            FulfillmentPickRetracted, ExceptionOpened, ExceptionResolved,
    }
}

store::reactions! {
    ReturnsFollower, "inventory.returns", ReturnsEvent, |_follower, event| {
        ReturnDisposed(disposed) => Ok(optional(Restock::of(disposed, occur_time(event))?)),
        ignored: ReturnAuthorized, ReturnCancelled, ReturnInspected, ReturnCreditProposed, ReturnClosed,
            ReturnReceived, ReturnOverReceived, ReturnReceiptRetracted, ExceptionOpened, ExceptionResolved,
    }
}

fn optional(command: Option<impl AnyCommand + 'static>) -> Vec<Box<dyn AnyCommand>> {
    command.into_iter().map(|command| Box::new(command) as Box<dyn AnyCommand>).collect()
}

fn occur_time(event: &Event) -> Option<Timestamp> {
    event.occur_time.as_ref().and_then(from_timestamp)
}
