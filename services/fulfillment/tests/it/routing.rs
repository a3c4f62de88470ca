//! Released units are given to nodes.

use proto::{
    events::EventType,
    fulfillment::v1::{ExecutionState, PreviewRoutingRequest, RequestState},
    types::v1::{HandlingClass, LineQuantity},
};

use testkit::each;

use crate::world::{ORDER, World, node};

#[tokio::test]
async fn a_release_becomes_a_fulfillment_order_at_the_best_node_with_an_explanation() {
    each(World::open, async |world| {
        world.node("nod_near", 0).await;
        world.node("nod_far", 5).await;
        world.inventory.stock("A", "nod_near", 10);
        world.inventory.stock("A", "nod_far", 50);
        world.release(ORDER, 1, &[(1, "A", 4)]);
        world.drain().await;

        let order = world.fulfillment_order(ORDER).await;
        assert_eq!((order.node_id.as_str(), order.partner_id.as_str()), ("nod_near", "par_near"));
        assert_eq!((order.release_number, order.attempt, order.lines[0].quantity), (1, 1, 4));
        assert_eq!((order.execution_state(), order.request_state()), (ExecutionState::Open, RequestState::Submitted));
        assert_eq!(order.idempotency_key, format!("{}:1", order.fulfillment_order_id));
        assert_eq!((order.customer_po.as_str(), order.ship_to.unwrap().name.as_str()), ("PO-1", "Depot"));
        assert_eq!(world.event_types().await, [EventType::FulfillmentRouted, EventType::FulfillmentRequested]);

        let decision = world.decisions(ORDER).await.remove(0);
        assert_eq!(decision.decision_id, order.decision_id);
        assert_eq!((decision.choices[0].reason.as_str(), decision.candidates.len()), ("WHOLE_ORDER", 2));
        assert_eq!(world.inventory.calls("Allocate"), ["ord_1/release-1"]);
        assert_eq!(world.inventory.allocated("A", "nod_near"), 4);
    })
    .await;
}

#[tokio::test]
async fn stock_that_no_single_node_has_is_split() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.node("nod_b", 1).await;
        world.inventory.stock("A", "nod_a", 3);
        world.inventory.stock("A", "nod_b", 4);
        world.release(ORDER, 1, &[(1, "A", 6)]);
        world.drain().await;

        let expected = [("nod_a".to_owned(), 3), ("nod_b".to_owned(), 3)];
        assert_eq!(world.open_units(ORDER, 1).await, expected);
        assert_eq!(world.count(EventType::FulfillmentRequested).await, 2);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_release_event_that_comes_twice_is_routed_once() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 9);
        world.release(ORDER, 1, &[(1, "A", 3)]);
        world.release(ORDER, 1, &[(1, "A", 3)]);
        world.drain().await;
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 3)]);
        assert_eq!(world.inventory.calls("Allocate").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn units_that_inventory_does_not_allocate_are_planned_again_under_another_key() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.inventory.stock("A", "nod_a", 2);
        world.inventory.overstate("A", "nod_a", 10);
        world.release(ORDER, 1, &[(1, "A", 5)]);
        world.drain().await;

        let keys = ["ord_1/release-1", "ord_1/release-1#2", "ord_1/release-1#3"];
        assert_eq!(world.inventory.calls("Allocate"), keys);
        assert_eq!(world.open_units(ORDER, 1).await, [("nod_a".to_owned(), 2)]);
        assert_eq!(world.events().await.open_exceptions(), [("UNASSIGNED".to_owned(), ORDER.to_owned())]);
        let decisions = world.decisions(ORDER).await;
        assert_eq!(decisions.iter().map(|decision| decision.unrouted[0].quantity).collect::<Vec<_>>(), [3, 3, 3]);
    })
    .await;
}

#[tokio::test]
async fn a_preview_says_where_lines_would_go_and_changes_nothing() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        let mut cold = node("nod_cold", 0);
        cold.handling_classes = vec![HandlingClass::Frozen.into()];
        world.create(cold).await;
        world.inventory.item("A", HandlingClass::Ambient);
        world.inventory.stock("A", "nod_a", 9);
        world.inventory.stock("A", "nod_cold", 9);
        let line = LineQuantity { line_number: 7, sku: "A".to_owned(), quantity: 2 };
        let mut request = PreviewRoutingRequest { country: "DE".to_owned(), lines: vec![line], ..Default::default() };

        let decision = world.api().preview_routing(request.clone()).await.unwrap().into_inner();
        assert_eq!((decision.choices[0].node_id.as_str(), decision.choices[0].line_number), ("nod_a", 7));
        let obstacles: Vec<_> = decision.candidates.iter().map(|candidate| candidate.obstacle.as_str()).collect();
        assert_eq!(obstacles, ["", "HANDLING_CLASS"]);

        request.excluded_node_ids = vec!["nod_a".to_owned()];
        let decision = world.api().preview_routing(request).await.unwrap().into_inner();
        assert_eq!((decision.choices.len(), decision.unrouted[0].quantity), (0, 2));
        assert!(world.inventory.calls("Allocate").is_empty() && world.event_types().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_order_that_takes_more_choices_than_one_plan_may_have_is_routed_by_several() {
    each(World::open, async |world| {
        world.node("nod_a", 0).await;
        world.node("nod_b", 1).await;
        let lines: Vec<(i32, String)> = (1..=2_501).map(|line| (line, format!("SKU-{line}"))).collect();
        for (_, sku) in &lines {
            world.inventory.stock(sku, "nod_a", 1);
            world.inventory.stock(sku, "nod_b", 1);
        }
        let wanted: Vec<(i32, &str, i64)> = lines.iter().map(|(line, sku)| (*line, sku.as_str(), 2)).collect();
        world.release(ORDER, 1, &wanted);
        world.drain().await;

        let attempts: Vec<_> = world
            .decisions(ORDER)
            .await
            .iter()
            .map(|one| (one.attempt, one.choices.len(), one.unrouted.len()))
            .collect();
        assert_eq!(attempts, [(1, 5_000, 1), (2, 2, 0)]);
        let orders = world.fulfillment_orders(ORDER).await;
        assert_eq!(orders.iter().flat_map(|order| &order.lines).map(|line| line.quantity).sum::<i64>(), 5_002);
        assert!(world.events().await.open_exceptions().is_empty());
    })
    .await;
}
