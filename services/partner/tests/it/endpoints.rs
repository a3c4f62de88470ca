//! Partners that get an endpoint, or lose it.

use std::time::Duration;

use axum::http::StatusCode;
use proto::{
    events::FulfillmentEvent,
    partner::v1::{MessageState, PartnerKind, UpdatePartnerRequest},
};
use testkit::each;

use crate::{
    sending::{LATER, changed, given_order, interrupted, only},
    warehouse::{Warehouse, WarehouseBehavior},
    world::World,
};

async fn moves(world: &World, endpoint_url: &str) {
    let request = UpdatePartnerRequest {
        partner_id: "par_a".to_owned(),
        endpoint_url: Some(endpoint_url.to_owned()),
        ..UpdatePartnerRequest::default()
    };
    world.client().update_partner(request).await.unwrap();
}

#[tokio::test]
async fn a_request_that_was_not_sent_before_the_endpoint_was_cleared_is_sent_when_there_is_one_again() {
    each(given_order(WarehouseBehavior::Answers(StatusCode::TOO_MANY_REQUESTS)), async |(world, warehouse)| {
        moves(&world, "").await;
        warehouse.set_behavior(WarehouseBehavior::Receives);
        world.after(LATER).await;
        assert_eq!(only(&world).await.state(), MessageState::Pending);
        moves(&world, &warehouse.endpoint).await;
        world.after(Duration::ZERO).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert_eq!(warehouse.orders(), ["ful_1:1"]);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_waited_to_be_fetched_is_sent_once_there_is_an_endpoint_unless_it_was_fetched() {
    each(World::open, async |world| {
        let warehouse = Warehouse::open(WarehouseBehavior::Receives).await;
        world.partner("par_a", PartnerKind::Warehouse, "").await;
        changed(&world, FulfillmentEvent::FulfillmentRequested).await;
        moves(&world, &warehouse.endpoint).await;
        world.after(Duration::ZERO).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert_eq!(warehouse.calls(), ["find", "create"]);
        moves(&world, &format!("{}/", warehouse.endpoint)).await;
        world.after(LATER).await;
        assert_eq!(warehouse.calls(), ["find", "create"]);
    })
    .await;
}

#[tokio::test]
async fn a_crash_while_a_request_is_sent_and_another_endpoint_then_make_no_second_order() {
    each(interrupted, async |(world, warehouse)| {
        moves(&world, "").await;
        moves(&world, &warehouse.endpoint).await;
        world.after(Duration::from_secs(120)).await;
        assert_eq!(only(&world).await.state(), MessageState::Sent);
        assert_eq!(warehouse.calls(), ["create", "find"]);
    })
    .await;
}
