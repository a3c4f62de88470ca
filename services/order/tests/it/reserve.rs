use proto::{
    events::{EventType, FulfillmentEvent},
    order::v1 as contract,
};

use testkit::each;

use crate::world::{Mood, World, counters, fulfillment_order, order_of, quantities};

#[tokio::test]
async fn available_stock_is_reserved_and_released() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3), ("CHAI", 2)])).await;
        assert_eq!((order.state(), order.status()), (contract::OrderState::Confirmed, contract::OrderStatus::Released));
        assert_eq!(counters(&order, 0).released, 3);
        assert!(order.lines[0].promised_ship_time.is_some());
        let types = world.events_of(&order.order_id).await.types();
        assert_eq!(types, [EventType::OrderSubmitted, EventType::OrderConfirmed, EventType::OrderReleased]);
        let released: Vec<contract::OrderReleased> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderReleased);
        assert_eq!(released[0].release_number, 1);
        assert_eq!(released[0].lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [3, 2]);
        assert_eq!(released[0].ship_to, order.ship_to.unwrap().address);
    })
    .await;
}

#[tokio::test]
async fn units_without_stock_wait_and_are_released_when_stock_comes() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 2);
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).backordered), (2, 1));
        assert_eq!(order.lines[0].promised_ship_time, None);
        let order = world.stock_came(&order.order_id, 1, 2, 0).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).backordered), (3, 0));
        let types = world.events_of(&order.order_id).await.types();
        let expected = [
            EventType::OrderSubmitted,
            EventType::OrderConfirmed,
            EventType::OrderBackordered,
            EventType::OrderReleased,
            EventType::OrderReleased,
            EventType::OrderPromiseSet,
        ];
        assert_eq!(types, expected);
    })
    .await;
}

#[tokio::test]
async fn an_order_is_accepted_while_inventory_is_unavailable_and_reserved_later() {
    each(World::furnished, async |world| {
        world.inventory.set(Mood::Down);
        let placed = world.try_place(order_of("PO-1", &[("TEA", 3)])).await.unwrap();
        assert!(world.workers.drain().await.unwrap_err().is_transient());
        assert_eq!(world.get(&placed.order_id).await.status(), contract::OrderStatus::Submitted);
        world.inventory.set(Mood::Up);
        world.drain().await;
        assert_eq!(world.get(&placed.order_id).await.status(), contract::OrderStatus::Released);
    })
    .await;
}

#[tokio::test]
async fn a_reservation_whose_answer_was_lost_is_answered_again_and_never_made_twice() {
    each(World::furnished, async |world| {
        // The last three: a second reservation would find none.
        world.inventory.leave("TEA", 3);
        world.inventory.set(Mood::Mute);
        let placed = world.try_place(order_of("PO-1", &[("TEA", 3)])).await.unwrap();
        assert!(world.workers.drain().await.unwrap_err().is_transient());
        world.inventory.set(Mood::Up);
        world.drain().await;
        let order = world.get(&placed.order_id).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).backordered), (3, 0));
        let asked = world.inventory.reserved();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0], asked[1]);
    })
    .await;
}

#[tokio::test]
async fn fill_or_kill_is_rejected_when_anything_is_short() {
    each(World::furnished, async |world| {
        world.inventory.leave("CHAI", 1);
        let mut request = order_of("PO-1", &[("TEA", 3), ("CHAI", 2)]);
        request.set_fill_policy(contract::FillPolicy::FillOrKill);
        let order = world.place(request).await;
        assert_eq!((order.state(), order.status()), (contract::OrderState::Rejected, contract::OrderStatus::Rejected));
        assert_eq!(order.reason, "too little of it");
        assert!(order.close_time.is_some() && order.supported_actions.is_empty());
        assert_eq!(
            world.events_of(&order.order_id).await.types(),
            [EventType::OrderSubmitted, EventType::OrderRejected]
        );
    })
    .await;
}

#[tokio::test]
async fn fill_all_waits_until_everything_can_be_released_together() {
    each(World::furnished, async |world| {
        world.inventory.leave("CHAI", 1);
        let mut request = order_of("PO-1", &[("TEA", 3), ("CHAI", 2)]);
        request.set_fill_policy(contract::FillPolicy::FillAll);
        let order = world.place(request).await;
        assert_eq!(order.status(), contract::OrderStatus::PartiallyBackordered);
        assert_eq!(counters(&order, 0).reserved, 3);
        let order = world.stock_came(&order.order_id, 2, 2, 0).await;
        assert_eq!(order.status(), contract::OrderStatus::Released);
        let released: Vec<contract::OrderReleased> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderReleased);
        assert_eq!(released.len(), 1);
        assert_eq!(released[0].lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [3, 2]);
    })
    .await;
}

#[tokio::test]
async fn unfulfillable_units_wait_for_stock_again() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        let short = proto::fulfillment::v1::FulfillmentPicked {
            fulfillment_order: fulfillment_order(&order),
            lines: quantities(&[(1, 2)]),
        };
        world.fulfillment_log.emit(&order.order_id, &FulfillmentEvent::FulfillmentShortPicked(short));
        let unfulfillable = proto::fulfillment::v1::FulfillmentUnfulfillable {
            order_id: order.order_id.clone(),
            lines: quantities(&[(1, 2)]),
            reservations: vec![proto::inventory::v1::Reservation {
                order_id: order.order_id.clone(),
                line_number: 1,
                requested: 100,
                backordered: 2,
                version: 3,
                ..Default::default()
            }],
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentUnfulfillable(unfulfillable)).await;
        let units = counters(&order, 0);
        assert_eq!((units.released, units.backordered, units.short), (3, 2, 2));
        let order = world.stock_came(&order.order_id, 1, 4, 0).await;
        assert_eq!((counters(&order, 0).released, counters(&order, 0).backordered), (5, 0));
    })
    .await;
}
