//! Follower of fulfillment's log: which event is turned into which command.

use proto::{
    events::FulfillmentEvent,
    fulfillment::v1::{FulfillmentOrder, NodeChanged},
};
use store::AnyCommand;
use types::Fault;

use crate::{
    message::{CANCELLATION_REQUESTED, FULFILLMENT_REQUESTED, SHIP_TO_CHANGE_REQUESTED},
    node::CopyNode,
    process::outbound_message::{RequestChange, UpdateFulfillmentRequest},
};

/// Follows fulfillment.
pub(crate) struct FulfillmentFollower;

type Commands = Result<Vec<Box<dyn AnyCommand>>, Fault>;

store::reactions! {
    FulfillmentFollower, "partner.fulfillment", FulfillmentEvent, |_follower, _event| {
        NodeCreated | NodeUpdated (payload) => copy_node(payload),
        FulfillmentRequested(payload) => update(payload.fulfillment_order, RequestChange::Requested),
        FulfillmentAccepted(payload) => answered(payload.fulfillment_order, FULFILLMENT_REQUESTED, "the partner accepted it"),
        FulfillmentRejected(payload) => answered(payload.fulfillment_order, FULFILLMENT_REQUESTED, "the partner rejected it"),
        FulfillmentTimedOut(payload) => update(payload.fulfillment_order, RequestChange::Withdrawn),
        FulfillmentCancelled(payload) => {
            // Units that were never assigned to a node have no partner.
            if payload.fulfillment_order.as_ref().is_some_and(|order| order.partner_id.is_empty()) {
                return Ok(Vec::new());
            }
            update(payload.fulfillment_order, RequestChange::Withdrawn)
        },
        FulfillmentCancellationRequested(payload) => asked(payload.fulfillment_order, CANCELLATION_REQUESTED),
        FulfillmentShipToChangeRequested(payload) => asked(payload.fulfillment_order, SHIP_TO_CHANGE_REQUESTED),
        FulfillmentShipToChangeAccepted(payload) => {
            answered(payload.fulfillment_order, SHIP_TO_CHANGE_REQUESTED, "the partner ships to the new address")
        },
        FulfillmentShipToChangeRejected(payload) => {
            answered(payload.fulfillment_order, SHIP_TO_CHANGE_REQUESTED, "the address stays as it is")
        },
        FulfillmentHoldPlaced | FulfillmentHoldReleased(payload) => {
            update(payload.fulfillment_order, RequestChange::HoldsChanged)
        },
        FulfillmentCancellationRejected(payload) => {
            answered(payload.fulfillment_order, CANCELLATION_REQUESTED, "the partner could not stop it")
        },
        ignored: FulfillmentRouted, FulfillmentRoutingFailed, FulfillmentUnfulfillable, FulfillmentCompleted,
            FulfillmentIncomplete, FulfillmentPicked, FulfillmentShortPicked, ShipmentLabelled, ShipmentShipped,
            ShipmentOverShipped, ShipmentMilestoneRecorded, ShipmentUnmatchedMilestoneRecorded,
            ShipmentPartiallyDelivered, ShipmentDelivered, ShipmentPodCaptured, ShipmentDepartureRetracted, ShipmentDeliveryRetracted,
            ShipmentReportRetracted, ShipmentVoided, ShipmentReturnedToSender, ShipmentRecovered,
            ShipmentWrittenOff, FulfillmentPickRetracted,
            FulfillmentShipToChangeSettled, ExceptionOpened, ExceptionResolved
    }
}

fn asked(order: Option<FulfillmentOrder>, message_type: &'static str) -> Commands {
    update(order, RequestChange::Asked { message_type })
}

fn answered(order: Option<FulfillmentOrder>, message_type: &'static str, outcome: &'static str) -> Commands {
    update(order, RequestChange::Answered { message_type, outcome })
}

fn update(order: Option<FulfillmentOrder>, change: RequestChange) -> Commands {
    Ok(vec![Box::new(UpdateFulfillmentRequest::parse(order, change)?)])
}

fn copy_node(payload: NodeChanged) -> Commands {
    let node = payload.node.ok_or_else(|| Fault::internal("an event without its node"))?;
    let unreadable = |error: types::IdError| Fault::internal(format!("an event with an unreadable id: {error}"));
    Ok(vec![Box::new(CopyNode {
        node_id: node.node_id.parse().map_err(unreadable)?,
        partner_id: node.partner_id.parse().map_err(unreadable)?,
    })])
}
