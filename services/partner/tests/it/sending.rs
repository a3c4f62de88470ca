//! Messages sent to partners.

use std::time::Duration;

use axum::http::StatusCode;
use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{FulfillmentCancelled, FulfillmentOrderChanged},
    partner::v1::{
        MessageState, PartnerKind, PartnerMessage, PartnerState, ReplayMessageRequest, UpdatePartnerRequest,
    },
};
use testkit::{each, reason, time::pass};
use tonic::{Response, Status};
use types::Reason;

use crate::{
    warehouse::{Warehouse, WarehouseBehavior},
    world::{ANSWER_WITHIN, World, fulfillment_order},
};

/// Type of the message that requests a fulfillment order.
const REQUESTED: &str = EventType::FulfillmentRequested.as_str();

/// After the first pauses.
pub(crate) const LATER: Duration = Duration::from_secs(10);

/// A fulfillment order was requested of a warehouse with this behavior.
pub(crate) fn given_order(behavior: WarehouseBehavior) -> impl AsyncFn(store::Options) -> (World, Warehouse) {
    async move |options| {
        let (world, warehouse) = (World::open(options).await, Warehouse::open(behavior).await);
        world.partner("par_a", PartnerKind::Warehouse, &warehouse.endpoint).await;
        let silent = matches!(behavior, WarehouseBehavior::ReceivesSilently | WarehouseBehavior::LosesSilently);
        let time_passes = async {
            if silent {
                warehouse.asked().await;
                pass(ANSWER_WITHIN).await;
            }
        };
        tokio::join!(changed(&world, FulfillmentEvent::FulfillmentRequested), time_passes);
        (world, warehouse)
    }
}

/// Fulfillment emits an event about the fulfillment order.
pub(crate) async fn changed(world: &World, event: fn(FulfillmentOrderChanged) -> FulfillmentEvent) {
    world.follow(event(order_changed())).await;
}

fn order_changed() -> FulfillmentOrderChanged {
    FulfillmentOrderChanged { fulfillment_order: Some(fulfillment_order("1", "par_a")), lines: Vec::new() }
}

async fn becomes(world: &World, state: PartnerState) {
    let request = UpdatePartnerRequest {
        partner_id: "par_a".to_owned(),
        state: Some(state.into()),
        ..UpdatePartnerRequest::default()
    };
    world.client().update_partner(request).await.unwrap();
}

/// The warehouse receives the request, and the service stops before it records that.
pub(crate) async fn interrupted(options: store::Options) -> (World, Warehouse) {
    let (world, warehouse) = (World::open(options).await, Warehouse::open(WarehouseBehavior::ReceivesSilently).await);
    world.partner("par_a", PartnerKind::Warehouse, &warehouse.endpoint).await;
    world.emit(&FulfillmentEvent::FulfillmentRequested(order_changed()));
    tokio::select! {
        _ = world.try_drain() => panic!("nobody answered"),
        () = warehouse.asked() => {}
    }
    warehouse.set_behavior(WarehouseBehavior::Receives);
    assert_eq!(only(&world).await.state(), MessageState::Pending);
    (world, warehouse)
}

/// Replays a message.
pub(crate) async fn replay(world: &World, message: &PartnerMessage) -> Result<PartnerMessage, Status> {
    let request = ReplayMessageRequest { message_id: message.message_id.clone(), ..Default::default() };
    world.client().replay_message(request).await.map(Response::into_inner)
}

/// The only message there is.
pub(crate) async fn only(world: &World) -> PartnerMessage {
    let mut messages = world.messages().await;
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

#[tokio::test]
async fn a_timed_out_create_makes_no_second_order_because_the_partner_is_asked_first() {
    each(given_order(WarehouseBehavior::ReceivesSilently), async |(world, warehouse)| {
        assert_eq!(only(&world).await.state(), MessageState::InDoubt);
        assert_eq!(warehouse.orders(), ["ful_1:1"]);
        assert_eq!(world.count(EventType::PartnerMessageInDoubt).await, 1);
        world.after(LATER).await;
        let message = only(&world).await;
        assert_eq!((message.state(), message.attempts), (MessageState::Sent, 2));
        assert_eq!(warehouse.calls(), ["create", "find"]);
        assert_eq!(warehouse.orders(), ["ful_1:1"]);
        assert_eq!(world.count(EventType::PartnerMessageSent).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_timed_out_create_that_never_arrived_is_sent_again() {
    each(given_order(WarehouseBehavior::LosesSilently), async |(world, warehouse)| {
        assert_eq!(only(&world).await.state(), MessageState::InDoubt);
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.after(LATER).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert_eq!(warehouse.calls(), ["create", "find", "create"]);
        assert_eq!(warehouse.orders(), ["ful_1:1"]);
    })
    .await;
}

#[tokio::test]
async fn a_crash_while_a_request_is_sent_makes_no_second_order() {
    each(interrupted, async |(world, warehouse)| {
        world.after(Duration::from_secs(120)).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert_eq!(warehouse.calls(), ["create", "find"]);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_failed_in_doubt_makes_no_second_order_when_it_is_replayed() {
    each(given_order(WarehouseBehavior::ReceivesSilently), async |(world, warehouse)| {
        warehouse.set_behavior(WarehouseBehavior::Answers(StatusCode::SERVICE_UNAVAILABLE));
        for _ in 1..20 {
            assert_eq!(only(&world).await.state(), MessageState::InDoubt);
            world.after(Duration::from_secs(300)).await;
        }
        let failed = only(&world).await;
        assert_eq!((failed.state(), failed.attempts), (MessageState::Failed, 20));
        assert_eq!(replay(&world, &failed).await.unwrap().state(), MessageState::InDoubt);
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.after(Duration::ZERO).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert_eq!(warehouse.orders(), ["ful_1:1"]);
    })
    .await;
}

#[tokio::test]
async fn a_crash_while_a_request_is_sent_to_a_partner_suspended_then_makes_no_second_order() {
    each(interrupted, async |(world, warehouse)| {
        becomes(&world, PartnerState::Suspended).await;
        world.after(Duration::from_secs(120)).await;
        assert_eq!(only(&world).await.state(), MessageState::InDoubt);
        assert_eq!(world.count(EventType::PartnerMessageInDoubt).await, 1);
        becomes(&world, PartnerState::Live).await;
        world.after(Duration::from_secs(300)).await;
        let message = only(&world).await;
        assert_eq!((message.state(), message.attempts), (MessageState::Sent, 1));
        assert_eq!(warehouse.calls(), ["create", "find"]);
    })
    .await;
}

#[tokio::test]
async fn a_fulfillment_order_is_sent_as_the_document_of_the_public_api() {
    each(given_order(WarehouseBehavior::Receives), async |(world, warehouse)| {
        let message = only(&world).await;
        assert_eq!((message.state(), message.r#type.as_str()), (MessageState::Sent, REQUESTED));
        assert_eq!((message.control_number.as_str(), message.order_id.as_str()), ("ful_1:1", "ord_1"));
        assert_eq!(warehouse.orders(), ["ful_1:1"]);
        world.after(LATER).await;
        assert_eq!(warehouse.calls(), ["create"]);
    })
    .await;
}

#[tokio::test]
async fn a_request_the_partner_has_already_counts_as_sent() {
    each(given_order(WarehouseBehavior::Answers(StatusCode::CONFLICT)), async |(world, _)| {
        assert_eq!(only(&world).await.state(), MessageState::Sent);
    })
    .await;
}

#[tokio::test]
async fn a_server_error_leaves_a_request_in_doubt_and_too_many_requests_does_not() {
    each(given_order(WarehouseBehavior::Answers(StatusCode::TOO_MANY_REQUESTS)), async |(world, warehouse)| {
        assert_eq!(only(&world).await.state(), MessageState::Pending);
        warehouse.set_behavior(WarehouseBehavior::Answers(StatusCode::BAD_GATEWAY));
        world.after(LATER).await;
        assert_eq!(only(&world).await.state(), MessageState::InDoubt);
        assert_eq!(warehouse.calls(), ["create", "create"]);
    })
    .await;
}

#[tokio::test]
async fn a_refusal_by_the_partner_opens_an_exception_and_the_message_can_be_replayed() {
    each(given_order(WarehouseBehavior::Answers(StatusCode::UNPROCESSABLE_ENTITY)), async |(world, warehouse)| {
        let failed = only(&world).await;
        assert_eq!(failed.state(), MessageState::Failed);
        assert_eq!(failed.outcome, "the partner answered 422 Unprocessable Entity");
        assert_eq!(world.events().await.opened_exceptions(), ["MESSAGE_FAILED"]);
        warehouse.set_behavior(WarehouseBehavior::Receives);
        assert_eq!(replay(&world, &failed).await.unwrap().state(), MessageState::Pending);
        world.after(Duration::ZERO).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert_eq!(warehouse.calls(), ["create", "create"]);
        assert_eq!(world.count(EventType::PartnerMessageReplayed).await, 1);
    })
    .await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    each(given_order(WarehouseBehavior::Answers(StatusCode::SEE_OTHER)), async |(world, warehouse)| {
        assert_eq!(only(&world).await.state(), MessageState::Failed);
        assert!(!warehouse.redirected());
    })
    .await;
}

#[tokio::test]
async fn a_partner_that_cannot_be_reached_is_tried_twenty_times() {
    each(World::open, async |world| {
        // Nothing listens on the discard port.
        world.partner("par_a", PartnerKind::Warehouse, "http://127.0.0.1:9").await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        for attempts in 1..20 {
            let message = only(&world).await;
            assert_eq!((message.state(), message.attempts), (MessageState::Pending, attempts));
            world.after(Duration::from_secs(300)).await;
        }
        let message = only(&world).await;
        assert_eq!((message.state(), message.attempts), (MessageState::Failed, 20));
        assert_eq!(world.events().await.opened_exceptions(), ["MESSAGE_FAILED"]);
    })
    .await;
}

#[tokio::test]
async fn a_request_to_a_partner_without_endpoint_waits_to_be_fetched_until_it_is_answered() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        world.after(LATER).await;
        assert_eq!(only(&world).await.state(), MessageState::Pending);
        changed(&world, FulfillmentEvent::FulfillmentAccepted).await;
        assert_eq!(only(&world).await.state(), MessageState::Acknowledged);
        changed(&world, FulfillmentEvent::FulfillmentCancellationRequested).await;
        changed(&world, FulfillmentEvent::FulfillmentCancellationRejected).await;
        let states: Vec<_> = world.messages().await.iter().map(PartnerMessage::state).collect();
        assert_eq!(states, [MessageState::Acknowledged, MessageState::Acknowledged]);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_sent_to_a_suspended_partner_until_it_is_live_again() {
    each(World::open, async |world| {
        let warehouse = Warehouse::open(WarehouseBehavior::Receives).await;
        world.partner("par_a", PartnerKind::Warehouse, &warehouse.endpoint).await;
        becomes(&world, PartnerState::Suspended).await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        world.after(Duration::from_secs(300)).await;
        assert_eq!((only(&world).await.attempts, warehouse.calls().len()), (0, 0));
        becomes(&world, PartnerState::Live).await;
        world.after(Duration::from_secs(300)).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
    })
    .await;
}

#[tokio::test]
async fn a_partner_is_asked_to_stop_a_fulfillment_order_it_accepted() {
    each(given_order(WarehouseBehavior::Receives), async |(world, warehouse)| {
        changed(&world, FulfillmentEvent::FulfillmentAccepted).await;
        changed(&world, FulfillmentEvent::FulfillmentCancellationRequested).await;
        assert_eq!(warehouse.stopped(), ["ful_1:1"]);
        let states: Vec<_> = world.messages().await.iter().map(PartnerMessage::state).collect();
        assert_eq!(states, [MessageState::Acknowledged, MessageState::Sent]);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_withdrawn_while_in_doubt_is_not_sent_again_but_stopped() {
    each(given_order(WarehouseBehavior::LosesSilently), async |(world, warehouse)| {
        let order = Some(fulfillment_order("1", "par_a"));
        let cancelled = FulfillmentCancelled { fulfillment_order: order, ..Default::default() };
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.follow(FulfillmentEvent::FulfillmentCancelled(cancelled)).await;
        world.after(LATER).await;
        assert_eq!(warehouse.calls(), ["create", "cancel"]);
        assert!(warehouse.orders().is_empty());
        let messages = world.messages().await;
        let states: Vec<_> = messages.iter().map(|message| (message.r#type.as_str(), message.state())).collect();
        assert_eq!(states, [(REQUESTED, MessageState::Failed), ("fulfillment.withdrawn", MessageState::Sent)]);
        assert!(world.open_exceptions().await.is_empty());

        assert_eq!(reason(replay(&world, &messages[0]).await), Reason::ActionNotSupported);
    })
    .await;
}
