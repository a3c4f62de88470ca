//! Changes of an order: previewed, confirmed, withdrawn, expired, and declined by nodes.

mod growth;
mod life;
mod lines;
mod places;
mod refusals;
mod times;

use std::time::Duration;

use proto::order::v1::{self as contract, AddedLine, LineEdit, NewOrderLine};
use testkit::START;
use tonic::{Response, Status};

use crate::world::{Client, World, order_of};

pub(super) fn edit(line_number: i32, quantity: i64) -> LineEdit {
    LineEdit { line_number, quantity: Some(quantity), ..Default::default() }
}

pub(super) fn added(sku: &str, quantity: i64) -> AddedLine {
    let line = NewOrderLine { sku: sku.to_owned(), quantity, ..Default::default() };
    AddedLine { line: Some(line), substitutes: 0 }
}

pub(super) fn change_of(order: &contract::Order) -> contract::ProposeOrderChangeRequest {
    contract::ProposeOrderChangeRequest { order_id: order.order_id.clone(), ..Default::default() }
}

pub(super) async fn propose(
    mut client: Client,
    request: contract::ProposeOrderChangeRequest,
) -> Result<contract::OrderChange, Status> {
    client.propose_order_change(request).await.map(Response::into_inner)
}

pub(super) async fn confirm(
    mut client: Client,
    change: &contract::OrderChange,
) -> Result<contract::OrderChange, Status> {
    let request = contract::ConfirmOrderChangeRequest {
        order_id: change.order_id.clone(),
        change_number: change.change_number,
        etag: change.order_etag.clone(),
        ..Default::default()
    };
    client.confirm_order_change(request).await.map(Response::into_inner)
}

pub(super) async fn get(world: &World, change: &contract::OrderChange) -> contract::OrderChange {
    let (order_id, change_number) = (change.order_id.clone(), change.change_number);
    let request = contract::GetOrderChangeRequest { order_id, change_number };
    world.orders.clone().get_order_change(request).await.unwrap().into_inner()
}

/// An order that waits for an hour with its units reserved.
pub(super) async fn waiting_order(world: &World, lines: &[(&str, i64)]) -> contract::Order {
    let mut request = order_of("PO-1", lines);
    request.ship_not_before = Some(mesh::wire::timestamp(START.after(Duration::from_secs(3_600))));
    world.place(request).await
}
