//! Changes of the times of an order.

use std::time::Duration;

use proto::{events::EventType, order::v1 as contract};
use testkit::{START, each, wrong_fields};

use super::{change_of, confirm, propose, waiting_order};
use crate::world::{World, counters};

#[tokio::test]
async fn other_times_move_the_release_unless_units_are_released() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let at = |hours: u64| Some(mesh::wire::timestamp(START.after(Duration::from_secs(hours * 3_600))));
        let request = contract::ProposeOrderChangeRequest { ship_not_before: at(5), ..change_of(&order) };
        let change = propose(world.orders.clone(), request.clone()).await.unwrap();
        confirm(world.orders.clone(), &change).await.unwrap();
        let moved = world.get(&order.order_id).await;
        assert_eq!((moved.ship_not_before, moved.release_time), (at(5), at(5)));
        world.clock.advance(Duration::from_secs(4 * 3_600));
        world.drain().await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 0);
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        assert_eq!(counters(&world.get(&order.order_id).await, 0).released, 10);
        let request = contract::ProposeOrderChangeRequest { ship_not_before: at(9), ..request };
        assert_eq!(wrong_fields(propose(world.orders.clone(), request.clone()).await), ["ship_not_before"]);
        let request = contract::ProposeOrderChangeRequest { ship_not_before: None, cancel_after: at(6), ..request };
        let change = propose(world.orders.clone(), request).await.unwrap();
        confirm(world.orders.clone(), &change).await.unwrap();
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        let late = world.events_of(&order.order_id).await.types();
        assert_eq!(late.last().unwrap(), &EventType::OrderCancelRequested);
    })
    .await;
}
