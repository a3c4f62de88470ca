//! Units that no node may take wait, with an open exception, until something changes.

use proto::{
    event::v1::ExceptionOpened,
    events::{EventType, InventoryEvent},
    fulfillment::v1::{FulfillmentRoutingFailed, NodeState, RetryRoutingRequest, UpdateNodeRequest},
    inventory::v1::{StockChanged, StockMovement},
};

use testkit::each;

use crate::world::{ORDER, World, node};

fn unassigned() -> Vec<(String, String)> {
    vec![("UNASSIGNED".to_owned(), ORDER.to_owned())]
}

fn received(world: &World, sku: &str, node: &str, quantity: i64) {
    world.inventory.stock(sku, node, quantity);
    let movement = StockMovement { sku: sku.to_owned(), on_hand_delta: quantity, ..StockMovement::default() };
    world
        .inventory_log
        .emit("", &InventoryEvent::InventoryReceived(StockChanged { movement: Some(movement), level: None }));
}

#[tokio::test]
async fn units_that_no_node_may_take_open_an_exception_that_says_why() {
    each(World::open, async |world| {
        let mut abroad = node("nod_us", 0);
        abroad.service_areas[0].countries = vec!["US".to_owned()];
        world.create(abroad).await;
        world.inventory.stock("A", "nod_us", 10);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;

        assert_eq!(world.events().await.open_exceptions(), unassigned());
        let failed = world.events().await.payloads::<FulfillmentRoutingFailed>(EventType::FulfillmentRoutingFailed);
        let decision = failed[0].decision.as_ref().unwrap();
        assert_eq!((decision.candidates[0].obstacle.as_str(), decision.candidates[0].rank), ("SERVICE_AREA", -1));
        assert_eq!((decision.unrouted[0].quantity, decision.unrouted[0].sku.as_str()), (5, "A"));
        assert!(world.inventory.calls("Allocate").is_empty());
        let opened = world.events().await.payloads::<ExceptionOpened>(EventType::ExceptionOpened);
        assert_eq!((opened[0].order_id.as_str(), opened[0].facts["units"].as_str()), (ORDER, "5"));
    })
    .await;
}

#[tokio::test]
async fn stock_that_comes_in_is_used_for_what_waits_for_it() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.release(ORDER, 1, &[(1, "A", 5), (2, "B", 1)]);
        world.drain().await;
        assert_eq!(world.events().await.open_exceptions(), unassigned());

        received(&world, "A", "nod_a", 3);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 3)]);
        assert_eq!(world.events().await.open_exceptions(), unassigned());

        received(&world, "A", "nod_a", 2);
        received(&world, "B", "nod_a", 1);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 2), ("nod_a".to_owned(), 3)]);
        assert!(world.events().await.open_exceptions().is_empty());
        assert_eq!(world.count(EventType::ExceptionOpened).await, 1);
        assert_eq!(world.count(EventType::ExceptionResolved).await, 1);
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.allocated), (0, 5));
    })
    .await;
}

#[tokio::test]
async fn stock_of_another_item_moves_nothing() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        let decisions = world.decisions(ORDER).await.len();
        received(&world, "B", "nod_a", 3);
        world.drain().await;
        assert_eq!(world.decisions(ORDER).await.len(), decisions);
    })
    .await;
}

#[tokio::test]
async fn units_that_wait_are_routed_to_a_node_that_becomes_active() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        let mut change = UpdateNodeRequest { node_id: "nod_a".to_owned(), ..Default::default() };
        change.state = Some(NodeState::Paused.into());
        world.api().update_node(change.clone()).await.unwrap();
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        assert_eq!(world.decisions(ORDER).await[0].candidates[0].obstacle, "PAUSED");

        change.state = Some(NodeState::Active.into());
        world.api().update_node(change).await.unwrap();
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 5)]);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_person_may_have_a_rejecting_node_asked_again() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 5);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;
        world.reject(&world.fulfillment_order(ORDER).await).await;
        world.drain().await;
        assert_eq!(world.events().await.open_exceptions(), unassigned());

        let request = RetryRoutingRequest { request_id: "r1".to_owned(), order_id: ORDER.to_owned() };
        let answer = world.api().retry_routing(request.clone()).await.unwrap().into_inner();
        assert_eq!((answer.lines.len(), answer.lines[0].quantity), (1, 5));
        assert_eq!(world.api().retry_routing(request).await.unwrap().into_inner(), answer);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 5)]);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn units_of_a_cancelled_order_without_a_node_are_released_once() {
    each(World::open, async |world| {
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.release(ORDER, 2, &[(1, "A", 2)]);
        world.drain().await;
        world.cancel(ORDER);
        world.cancel(ORDER);
        world.drain().await;

        assert!(world.events().await.open_exceptions().is_empty());
        let reservation = world.inventory.reservation(ORDER, 1);
        assert_eq!((reservation.reserved, reservation.released), (0, 7));
        assert_eq!((world.inventory.calls("Release").len(), world.inventory.calls("Deallocate").len()), (2, 0));
        received(&world, "A", "nod_a", 9);
        world.node("nod_a", 0).await;
        world.drain().await;
        assert!(world.fulfillment_orders(ORDER).await.is_empty());
    })
    .await;
}
