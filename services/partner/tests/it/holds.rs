//! A request under a hold is not sent, and is sent once when the last hold is released.

use std::time::Duration;

use axum::http::StatusCode;
use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{BlockingHold, FulfillmentCancelled, FulfillmentOrder, FulfillmentOrderChanged},
    order::v1::HoldReason,
    partner::v1::{MessageState, PartnerKind, PartnerMessage, UpdatePartnerRequest},
};
use testkit::each;

use crate::{
    sending::{LATER, changed, given_order, interrupted, only, replay},
    warehouse::{Warehouse, WarehouseBehavior},
    world::{World, fulfillment_order},
};

/// The fulfillment order while these holds block it.
fn under(holds: &[i32]) -> FulfillmentOrder {
    let hold = |hold_number: &i32| BlockingHold {
        hold_number: *hold_number,
        reason: HoldReason::Credit.into(),
        ..Default::default()
    };
    FulfillmentOrder { holds: holds.iter().map(hold).collect(), ..fulfillment_order("1", "par_a") }
}

async fn hold(world: &World, holds: &[i32]) {
    let changed = FulfillmentOrderChanged { fulfillment_order: Some(under(holds)), lines: Vec::new() };
    world.follow(FulfillmentEvent::FulfillmentHoldPlaced(changed)).await;
}

/// These holds remain.
async fn release(world: &World, remaining: &[i32]) {
    let changed = FulfillmentOrderChanged { fulfillment_order: Some(under(remaining)), lines: Vec::new() };
    world.follow(FulfillmentEvent::FulfillmentHoldReleased(changed)).await;
}

async fn states(world: &World) -> Vec<MessageState> {
    world.messages().await.iter().map(PartnerMessage::state).collect()
}

/// The warehouse could not take the request yet, so that it is tried again later.
fn delayed() -> impl AsyncFn(store::Options) -> (World, Warehouse) {
    given_order(WarehouseBehavior::Answers(StatusCode::TOO_MANY_REQUESTS))
}

#[tokio::test]
async fn a_request_that_was_not_sent_waits_for_the_last_hold() {
    each(delayed(), async |(world, warehouse)| {
        assert_eq!(states(&world).await, [MessageState::Pending]);
        hold(&world, &[1]).await;
        hold(&world, &[1, 2]).await;
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.after(Duration::from_secs(86_400)).await;
        assert_eq!((states(&world).await, warehouse.calls().len()), (vec![MessageState::Held], 1));
        assert_eq!(world.workers.look().await, Ok(0), "it waits for something that will come");
        release(&world, &[2]).await;
        assert_eq!(states(&world).await, [MessageState::Held]);
        for _ in 0..2 {
            release(&world, &[]).await;
        }
        assert_eq!((states(&world).await, warehouse.orders()), (vec![MessageState::Sent], vec!["ful_1:1".to_owned()]));
        // An attempt might have been under way when the hold came.
        assert_eq!(warehouse.calls(), ["create", "find", "create"]);
        assert_eq!(world.count(EventType::PartnerMessageSent).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_held_from_the_start_is_not_sent_before_the_end_of_the_hold() {
    each(World::open, async |world| {
        let warehouse = Warehouse::open(WarehouseBehavior::Receives).await;
        world.partner("par_a", PartnerKind::Warehouse, &warehouse.endpoint).await;
        let requested = FulfillmentOrderChanged { fulfillment_order: Some(under(&[1])), lines: Vec::new() };
        world.follow(FulfillmentEvent::FulfillmentRequested(requested)).await;
        world.after(Duration::from_secs(86_400)).await;
        assert_eq!((states(&world).await, warehouse.calls().len()), (vec![MessageState::Held], 0));
        assert_eq!(world.workers.look().await, Ok(0));
        for _ in 0..2 {
            release(&world, &[]).await;
        }
        // No attempt may have been under way.
        assert_eq!((states(&world).await, warehouse.calls()), (vec![MessageState::Sent], vec!["create"]));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_was_sent_before_the_hold_stays_sent() {
    each(given_order(WarehouseBehavior::Receives), async |(world, warehouse)| {
        hold(&world, &[1]).await;
        assert_eq!(states(&world).await, [MessageState::Sent]);
        release(&world, &[]).await;
        world.after(LATER).await;
        assert_eq!((states(&world).await, warehouse.calls()), (vec![MessageState::Sent], vec!["create"]));
    })
    .await;
}

#[tokio::test]
async fn a_request_in_doubt_is_not_sent_again_under_a_hold() {
    each(given_order(WarehouseBehavior::LosesSilently), async |(world, warehouse)| {
        assert_eq!(world.open_exceptions().await, ["MESSAGE_IN_DOUBT"]);
        hold(&world, &[1]).await;
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.after(Duration::from_secs(600)).await;
        assert_eq!((states(&world).await, warehouse.calls()), (vec![MessageState::Held], vec!["create"]));
        assert!(world.open_exceptions().await.is_empty(), "nobody has to do anything about it");
        release(&world, &[]).await;
        assert_eq!(warehouse.calls(), ["create", "find", "create"]);
        assert_eq!((states(&world).await, warehouse.orders().len()), (vec![MessageState::Sent], 1));
    })
    .await;
}

#[tokio::test]
async fn an_attempt_that_was_cut_short_before_the_hold_makes_no_second_order_after_it() {
    each(interrupted, async |(world, warehouse)| {
        hold(&world, &[1]).await;
        world.after(Duration::from_secs(600)).await;
        assert_eq!(states(&world).await, [MessageState::Held]);
        release(&world, &[]).await;
        assert_eq!(states(&world).await, [MessageState::Sent]);
        assert_eq!((warehouse.calls(), warehouse.orders().len()), (vec!["create", "find"], 1));
    })
    .await;
}

#[tokio::test]
async fn a_failed_request_that_is_replayed_under_a_hold_waits_for_its_end() {
    each(given_order(WarehouseBehavior::Answers(StatusCode::UNPROCESSABLE_ENTITY)), async |(world, warehouse)| {
        hold(&world, &[1]).await;
        let failed = only(&world).await;
        assert_eq!(failed.state(), MessageState::Failed);
        warehouse.set_behavior(WarehouseBehavior::Receives);
        assert_eq!(replay(&world, &failed).await.unwrap().state(), MessageState::Held);
        world.after(Duration::from_secs(600)).await;
        assert_eq!(warehouse.calls(), ["create"]);
        release(&world, &[]).await;
        assert_eq!(states(&world).await, [MessageState::Sent]);
        assert!(world.open_exceptions().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_answer_under_a_hold_is_taken_and_the_end_of_the_hold_asks_for_nothing_more() {
    each(delayed(), async |(world, warehouse)| {
        hold(&world, &[1]).await;
        changed(&world, FulfillmentEvent::FulfillmentAccepted).await;
        assert_eq!(states(&world).await, [MessageState::Acknowledged]);
        release(&world, &[]).await;
        world.after(Duration::from_secs(600)).await;
        assert_eq!((states(&world).await, warehouse.calls().len()), (vec![MessageState::Acknowledged], 1));
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_withdrawn_under_a_hold_is_never_sent() {
    each(delayed(), async |(world, warehouse)| {
        hold(&world, &[1]).await;
        warehouse.set_behavior(WarehouseBehavior::Receives);
        let cancelled = FulfillmentCancelled { fulfillment_order: Some(under(&[1])), ..Default::default() };
        world.follow(FulfillmentEvent::FulfillmentCancelled(cancelled)).await;
        release(&world, &[]).await;
        world.after(Duration::from_secs(600)).await;
        assert_eq!(states(&world).await, [MessageState::Failed, MessageState::Sent]);
        assert_eq!(warehouse.calls(), ["create", "cancel"]);
    })
    .await;
}

#[tokio::test]
async fn a_partner_that_fetches_its_messages_is_not_given_a_held_one_and_gets_an_endpoint_meanwhile() {
    each(World::open, async |world| {
        let warehouse = Warehouse::open(WarehouseBehavior::Receives).await;
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        hold(&world, &[1]).await;
        assert_eq!(states(&world).await, [MessageState::Held]);
        let request = UpdatePartnerRequest {
            partner_id: "par_a".to_owned(),
            endpoint_url: Some(warehouse.endpoint.clone()),
            ..Default::default()
        };
        world.client().update_partner(request).await.unwrap();
        world.after(Duration::from_secs(600)).await;
        assert!(warehouse.calls().is_empty());
        release(&world, &[]).await;
        assert_eq!((states(&world).await, warehouse.calls()), (vec![MessageState::Sent], vec!["find", "create"]));
    })
    .await;
}
