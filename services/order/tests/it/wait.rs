use std::time::Duration;

use proto::order::v1::{self as contract, OrderStatus};

use testkit::{each, time::Stopped};
use tonic::Request;

use crate::world::{Mood, World, order_of};

fn waiting(customer_po: &str) -> contract::PlaceOrderRequest {
    contract::PlaceOrderRequest { wait: true, ..order_of(customer_po, &[("TEA", 3)]) }
}

/// Places an order while inventory is unavailable. Once it is stored, nearly all of its caller's time passes.
async fn placed_without_stock(world: &World, request: contract::PlaceOrderRequest) -> contract::Order {
    world.inventory.set(Mood::Down);
    let mut events = world.db.subscribe();
    let mut request = Request::new(request);
    // Less than the service would wait.
    let time = Duration::from_secs(15);
    request.set_timeout(time);
    let clock = Stopped::new();
    let mut orders = world.orders.clone();
    let (placed, ()) = tokio::join!(orders.place_order(request), async {
        events.recv().await.unwrap();
        clock.pass(time - Duration::from_millis(100)).await;
    });
    placed.unwrap().into_inner()
}

#[tokio::test]
async fn an_answer_that_waits_shows_whether_stock_is_reserved() {
    each(World::furnished, async |world| {
        let place = world.try_place(waiting("PO-1"));
        let work = async {
            // The order is stored before its answer is sent.
            let mut events = world.db.subscribe();
            while world.workers.drain().await.unwrap() == 0 {
                events.recv().await.unwrap();
            }
        };
        let (placed, ()) = tokio::join!(place, work);
        let placed = placed.unwrap();
        assert_eq!(placed.status(), OrderStatus::Released);
        assert!(placed.lines[0].promised_ship_time.is_some());
        assert_eq!(placed, world.get(&placed.order_id).await);
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_waits_leaves_before_the_deadline() {
    each(World::furnished, async |world| {
        let placed = placed_without_stock(&world, waiting("PO-1")).await;
        assert_eq!(placed.status(), OrderStatus::Submitted);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_that_waits_is_answered_with_the_order_as_it_is() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { request_id: "r-1".to_owned(), ..waiting("PO-1") };
        let placed = placed_without_stock(&world, request.clone()).await;
        world.inventory.set(Mood::Up);
        world.drain().await;
        let again = world.try_place(request).await.unwrap();
        assert_eq!((again.order_id, again.lines.len()), (placed.order_id, 1));
        assert_eq!(again.status, i32::from(OrderStatus::Released));
    })
    .await;
}
