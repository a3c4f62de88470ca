//! Reports that nobody applies and messages that nobody sends are found and go on.

use axum::http::StatusCode;
use proto::{
    events::FulfillmentEvent,
    partner::v1::{MessageState, PartnerKind},
};
use testkit::{database::tamper, each};

use crate::{
    peers::PeerBehavior,
    sending::{LATER, changed},
    warehouse::{Warehouse, WarehouseBehavior},
    world::{World, accepted, fulfillment_order},
};

const DROP_TASKS: &str = "DELETE FROM tasks RETURNING key";

#[tokio::test]
async fn a_report_that_lost_its_task_is_applied() {
    each(World::open, async |world| {
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        world.fulfillment.has(fulfillment_order("1", "par_a"));
        world.fulfillment.set_behavior(PeerBehavior::Down);
        let message = world.submit(accepted("par_a", "m1", "ful_1")).await.unwrap();
        assert_eq!((message.state(), world.workers.look().await), (MessageState::Received, Ok(0)));
        assert_eq!(tamper(&world.options.url, DROP_TASKS).await, 1);
        world.fulfillment.set_behavior(PeerBehavior::Well);
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)));
        world.after(LATER).await;
        assert_eq!(world.messages().await[0].state(), MessageState::Applied);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_lost_its_task_is_sent_and_one_that_is_fetched_is_left_alone() {
    each(World::open, async |world| {
        let warehouse = Warehouse::open(WarehouseBehavior::Answers(StatusCode::SERVICE_UNAVAILABLE)).await;
        world.partner("par_a", PartnerKind::Warehouse, &warehouse.endpoint).await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        assert_eq!(world.messages().await[0].state(), MessageState::InDoubt);
        assert_eq!((world.workers.look().await, tamper(&world.options.url, DROP_TASKS).await), (Ok(0), 1));
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)));
    })
    .await;
}
