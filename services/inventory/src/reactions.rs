//! Followers of other services' logs: which event is turned into which command.

use mesh::wire::{from_timestamp, one_id};
use proto::{
    event::v1::Event,
    events::{FulfillmentEvent, OrderEvent, ReturnsEvent},
    fulfillment::v1::Node,
};
use store::{AnyCommand, Db};
use types::{Fault, Timestamp};

use crate::{
    consume::Consume,
    process::restock::Restock,
    reach::{FillBackorders, RecordNode},
    record_open_holds::RecordOpenHolds,
    replace_consumed::ReplaceConsumed,
    restore_consumed::RestoreConsumed,
    store as reads,
};

/// Follows orders: their holds keep reservations from expiring.
#[derive(Debug)]
pub(crate) struct OrderFollower;

/// Follows fulfillment: shipments consume units, and restore those that did not leave after all; units that are written
/// off are reserved again; nodes decide where units can be sent.
#[derive(Debug)]
pub(crate) struct FulfillmentFollower {
    pub(crate) db: Db,
}

/// Follows returns: units that can be sold again are restocked.
#[derive(Debug)]
pub(crate) struct ReturnsFollower;

store::reactions! {
    OrderFollower, "inventory.order", OrderEvent, |_follower, _event| {
        OrderHoldPlaced | OrderHoldReleased(changed) => Ok(vec![Box::new(RecordOpenHolds {
            order_id: one_id("order_id", &changed.order_id)?,
            open_holds: changed.open_holds.into(),
        })]),
        ignored: AccountCreated, AccountUpdated, AccountPricesChanged, AccountReceivablesRecorded, ShipToCreated,
            ShipToUpdated, PriceListCreated, PriceListUpdated, OrderSubmitted, OrderConfirmed, OrderRejected, OrderBackordered,
            OrderReleased, OrderReleaseSuperseded, OrderShipToChangeRequested, OrderLineCancelled, OrderCancelRequested, OrderCancelled, OrderCancelLost,
            OrderPromiseSet, OrderPromiseChanged, OrderInvoiceReady, OrderCreditProposed, OrderCreditRefused, OrderInvoiced, OrderCreditPosted, OrderClosed, OrderChangeProposed, OrderChangeConfirmed, OrderChangeEnded,
            ExceptionOpened, ExceptionResolved,
    }
}

store::reactions! {
    FulfillmentFollower, "inventory.fulfillment", FulfillmentEvent, |follower, event| {
        NodeCreated | NodeUpdated(changed) => follower.node_changed(&changed.node.unwrap_or_default()).await,
        ShipmentShipped(shipped) => Ok(optional(Consume::of(shipped, occur_time(event))?)),
        ShipmentDepartureRetracted(stayed) => Ok(optional(RestoreConsumed::of(stayed, &event.event_id, occur_time(event))?)),
        ShipmentWrittenOff(written_off) => Ok(vec![Box::new(ReplaceConsumed::of(written_off)?)]),
        ignored: FulfillmentRouted, FulfillmentRoutingFailed, FulfillmentUnfulfillable,
            FulfillmentRequested, FulfillmentAccepted, FulfillmentRejected, FulfillmentTimedOut, FulfillmentCompleted,
            FulfillmentIncomplete, FulfillmentCancellationRequested, FulfillmentCancellationRejected, FulfillmentHoldPlaced, FulfillmentHoldReleased,
            FulfillmentShipToChangeRequested, FulfillmentShipToChangeAccepted, FulfillmentShipToChangeRejected,
            FulfillmentShipToChangeSettled,
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

impl FulfillmentFollower {
    /// The node is recorded, and then fills the backorders that its units can reach.
    async fn node_changed(&self, node: &Node) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
        let node = RecordNode::read(node)?;
        let skus = reads::waited_for_at(&self.db, node.location_id()).await?;
        let mut commands: Vec<Box<dyn AnyCommand>> = vec![Box::new(node)];
        commands.extend(skus.into_iter().map(|sku| Box::new(FillBackorders { sku }) as Box<dyn AnyCommand>));
        Ok(commands)
    }
}

fn optional(command: Option<impl AnyCommand + 'static>) -> Vec<Box<dyn AnyCommand>> {
    command.into_iter().map(|command| Box::new(command) as Box<dyn AnyCommand>).collect()
}

fn occur_time(event: &Event) -> Option<Timestamp> {
    event.occur_time.as_ref().and_then(from_timestamp)
}
