//! What happens to units that cannot be filled, when the order is placed and after picking started.

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{FulfillmentCancelled, FulfillmentUnfulfillable},
    inventory::v1::Reservation,
    order::v1::{self as contract, FillPolicy, OrderState, OrderStatus},
};
use testkit::each;

use crate::world::{World, counters, fulfillment_order, order_of, quantities};

fn with(fill_policy: FillPolicy, lines: &[(&str, i64)]) -> contract::PlaceOrderRequest {
    contract::PlaceOrderRequest { fill_policy: fill_policy.into(), ..order_of("PO-1", lines) }
}

/// A node does not find units of line 1, and no other node has any; returns the order after it.
async fn short_pick(world: &World, order: &contract::Order, units: i64) -> contract::Order {
    let reservation =
        Reservation { line_number: 1, requested: 100, version: 2, backordered: units, ..Default::default() };
    let unfulfillable = FulfillmentUnfulfillable {
        order_id: order.order_id.clone(),
        lines: quantities(&[(1, units)]),
        reservations: vec![reservation],
    };
    world.fulfillment_emits(order, &FulfillmentEvent::FulfillmentUnfulfillable(unfulfillable)).await
}

#[tokio::test]
async fn fill_or_kill_after_picking_started_cancels_as_much_as_possible() {
    each(World::furnished, async |world| {
        let order = world.place(with(FillPolicy::FillOrKill, &[("TEA", 5), ("CHAI", 2)])).await;
        let order = world.ships(&order, "shm_1", &[(2, 1)]).await;
        let order = short_pick(&world, &order, 2).await;
        // Those that were short at once; the node is asked to stop the others, and what left has left.
        let (tea, chai) = (counters(&order, 0), counters(&order, 1));
        assert_eq!((tea.cancelled, tea.released, tea.backordered), (2, 3, 0));
        assert_eq!((chai.shipped, chai.released), (1, 1));
        assert_eq!(order.reason, "not available");
        let types = world.events_of(&order.order_id).await.types();
        let tail = [EventType::OrderLineCancelled, EventType::OrderCancelRequested];
        assert!(tail.iter().all(|expected| types.contains(expected)), "{types:?}");
        assert!(!types.contains(&EventType::OrderBackordered));
        assert_eq!(world.inventory.released()[0].lines, quantities_of(&[(1, "TEA", 2)]));
        let stopped = FulfillmentCancelled {
            fulfillment_order: fulfillment_order(&order),
            lines: quantities(&[(1, 3), (2, 1)]),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(stopped)).await;
        assert_eq!((order.status(), counters(&order, 0).cancelled), (OrderStatus::Shipped, 5));
        let order = world.delivers(&order, "shm_1", &[(2, 1)]).await;
        assert_eq!(order.state(), OrderState::Closed);
    })
    .await;
}

fn quantities_of(lines: &[(i32, &str, i64)]) -> Vec<proto::types::v1::LineQuantity> {
    let line = |(line_number, sku, quantity): &(i32, &str, i64)| proto::types::v1::LineQuantity {
        line_number: *line_number,
        sku: (*sku).to_owned(),
        quantity: *quantity,
    };
    lines.iter().map(line).collect()
}

#[tokio::test]
async fn fill_all_waits_for_what_was_short_and_releases_it_when_it_is_complete() {
    each(World::furnished, async |world| {
        let order = world.place(with(FillPolicy::FillAll, &[("TEA", 5)])).await;
        let order = short_pick(&world, &order, 2).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).backordered), (3, 2));
        let order = world.stock_came(&order.order_id, 1, 3, 1).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).reserved), (3, 1), "one is missing");
        let order = world.stock_came(&order.order_id, 1, 4, 0).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).reserved), (5, 0));
    })
    .await;
}

#[tokio::test]
async fn fill_all_available_closes_what_there_is_no_stock_for() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 3);
        let order = world.place(with(FillPolicy::FillAllAvailable, &[("TEA", 5), ("CHAI", 2)])).await;
        let tea = counters(&order, 0);
        assert_eq!((order.status(), tea.released, tea.cancelled), (OrderStatus::Released, 3, 2));
        assert_eq!(world.inventory.released()[0].lines, quantities_of(&[(1, "TEA", 2)]));
        let types = world.events_of(&order.order_id).await.types();
        assert!(!types.contains(&EventType::OrderBackordered), "{types:?}");
        // Inventory filled a part of the backorder before it was told; what is left of it is not wanted either.
        let order = world.stock_came(&order.order_id, 1, 2, 1).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).cancelled), (3, 2));
        // Later a node does not find one more.
        let order = short_pick_at(&world, &order, 3, 1, 2).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).cancelled), (2, 3));
        let order = world.ships(&order, "shm_1", &[(1, 2), (2, 2)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 2), (2, 2)]).await;
        assert_eq!((order.state(), order.status()), (OrderState::Closed, OrderStatus::Delivered));
    })
    .await;
}

/// As [`short_pick`], at a later version, when inventory has released what was cancelled before.
async fn short_pick_at(
    world: &World,
    order: &contract::Order,
    version: i64,
    units: i64,
    released: i64,
) -> contract::Order {
    let reservation =
        Reservation { line_number: 1, requested: 100, version, backordered: units, released, ..Default::default() };
    let unfulfillable = FulfillmentUnfulfillable {
        order_id: order.order_id.clone(),
        lines: quantities(&[(1, units)]),
        reservations: vec![reservation],
    };
    world.fulfillment_emits(order, &FulfillmentEvent::FulfillmentUnfulfillable(unfulfillable)).await
}

#[tokio::test]
async fn fill_all_available_is_cancelled_when_nothing_is_available() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 0);
        let order = world.place(with(FillPolicy::FillAllAvailable, &[("TEA", 5)])).await;
        assert_eq!((order.state(), order.reason.as_str()), (OrderState::Cancelled, "not available"));
        let types = world.events_of(&order.order_id).await.types();
        assert_eq!(types, [EventType::OrderSubmitted, EventType::OrderLineCancelled, EventType::OrderCancelled]);
    })
    .await;
}

#[tokio::test]
async fn by_default_the_available_units_are_released_and_the_others_backordered() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 3);
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        assert_eq!(order.fill_policy(), FillPolicy::FillAvailableBackorder);
        assert_eq!((counters(&order, 0).released, counters(&order, 0).backordered), (3, 2));
        let order = short_pick(&world, &order, 3).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).cancelled), (2, 0));
    })
    .await;
}
