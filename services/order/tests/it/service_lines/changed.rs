//! Changes of orders with services: quantities, added lines, and what does not replace what.

use std::time::Duration;

use proto::order::v1::{self as contract, AddedLine, LineEdit, NewOrderLine, OrderState};
use testkit::{START, each, wrong_fields};
use tonic::{Response, Status};

use super::{furnished, units};
use crate::world::{World, order_of};

fn edit(line_number: i32, quantity: i64) -> LineEdit {
    LineEdit { line_number, quantity: Some(quantity), ..Default::default() }
}

fn added(sku: &str, quantity: i64, substitutes: i32) -> AddedLine {
    AddedLine { line: Some(NewOrderLine { sku: sku.to_owned(), quantity, ..Default::default() }), substitutes }
}

async fn propose(
    world: &World,
    order: &contract::Order,
    lines: Vec<LineEdit>,
    added_lines: Vec<AddedLine>,
) -> Result<contract::OrderChange, Status> {
    let order_id = order.order_id.clone();
    let request = contract::ProposeOrderChangeRequest { order_id, lines, added_lines, ..Default::default() };
    world.orders.clone().propose_order_change(request).await.map(Response::into_inner)
}

/// Proposes and confirms a change, which does what it was shown to do; returns the order after it.
async fn change(
    world: &World,
    order: &contract::Order,
    lines: Vec<LineEdit>,
    added_lines: Vec<AddedLine>,
) -> contract::Order {
    let shown = propose(world, order, lines, added_lines).await.unwrap();
    let request = contract::ConfirmOrderChangeRequest {
        order_id: shown.order_id.clone(),
        change_number: shown.change_number,
        etag: shown.order_etag.clone(),
        consent_note: "by telephone".to_owned(),
        ..Default::default()
    };
    let done = world.orders.clone().confirm_order_change(request).await.unwrap().into_inner();
    assert_eq!((&done.lines, &done.total_after), (&shown.lines, &shown.total_after));
    world.drain().await;
    let order = world.get(&order.order_id).await;
    assert_eq!(order.wanted_total, shown.total_after);
    order
}

/// An order that waits for an hour with its units reserved.
async fn waiting(world: &World, lines: &[(&str, i64)]) -> contract::Order {
    let ship_not_before = Some(mesh::wire::timestamp(START.after(Duration::from_secs(3_600))));
    world.place(contract::PlaceOrderRequest { ship_not_before, ..order_of("PO-1", lines) }).await
}

#[tokio::test]
async fn a_service_is_changed_and_added_without_a_reservation() {
    each(furnished, async |world| {
        let order = waiting(&world, &[("TEA", 3), ("INSTALL", 1)]).await;
        let order = change(&world, &order, vec![edit(2, 3)], vec![added("FREIGHT", 1, 0)]).await;
        assert_eq!((units(&order, 1), units(&order, 2)), ([3, 0, 0, 0], [1, 0, 0, 0]));
        assert_eq!(world.inventory.reserved().len(), 1, "there is nothing to reserve");
        let order = change(&world, &order, vec![edit(2, 2), edit(1, 5)], Vec::new()).await;
        assert_eq!((units(&order, 0), units(&order, 1)), ([5, 0, 0, 0], [2, 0, 0, 1]));
        let asked = &world.inventory.reserved()[1].lines;
        assert_eq!(asked.iter().map(|line| (line.line_number, line.quantity)).collect::<Vec<_>>(), [(1, 5)]);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_added_after_the_goods_left_is_performed_at_once() {
    each(furnished, async |world| {
        let order = world.place(order_of("PO-1", &[("TEA", 3)])).await;
        let order = world.ships(&order, "shm_1", &[(1, 3)]).await;
        let order = change(&world, &order, Vec::new(), vec![added("INSTALL", 1, 0)]).await;
        assert_eq!(units(&order, 1), [0, 1, 0, 0]);
        // It can get more, and not fewer than are performed.
        let order = change(&world, &order, vec![edit(2, 2)], Vec::new()).await;
        assert_eq!(units(&order, 1), [0, 2, 0, 0]);
        let fewer = propose(&world, &order, vec![edit(2, 1)], Vec::new()).await;
        assert_eq!(wrong_fields(fewer), ["lines[0].quantity"]);
        let order = world.delivers(&order, "shm_1", &[(1, 3)]).await;
        assert_eq!((order.state(), order.invoice_ready_total.clone()), (OrderState::Closed, order.total));
    })
    .await;
}

#[tokio::test]
async fn a_change_that_removes_all_goods_shows_and_cancels_their_service() {
    each(furnished, async |world| {
        let order = waiting(&world, &[("TEA", 3), ("INSTALL", 1)]).await;
        let order = change(&world, &order, vec![edit(1, 0), edit(2, 2)], Vec::new()).await;
        assert_eq!((order.state(), units(&order, 1)), (OrderState::Cancelled, [0, 0, 0, 1]));
    })
    .await;
}

#[tokio::test]
async fn goods_that_are_replaced_keep_their_service() {
    each(furnished, async |world| {
        let order = waiting(&world, &[("TEA", 3), ("INSTALL", 1)]).await;
        let order = change(&world, &order, Vec::new(), vec![added("CHAI", 3, 1)]).await;
        assert_eq!((units(&order, 0), units(&order, 1)), ([0, 0, 0, 3], [1, 0, 0, 0]));
    })
    .await;
}

#[tokio::test]
async fn goods_do_not_replace_a_service_nor_a_service_goods() {
    each(furnished, async |world| {
        let order = waiting(&world, &[("TEA", 3), ("INSTALL", 1)]).await;
        for (sku, replaced) in [("FREIGHT", 1), ("CHAI", 2)] {
            let refused = propose(&world, &order, Vec::new(), vec![added(sku, 1, replaced)]).await;
            assert_eq!(wrong_fields(refused), ["added_lines[0].substitutes"], "{sku}");
        }
        let order = change(&world, &order, Vec::new(), vec![added("FREIGHT", 1, 2)]).await;
        assert_eq!((units(&order, 1), units(&order, 2)), ([0, 0, 0, 1], [1, 0, 0, 0]));
    })
    .await;
}
