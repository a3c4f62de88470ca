//! Changes of an order: previewed, confirmed, withdrawn, expired, and declined by nodes.

use std::time::Duration;

use proto::{
    events::{EventType, FulfillmentEvent},
    fulfillment::v1::{FulfillmentCancelled, FulfillmentPicked, FulfillmentShipToChangeSettled},
    order::v1::{
        self as contract, AddedLine, HoldReason, LineChangeKind, LineEdit, NewOrderLine, OrderChangeState, OrderState,
        OrderStatus, ShipToEdit,
    },
    types::v1::Address,
};
use testkit::{START, each, reason, wrong_fields};
use tonic::{Response, Status};
use types::Reason;

use crate::world::{Client, World, address, counters, fulfillment_order, order_of, quantities};

fn edit(line_number: i32, quantity: i64) -> LineEdit {
    LineEdit { line_number, quantity: Some(quantity), ..Default::default() }
}

fn added(sku: &str, quantity: i64) -> AddedLine {
    let line = NewOrderLine { sku: sku.to_owned(), quantity, ..Default::default() };
    AddedLine { line: Some(line), substitutes: 0 }
}

fn change_of(order: &contract::Order) -> contract::ProposeOrderChangeRequest {
    contract::ProposeOrderChangeRequest { order_id: order.order_id.clone(), ..Default::default() }
}

async fn propose(
    mut client: Client,
    request: contract::ProposeOrderChangeRequest,
) -> Result<contract::OrderChange, Status> {
    client.propose_order_change(request).await.map(Response::into_inner)
}

async fn confirm(mut client: Client, change: &contract::OrderChange) -> Result<contract::OrderChange, Status> {
    let request = contract::ConfirmOrderChangeRequest {
        order_id: change.order_id.clone(),
        change_number: change.change_number,
        etag: change.order_etag.clone(),
        ..Default::default()
    };
    client.confirm_order_change(request).await.map(Response::into_inner)
}

async fn get(world: &World, change: &contract::OrderChange) -> contract::OrderChange {
    let (order_id, change_number) = (change.order_id.clone(), change.change_number);
    let request = contract::GetOrderChangeRequest { order_id, change_number };
    world.orders.clone().get_order_change(request).await.unwrap().into_inner()
}

/// An order that waits for an hour with its units reserved.
async fn waiting_order(world: &World, lines: &[(&str, i64)]) -> contract::Order {
    let mut request = order_of("PO-1", lines);
    request.ship_not_before = Some(mesh::wire::timestamp(START.after(Duration::from_secs(3_600))));
    world.place(request).await
}

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
async fn only_the_distributor_changes_prices_and_others_see_their_own_orders_only() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let cheaper = LineEdit {
            line_number: 1,
            unit_price_minor: Some(1),
            discount_basis_points: Some(1),
            ..Default::default()
        };
        let request = contract::ProposeOrderChangeRequest { lines: vec![cheaper], ..change_of(&order) };
        let fields = wrong_fields(propose(world.as_customer(&["acc_1"]), request).await);
        assert_eq!(fields, ["lines[0].unit_price_minor", "lines[0].discount_basis_points"]);
        let request = contract::ProposeOrderChangeRequest { lines: vec![edit(1, 3)], ..change_of(&order) };
        assert_eq!(reason(propose(world.as_customer(&["acc_2"]), request.clone()).await), Reason::NotFound);
        let change = propose(world.as_customer(&["acc_1"]), request).await.unwrap();
        assert_eq!(change.proposed_by, "", "who proposed it is not shown to customers");
        assert_eq!(reason(confirm(world.as_customer(&["acc_2"]), &change).await), Reason::NotFound);
        confirm(world.as_customer(&["acc_1"]), &change).await.unwrap();
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

#[tokio::test]
async fn another_place_is_taken_at_once_by_what_no_node_has_and_asked_of_the_nodes_for_the_rest() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let vienna = Address { country: "AT".to_owned(), city: "Wien".to_owned(), ..address() };
        let to = |place: &Address| ShipToEdit { ship_to_address: Some(place.clone()), ..Default::default() };
        let request = contract::ProposeOrderChangeRequest { ship_tos: vec![to(&vienna)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        let done = confirm(world.orders.clone(), &change).await.unwrap();
        assert_eq!((done.state(), done.ship_tos[0].requested), (OrderChangeState::Applied, 0));
        world.drain().await;
        assert_eq!(world.inventory.reserved()[1].ship_to_country, "AT");
        world.clock.advance(Duration::from_secs(3_600));
        world.drain().await;
        let order = world.get(&order.order_id).await;
        assert_eq!(order.ship_to.clone().unwrap().address.unwrap().city, "Wien");
        // Now nodes have it.
        let graz = Address { city: "Graz".to_owned(), ..vienna.clone() };
        let request = contract::ProposeOrderChangeRequest { ship_tos: vec![to(&graz)], ..change_of(&order) };
        let change = propose(world.orders.clone(), request).await.unwrap();
        let asked = confirm(world.orders.clone(), &change).await.unwrap();
        assert_eq!((asked.state(), asked.ship_tos[0].requested), (OrderChangeState::Requested, 10));
        let settled = FulfillmentShipToChangeSettled {
            order_id: order.order_id.clone(),
            change_number: 2,
            rejected: quantities(&[(1, 10)]),
            reason: "the label is printed".to_owned(),
            ..Default::default()
        };
        let order =
            world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentShipToChangeSettled(settled.clone())).await;
        let ended = get(&world, &asked).await;
        assert_eq!((ended.state(), ended.ship_tos[0].declined), (OrderChangeState::Declined, 10));
        assert_eq!((ended.end_reason.as_str(), order.open_change), ("the label is printed", 0));
        assert_eq!(order.ship_to.clone().unwrap().address.unwrap().city, "Wien", "nothing goes to Graz");
        // Told again, nothing happens.
        let again = world.fulfillment_emits(&order, &FulfillmentEvent::FulfillmentShipToChangeSettled(settled)).await;
        assert_eq!(again, order);
    })
    .await;
}

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

#[tokio::test]
async fn wrong_parts_of_a_change_are_refused_by_their_fields() {
    each(World::furnished, async |world| {
        let order = waiting_order(&world, &[("TEA", 10)]).await;
        let order = world.ships(&order, "shm_1", &[(1, 4)]).await;
        let refused = async |request: contract::ProposeOrderChangeRequest| {
            let request = contract::ProposeOrderChangeRequest { order_id: order.order_id.clone(), ..request };
            wrong_fields(propose(world.orders.clone(), request).await)
        };
        let lines = |lines: Vec<LineEdit>| contract::ProposeOrderChangeRequest { lines, ..Default::default() };
        let adds = |it: AddedLine| contract::ProposeOrderChangeRequest { added_lines: vec![it], ..Default::default() };
        assert_eq!(refused(lines(vec![])).await, ["lines"]);
        assert_eq!(refused(lines(vec![edit(1, 3)])).await, ["lines[0].quantity"]);
        assert_eq!(refused(lines(vec![edit(1, -1)])).await, ["lines[0].quantity"]);
        assert_eq!(refused(lines(vec![edit(2, 3)])).await, ["lines[0].line_number"]);
        assert_eq!(refused(lines(vec![edit(1, 10)])).await, ["lines[0]"]);
        assert_eq!(refused(lines(vec![edit(1, 9), edit(1, 8)])).await, ["lines[1].line_number"]);
        assert_eq!(refused(lines(vec![edit(1, 2_000_000_000)])).await, ["lines[0].quantity"]);
        assert_eq!(refused(adds(added("NONE", 1))).await, ["added_lines[0].line.sku"]);
        assert_eq!(refused(adds(added("TEA", 0))).await, ["added_lines[0].line.quantity"]);
        assert_eq!(refused(adds(AddedLine::default())).await, ["added_lines[0].line"]);
        let of_no_line = AddedLine { substitutes: 7, ..added("CHAI", 1) };
        assert_eq!(refused(adds(of_no_line)).await, ["added_lines[0].substitutes"]);
        let place = ShipToEdit { ship_to_group: 3, ship_to_address: Some(address()), ..Default::default() };
        let request = contract::ProposeOrderChangeRequest { ship_tos: vec![place], ..Default::default() };
        assert_eq!(refused(request).await, ["ship_tos[0].ship_to_group"]);
        assert_eq!(world.get(&order.order_id).await, order);
    })
    .await;
}
