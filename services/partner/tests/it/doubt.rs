//! Exceptions while it is not known whether a message arrived.

use std::time::Duration;

use axum::http::StatusCode;
use proto::{
    events::FulfillmentEvent,
    partner::v1::{MessageState, PartnerMessage},
};
use testkit::{each, reason};
use types::Reason;

use crate::{
    sending::{LATER, changed, given_order, only, replay},
    warehouse::WarehouseBehavior,
};

#[tokio::test]
async fn a_message_in_doubt_is_an_exception_until_the_partner_says_that_it_has_it() {
    each(given_order(WarehouseBehavior::ReceivesSilently), async |(world, warehouse)| {
        assert_eq!(world.open_exceptions().await, ["MESSAGE_IN_DOUBT"]);
        warehouse.set_behavior(WarehouseBehavior::Answers(StatusCode::SERVICE_UNAVAILABLE));
        world.after(LATER).await;
        assert_eq!(world.events().await.opened_exceptions(), ["MESSAGE_IN_DOUBT"], "the same doubt is one exception");
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.after(LATER).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert!(world.open_exceptions().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_message_that_fails_in_doubt_is_another_exception_and_in_doubt_again_when_it_is_replayed() {
    each(given_order(WarehouseBehavior::ReceivesSilently), async |(world, warehouse)| {
        warehouse.set_behavior(WarehouseBehavior::Answers(StatusCode::SERVICE_UNAVAILABLE));
        let doubtful = only(&world).await;
        assert_eq!(reason(replay(&world, &doubtful).await), Reason::ActionNotSupported);
        for _ in 1..20 {
            world.after(Duration::from_secs(300)).await;
        }
        assert_eq!(world.open_exceptions().await, ["MESSAGE_FAILED"]);
        let replayed = replay(&world, &only(&world).await).await.unwrap();
        assert_eq!(replayed.outcome, "the partner may have it");
        assert_eq!(world.open_exceptions().await, ["MESSAGE_IN_DOUBT"]);
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.after(Duration::ZERO).await;
        assert!(world.open_exceptions().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_answer_of_the_partner_ends_the_doubt() {
    each(given_order(WarehouseBehavior::ReceivesSilently), async |(world, warehouse)| {
        changed(&world, FulfillmentEvent::FulfillmentAccepted).await;
        assert!(world.open_exceptions().await.is_empty());

        warehouse.set_behavior(WarehouseBehavior::Answers(StatusCode::BAD_GATEWAY));
        changed(&world, FulfillmentEvent::FulfillmentCancellationRequested).await;
        assert_eq!(world.open_exceptions().await, ["MESSAGE_IN_DOUBT"]);
        changed(&world, FulfillmentEvent::FulfillmentCancellationRejected).await;
        let states: Vec<_> = world.messages().await.iter().map(PartnerMessage::state).collect();
        assert_eq!(states, [MessageState::Acknowledged, MessageState::Acknowledged]);
        assert!(world.open_exceptions().await.is_empty());
    })
    .await;
}
