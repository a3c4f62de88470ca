//! Followers of logs: which event is turned into which command.

use proto::events::{FulfillmentEvent, OrderEvent};

use crate::{
    copy::{CopyAddedLines, CopyNode, CopyOrder, CountDelivery},
    process::return_to_sender::{CancelReturnToSender, ExpectReturnToSender},
    record_credit::{credit_proposed, credit_refused},
};

/// Follows orders.
pub(crate) struct OrderFollower;

store::reactions! {
    OrderFollower, "returns.order", OrderEvent, |_follower, event| {
        OrderSubmitted(submitted) => Ok(vec![Box::new(CopyOrder::read(submitted)?)]),
        OrderChangeConfirmed(confirmed) => Ok(vec![Box::new(CopyAddedLines::read(confirmed)?)]),
        OrderCreditProposed(proposed) => credit_proposed(proposed),
        OrderCreditRefused(refused) => credit_refused(refused),
        ignored: AccountCreated, AccountUpdated, AccountPricesChanged, AccountReceivablesRecorded, ShipToCreated,
            ShipToUpdated, PriceListCreated, PriceListUpdated, OrderConfirmed, OrderRejected, OrderBackordered, OrderReleased,
            OrderReleaseSuperseded, OrderShipToChangeRequested, OrderHoldPlaced, OrderHoldReleased, OrderLineCancelled, OrderCancelRequested, OrderCancelled,
            OrderCancelLost, OrderPromiseSet, OrderPromiseChanged, OrderInvoiceReady, OrderInvoiced, OrderCreditPosted, OrderClosed, OrderChangeProposed, OrderChangeEnded,
            ExceptionOpened, ExceptionResolved,
    }
}

/// Follows nodes and deliveries.
pub(crate) struct FulfillmentFollower;

store::reactions! {
    FulfillmentFollower, "returns.fulfillment", FulfillmentEvent, |_follower, event| {
        NodeCreated(created) => Ok(vec![Box::new(CopyNode::read(created)?)]),
        ShipmentPartiallyDelivered | ShipmentDelivered(delivered) =>
            Ok(vec![Box::new(CountDelivery::read(delivered, 1)?)]),
        ShipmentReturnedToSender(undelivered) => Ok(vec![Box::new(ExpectReturnToSender::read(undelivered)?)]),
        ShipmentRecovered(undelivered) => Ok(vec![Box::new(CancelReturnToSender::read(&undelivered)?)]),
        ShipmentDeliveryRetracted(delivered) => Ok(vec![Box::new(CountDelivery::read(delivered, -1)?)]),
        ignored: NodeUpdated, FulfillmentRouted, FulfillmentRoutingFailed, FulfillmentUnfulfillable,
            FulfillmentRequested, FulfillmentAccepted, FulfillmentRejected, FulfillmentTimedOut, FulfillmentCompleted,
            FulfillmentIncomplete, FulfillmentCancellationRequested, FulfillmentCancellationRejected, FulfillmentHoldPlaced, FulfillmentHoldReleased,
            FulfillmentShipToChangeRequested, FulfillmentShipToChangeAccepted, FulfillmentShipToChangeRejected,
            FulfillmentShipToChangeSettled,
            FulfillmentPicked, FulfillmentShortPicked, FulfillmentCancelled, ShipmentLabelled, ShipmentShipped,
            ShipmentOverShipped, ShipmentMilestoneRecorded, ShipmentUnmatchedMilestoneRecorded, ShipmentPodCaptured,
            ShipmentDepartureRetracted, ShipmentReportRetracted, ShipmentVoided, ShipmentWrittenOff,
            FulfillmentPickRetracted,
            ExceptionOpened, ExceptionResolved,
    }
}
