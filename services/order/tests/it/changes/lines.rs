//! Changes of units, lines and prices.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::FulfillmentCancelled,
    order::v1::{
        self as contract, AddedLine, HoldReason, LineChangeKind, LineEdit, OrderChangeState, OrderState, OrderStatus,
    },
};
use testkit::{each, wrong_fields};

use super::{added, change_of, confirm, edit, get, propose, waiting_order};
use crate::world::{World, counters, fulfillment_order, order_of, quantities};

#[tokio::test]
async fn a_confirmed_change_does_what_was_shown_and_its_units_are_reserved_and_shipped() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10), ("CHAI", 4)]).await;
        let request = contract::ProposeOrderChangeRequest {
            lines: vec![edit(1, 12), edit(2, 1)],
            added_lines: vec![added("CHAI", 5)],
            reason: "the party grew".to_owned(),
            ..change_of(&order)
        };
        let change = propose(world.orders.clone(), request).await.unwrap();
        assert_eq!((change.state(), change.change_number), (OrderChangeState::Proposed, 1));
        let shown: Vec<_> = change
            .lines
            .iter()
            .map(|it| (it.line_number, it.kind(), it.quantity_before, it.quantity_after, it.amount_minor_after))
            .collect();
        let expected = [
            (1, LineChangeKind::Changed, 10, 12, 12_060),
            (2, LineChangeKind::Changed, 4, 1, 1_005),
            (3, LineChangeKind::Added, 0, 5, 5_025),
        ];
        assert_eq!(shown, expected);
        let totals = [&change.total_before, &change.total_after].map(|total| total.as_ref().unwrap().minor_units);
        assert_eq!(totals, [14 * 1_005, 18 * 1_005]);
        // While it is open, what it is about is held, and no other change is proposed.
        let held = world.get(&order.order_id).await;
        assert_eq!((held.status(), held.open_change), (OrderStatus::OnHold, 1));
        assert_eq!(held.holds[0].reason(), HoldReason::AwaitingAmendment);
        assert_eq!(held.lines.len(), 2, "nothing has changed yet");
        assert!(!held.supported_actions.contains(&"ProposeOrderChange".to_owned()));
        let done = confirm(world.orders.clone(), &change).await.unwrap();
        assert_eq!((done.state(), &done.lines), (OrderChangeState::Applied, &change.lines));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((order.holds.len(), order.open_change), (0, 0));
        assert_eq!(
            (order.wanted_total.clone(), order.total.clone().unwrap().minor_units),
            (change.total_after, 21_105)
        );
        let reserved: Vec<_> = (0..3).map(|at| counters(&order, at).reserved).collect();
        assert_eq!(reserved, [12, 1, 5]);
        let asked: Vec<_> =
            world.inventory.reserved()[1].lines.iter().map(|it| (it.line_number, it.quantity)).collect();
        assert_eq!(asked, [(1, 12), (2, 4), (3, 5)], "totals, so that a repeat reserves nothing twice");
        let types = world.events_of(&order.order_id).await.types();
        let of_change = [
            EventType::OrderChangeProposed,
            EventType::OrderHoldPlaced,
            EventType::OrderPromiseChanged,
            EventType::OrderLineCancelled,
        ];
        assert_eq!(types[2..6], of_change);
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        let order = world.ships(&order, "shm_1", &[(1, 12), (2, 1), (3, 5)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 12), (2, 1), (3, 5)]).await;
        assert_eq!((order.state(), order.invoice_ready_total), (OrderState::Closed, order.wanted_total));
    })
    .await;
}

#[tokio::test]
async fn fewer_units_after_the_release_are_a_request_that_the_node_grants_in_part() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 4)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        let change = confirm(world.orders.clone(), &change).await.unwrap();
        assert_eq!((change.state(), change.lines[0].cancel_requested), (OrderChangeState::Requested, 6));
        let asked: Vec<contract::OrderCancelRequested> =
            world.events_of(&order.order_id).await.payloads(EventType::OrderCancelRequested);
        assert_eq!((asked[0].lines[0].line_number, asked[0].lines[0].quantity), (1, 6));
        let stopped = FulfillmentCancelled {
            fulfillment_order: fulfillment_order(&order),
            lines: quantities(&[(1, 4)]),
            ..Default::default()
        };
        let order = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentCancelled(stopped)).await;
        assert_eq!((get(&world, &change).await.state(), order.open_change), (OrderChangeState::Requested, 1));
        // The others leave.
        let order = world.ships(&order, "shm_1", &[(1, 6)]).await;
        let ended = get(&world, &change).await;
        assert_eq!((ended.state(), ended.lines[0].cancel_declined), (OrderChangeState::PartiallyApplied, 2));
        assert_eq!((order.open_change, counters(&order, 0).cancel_requested), (0, 0));
    })
    .await;
}

/// Case 6: a price-only edit of a partly shipped line leaves the reservation as it is.
#[tokio::test]
async fn another_price_of_a_partly_shipped_line_settles_the_difference_and_reserves_nothing() {
    each(World::furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 4)]).await;
        let order = world.delivers(&order, "shm_1", &[(1, 4)]).await;
        assert_eq!(order.invoice_ready_total.clone().unwrap().minor_units, 4_020);
        let before = counters(&order, 0);
        let cheaper = LineEdit { line_number: 1, unit_price_minor: Some(900), ..Default::default() };
        let request = contract::ProposeOrderChangeRequest { lines: vec![cheaper], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        confirm(world.orders.clone(), &change).await.unwrap();
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!(counters(&order, 0), before);
        assert_eq!((world.inventory.reserved().len(), world.inventory.released().len()), (1, 0));
        assert_eq!(
            (order.total.clone().unwrap().minor_units, order.credited_total.clone().unwrap().minor_units),
            (9_000, 420)
        );
        let credits = contract::ListProposedCreditsRequest { order_id: order.order_id.clone(), ..Default::default() };
        let credits = world.orders.clone().list_proposed_credits(credits).await.unwrap().into_inner().credits;
        assert_eq!((credits[0].reason.as_str(), credits[0].lines[0].quantity), ("PRICE_CHANGED", 0));
        let order = world.ships(&order, "shm_2", &[(1, 6)]).await;
        let order = world.delivers(&order, "shm_2", &[(1, 6)]).await;
        let owed = order.invoice_ready_total.unwrap().minor_units - order.credited_total.unwrap().minor_units;
        assert_eq!(owed, 9_000);
    })
    .await;
}

#[tokio::test]
async fn a_substitution_waits_for_the_consent_of_the_customer() {
    each(World::furnished, async |world| {
        world.inventory.leave("TEA", 4);
        let order = world.place(order_of("PO-1", &[("TEA", 10)])).await;
        assert_eq!(counters(&order, 0).backordered, 6);
        let instead = AddedLine { substitutes: 1, ..added("CHAI", 6) };
        let request = contract::ProposeOrderChangeRequest { added_lines: vec![instead], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        assert!(change.needs_customer_consent);
        let lines: Vec<_> = change.lines.iter().map(|it| (it.line_number, it.quantity_after, it.substitutes)).collect();
        assert_eq!(lines, [(1, 4, 0), (2, 6, 1)]);
        assert_eq!(wrong_fields(confirm(world.orders.clone(), &change).await), ["consent_note"]);
        confirm(world.as_customer(&["acc_1"]), &change).await.unwrap();
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!((counters(&order, 0).cancelled, counters(&order, 0).released), (6, 4));
        assert_eq!((counters(&order, 1).released, order.lines[1].substitutes), (6, 1));
    })
    .await;
}
