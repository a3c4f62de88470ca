use std::time::Duration;

use mesh::Role;
use proto::order::v1::{self as contract, OrderStatus};

use testkit::{each, reason, time::Stopped};
use tonic::Request;
use types::Reason;

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

#[tokio::test]
async fn a_repeat_is_told_what_the_first_caller_was_told_whatever_has_happened_since() {
    each(World::furnished, async |world| {
        let request = contract::PlaceOrderRequest { request_id: "r-1".to_owned(), ..waiting("PO-1") };
        let work = async {
            let mut events = world.db.subscribe();
            while world.workers.drain().await.unwrap() == 0 {
                events.recv().await.unwrap();
            }
        };
        let (told, ()) = tokio::join!(world.try_place(request.clone()), work);
        let told = told.unwrap();
        assert_eq!(told.status(), OrderStatus::Released);
        let cancel = contract::CancelOrderRequest { order_id: told.order_id.clone(), ..Default::default() };
        let cancelled = world.orders.clone().cancel_order(cancel).await.unwrap().into_inner();
        assert_ne!(cancelled.etag, told.etag);
        for _ in 0..2 {
            assert_eq!(world.try_place(request.clone()).await.unwrap(), told);
        }
        let without = contract::PlaceOrderRequest { wait: false, ..request };
        assert_eq!(reason(world.orders.clone().place_order(without).await), Reason::RequestIdReused);
    })
    .await;
}

#[tokio::test]
async fn a_kept_answer_is_not_told_to_who_no_longer_sees_the_account() {
    each(World::furnished, async |world| {
        for wait in [false, true] {
            let request =
                contract::PlaceOrderRequest { wait, request_id: format!("r-{wait}"), ..waiting(&format!("PO-{wait}")) };
            let placed = async {
                let mut customer = world.as_alice(Role::Customer, &["acc_1"]);
                customer.place_order(request.clone()).await.unwrap().into_inner()
            };
            let work = async {
                let mut events = world.db.subscribe();
                while world.workers.drain().await.unwrap() == 0 {
                    events.recv().await.unwrap();
                }
            };
            let (placed, ()) = tokio::join!(placed, work);
            let again =
                world.as_alice(Role::Customer, &["acc_1"]).place_order(request.clone()).await.unwrap().into_inner();
            assert_eq!(again.order_id, placed.order_id);
            for accounts in [&[][..], &["acc_2"]] {
                let refused = world.as_alice(Role::Customer, accounts).place_order(request.clone()).await;
                assert_eq!(reason(refused), Reason::NotFound);
            }
        }
    })
    .await;
}
