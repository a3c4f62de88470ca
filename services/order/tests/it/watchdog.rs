//! Orders that lost their next step are found and go on.

use std::time::Duration;

use proto::order::v1::{HoldReason, OrderStatus, PlaceHoldRequest};
use testkit::{database::tamper, each};

use crate::world::{Mood, World, counters, order_of};

#[tokio::test]
async fn an_order_whose_event_passed_without_effect_is_reserved() {
    each(World::furnished, async |world| {
        world.inventory.set(Mood::Down);
        let order = world.try_place(order_of("PO-1", &[("TEA", 3)])).await.unwrap();
        let pass = "UPDATE subscriptions SET position = (SELECT MAX(position) FROM events) \
                    WHERE name = 'order.order' RETURNING name";
        assert_eq!(tamper(&world.options.url, pass).await, 1);
        world.inventory.set(Mood::Up);
        world.drain().await;
        assert_eq!(world.get(&order.order_id).await.status(), OrderStatus::Submitted);
        assert_eq!(world.workers.look().await, Ok(0), "it may still be on its way");
        world.clock.advance(Duration::from_secs(601));
        assert_eq!(world.workers.look().await, Ok(1));
        world.drain().await;
        assert_eq!(world.get(&order.order_id).await.status(), OrderStatus::Released);
        assert_eq!(world.workers.look().await, Ok(0));
    })
    .await;
}

#[tokio::test]
async fn reserved_units_that_nothing_holds_are_released() {
    each(World::furnished, async |world| {
        world.inventory.set(Mood::Down);
        let order = world.try_place(order_of("PO-1", &[("TEA", 3)])).await.unwrap();
        let hold = PlaceHoldRequest {
            order_id: order.order_id.clone(),
            reason: HoldReason::Operator.into(),
            ..Default::default()
        };
        world.orders.clone().place_hold(hold).await.unwrap();
        world.inventory.set(Mood::Up);
        world.drain().await;
        assert_eq!(world.workers.look().await, Ok(0), "they are held");
        assert_eq!(tamper(&world.options.url, "UPDATE orders SET order_holds = 0 RETURNING order_id").await, 1);
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)));
        world.drain().await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 3);
    })
    .await;
}
