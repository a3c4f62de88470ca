//! Proposed changes: shown, confirmed, withdrawn, and expired.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::FulfillmentPicked,
    order::v1::{self as contract, OrderChangeState},
};
use testkit::{each, reason, wrong_fields};
use types::Reason;

use super::{added, change_of, confirm, edit, get, propose, waiting_order};
use crate::world::{World, counters, fulfillment_order, order_of, quantities};

#[tokio::test]
async fn a_preview_that_is_only_validated_stores_nothing_and_shows_the_same() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 3)], ..change_of(&order) };
        let only = contract::ProposeOrderChangeRequest { validate_only: true, ..request.clone() };
        let shown = propose(world.orders.clone(), only).await.unwrap();
        assert_eq!(world.get(&order.order_id).await, order);
        assert_eq!((shown.change_number, &shown.order_etag), (0, &order.etag));
        let proposed = propose(world.orders.clone(), request).await.unwrap();
        assert_eq!((shown.lines, shown.total_after), (proposed.lines, proposed.total_after));
    })
    .await;
}

#[tokio::test]
async fn a_change_of_an_order_that_has_changed_since_is_shown_again_before_it_is_confirmed() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 6)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        world.cancel_units(&order.order_id, &[(1, 3)]).await.unwrap();
        assert_eq!(reason(confirm(world.orders.clone(), &change).await), Reason::EtagMismatch);
        let again = get(&world, &change).await;
        assert_eq!((again.lines[0].quantity_before, again.lines[0].quantity_after), (7, 6));
        assert_eq!(again.lines[0].cancelled, 1);
        let done = confirm(world.orders.clone(), &again).await.unwrap();
        assert_eq!((done.state(), done.lines.clone()), (OrderChangeState::Applied, again.lines));
        assert_eq!(counters(&world.get(&order.order_id).await, 0).cancelled, 4);
        // A second confirmation has nothing to confirm.
        assert_eq!(reason(confirm(world.orders.clone(), &done).await), Reason::ActionNotSupported);
    })
    .await;
}

/// Case 31: pick started, so the edit window closes by itself, and the hold of the pending edit is released.
#[tokio::test]
async fn a_proposed_change_of_released_units_expires_when_picking_starts_and_lifts_its_hold() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 6)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request.clone()).await.unwrap();
        assert_eq!((change.lines[0].cancelled, change.lines[0].cancel_requested), (0, 4));
        let picked = FulfillmentPicked { fulfillment_order: fulfillment_order(&order), lines: quantities(&[(1, 8)]) };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentPicked(picked)).await;
        assert_eq!((order.holds.len(), order.open_change), (0, 0));
        let ended = get(&world, &change).await;
        assert_eq!(ended.state(), OrderChangeState::Expired);
        assert!(ended.end_reason.contains("picked"), "{}", ended.end_reason);
        assert_eq!(reason(confirm(world.orders.clone(), &ended).await), Reason::ActionNotSupported);
        // The same cannot be proposed any more, and one that leaves the picked units can.
        assert_eq!(wrong_fields(propose(world.orders.clone(), request.clone()).await), ["lines[0].quantity"]);
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 8)], ..request };
        propose(world.orders.clone(), request).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_change_that_nobody_confirms_expires_and_its_hold_is_released_with_it() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let request = contract::ProposeOrderChangeRequest {
            added_lines: vec![added("CHAI", 1)],
            expire_after: Some(mesh::wire::duration(Duration::from_secs(600))),
            ..change_of(&order)
        };
        let change = propose(world.orders.clone(), request).await.unwrap();
        world.clock.advance(Duration::from_secs(599));
        world.drain().await;
        assert_eq!(world.get(&order.order_id).await.holds.len(), 1);
        world.clock.advance(Duration::from_secs(1));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((order.holds.len(), order.open_change, order.lines.len()), (0, 0, 1));
        assert_eq!(get(&world, &change).await.state(), OrderChangeState::Expired);
        assert_eq!(world.events_of(&order.order_id).await.types().last().unwrap(), &EventType::OrderChangeEnded);
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_change_changes_nothing_and_the_next_one_has_the_next_number() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 3)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request.clone()).await.unwrap();
        let withdraw = contract::WithdrawOrderChangeRequest {
            order_id: order.order_id.clone(),
            change_number: change.change_number,
            ..Default::default()
        };
        let ended = world.orders.clone().withdraw_order_change(withdraw.clone()).await.unwrap().into_inner();
        assert_eq!(ended.state(), OrderChangeState::Withdrawn);
        assert_eq!(reason(world.orders.clone().withdraw_order_change(withdraw).await), Reason::ActionNotSupported);
        let mut after = world.get(&order.order_id).await;
        // The end of its hold made the promise again.
        after.lines[0].promise_reason = order.lines[0].promise_reason;
        assert_eq!((after.status(), after.lines), (order.status(), order.lines.clone()));
        assert_eq!(propose(world.orders.clone(), request).await.unwrap().change_number, 2);
        let list = contract::ListOrderChangesRequest { order_id: order.order_id.clone(), ..Default::default() };
        let listed = world.orders.clone().list_order_changes(list).await.unwrap().into_inner().changes;
        let states: Vec<_> = listed.iter().map(contract::OrderChange::state).collect();
        assert_eq!(states, [OrderChangeState::Withdrawn, OrderChangeState::Proposed]);
    })
    .await;
}
