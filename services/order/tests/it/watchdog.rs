//! Orders that lost their next step are found and go on.

use std::time::Duration;

use proto::order::v1::{HoldReason, OrderState, OrderStatus, PlaceHoldRequest, PlaceOrderRequest};
use testkit::{START, database::tamper, each};

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

#[tokio::test]
async fn an_order_that_lost_the_task_to_cancel_it_is_cancelled_in_time() {
    each(World::furnished, async |world| {
        let drop_tasks = "DELETE FROM tasks WHERE kind = 'order.cancel_after' RETURNING key";
        let day = Duration::from_secs(86_400);
        let cancel_after = Some(mesh::wire::timestamp(START.after(day)));
        let order = world.place(PlaceOrderRequest { cancel_after, ..order_of("PO-1", &[("TEA", 3)]) }).await;
        assert_eq!((world.workers.look().await, tamper(&world.options.url, drop_tasks).await), (Ok(0), 1));
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)), "it is to be cancelled");
        assert_eq!(tamper(&world.options.url, drop_tasks).await, 1);
        world.clock.advance(day);
        assert_eq!((world.workers.look().await, world.workers.look().await), (Ok(1), Ok(0)), "it is cancelled");
        let order = world.get(&order.order_id).await;
        assert_eq!((order.state(), order.reason.as_str()), (OrderState::Confirmed, "not shipped in time"));
    })
    .await;
}
