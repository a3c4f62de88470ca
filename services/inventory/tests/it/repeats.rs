//! Repeated requests.

use proto::inventory::v1::{
    AdjustStockRequest, AllocateRequest, CreateItemRequest, DeallocateRequest, DeallocationPolicy, ItemQuantity,
    ReceiveStockRequest, ReleaseRequest, ReserveRequest,
};
use testkit::{each, reason};
use types::Reason;

use crate::world::{HERE, THERE, World, allocations, item, quantities, requested, units};

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_was() {
    each(World::open, async |world| {
        let mut client = world.client.clone();
        let create = CreateItemRequest { request_id: "r1".to_owned(), ..item("D") };
        let created = client.create_item(create.clone()).await.unwrap().into_inner();
        assert_eq!(client.create_item(create.clone()).await.unwrap().into_inner(), created);
        let other = CreateItemRequest { name: "other".to_owned(), ..create };
        assert_eq!(reason(client.create_item(other).await), Reason::RequestIdReused);

        let receive = ReceiveStockRequest {
            request_id: "r2".to_owned(),
            location_id: HERE.to_owned(),
            items: vec![ItemQuantity { sku: "A".to_owned(), quantity: 5 }],
            ..Default::default()
        };
        let first = client.receive_stock(receive.clone()).await.unwrap().into_inner();
        assert_eq!(client.receive_stock(receive).await.unwrap().into_inner(), first);
        let adjust = AdjustStockRequest {
            request_id: "r3".to_owned(),
            location_id: HERE.to_owned(),
            sku: "A".to_owned(),
            delta: -1,
            reason: "broken".to_owned(),
        };
        let first = client.adjust_stock(adjust.clone()).await.unwrap().into_inner();
        assert_eq!(client.adjust_stock(adjust).await.unwrap().into_inner(), first);
        assert_eq!(world.availability("A").await.on_hand, 4);

        let reserve = ReserveRequest { request_id: "r4".to_owned(), ..requested("ord_1", &[(1, "A", 3)]) };
        let first = client.reserve(reserve.clone()).await.unwrap().into_inner();
        let release = ReleaseRequest {
            request_id: "r5".to_owned(),
            order_id: "ord_1".to_owned(),
            lines: quantities(&[(1, "A", 1)]),
        };
        client.release(release.clone()).await.unwrap();
        client.release(release).await.unwrap();
        assert_eq!(client.reserve(reserve).await.unwrap().into_inner(), first, "not what it is now");
        assert_eq!(units(&world.reservation("ord_1").await), (2, 0, 0, 0, 1));
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn an_allocation_key_gets_its_first_answer_whatever_else_is_requested() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        world.receive("A", THERE, 5).await;
        world.reserve("ord_1", &[(1, "A", 8)]).await;
        let first = world.allocate("ord_1/release-1", "ord_1", &[(1, HERE, 9)]).await;
        let again = world.allocate("ord_1/release-1", "ord_1", &[(1, THERE, 3)]).await;
        assert_eq!(again.allocations, first.allocations);
        assert_eq!(again.reservations, first.reservations);
        assert_eq!(world.availability("A").await.allocated, 5);
        // One that got nothing got nothing for good.
        let nothing = world.allocate("ord_1/release-2", "ord_1", &[(1, HERE, 1)]).await;
        world.receive("A", HERE, 5).await;
        let again = world.allocate("ord_1/release-2", "ord_1", &[(1, HERE, 1)]).await;
        assert_eq!((nothing.allocations.len(), again.allocations.len()), (0, 0));

        world.reserve("ord_2", &[(1, "A", 1)]).await;
        let foreign = AllocateRequest {
            allocation_key: "ord_1/release-1".to_owned(),
            order_id: "ord_2".to_owned(),
            allocations: allocations(&[(1, HERE, 1)]),
        };
        assert_eq!(reason(world.client.clone().allocate(foreign).await), Reason::RequestIdReused);
        world.check("A").await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_deallocation_is_applied_once_although_more_is_allocated() {
    each(World::open, async |world| {
        world.receive("A", HERE, 5).await;
        world.reserve("ord_1", &[(1, "A", 5)]).await;
        world.allocate("key", "ord_1", &[(1, HERE, 5)]).await;
        let request = DeallocateRequest {
            request_id: "event-1:deallocate".to_owned(),
            order_id: "ord_1".to_owned(),
            allocations: allocations(&[(1, HERE, 2)]),
            policy: DeallocationPolicy::Reassign.into(),
            occur_time: None,
        };
        let first = world.client.clone().deallocate(request.clone()).await.unwrap().into_inner();
        let again = world.client.clone().deallocate(request).await.unwrap().into_inner();
        assert_eq!(first, again);
        assert_eq!(units(&world.reservation("ord_1").await), (2, 3, 0, 0, 0));
    })
    .await;
}
