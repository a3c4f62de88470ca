use proto::{
    events::ReturnsEvent,
    returns::v1::{Return, ReturnChanged, ReturnLine, ReturnReceived, ReturnState},
};

use testkit::each;

use crate::world::{World, counters, order_of, quantities};

fn of(order_id: &str, version: i64, state: ReturnState, authorized: i64, received: i64) -> Return {
    Return {
        return_id: "rma_1".to_owned(),
        order_id: order_id.to_owned(),
        state: state.into(),
        lines: vec![ReturnLine { line_number: 1, authorized, received, ..Default::default() }],
        etag: version.to_string(),
        ..Default::default()
    }
}

async fn counted(world: &World, order_id: &str) -> (i64, i64) {
    world.drain().await;
    let units = counters(&world.get(order_id).await, 0);
    (units.return_authorized, units.return_received)
}

#[tokio::test]
async fn a_return_is_counted_once_however_often_it_is_reported() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        world.ships(&order, "shm_1", &[(1, 5)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 5)]).await;
        assert_eq!(order.supported_actions, ["AuthorizeReturn"]);
        let id = order.order_id.as_str();
        let authorized = ReturnChanged { r#return: Some(of(id, 1, ReturnState::Authorized, 3, 0)) };
        let authorized = ReturnsEvent::ReturnAuthorized(authorized);
        world.returns_log.emit(id, &authorized);
        assert_eq!(counted(&world, id).await, (3, 0));
        let received =
            ReturnReceived { r#return: Some(of(id, 2, ReturnState::Received, 3, 4)), lines: quantities(&[(1, 4)]) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnReceived(received.clone()));
        world.returns_log.emit(id, &ReturnsEvent::ReturnOverReceived(received));
        world.returns_log.emit(id, &authorized);
        assert_eq!(counted(&world, id).await, (3, 4));
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_return_is_authorized_no_more() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        world.ships(&order, "shm_1", &[(1, 5)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 5)]).await;
        let id = order.order_id.as_str();
        let changed = |version, state| ReturnChanged { r#return: Some(of(id, version, state, 5, 0)) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnAuthorized(changed(1, ReturnState::Authorized)));
        world.returns_log.emit(id, &ReturnsEvent::ReturnCancelled(changed(2, ReturnState::Cancelled)));
        assert_eq!(counted(&world, id).await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn units_that_came_back_before_they_were_reported_shipped_are_counted_once_they_are() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let id = order.order_id.as_str();
        for (return_id, received) in [("rma_1", 3), ("rma_2", 1)] {
            let rma = Return { return_id: return_id.to_owned(), ..of(id, 2, ReturnState::Received, 3, received) };
            let payload = ReturnReceived { r#return: Some(rma), lines: quantities(&[(1, received)]) };
            world.returns_log.emit(id, &ReturnsEvent::ReturnReceived(payload));
        }
        assert_eq!(counted(&world, id).await, (6, 0));
        world.ships(&order, "shm_1", &[(1, 2)]).await;
        assert_eq!(counted(&world, id).await, (6, 2));
        world.ships(&order, "shm_2", &[(1, 8)]).await;
        assert_eq!(counted(&world, id).await, (6, 4));
    })
    .await;
}

#[tokio::test]
async fn units_that_did_not_come_back_by_a_closed_return_can_be_returned_otherwise() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 5)])).await;
        world.ships(&order, "shm_1", &[(1, 5)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 5)]).await;
        let id = order.order_id.as_str();
        let received = of(id, 2, ReturnState::PartiallyReceived, 5, 3);
        let payload = ReturnReceived { r#return: Some(received), lines: quantities(&[(1, 3)]) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnReceived(payload));
        assert_eq!(counted(&world, id).await, (5, 3));
        assert!(world.get(id).await.supported_actions.is_empty());

        let closed = ReturnChanged { r#return: Some(of(id, 3, ReturnState::Closed, 5, 3)) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnClosed(closed));
        assert_eq!(counted(&world, id).await, (3, 3));
        assert_eq!(world.get(id).await.supported_actions, ["AuthorizeReturn"]);

        let second = Return { return_id: "rma_2".to_owned(), ..of(id, 1, ReturnState::Authorized, 2, 0) };
        world.returns_log.emit(id, &ReturnsEvent::ReturnAuthorized(ReturnChanged { r#return: Some(second) }));
        assert_eq!(counted(&world, id).await, (5, 3));
        assert!(world.get(id).await.supported_actions.is_empty());
    })
    .await;
}
