//! Orders that grow after their units were released: what is released counts on, and only the other units are held.

use proto::order::v1::{self as contract, HoldReason, OrderStatus};
use testkit::each;
use tonic::Status;

use super::{limit, owed, release, tea};
use crate::world::{World, counters};

/// Orders so many units on the first line instead.
pub(super) async fn try_grow(world: &World, order_id: &str, units: i64) -> Result<(), Status> {
    let mut orders = world.orders.clone();
    let edit = contract::LineEdit { line_number: 1, quantity: Some(units), ..Default::default() };
    let request =
        contract::ProposeOrderChangeRequest { order_id: order_id.to_owned(), lines: vec![edit], ..Default::default() };
    let change = orders.propose_order_change(request).await?.into_inner();
    let request = contract::ConfirmOrderChangeRequest {
        order_id: change.order_id,
        change_number: change.change_number,
        etag: change.order_etag,
        ..Default::default()
    };
    orders.confirm_order_change(request).await?;
    world.drain().await;
    Ok(())
}

async fn grow(world: &World, order: &contract::Order, units: i64) -> contract::Order {
    try_grow(world, &order.order_id, units).await.unwrap();
    world.get(&order.order_id).await
}

#[tokio::test]
async fn case_36_two_orders_that_grow_in_turn_do_not_get_around_the_limit() {
    each(World::furnished, async |world| {
        limit(&world, Some(50)).await;
        let (first, second) = (tea(&world, "PO-1", 1).await, tea(&world, "PO-2", 49).await);
        assert_eq!(owed(&world).await, [50, 0, 0, 0]);
        let first = grow(&world, &first, 49).await;
        assert_eq!((first.status(), first.holds[0].reason()), (OrderStatus::OnHold, HoldReason::Credit));
        assert_eq!(owed(&world).await, [98, 48, 0, 0], "its released unit counts on");
        let second = grow(&world, &second, 60).await;
        assert_eq!(second.status(), OrderStatus::OnHold);
        assert_eq!(owed(&world).await, [109, 59, 0, 0]);
        let released = async || {
            let (first, second) = (world.get(&first.order_id).await, world.get(&second.order_id).await);
            [counters(&first, 0).released, counters(&second, 0).released]
        };
        assert_eq!(released().await, [1, 49]);
        for (units, expected) in [(97, [1, 49]), (98, [49, 49]), (108, [49, 49]), (109, [49, 60])] {
            limit(&world, Some(units)).await;
            assert_eq!(released().await, expected, "limit {units}");
        }
        assert_eq!(owed(&world).await, [109, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn only_units_that_are_not_released_are_held_until_they_are_cancelled_or_approved() {
    each(World::furnished, async |world| {
        limit(&world, Some(10)).await;
        let order = grow(&world, &tea(&world, "PO-1", 8).await, 14).await;
        assert_eq!((order.status(), owed(&world).await), (OrderStatus::OnHold, [14, 6, 0, 0]));
        // A smaller order that would fit waits for its turn, and is counted.
        let other = tea(&world, "PO-2", 1).await;
        assert_eq!((other.status(), owed(&world).await), (OrderStatus::OnHold, [15, 7, 0, 0]));
        world.cancel_units(&order.order_id, &[(1, 5)]).await.unwrap();
        world.drain().await;
        assert_eq!(owed(&world).await, [10, 0, 0, 0], "what no node has is cancelled at once");
        let order = grow(&world, &world.get(&order.order_id).await, 12).await;
        assert_eq!((counters(&order, 0).released, order.holds.len()), (9, 1));
        let order = release(&world, &order, order.holds[0].hold_number).await;
        assert_eq!((order.holds.len(), owed(&world).await[1]), (0, 0), "a person approved it");
    })
    .await;
}
